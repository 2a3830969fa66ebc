//! What should be tidied up: flags that are past their time, belong to nobody, or were ended and are still there.
//!
//! - `report.rs`: the same with what a running program knows of requests, and code that asks for ended flags.
//! - `code.rs`: ended flags that code still asks for.

mod code;
mod report;

use std::collections::HashSet;

use flagstaff_flags::{Flag, Snapshot};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::workspace::Workspace;

pub use code::EndedInCode;
pub use report::{HygieneReport, UnknownFlag, Watched, report};

/// What should be tidied up, in the order of kinds and of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Hygiene {
    /// Each thing by itself; a flag may be there several times.
    pub findings: Vec<Finding>,
}

/// Something that should be tidied up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The flag.
    pub flag: String,
    /// What is the matter, as the end of a sentence that begins with the flag.
    pub sentence: String,
}

/// What should be tidied up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// It is past its expiry.
    Expired,
    /// It was ended, and is still in the file.
    Ended,
    /// It has been at 0 or 100 percent for 30 days.
    Stale,
    /// Nobody answers for it.
    NoOwner,
    /// It does not say when it should go.
    NoExpiry,
}

/// What should be tidied up on a day.
///
/// # Errors
/// When the archive of ended flags cannot be read.
pub fn hygiene(workspace: &Workspace, snapshot: &Snapshot, today: Date) -> Result<Hygiene, Error> {
    let archived = workspace.source.ended()?;
    let ended: HashSet<_> = archived.iter().map(|one| one.flag.as_str()).collect();
    let mut findings: Vec<_> = snapshot.flags().iter().flat_map(|flag| of(flag, &ended, today)).collect();
    findings.sort_by_key(|finding| finding.kind);
    Ok(Hygiene { findings })
}

fn of(flag: &Flag, ended: &HashSet<&str>, today: Date) -> Vec<Finding> {
    let is_owned = flag.owner.as_ref().is_some_and(|owner| !owner.trim().is_empty());
    let is_kept = flag.gate.is_some();
    let expired = flag.expires.filter(|_| flag.is_expired(today)).map(|date| format!("expired on {date}"));
    let is_ended = ended.contains(flag.name.as_str());
    let all = [
        (FindingKind::Expired, expired),
        (FindingKind::Ended, is_ended.then(|| "was ended, and is still in the file".into())),
        (
            FindingKind::Stale,
            flag.is_stale(today).then(|| "has been the same for everybody for 30 days or more".into()),
        ),
        (FindingKind::NoOwner, (!is_owned).then(|| "has no owner".into())),
        (FindingKind::NoExpiry, (flag.expires.is_none() && !is_kept).then(|| "has no expiry date".into())),
    ];
    let finding = |(kind, sentence): (FindingKind, Option<String>)| {
        Some(Finding { kind, flag: flag.name.to_string(), sentence: sentence? })
    };
    all.into_iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::Name;
    use flagstaff_source::{FlagSource, ParseOptions};

    use super::*;

    #[test]
    fn what_is_past_its_time_comes_first_and_a_kill_switch_may_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flags.toml");
        let workspace = Workspace {
            source: FlagSource::files(&path, None),
            reading: ParseOptions::default(),
            ledger: Ok(None),
            replica: None,
            edits_by: flagstaff_flags::RevisionSource::Command,
        };
        let mut old = Flag::new(Name::new("old").unwrap());
        old.expires = Some("2026-01-01".parse().unwrap());
        let mut fresh = Flag::new(Name::new("fresh").unwrap());
        fresh.owner = Some("growth".into());
        let snapshot = Snapshot::new("r", vec![fresh, old], vec![], vec![], vec![]).unwrap();
        let found = hygiene(&workspace, &snapshot, "2026-11-28".parse().unwrap()).unwrap().findings;
        let kinds: Vec<_> = found.iter().map(|one| (one.kind, one.flag.as_str())).collect();
        let wanted = [(FindingKind::Expired, "old"), (FindingKind::NoOwner, "old"), (FindingKind::NoExpiry, "fresh")];
        assert_eq!(kinds, wanted);
        assert_eq!(found[0].sentence, "expired on 2026-01-01");
    }
}
