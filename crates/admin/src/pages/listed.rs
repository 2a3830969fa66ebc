//! A flag as it is listed, in the words and signs of pages.

use flagstaff_flags::{Flag, FlagMode, Snapshot};
use flagstaff_operations::edit::means;
use flagstaff_operations::flags::{ListedFlag, ListedState, list};
use jiff::{Timestamp, Zoned};

/// A remark on a flag, where something is unusual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chip {
    pub(super) text: String,
    pub(super) is_alarm: bool,
}

/// A flag as it is listed, with the flag itself.
pub(super) struct Seen<'s> {
    pub(super) listed: ListedFlag,
    pub(super) flag: &'s Flag,
    /// What it does for visitors now, in words.
    pub(super) means: String,
}

/// Every flag of a snapshot, as it is now.
pub(super) fn all(snapshot: &Snapshot) -> Vec<Seen<'_>> {
    let listed = list(snapshot, Timestamp::now(), Zoned::now().date());
    let seen = |listed: ListedFlag| {
        let flag = snapshot.flag_named(&listed.name)?;
        Some(Seen { means: means(snapshot, flag), listed, flag })
    };
    listed.into_iter().filter_map(seen).collect()
}

/// One flag of a snapshot.
pub(super) fn one<'s>(snapshot: &'s Snapshot, name: &str) -> Option<Seen<'s>> {
    all(snapshot).into_iter().find(|seen| seen.listed.name == name)
}

impl Seen<'_> {
    /// The sign of its state.
    pub(super) const fn mark(&self) -> &'static str {
        match self.listed.state {
            ListedState::Tripped => "✕",
            ListedState::SwitchedOff | ListedState::AsWritten(FlagMode::Off) => "○",
            ListedState::AsWritten(FlagMode::On) => "●",
            ListedState::AsWritten(FlagMode::Split) => "◐",
            ListedState::AsWritten(FlagMode::Targeted) => "◎",
            ListedState::AsWritten(FlagMode::Rollout) => "▶",
        }
    }

    /// Its state, as people say it.
    pub(super) const fn state_words(&self) -> &'static str {
        state_words(self.listed.state.as_str())
    }

    /// What is unusual about it.
    pub(super) fn chips(&self) -> Vec<Chip> {
        let listed = &self.listed;
        let alarm = |text: &str| Chip { text: text.into(), is_alarm: true };
        let faint = |text: String| Chip { text, is_alarm: false };
        let is_owned = listed.owner.as_ref().is_some_and(|owner| !owner.trim().is_empty());
        let pin = self.flag.pin.as_ref().map(|pin| faint(format!("pinned by {}", pin.variable)));
        let origin = listed.origin.strip_prefix("overlay ").map(|name| faint(format!("from {name}")));
        let all = [
            listed.expired.then(|| alarm("expired")),
            (listed.state == ListedState::SwitchedOff).then(|| alarm("switched off beside its file")),
            listed.stale.then(|| faint("ready to delete".into())),
            (!is_owned).then(|| faint("no owner".into())),
            pin,
            origin,
        ];
        all.into_iter().flatten().collect()
    }

    /// The percentage as its file says; empty where it says none.
    pub(super) fn written_percent(&self) -> String {
        self.flag.percent.map(|percent| percent.to_string()).unwrap_or_default()
    }

    /// Whether it follows a rollout that was not rolled back.
    pub(super) fn is_rolling_out(&self) -> bool {
        self.flag.rollout.is_some() && self.listed.state != ListedState::Tripped
    }

    /// Whether a switch-off changes anything.
    pub(super) fn may_switch_off(&self) -> bool {
        self.listed.enabled && self.listed.state != ListedState::SwitchedOff
    }
}

/// The states of flags, with the words for them.
pub(super) const STATES: [&str; 6] = ["on", "split", "targeted", "rollout", "off", "tripped"];

/// A state, as people say it.
pub(super) const fn state_words(state: &'static str) -> &'static str {
    match state.as_bytes() {
        b"split" => "on for some",
        b"targeted" => "on for people it names",
        b"rollout" => "rolling out",
        b"tripped" => "rolled back",
        _ => state,
    }
}
