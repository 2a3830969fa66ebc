//! Where the flags and the ledger are, and how they are opened.
//!
//! - `locations.rs`: a [`Workspace`], which names the flag files and the ledger, and reads the flags.
//! - `ledger.rs`: the ledger of a workspace, opened for one question or one change.
//! - `find.rs`: a flag or a variant by its name.

mod find;
mod ledger;
mod locations;

pub use flagstaff_ledger::Replica;

pub use find::{find, variant};
pub use locations::{InForce, Workspace};
