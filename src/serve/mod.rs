//! `flagstaff run`: the program that serves.
//!
//! - `run.rs`: everything is read and checked, then everything is bound, then it runs until it has drained.
//! - `banner.rs`: what it says when it serves.
//! - `health.rs`: how it is, for operators and in the log.
//! - `meters.rs`: metrics about the program itself.
//! - `left_out.rs`: how many requests were not counted, and why.
//! - `listen.rs`: addresses that cannot be listened on.
//! - `file_rights.rs`: files that others may read or write.

mod banner;
mod file_rights;
mod health;
mod left_out;
mod listen;
mod meters;
mod run;

pub(crate) use run::run;
