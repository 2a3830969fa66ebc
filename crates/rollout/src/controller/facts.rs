//! Facts: followed here, published at once, and written down.

use flagstaff_flags::{Fact, FactKind, Name, RecordedFacts};

use super::flag_state::FlagState;
use super::report::{announce, measure};
use super::{Began, Controller};
use crate::messages::LedgerCommand;

impl Controller {
    /// Adds facts: decided here and now, published at once, written down as soon as the ledger takes them.
    pub(super) fn add_facts(&mut self, mut facts: Vec<Fact>) {
        if facts.is_empty() {
            return;
        }
        // other programs measure holds from it, with clocks of their own
        let now = self.clock.now();
        for fact in &mut facts {
            fact.at = self.states.get(&fact.flag).map_or(now, |state| now.max(state.newest()));
        }
        facts.iter().for_each(|fact| self.follow(fact, Began::Here));
        self.publish_and_tell(&facts);
        if self.ledger.is_none() {
            self.webhooks.send(&facts);
        }
        self.send(LedgerCommand::AddFacts(facts));
    }

    /// What a fact changes in what is known here.
    pub(super) fn follow(&mut self, fact: &Fact, began: Began) {
        let anew = match self.states.get_mut(&fact.flag) {
            Some(state) => state.add(fact),
            None => {
                let begun = FlagState::new(std::slice::from_ref(fact));
                self.states.extend(begun.map(|state| (fact.flag.clone(), state)));
                true
            }
        };
        if anew {
            self.begin_window(fact, began);
            self.watch_anew(&fact.flag);
        }
    }

    /// Publishes facts that were followed. The log and the metrics have them afterwards: who reads there that a flag was rolled back may
    /// rely on it.
    pub(super) fn publish_and_tell(&mut self, facts: &[Fact]) {
        self.publish();
        for fact in facts {
            self.states.get_mut(&fact.flag).into_iter().for_each(measure);
            announce(fact);
        }
    }

    /// What was seen before a flag began says nothing of it. Answers to an edited flag may be heard of before the edit: these stay.
    fn begin_window(&self, fact: &Fact, began: Began) {
        let is_edit = began == Began::Here && fact.kind != FactKind::Reset;
        match self.snapshot.flag_named(fact.flag.as_str()) {
            Some(flag) if !is_edit => self.monitor.begin(flag, fact.step),
            _ => self.monitor.forget_others(&fact.flag, fact.definition),
        }
    }

    /// Watches a flag from the fact on with which it began: what was seen since then, here and elsewhere, comes from the ledger.
    pub(super) fn watch_anew(&mut self, name: &Name) {
        let flag = self.snapshot.flag_named(name.as_str()).cloned();
        let Some(state) = self.states.get_mut(name) else { return };
        if state.begin_watch(flag) {
            let command = LedgerCommand::FollowSigns(state.epoch());
            self.send(command);
        }
    }

    pub(super) fn publish(&self) {
        let mut facts = RecordedFacts { unknown: !self.is_ready(), ..RecordedFacts::default() };
        for (name, state) in &self.states {
            facts.add(name, state.standing());
            facts.add_earlier(name, state.standing());
        }
        self.publisher.learn(facts);
    }
}
