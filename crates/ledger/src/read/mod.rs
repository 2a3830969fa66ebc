//! From rows to answers: a tally of an experiment, how it stood day by day, and rows for export.
//!
//! `question.rs` says what is asked, `recorded.rs` finds the experiment, and `slices.rs` its units. `count.rs` has them counted in one pass, as
//! `tally.rs`, `daily.rs` and `cohorts.rs` do; `group.rs` and `sums.rs` count units together. `export.rs` writes rows. All answer through the
//! handle in `ledger.rs`; `replica.rs` is a copy of the ledger to ask instead.

pub(crate) mod cohorts;
pub(crate) mod count;
pub(crate) mod daily;
pub(crate) mod export;
pub(crate) mod group;
pub(crate) mod ledger;
pub(crate) mod question;
pub(crate) mod recorded;
pub(crate) mod replica;
pub(crate) mod slices;
pub(crate) mod sums;
pub(crate) mod tally;
