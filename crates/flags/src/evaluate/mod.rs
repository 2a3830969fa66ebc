//! Who gets which variant, and why.
//!
//! [`decide`] asks the steps in their order, and [`holdout`] is one of them. [`decision`] is the answer. [`explain`] tells each step
//! on the way. [`exposure`] says which decisions a request exposes its visitor to. A
//! [`kept_subject`] is kept beyond its request, to see later what other flags would decide for it.

mod decide;
mod decision;
mod explain;
mod exposure;
mod holdout;
mod kept_subject;

pub use decision::{Decision, DecisionStep, Decisions, Reason};
pub use explain::{Explanation, StepOutcome, TraceStep};
pub use kept_subject::KeptSubject;
