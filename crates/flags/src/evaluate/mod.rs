//! Who gets which variant, and why.
//!
//! [`decide`] asks the steps in their order, and [`holdout`] is one of them. [`decision`] is the answer. [`explain`] tells each step
//! on the way. [`exposure`] says which decisions a request exposes its visitor to.

mod decide;
mod decision;
mod explain;
mod exposure;
mod holdout;

pub use decision::{Decision, DecisionStep, Decisions, Reason};
pub use explain::{Explanation, StepOutcome, TraceStep};
