//! Who gets which variant, and why.

mod decide;
mod decision;
mod explain;
mod kept;

pub(crate) use decide::{Case, Watch};
pub use decision::{Decision, Decisions, Reason, Step};
pub use explain::{Explanation, Outcome, TraceStep};
pub use kept::KeptDraw;
