//! `flagstaff run`: the program that serves.
//!
//! - `run.rs`: its steps: settings, log, checks, then it serves.
//! - `checked.rs`: everything is read and checked.
//! - `start.rs`: everything is started and bound, then it runs until it has drained.
//! - `operators.rs`: the address for operators.
//! - `entry.rs`: the token that opens it. `tokens.rs`: tokens that are read again.
//! - `banner.rs`: what it says when it serves.
//! - `health.rs`: how it is, for operators and in the log.
//! - `meters.rs`: metrics about the program itself.
//! - `process_metrics.rs`: those of every process.
//! - `spans.rs`: spans of requests, for OpenTelemetry.
//! - `left_out.rs`: how many requests were not counted, and why.
//! - `listen.rs`: addresses that cannot be listened on.
//! - `service_manager.rs`: what systemd is told.
//! - `file_rights.rs`: files that others may read or write.

mod banner;
mod checked;
mod entry;
mod file_rights;
mod health;
mod left_out;
mod listen;
mod meters;
mod operators;
mod process_metrics;
mod run;
mod service_manager;
mod spans;
mod start;
mod tokens;

pub(crate) use run::run;
