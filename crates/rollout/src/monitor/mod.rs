//! The monitor: it counts what becomes of requests and tells the controller what matters. It is in a request's way, so it never waits.
//!
//! | file | what is in it |
//! |---|---|
//! | `outcome_monitor.rs` | [`OutcomeMonitor`]: every answer comes here |
//! | `flag_window.rs` | what is known of one flag since it began |
//! | `step_window.rs` | what is known of one step: its time limit, and who came |
//! | `keys.rs` | keys that tell visitors and networks apart |

mod flag_window;
mod keys;
mod outcome_monitor;
mod step_window;

pub(crate) use keys::unit_key;
pub use outcome_monitor::OutcomeMonitor;
