//! What guards make of the messages of the monitor.

use flagstaff_experiment::guard::NetworkKey;
use flagstaff_flags::Name;
use flagstaff_ledger::FirstSign;

use super::Controller;
use super::alarm::{Alarm, fact};
use super::flag_state::FlagState;
use crate::messages::{Message, WindowId};

impl Controller {
    pub(super) fn observe(&mut self, window: &WindowId, sign: FirstSign, limited: Option<NetworkKey>) {
        let evidence = self.state_of(window).and_then(|state| state.observe(sign, limited));
        if let Some(evidence) = evidence {
            self.trip(&window.flag, Alarm::from(&*evidence));
        }
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
                self.trip(name, Alarm::from(&evidence));
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
