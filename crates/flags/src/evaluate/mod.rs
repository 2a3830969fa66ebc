//! Who gets which variant, and why.
//!
//! [`decide`] asks the steps in their order, and [`holdout`] is one of them. [`planned`] asks as few of them as it can. [`decisions`] are
//! the answers. [`explain`] tells each step on the way. [`exposure`] says which decisions a request exposes its visitor to. A
//! [`kept_subject`] is kept beyond its request, to see later what other flags would decide for it.

mod decide;
mod decisions;
mod explain;
mod exposure;
mod holdout;
mod kept_subject;
mod planned;
mod rules;

pub use decisions::Decisions;
pub use explain::{Explanation, StepOutcome, TraceStep};
pub use kept_subject::KeptSubject;
