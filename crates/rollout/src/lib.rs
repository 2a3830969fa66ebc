#![doc = include_str!("../README.md")]
//!
//! # How it works
//!
//! ```text
//! answers → OutcomeMonitor (in the request's way: counts, never waits) → messages → controller → facts → Publisher ⇒ every request
//!                                                                                       ⇅
//!                                                                                  ledger sync → ledger, webhooks
//! ```
//!
//! The controller decides in memory and at once; the ledger follows when it can. So a guard works while the store is down, and a store
//! that is slow holds up nothing. Should the controller end with a panic, [`flagstaff_supervise::ailing`] says so, and it goes on with
//! what it had decided.
//!
//! | room or file | what is in it |
//! |---|---|
//! | `monitor/` | [`OutcomeMonitor`] counts answers |
//! | `controller/` | decides: reconciles facts and flags, goes on with steps, rolls back |
//! | `ledger_sync/` | writes facts and signs, and reads what other programs wrote |
//! | `webhooks/` | receivers are told of facts |
//! | `messages.rs` | what they tell each other |
//! | `running.rs` | [`RunningController`]: all of it on one thread |
//! | `last_known.rs` | facts in a file, for a start while the ledger is away |

mod controller;
#[cfg(test)]
mod fixtures;
mod last_known;
mod ledger_sync;
mod messages;
mod monitor;
mod running;
mod webhooks;

pub use monitor::OutcomeMonitor;
pub use running::{RunningController, SnapshotSender, Start};
