//! Rollouts that climb and guards that take back, while the program runs.
//!
//! ```text
//! answers → Sentry (in the request's way: counts, never waits) → words → Conductor → facts → Publisher ⇒ every request
//!                                                                            ⇅
//!                                                                          Books → ledger
//! ```
//!
//! The conductor decides in memory and at once; the books follow when the ledger takes it. So a guard works while the store
//! is down, and a store that is slow holds up nothing. Should the conductor end with a panic, `/readyz` says so, and it goes on with
//! what it had decided.

mod advance;
mod controller;
mod flag_state;
mod flag_window;
mod handle;
mod keys;
mod last_known;
mod ledger_events;
mod ledger_sync;
mod monitor;
mod reconcile;
#[cfg(test)]
mod tests;
mod webhooks;

pub use handle::{Conducting, Herald, Start};
pub use last_known::{Keeping, Memory};
pub use monitor::Sentry;
pub use webhooks::{Teller, Webhooks};
