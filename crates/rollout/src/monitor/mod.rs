//! The monitor: it counts what becomes of requests and tells the controller what matters. It is in a request's way, so it never waits.
//!
//! | file | what is in it |
//! |---|---|
//! | `guard_observer.rs` | observes requests: which answer is an error or slow, and for which flags |
//! | `outcome.rs` | what became of a request, seen from one flag |
//! | `outcome_monitor.rs` | [`OutcomeMonitor`]: every outcome comes here |
//! | `windows.rs` | the windows of all flags, found by name or by place |
//! | `flag_window.rs` | what is known of one flag since it began |
//! | `step_window.rs` | what is known of one step: its time limit, and who came |
//! | `keys.rs` | keys that tell visitors and networks apart |

mod flag_window;
mod guard_observer;
mod keys;
mod outcome;
mod outcome_monitor;
mod step_window;
mod windows;

pub(crate) use guard_observer::GuardObserver;
pub(crate) use keys::unit_key;
#[cfg(test)]
pub(crate) use outcome::{Answered, Conversion, Exposure, Outcome, Outcomes};
pub use outcome_monitor::OutcomeMonitor;
