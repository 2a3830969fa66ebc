//! What the controller does with what becomes known of the ledger.

use flagstaff_flags::{Fact, Name};
use flagstaff_ledger::{FlagEpoch, NumberedSigns};

use super::alarm::decided_again;
use super::flag_state::{Arrivals, FlagState};
use super::reconcile::{Came, seen};
use super::{Began, Controller};
use crate::messages::{LedgerCommand, LedgerEvent};

impl Controller {
    pub(super) fn handle_ledger(&mut self, event: LedgerEvent) {
        match event {
            LedgerEvent::Clock(ahead) => self.clock.set(ahead),
            LedgerEvent::AllFacts(all) => self.begin(all),
            LedgerEvent::Unreachable(why) => self.ledger_away(why.is_some()),
            LedgerEvent::FactsAdded(name, facts) => self.added_elsewhere(&name, &facts),
            LedgerEvent::Conflict(name, facts) => self.resolve(&name, &facts),
            LedgerEvent::FactsLost(name, number) => self.write_again(&name, number),
            LedgerEvent::Signs { of, after, next } => self.feed(&of, after, &next),
            LedgerEvent::Arrivals { flag, epoch, step, by_arm, treatment } => {
                let Some(state) = self.states.get_mut(&flag) else { return };
                if state.standing().epoch != epoch {
                    // it began anew meanwhile, and who came before says nothing
                    return state.stop_waiting();
                }
                state.set_arrivals(Arrivals { step, by_arm, treatment });
                self.monitor.recount(&flag, step, treatment);
            }
            LedgerEvent::ArrivalsUnknown(flag) => {
                self.states.get_mut(&flag).into_iter().for_each(FlagState::stop_waiting);
            }
        }
    }

    /// The ledger is away, or back. Nothing waits for what it cannot tell now.
    fn ledger_away(&mut self, is_away: bool) {
        self.ledger_is_away = is_away;
        self.states.values_mut().for_each(FlagState::stop_waiting);
    }

    /// Facts that other programs added.
    fn added_elsewhere(&mut self, name: &Name, facts: &[Fact]) {
        let known = self.states.get(name).map_or(0, |state| state.standing().number);
        let added: Vec<_> = facts.iter().filter(|fact| fact.number > known).cloned().collect();
        added.iter().for_each(|fact| self.follow(fact, Began::Elsewhere));
        self.publish_and_tell(&added);
    }

    /// Other programs were first: what they did holds, and what is still to be done is done after it.
    fn resolve(&mut self, name: &Name, facts: &[Fact]) {
        // what was seen here goes with the numbers of then
        self.keep_signs();
        let mut lost = Vec::new();
        let before = self.states.remove(name);
        let edit_is_lost = before.as_ref().is_some_and(|before| before.lacks_beginning(facts));
        if let Some(mut state) = FlagState::new(facts) {
            let epoch = state.standing().epoch;
            if before.as_ref().is_some_and(|before| before.standing().epoch != epoch)
                && let Some(flag) = self.snapshot.flag_named(name.as_str())
            {
                self.monitor.begin(flag, state.standing().step);
            }
            before.into_iter().for_each(|mut before| {
                state.inherit_limits(&mut before);
                state.inherit_watch(&mut before);
                state.inherit_lag(&mut before);
                lost = before.decided_here();
            });
            state.set_flag(self.snapshot.flag_named(name.as_str()).cloned());
            let lacks_watch = state.lacks_watch();
            self.states.insert(name.clone(), state);
            if lacks_watch {
                self.watch_anew(name);
            }
        }
        let current = self.snapshot.flag_named(name.as_str());
        let came = if edit_is_lost { Came::Edited } else { Came::Unchanged };
        let seen = current.and_then(|flag| seen(flag, came, self.states.get(name)));
        self.add_facts(seen.into_iter().collect());
        for lost in lost {
            let again = self.states.get(name).and_then(|state| decided_again(state, lost));
            self.add_facts(again.into_iter().collect());
        }
        self.publish();
    }

    /// The ledger is another one, or lost what it had: what is known here is written down again.
    fn write_again(&mut self, name: &Name, number: u64) {
        if let Some(state) = self.states.get_mut(name) {
            state.renumber(number);
            let (again, epoch) = (state.facts().to_vec(), state.epoch());
            self.send(LedgerCommand::AddFacts(again));
            self.send(LedgerCommand::FollowSigns(epoch));
        }
    }

    fn feed(&mut self, of: &FlagEpoch, after: u64, next: &NumberedSigns) {
        if let Some(state) = self.states.get_mut(&of.0).filter(|state| state.epoch() == *of) {
            state.feed(after, next);
            // what the signs say holds, also where no program lived to write it down
            self.trip_recorded(std::slice::from_ref(&of.0));
        }
    }
}
