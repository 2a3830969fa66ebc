//! What is known beside the texts, and what comes of them.

use flagstaff_flags::{FlagTexts, Snapshot};
use jiff::civil::Date;

use crate::findings::Report;

/// What is known beside the texts.
#[derive(Clone, Debug, Default)]
pub struct ParseOptions {
    /// The environment whose overlay counts, such as `production`.
    pub environment: Option<String>,
    /// Environment variables as name and value. Those that begin with `FLAGSTAFF_FLAG_` pin flags, others are passed over.
    pub pins: Vec<(String, String)>,
    /// The day, for warnings about what is old; without it there are none.
    pub today: Option<Date>,
    /// All flags travel in one header only (`headers.send = "compact"`), so that many flags are no reason to warn.
    pub one_header: bool,
}

/// A document that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it means.
    pub snapshot: Snapshot,
    /// What it was read from.
    pub texts: FlagTexts,
    /// What should be mended: warnings only.
    pub report: Report,
}
