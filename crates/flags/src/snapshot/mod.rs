//! One whole, checked, immutable set of flags, and the one that holds now.

mod flag_set;
mod links;
mod live;

pub use flag_set::{Facts, FlagId, Snapshot};
pub use live::{Publisher, Reader, publisher};
