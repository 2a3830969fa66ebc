//! What deciding, tagging, recording and guarding cost: each file here is a bench.

pub mod layer;
