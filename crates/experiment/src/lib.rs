#![doc = include_str!("../README.md")]
//!
//! ```text
//! what was counted → Observed → analyse → Report: is the split sound? → how far apart, how surely? → Verdict
//! ```
//!
//! An [`Observed`] experiment holds, for each step of a rollout, how many visitors saw which variant and what they did. [`analyse`] first
//! asks whether visitors fell into the variants as they should have, and names no winner when they did not. Then it compares each
//! variant with the control within each step, combines the steps, and corrects for several goals and variants. The [`Verdict`] rests on
//! a test that may be read every day.
//!
//! While a rollout advances, a [`guard::GuardTests`] says whether a variant must be rolled back. [`Plan`] says beforehand how many visitors an
//! experiment takes.

mod analysis;
pub mod guard;
mod numbers;
pub mod rollout;

pub use analysis::analyse::{analyse, analyse_daily};
pub use analysis::observed::{Arm, Cohort, Day, Direction, Goal, Measure, Observed, Step, Sums, Total, Variant};
pub use analysis::plan::{Needed, Plan, PlanError};
pub use analysis::report::{
    Adjusted, AlwaysValid, Comparison, GoalReport, LeftOut, PerConversion, Range, Report, SampleRatio, VariantReport,
};
pub use analysis::settings::{AnalysisSettings, SettingsError};
pub use analysis::two_counts::{Share, ShareError, TwoCounts, compare};
pub use analysis::verdict::{Verdict, VerdictKind};
