//! `/healthz` and `/readyz`: whether the program is well, and whether requests should be sent to it.

mod probes;
mod report;

pub(crate) use probes::router;
pub use report::{FlagsHealth, Health, LedgerHealth, LedgerStatus, ReplicaHealth, Status};
