//! What guards make of the messages of the monitor.

use flagstaff_experiment::guard::NetworkKey;
use flagstaff_flags::{Name, Snapshot};
use flagstaff_ledger::FirstSign;

use super::Controller;
use super::alarm::{Alarm, fact};
use super::flag_state::FlagState;
use crate::messages::{Message, WindowId};

/// Signs that wait for the ledger, of all flags together. What comes beyond is dropped and counted.
const MAX_WAITING: usize = 1 << 18;
/// Those of one flag at least, and at most.
const WAITING_EACH: std::ops::RangeInclusive<usize> = (1 << 10)..=(1 << 16);

impl Controller {
    /// A sign was seen here. It counts when it comes back with its number from a ledger that other machines share; else it counts at once.
    pub(super) fn observe(&mut self, window: &WindowId, sign: FirstSign, limited: Option<NetworkKey>) {
        let (most, counts_at_once) = (self.waiting_each, self.counts_at_once());
        let Some(state) = self.state_of(window) else { return };
        state.observe(sign, limited, most);
        if counts_at_once {
            state.feed_waiting();
            self.trip_recorded(std::slice::from_ref(&window.flag));
        }
    }

    /// A unit came to the treatment at a step.
    pub(super) fn arrived(&mut self, window: &WindowId, sign: FirstSign) {
        let most = self.waiting_each;
        if let Some(state) = self.state_of(window) {
            state.arrived(sign, most);
        }
    }

    /// Whether signs are counted before they have a number: nobody outside this machine counts them. A file that is locked or full delays
    /// no guard then.
    pub(super) fn counts_at_once(&self) -> bool {
        self.ledger.as_ref().is_none_or(|ledger| ledger.is_file)
    }

    /// Does what the flag says its guard does, once.
    pub(super) fn trip(&mut self, name: &Name, alarm: Alarm) {
        if let Some(fact) = self.states.get(name).and_then(|state| fact(state, alarm)) {
            // the signs first: the trip can be read together with what it rests on
            self.keep_signs();
            self.add_facts(vec![fact]);
        }
    }

    /// Trips guards of which the recorded signs make an alarm.
    pub(super) fn trip_recorded(&mut self, names: &[Name]) {
        for name in names {
            if let Some(evidence) = self.states.get(name).and_then(FlagState::alarm) {
                self.trip(name, Alarm::from(evidence));
            }
        }
    }

    /// The flag that a message is about, where it has not begun anew since.
    pub(super) fn state_of(&mut self, window: &WindowId) -> Option<&mut FlagState> {
        self.catch_up(window);
        let state = self.states.get_mut(&window.flag)?;
        Some(state)
            .filter(|state| state.standing().definition == window.definition && self.monitor.is_current(window))
    }

    /// Answers to requests that were decided with new flags may be heard of before those flags.
    fn catch_up(&mut self, window: &WindowId) {
        if self.states.get(&window.flag).is_some_and(|state| state.standing().definition == window.definition) {
            return;
        }
        let current = self.publisher.current();
        let flag = current.flag_named(window.flag.as_str());
        if flag.is_some_and(|flag| flag.definition == window.definition) {
            self.handle(Message::Published(current));
        }
    }
}

/// Signs of each flag that may wait for the ledger.
pub(super) fn waiting_each(snapshot: &Snapshot) -> usize {
    let flags = snapshot.flags().iter().filter(|flag| flag.guard.is_some() || flag.rollout.is_some());
    (MAX_WAITING / flags.count().max(1)).clamp(*WAITING_EACH.start(), *WAITING_EACH.end())
}
