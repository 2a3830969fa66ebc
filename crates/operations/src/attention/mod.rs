//! What needs a person, and what happened last.
//!
//! - `needs.rs`: flags that were rolled back, wait for an approval, expired, or are ready to be deleted.
//! - `recent.rs`: what happened last, of all flags.

mod needs;
mod recent;

pub use needs::{Attention, Need, NeedKind, attention};
pub use recent::RecentFact;
