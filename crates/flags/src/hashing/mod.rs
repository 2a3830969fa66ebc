//! Where a unit falls by the formulas of other systems, so that a team that moves in draws nobody anew.
//!
//! [`formula`] names them with the keys each one reads, [`settings`] holds what is written under `hash`, and [`recipes`] makes of
//! both what is hashed. [`function`] has the hash functions, with [`murmur3`] and [`fnv`] written out, [`cbor`] what flagd wraps texts in; [`number`] turns what they
//! say into a position. [`hash`] is the whole, [`drawn_with`] what a flag, a rule or a layer draws with.

mod cbor;
mod drawn_with;
mod fnv;
mod formula;
mod function;
mod hash;
mod murmur3;
mod number;
mod recipe;
mod recipes;
mod settings;

pub(crate) use drawn_with::DrawnWith;
pub use formula::Formula;
pub use hash::{Hash, HashedNumber};
pub use settings::{HashError, HashSeed, HashSettings};
