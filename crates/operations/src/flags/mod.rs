//! What a flag file says, and what would be decided.
//!
//! - `list.rs`: every flag with its state, percentage, owner, expiry and origin.
//! - `check.rs`: every mistake in the flag file.
//! - `explain.rs`: why a visitor gets a variant, step by step.
//! - `simulate.rs`: visitors who fall into variants.
//! - `link.rs`: a signed link that gives its visitor variants.

mod check;
mod explain;
mod link;
mod list;
mod simulate;

pub use check::{Checked, check};
pub use explain::{ExplainedStep, Explainer, Explanation, Query, Request};
pub use link::{Link, link};
pub use list::{Choice, ListedFlag, ListedState, list, origin};
pub use simulate::{Simulated, Simulation};
