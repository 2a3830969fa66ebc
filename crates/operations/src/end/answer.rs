//! What is answered to an end.

use flagstaff_experiment::Report;
use flagstaff_source::archive;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::code::{Found, Spellings};
use crate::json;

/// A flag that was ended before, and is out of the file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Gone {
    /// The flag.
    pub flag: String,
    /// The variant that it was ended with.
    pub winner: String,
    /// True.
    pub done: bool,
    /// False: that was done before.
    pub archived: bool,
    /// False: that was done before.
    pub changed: bool,
    /// True.
    pub removed: bool,
    /// When it was ended.
    #[serde(with = "json::text")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// How code asks for it.
    pub spellings: [String; 5],
    /// The lines that still ask for it; none where it was not said where to look.
    pub code: Option<Vec<Found>>,
}

impl Gone {
    pub(super) fn new(before: &archive::Ended, spellings: &Spellings, code: Option<Vec<Found>>) -> Self {
        Self {
            flag: before.flag.clone(),
            winner: before.winner.clone(),
            done: true,
            archived: false,
            changed: false,
            removed: true,
            at: before.at,
            spellings: spellings.all(),
            code,
        }
    }
}

/// What was done, or would be, or why it was not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// The flag.
    pub flag: String,
    /// The variant everybody gets.
    pub winner: String,
    /// It was done.
    pub done: bool,
    /// It was only asked what would be done.
    pub dry_run: bool,
    /// The flag was added to the archive, or would be.
    pub archived: bool,
    /// The archive.
    pub archive: String,
    /// The flag file.
    pub file: String,
    /// The revision of the flags then; where nothing was done, the one that was looked at.
    #[serde(default)]
    pub revision: String,
    /// The flag file was changed, or would be.
    pub changed: bool,
    /// The flag was taken out of the file, or would be.
    pub removed: bool,
    /// Keys and tables that went with it, as paths with dots; none where nothing was done.
    pub gone: Option<Vec<String>>,
    /// Its goals that no other flag names.
    pub unused_goals: Vec<String>,
    /// Its results, where something was recorded.
    pub results: Option<Results>,
    /// What speaks against it.
    pub objections: Vec<String>,
    /// The variant whose branch in the code is to be kept.
    pub keep: String,
    /// The variants whose branches are to be deleted.
    pub delete: Vec<String>,
    /// How code asks for the flag.
    pub spellings: [String; 5],
    /// The lines that ask for it; none where it was not said where to look.
    pub code: Option<Vec<Found>>,
    /// What to do next; none where nothing was done.
    pub next: Option<String>,
    /// What else holds of the flag.
    pub passed: Passed,
}

/// What else holds of a flag that is ended.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Passed {
    /// Flags that it requires.
    pub requires: Vec<String>,
    /// The variable that pins it here.
    pub pin: Option<String>,
    /// Addresses that requests of the winner are passed on to.
    pub upstream: Vec<String>,
}

/// The results as `flagstaff results --json` has them, with when the experiment began.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResultsAtTheEnd")]
pub struct Results {
    /// What they say.
    #[serde(flatten)]
    pub report: Report,
    /// When its first visitor came.
    #[serde(with = "json::text")]
    #[schemars(with = "String")]
    pub began: Timestamp,
}
