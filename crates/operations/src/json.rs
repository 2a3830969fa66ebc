//! How answers write what JSON has no form for.

use std::fmt::Display;

use flagstaff_flags::Percent;
use jiff::Timestamp;
use serde::Serializer;

pub(crate) fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

pub(crate) fn optional_text<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}

/// A percentage as a number from 0 to 100.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn percent<S: Serializer>(percent: &Percent, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(percent.as_f64())
}

/// Percentages by name.
pub(crate) fn percents<S: Serializer>(percents: &[(String, Percent)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(percents.iter().map(|(name, percent)| (name, percent.as_f64())))
}

/// Counts by name.
pub(crate) fn counts<S: Serializer>(counts: &[(String, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(name, count)| (name, count)))
}

/// A time with its milliseconds.
pub(crate) fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

pub(crate) fn optional_time<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}
