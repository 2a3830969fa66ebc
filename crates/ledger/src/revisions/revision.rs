//! A revision of the flags: to be recorded, and as it is recorded.

use flagstaff_flags::{FlagTexts, RevisionSource};
use jiff::Timestamp;

/// Says what one set of flags changes of another; of the first one there is, nothing comes before.
pub type Compare = fn(Option<&FlagTexts>, &FlagTexts) -> RevisionChanges;

/// What a revision changes of the one before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevisionChanges {
    /// The flags that it changes.
    pub flags: Vec<String>,
    /// What it changes, as text that the ledger keeps without reading it.
    pub text: String,
}

/// A revision that was accepted, to be recorded.
#[derive(Clone, Debug)]
pub struct NewRevision {
    /// The revision: SHA-256 of its texts.
    pub revision: String,
    /// The environment whose overlay counts.
    pub environment: Option<String>,
    /// When it was accepted.
    pub at: Timestamp,
    /// How it came.
    pub source: RevisionSource,
    /// The person who made it; empty where nobody knows.
    pub by: String,
    /// The commit of git that it came with.
    pub commit: Option<String>,
    /// What was wanted, in a few words; may be empty.
    pub why: String,
    /// The flag file.
    pub place: String,
    /// Its texts.
    pub texts: FlagTexts,
    /// Says what it changes of the revision before, whichever that is when it is recorded.
    pub compare: Compare,
}

/// A revision as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRevision {
    /// The environment whose overlay counted.
    pub environment: Option<String>,
    /// Its place among the revisions of its environment, from 1.
    pub number: u64,
    /// The revision: SHA-256 of its texts.
    pub revision: String,
    /// When it was accepted.
    pub at: Timestamp,
    /// How it came; none where a later version of this program knows.
    pub source: Option<RevisionSource>,
    /// The person who made it; empty where nobody knows.
    pub by: String,
    /// The commit of git that it came with.
    pub commit: Option<String>,
    /// What was wanted, in a few words; may be empty.
    pub why: String,
    /// The flag file.
    pub place: String,
    /// What it changes of the revision before, as [`RevisionChanges::text`] said.
    pub changes: String,
    pub(crate) definitions: String,
    pub(crate) overlay: Option<String>,
}
