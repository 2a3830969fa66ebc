//! A text of TOML becomes a typed value, with every mistake at once.

mod read;
pub(crate) mod recover;
pub(crate) mod serde_messages;
pub(crate) mod tree;

pub use read::{Spans, read};
pub use serde_messages::mistake;
