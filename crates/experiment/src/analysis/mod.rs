//! From counts to a verdict.
//!
//! ```text
//! observed.rs      what was counted: the one input
//! sample_ratio.rs  whether visitors fell into the variants as they should have
//! comparison.rs    a variant against the control, step by step, then combined
//! verdict.rs       what to do; sentences.rs says it
//! report.rs        all of it, as JSON for scripts
//! analyse.rs       from one end to the other
//! plan.rs, settings.rs, two_counts.rs   what is fixed before, and two counts without a ledger
//! ```

pub(crate) mod analyse;
pub(crate) mod comparison;
pub(crate) mod observed;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod sample_ratio;
mod sentences;
pub(crate) mod settings;
pub(crate) mod two_counts;
pub(crate) mod verdict;
