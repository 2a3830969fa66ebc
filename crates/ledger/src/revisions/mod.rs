//! Every set of flags that was accepted: its texts, when, how it came, and who made it.
//!
//! - `revision.rs`: a revision to record, and one that is recorded.
//! - `add.rs`: a revision becomes a row, once for all programs that share the ledger.
//! - `bounds.rs`: how many are kept, and which go first.
//! - `packed.rs`: texts as the store keeps them.
//! - `queue.rs`: revisions that wait for the writer.
//! - `revision_store.rs`: a ledger that is open for revisions.

mod add;
mod bounds;
mod packed;
pub(crate) mod queue;
pub(crate) mod revision;
pub(crate) mod revision_store;
mod rows;

pub(crate) use add::add;
