//! From rows to answers: a tally of an experiment, how it stood day by day, and rows for export.
//!
//! `question.rs` says what is asked, `recorded.rs` finds the experiment, `group.rs` and `sums.rs` count units together, and
//! `tally.rs`, `daily.rs`, `cohorts.rs` and `export.rs` answer through the handle in `ledger.rs`. `replica.rs` is a copy of the ledger to ask instead.

pub(crate) mod cohorts;
pub(crate) mod daily;
pub(crate) mod export;
pub(crate) mod group;
pub(crate) mod ledger;
pub(crate) mod question;
pub(crate) mod recorded;
pub(crate) mod replica;
pub(crate) mod sums;
pub(crate) mod tally;
