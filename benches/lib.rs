//! What deciding and tagging cost: see `benches/deciding.rs`.
