//! Whether an experiment's variants differ, and how many visitors it takes.
//!
//! - `report.rs`: the results of one experiment, of the holdout, and of every experiment.
//! - `slices.rs`: parts of an experiment: days, weeks, steps.
//! - `csv.rs`: results as CSV.
//!
//! [`compare`] compares two counts that are given by hand, and [`Plan`] says how many visitors an experiment needs.

mod csv;
mod report;
mod slices;

pub use csv::csv;
pub use flagstaff_experiment::{Needed, Plan, TwoCounts};
pub use flagstaff_ledger::goals_of;
pub(crate) use report::judge;
pub use report::{Experiments, Results, compare, experiments, of_flag, of_holdout};
pub use slices::{DayExposures, Slice, SliceBy, SliceGoal, SliceVariant};
