//! The flags of the file in the form of another system's file, and what cannot be said there.
//!
//! `plan` makes steps of a flag, `test` tests on a context of its conditions; each system has a file that writes them. The context is that of
//! OFREP here: `targetingKey` is the visitor, `user`, `groups`, `roles`, `language` and the rest have the names that conditions have.

mod alternatives;
mod flagd;
mod goff;
mod plan;
mod rules;
mod test;
mod unleash;

use std::collections::BTreeMap;

use flagstaff_flags::{Flag, Formula, Snapshot};
use jiff::Timestamp;
use serde::Serialize;

use plan::Plan;

/// A system whose files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// flagd: a flag definition.
    Flagd,
    /// Unleash: what its clients are told, for a bootstrap or a file of Unleash Edge.
    Unleash,
    /// GO Feature Flag: a file of flags.
    Goff,
}

/// A file of another system.
#[derive(Clone, Debug)]
pub struct Translated {
    /// The file, as JSON.
    pub text: String,
    /// What became of each flag.
    pub flags: Vec<TranslatedFlag>,
}

/// What became of one flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TranslatedFlag {
    /// The flag.
    pub flag: String,
    /// What is not said there.
    pub lost: Vec<String>,
    /// Whether visitors keep what they have; none where nobody is drawn.
    pub keeps_visitors: Option<bool>,
}

impl Target {
    /// The formula by which it draws.
    #[must_use]
    pub const fn formula(self) -> Formula {
        match self {
            Self::Flagd => Formula::Flagd,
            Self::Unleash => Formula::Unleash,
            Self::Goff => Formula::Goff,
        }
    }

    /// As its makers write it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Flagd => "flagd",
            Self::Unleash => "Unleash",
            Self::Goff => "GO Feature Flag",
        }
    }
}

/// Writes the flags of a snapshot for another system, as they are at a time.
#[must_use]
pub fn translate(snapshot: &Snapshot, target: Target, now: Timestamp) -> Translated {
    let plans = snapshot.ids().zip(snapshot.flags()).map(|(id, flag)| Plan::new(snapshot, id, flag, target, now));
    let mut plans: Vec<_> = plans.collect();
    let text = match target {
        Target::Flagd => flagd::written(&mut plans),
        Target::Unleash => unleash::written(&mut plans),
        Target::Goff => goff::written(&mut plans),
    };
    let flags = plans.into_iter().map(|plan| TranslatedFlag {
        flag: plan.flag.name.to_string(),
        keeps_visitors: plan.keeps_visitors(),
        lost: plan.lost,
    });
    Translated { text, flags: flags.collect() }
}

/// A document as text.
fn text(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

/// Values by name.
type Named<T> = BTreeMap<String, T>;

/// The description of a flag; none where it is empty.
fn description(flag: &Flag) -> Option<String> {
    flag.description.clone().filter(|text| !text.trim().is_empty())
}
