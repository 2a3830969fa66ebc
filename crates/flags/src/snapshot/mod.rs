//! One whole, checked, immutable set of flags, and the one that is live.
//!
//! [`flag_set`] is the snapshot. It is made through [`checks`], which resolves [`links`] between flags and the order in which they
//! are decided ([`required_first`]). [`recorded`] is what facts add to it. [`shares`], [`draw_key`], [`goals`], [`asked`], [`met`] and [`former_draws`] answer
//! questions about it, and [`planned`] works out what of its decisions is known before anybody asks. [`publisher`] publishes one snapshot after the other.

mod asked;
mod checks;
mod draw_key;
mod flag_set;
mod former_draws;
mod goals;
mod links;
mod met;
mod planned;
mod publisher;
mod recorded;
mod required_first;
mod shares;
mod state;

pub use flag_set::Snapshot;
pub use met::MetFlags;
pub use publisher::{Publisher, Reader, publisher};
pub use recorded::RecordedFacts;
