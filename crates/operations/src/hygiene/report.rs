//! What should be tidied up, with what a running program knows of requests, and code that asks for ended flags.

use std::path::Path;

use flagstaff_flags::Snapshot;
use flagstaff_tag::{Asker, UnknownName};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::code::{EndedInCode, search};
use super::{Finding, FindingKind, hygiene};
use crate::Error;
use crate::traffic::FlagTraffic;
use crate::words::thousands;
use crate::workspace::Workspace;

/// What should be tidied up.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct HygieneReport {
    /// What the flag file says.
    pub findings: Vec<Finding>,
    /// Since when it is known what was asked for (RFC 3339); none: only a running program knows.
    pub watched_since: Option<String>,
    /// Flags that no request met since then.
    pub never_asked: Vec<String>,
    /// Names that were asked for and that nobody defined, the most frequent first.
    pub unknown: Vec<UnknownFlag>,
    /// Ended flags that code still asks for; none where it was not said where to look.
    pub code: Option<Vec<EndedInCode>>,
}

/// A name that was asked for and that nobody defined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnknownFlag {
    /// The name.
    pub name: String,
    /// Who asked: `app`, or `visitor` where it came in a link or from a page.
    pub asker: String,
    /// How often since the program started.
    pub times: u64,
}

/// What a running program knows.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Since when it watches.
    pub since: Timestamp,
    /// How often flags were asked for.
    pub asked: Vec<FlagTraffic>,
    /// Names that nobody defined.
    pub unknown: Vec<UnknownName>,
}

/// What should be tidied up on a day; `code` is a folder to search for ended flags.
///
/// # Errors
/// When the folder or the archive of ended flags cannot be read.
pub fn report(
    workspace: &Workspace,
    snapshot: &Snapshot,
    watched: Option<&Watched>,
    code: Option<&Path>,
    today: Date,
) -> Result<HygieneReport, Error> {
    let never = watched.iter().flat_map(|watched| &watched.asked).filter(|one| one.requests == 0);
    Ok(HygieneReport {
        findings: hygiene(workspace, snapshot, today)?.findings,
        watched_since: watched.map(|watched| format!("{:.0}", watched.since)),
        never_asked: never.map(|one| one.flag.clone()).collect(),
        unknown: watched.iter().flat_map(|watched| &watched.unknown).map(UnknownFlag::from).collect(),
        code: code.map(|folder| search(workspace, snapshot, folder)).transpose()?,
    })
}

impl HygieneReport {
    /// Whether there is nothing to tidy up. A flag without an expiry date alone is nothing.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let is_well = self.findings.iter().all(|finding| finding.kind == FindingKind::NoExpiry);
        let asks_nothing = self.code.as_ref().is_none_or(Vec::is_empty);
        is_well && self.never_asked.is_empty() && self.unknown.is_empty() && asks_nothing
    }
}

impl From<&UnknownName> for UnknownFlag {
    fn from(one: &UnknownName) -> Self {
        let asker = match one.asker {
            Asker::App => "app",
            Asker::Visitor => "visitor",
        };
        Self { name: one.name.clone(), asker: asker.into(), times: one.times }
    }
}

impl UnknownFlag {
    /// The whole in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let who = if self.asker == "app" { "the app" } else { "visitors" };
        let times = if self.times == 1 { "once".into() } else { format!("{} times", thousands(self.times)) };
        format!("{who} asked for `{}` {times}, and no flag has that name", self.name)
    }
}
