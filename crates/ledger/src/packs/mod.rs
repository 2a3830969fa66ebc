//! Rows of exposures and conversions are packed, so that results read a million of them in a moment.
//!
//! The tables stay the truth. Each transaction that changes rows notes their units (`store/note.rs`). A pack has the rows of one experiment
//! or goal, of units whose hashes begin alike (`store/unit_hash.rs`, `rows.rs`). Writers bring packs up to date, one shard at a time (`pack.rs`), and first
//! note what was there before (`backlog.rs`); `packer.rs` says when. Who reads takes the packs, and from the tables only what is noted.

pub(crate) mod backlog;
pub(crate) mod fetch;
pub(crate) mod pack;
pub(crate) mod packer;
pub(crate) mod rows;
