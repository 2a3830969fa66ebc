//! What is answered to an edit: what the flag is now, and where that stands.

use flagstaff_flags::Snapshot;
use flagstaff_source::edit::EditPlan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::undo::Undoing;
use super::{everyone, meaning};
use crate::Error;
use crate::flags::origin;
use crate::workspace::find;

/// A flag after an edit.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Edited {
    /// The flag.
    pub flag: String,
    /// Something is otherwise than before.
    pub changed: bool,
    /// What it does, in one word; `unknown` where that cannot be told.
    pub state: String,
    /// Whether it is on, as its file or the ledger says.
    pub enabled: bool,
    /// Where what holds was said.
    pub origin: String,
    /// The flag is everywhere what was wanted.
    pub in_force: bool,
    /// What it does for visitors now, in words.
    pub means: String,
    /// The person who made the edit.
    pub by: String,
    /// The person is recorded in the ledger.
    pub recorded: bool,
    /// How to undo it, as a command.
    pub undo: String,
    /// The revision of the files since then; none where it is in the ledger alone.
    pub revision: Option<String>,
    /// Where it was written.
    pub way: Way,
}

/// Where an edit was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Way {
    /// In files; in the ledger alone where there are none.
    Files {
        /// The files that were changed.
        files: Vec<String>,
        /// Why the flag is not everywhere what was wanted.
        problems: Vec<String>,
    },
    /// In the ledger, because running programs cannot use the file.
    Ledger {
        /// Where the ledger is.
        location: String,
        /// Why the file cannot be used.
        why: Vec<String>,
        /// Why it is not in force.
        refused: Option<String>,
    },
}

/// What came of an edit of the file.
#[derive(Default)]
pub(super) struct Outcome {
    /// What its undo depends on; on or off, where that was wanted.
    pub(super) undoing: Undoing,
    /// It was to be on for everyone.
    pub(super) is_for_everyone: bool,
    /// The person who made it is recorded.
    pub(super) recorded: bool,
    /// Why the flag is not everywhere what was wanted.
    pub(super) problems: Vec<Error>,
}

impl Outcome {
    /// What came of a switch.
    pub(super) fn of_switch(on: bool, recorded: bool, problems: Vec<Error>) -> Self {
        Self {
            undoing: Undoing { wanted: Some(on), ..Undoing::default() },
            is_for_everyone: false,
            recorded,
            problems,
        }
    }
}

/// An edit of the file was made. What a pin or another file overrides is not what was wanted.
pub(super) fn by_file(
    name: &str,
    by: &str,
    plan: &EditPlan,
    snapshot: &Snapshot,
    outcome: Outcome,
) -> Result<Edited, Error> {
    let (_, flag) = find(snapshot, name)?;
    let Outcome { undoing, is_for_everyone, recorded, problems } = outcome;
    let is_as_wanted = undoing.wanted.map_or(flag.pin.is_none(), |on| meaning::is_as_wanted(snapshot, flag, on));
    let still_off = if undoing.wanted == Some(true) { meaning::still_off(snapshot, flag) } else { None };
    let left_out = (is_for_everyone && is_as_wanted).then(|| everyone::left_out(snapshot, flag)).flatten();
    Ok(Edited {
        flag: name.into(),
        changed: plan.is_change() || recorded,
        state: flag.mode().as_str().into(),
        enabled: flag.enabled,
        origin: origin(flag),
        in_force: problems.is_empty() && is_as_wanted,
        means: [meaning::words(snapshot, flag)].into_iter().chain(left_out).collect::<Vec<_>>().join(", "),
        by: by.into(),
        recorded,
        undo: undoing.of(name, plan),
        revision: Some(snapshot.revision().into()),
        way: Way::Files {
            files: plan.files().map(Into::into).collect(),
            problems: told(&problems).into_iter().chain(still_off).collect(),
        },
    })
}

/// A fact in the ledger was to switch the flag `on`, or off. What the ledger says now is known from reading it again: another fact may
/// have come after it. `is_off` is none where the ledger does not know the flag.
pub(super) fn by_fact(
    name: &str,
    by: &str,
    on: bool,
    is_off: Option<bool>,
    recorded: Result<(), Error>,
    location: String,
    why: &[Error],
) -> Edited {
    let is_done = recorded.is_ok() && is_off == Some(!on);
    let is_off = is_off.unwrap_or_default();
    let (word, other) = if is_off { ("off", "on") } else { ("on", "off") };
    let refused = recorded
        .map_or_else(|error| error.to_string(), |()| "the ledger says otherwise when it is read again".to_owned());
    Edited {
        flag: name.into(),
        changed: is_done,
        state: if is_done { word } else { "unknown" }.into(),
        enabled: !is_off,
        origin: if is_done { "ledger" } else { "none" }.into(),
        in_force: is_done,
        means: if is_off { "off for everyone" } else { "as it was" }.into(),
        by: by.into(),
        recorded: is_done,
        undo: format!("flagstaff {other} {name}"),
        revision: None,
        way: Way::Ledger { location, why: told(why), refused: (!is_done).then_some(refused) },
    }
}

/// Errors in words.
fn told(errors: &[Error]) -> Vec<String> {
    errors.iter().map(ToString::to_string).collect()
}
