//! Texts become a snapshot: read, converted, pinned, checked, and looked through for what is old.

#[allow(clippy::module_inception, reason = "the way itself")]
pub(crate) mod assemble;
pub(crate) mod fingerprint;
mod lint;
pub(crate) mod parse;
pub(crate) mod pins;

pub use parse::{LARGEST, Loaded, Options, Text, parse};
pub use pins::{PREFIX as PIN_PREFIX, truth};
