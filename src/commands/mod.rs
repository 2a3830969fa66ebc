//! What each command does. A command answers yes or no; what keeps it from answering is an error.

mod changes;
pub(crate) mod check;
mod check_waffle;
pub(crate) mod compare;
mod comparison;
mod confirm;
pub(crate) mod demo_traffic;
pub(crate) mod diff;
pub(crate) mod edit;
pub(crate) mod end;
pub(crate) mod explain;
pub(crate) mod export;
mod export_as;
pub(crate) mod fleet;
pub(crate) mod forget;
pub(crate) mod history;
pub(crate) mod hygiene;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod link;
pub(crate) mod list;
mod person;
pub(crate) mod power;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod results;
mod results_list;
pub(crate) mod rollback;
pub(crate) mod rollout;
pub(crate) mod scan;
pub(crate) mod shell;
pub(crate) mod simulate;
pub(crate) mod tail;
pub(crate) mod traffic;
mod undo;
pub(crate) mod webhook;

use std::process::ExitCode;

use person::{logged_in, person};

/// What a command says by its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 0: yes, fine, done.
    Yes,
    /// 1: no, there are problems, it was not done.
    No,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Yes => Self::SUCCESS,
            Outcome::No => Self::from(1),
        }
    }
}
