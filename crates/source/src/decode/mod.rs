//! A text of TOML becomes a typed value, with every mistake at once.
//!
//! A [`text`] is parsed into a [`tree`] of values with places; what is no TOML is told by [`syntax`]. [`recover`] reads a type out of
//! the tree, tables [by name](flagstaff_flags::ByName), takes out what is wrong and reads on; [`serde_messages`] says it in words of the file. [`echoes`] takes out what only
//! follows. [`read`] is all of this for any document of settings.

pub(crate) mod echoes;
mod read;
pub(crate) mod recover;
pub(crate) mod serde_messages;
mod syntax;
pub(crate) mod text;
pub(crate) mod tree;

pub use read::{Spans, read};
pub use text::{LARGEST, Text, truth};
