//! Flags that are here as they were earlier: this program has an older file than the one that the facts are about. It cannot tell
//! whether it follows late, or whether somebody took the file back while no program ran.

use std::time::Duration;

use flagstaff_flags::{Flag, Standing};
use tokio::time::Instant;

use super::Controller;
use super::flag_state::FlagState;
use super::reconcile::{Came, seen};

/// A file may be so late without a word: others read the same edit a moment earlier.
const TOLD_AFTER: Duration = Duration::from_secs(5);

/// How long the file of a flag has been behind its facts.
#[derive(Debug, Default)]
pub(crate) struct Lag {
    since: Option<Instant>,
    is_told: bool,
    /// It did when this program started. One that begins to lag while it runs knows that others made the edit.
    since_start: bool,
}

impl Lag {
    /// It lags, or does not. Returns whether it has lagged for long.
    fn look(&mut self, lags: bool) -> bool {
        if !lags {
            *self = Self::default();
            return false;
        }
        self.since.get_or_insert_with(Instant::now).elapsed() >= TOLD_AFTER
    }

    /// Whether it was not told before.
    const fn is_new(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }
}

impl Controller {
    /// Notes which flags lag at the start.
    pub(super) fn lag_at_start(&mut self) {
        for state in self.states.values_mut() {
            state.lag().since_start = lags(state);
        }
    }

    /// Says of which flags this program has another state than their facts are about: once in the log, and to operators while it is so.
    pub(super) fn tell_lagging(&mut self) {
        let mut all = Vec::new();
        for state in self.states.values_mut().filter_map(lagging_for_long) {
            let text = format!("{}: {}", state.name(), words(state.standing()));
            if state.lag().is_new() {
                tracing::warn!("{text}");
            }
            all.push(text);
        }
        all.sort();
        self.monitor.set_lagging(all);
    }

    /// No other program has other flags, so the file was taken back while nobody saw it: that is an edit. What a guard or a person
    /// stopped stays so, until a person says otherwise: a program with an older file may be the first that is back after a failure.
    pub(super) fn take_back(&mut self) {
        if !self.is_ready() || self.is_last_good {
            return;
        }
        let lagging = self.states.values_mut().filter_map(lagging_for_long);
        let is_taken = |state: &mut FlagState| state.lag().since_start && !state.standing().is_stopped();
        let taken = lagging.filter_map(|state| is_taken(state).then_some(state));
        let edited = |state: &FlagState| seen(state.flag()?, Came::Edited, Some(state));
        let facts = taken.filter_map(|state| edited(state)).collect();
        self.add_facts(facts);
    }
}

/// A flag that has lagged for a while.
fn lagging_for_long(state: &mut FlagState) -> Option<&mut FlagState> {
    let lags = lags(state);
    state.lag().look(lags).then_some(state)
}

fn lags(state: &FlagState) -> bool {
    let is_other = |flag: &Flag| flag.needs_facts() && !state.standing().is_about(flag);
    state.flag().is_some_and(|flag| is_other(flag))
}

fn words(standing: &Standing) -> String {
    let held = if standing.trip.is_some() { "it stays rolled back" } else { "it is served as at its first step" };
    // the list of the fleet has room for 300 characters
    format!(
        "the flags of this program have another state of it than the one on record; here {held}, and no guard watches it. Give all \
         programs the same flags. If these are right, `flagstaff rollout FLAG reset` begins with them"
    )
}
