//! What observers are told of a request and its answer: the ledger, the guards of flags, and the counters of `/metrics`.

pub(crate) mod context;
pub(crate) mod guard_observer;
#[cfg_attr(not(feature = "ledger"), path = "unrecorded.rs")]
pub(crate) mod ledger_observer;
pub(crate) mod metrics;
pub(crate) mod observers;
pub(crate) mod outcome;

pub use metrics::Answers;
pub use outcome::{Answered, Conversion, Meeting, Outcome, Outcomes};
