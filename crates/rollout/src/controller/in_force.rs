//! The flags in force: with what is recorded of them at the start, and whenever their file changes.

use std::collections::HashMap;
use std::sync::Arc;

use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{Fact, FactKind, Name, Snapshot};

use super::Controller;
use super::flag_state::FlagState;
use super::guards::waiting_each;
use super::reconcile::{expired, reconcile};

impl Controller {
    /// Begins, with all that is recorded.
    pub(super) fn begin(&mut self, all: HashMap<Name, Vec<Fact>>) {
        self.states = all.into_iter().filter_map(|(name, facts)| Some((name, FlagState::new(&facts)?))).collect();
        let ready = self.ready.take();
        self.reconcile(None);
        self.lag_at_start();
        self.publish();
        if let Some(ready) = ready {
            // the start may have waited too long already
            let _ = ready.send(());
        }
    }

    /// Takes over the flags in force, after others or at the start: those that are new, edited or gone begin or end.
    pub(super) fn reconcile(&mut self, before: Option<&Snapshot>) {
        let snapshot = Arc::clone(&self.snapshot);
        self.monitor.take_over();
        self.waiting_each = waiting_each(&snapshot);
        let facts = reconcile(before, &snapshot, &self.states, self.is_last_good);
        self.warn_of_undone(&facts);
        for (name, state) in &mut self.states {
            state.set_flag(snapshot.flag_named(name.as_str()).cloned());
        }
        self.add_facts(facts);
        self.watch_all();
        self.tell_expired();
    }

    /// Begins to watch flags whose facts became known before the flags did.
    fn watch_all(&mut self) {
        let lacks = self.states.values().filter(|state| state.lacks_watch());
        let names: Vec<_> = lacks.map(|state| state.name().clone()).collect();
        names.iter().for_each(|name| self.watch_anew(name));
    }

    /// Says of edits by hand what they undo; an edit by command asked before.
    fn warn_of_undone(&self, facts: &[Fact]) {
        for fact in facts.iter().filter(|fact| fact.kind == FactKind::Changed) {
            if let Some(undone) = self
                .states
                .get(&fact.flag)
                .and_then(|state| undone(state.standing(), state.flag().map(AsRef::as_ref)))
            {
                tracing::warn!(
                    flag = fact.flag.as_str(),
                    "the edit of the file changes what decides of the flag: {undone}"
                );
            }
        }
    }

    pub(super) fn tell_expired(&mut self) {
        let today = jiff::Zoned::now().date();
        let facts: Vec<_> = self.states.values().filter_map(|state| expired(state, today)).collect();
        self.add_facts(facts);
    }
}
