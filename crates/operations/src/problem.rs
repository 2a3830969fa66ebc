//! Why a request was not carried out, in the form of RFC 9457.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a request was not carried out, and what to do about it (RFC 9457, `application/problem+json`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// What kind of problem it is; `about:blank` where it is not there.
    #[serde(rename = "type", default)]
    pub kind: ProblemKind,
    /// The status in words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What is wrong.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// What the edit would undo. Send it again with `?confirm=` and the revision to make it all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The revision of the flags now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The revision that the request was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What the operation says all the same: where a rollout stands, or what speaks against an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
}

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ProblemKind {
    /// The request cannot be read.
    #[serde(rename = "urn:flagstaff:problem:request")]
    Request,
    /// There is no such flag.
    #[serde(rename = "urn:flagstaff:problem:no-flag")]
    NoFlag,
    /// There is no such revision, or more than one begins so.
    #[serde(rename = "urn:flagstaff:problem:no-revision")]
    NoRevision,
    /// The flag has no such variant.
    #[serde(rename = "urn:flagstaff:problem:no-variant")]
    NoVariant,
    /// An input makes no sense.
    #[serde(rename = "urn:flagstaff:problem:input")]
    Input,
    /// The flag file cannot be used as it is. `detail` draws each mistake at its place.
    #[serde(rename = "urn:flagstaff:problem:document")]
    Document,
    /// The flag file would be wrong after the edit. `detail` draws each mistake at its place.
    #[serde(rename = "urn:flagstaff:problem:not-written")]
    NotWritten,
    /// The settings of the program are wrong.
    #[serde(rename = "urn:flagstaff:problem:settings")]
    Settings,
    /// A file cannot be read or written.
    #[serde(rename = "urn:flagstaff:problem:storage")]
    Storage,
    /// The edit would undo something.
    #[serde(rename = "urn:flagstaff:problem:would-undo")]
    WouldUndo,
    /// The flags are not those of the revision that the request names.
    #[serde(rename = "urn:flagstaff:problem:changed")]
    Changed,
    /// The flag is in a state in which that cannot be done.
    #[serde(rename = "urn:flagstaff:problem:refused")]
    Refused,
    /// Nothing was recorded.
    #[serde(rename = "urn:flagstaff:problem:nothing-recorded")]
    NothingRecorded,
    /// The ledger gives no answer.
    #[serde(rename = "urn:flagstaff:problem:ledger")]
    Ledger,
    /// The `Idempotency-Key` was used for something else, or its first request is not answered yet.
    #[serde(rename = "urn:flagstaff:problem:idempotency")]
    Idempotency,
    /// The status says it all.
    #[default]
    #[serde(rename = "about:blank", other)]
    Status,
}

impl ProblemKind {
    /// Whether `detail` is drawn, line by line.
    #[must_use]
    pub const fn is_drawn(self) -> bool {
        matches!(self, Self::Document | Self::NotWritten | Self::Settings)
    }
}

impl Problem {
    /// A problem of a kind.
    #[must_use]
    pub fn new(kind: ProblemKind, status: u16, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            status,
            detail: detail.into(),
            help: None,
            undoes: None,
            revision: None,
            expected: None,
            answer: None,
        }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// What is wrong and what to do about it, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.detail),
            None => self.detail.clone(),
        }
    }
}
