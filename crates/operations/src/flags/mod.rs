//! What a flag file says, and what would be decided.
//!
//! - `list.rs`: every flag with its state, percentage, owner, expiry and origin.
//! - `check.rs`: every mistake in the flag file.
//! - `explain.rs`: why a visitor gets a variant, step by step.
//! - `simulate.rs`: visitors who fall into variants.
//! - `draft.rs`: a draft of a flag that is not saved.
//! - `source_text.rs`: what the files say of a flag.
//! - `link.rs`: a signed link that gives its visitor variants.

mod check;
mod draft;
mod explain;
mod link;
mod list;
mod simulate;
mod source_text;

pub use check::{CheckAnswer, Checked, check, check_draft};
pub use draft::draft;
pub use explain::{ExplainedNumber, ExplainedStep, Explainer, Explanation, Query, Request};
pub use link::{Link, link};
pub use list::{Choice, HeldOut, ListedFlag, ListedState, held_out, list, one, origin};
pub use simulate::{Simulated, Simulation};
pub use source_text::source_text;
