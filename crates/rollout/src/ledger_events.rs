//! What the books tell, and what follows from it.

use flagstaff_flags::{Fact, FactKind, Name};
use flagstaff_ledger::FirstSign;

use crate::controller::{Begun, Conductor, announce};
use crate::flag_state::Ward;
use crate::ledger_sync::{Entry, Told};
use crate::reconcile;

impl Conductor {
    pub(crate) fn told(&mut self, told: Told) {
        match told {
            Told::All(all) => self.begin(all),
            Told::Away(why) => self.away(why),
            Told::News(name, facts) => self.news(&name, &facts),
            Told::Instead(name, facts) => self.instead(&name, &facts),
            Told::Lost(name, number) => self.lost(&name, number),
            Told::Signs(name, epoch, signs) => self.replay(&name, epoch, &signs),
            Told::Arrivals(name, step, arrivals, came) => {
                if let Some(ward) = self.wards.get_mut(&name) {
                    ward.arrived(step, arrivals, came);
                    self.sentry.recount(&name, step, came);
                }
            }
        }
    }

    /// The ledger is away, or back. Nobody waits for what it cannot tell now.
    fn away(&mut self, why: Option<String>) {
        if why.is_some() && self.is_ready() {
            self.wards.values_mut().for_each(|ward| ward.replay(&[]));
            let alarm = |(name, ward): (&Name, &Ward)| Some((name.clone(), ward.alarm()?));
            let alarms: Vec<_> = self.wards.iter().filter_map(alarm).collect();
            alarms.iter().for_each(|(name, evidence)| self.alarm(name, evidence));
        }
        // what was asked before may never be answered
        self.wards.values_mut().for_each(|ward| ward.is_asked = false);
        self.away = why;
    }

    /// Facts that others added.
    fn news(&mut self, name: &Name, facts: &[Fact]) {
        let known = self.wards.get(name).map_or(0, |ward| ward.standing.number);
        for fact in facts.iter().filter(|fact| fact.number > known) {
            self.follow(fact, Begun::Elsewhere);
            announce(fact);
        }
        self.publish();
    }

    /// Others were first: what they did holds, and what is still to be done is done after it.
    fn instead(&mut self, name: &Name, facts: &[Fact]) {
        // what was seen here is read again with the rest
        self.write_signs();
        let mut lost = Vec::new();
        let before = self.wards.remove(name);
        if let Some(mut ward) = Ward::new(facts) {
            let epoch = ward.standing.epoch;
            if before.as_ref().is_some_and(|before| before.standing.epoch != epoch)
                && let Some(flag) = self.snapshot.flag_named(name.as_str())
            {
                self.sentry.begin(flag, ward.standing.step);
            }
            before.into_iter().for_each(|mut before| {
                ward.limit_as(&mut before);
                lost = before.decided_here();
            });
            self.wards.insert(name.clone(), ward);
            self.watch_anew(name, Begun::Elsewhere);
        }
        let current = self.snapshot.flag_named(name.as_str());
        let seen = current.and_then(|flag| reconcile::seen(flag, Some(flag), self.wards.get(name)));
        self.add(seen.into_iter().collect());
        self.decide_again(name, lost);
        self.publish();
    }

    /// What a guard decided here and could not write down first still holds: it takes the next number. Not where the flag was edited
    /// since, and not where a person began it anew after the guard had decided.
    fn decide_again(&mut self, name: &Name, lost: Vec<Fact>) {
        for fact in lost {
            let Some(ward) = self.wards.get(name) else { return };
            let standing = &ward.standing;
            let holds = match fact.kind {
                FactKind::Tripped => standing.trip.is_none(),
                FactKind::Held => standing.trip.is_none() && standing.hold.is_none(),
                _ => standing.observed.is_none(),
            };
            if holds && standing.definition == fact.definition && !standing.removed && fact.at >= standing.began {
                let again =
                    Fact { number: standing.number + 1, at: ward.draft(&fact.by).at, step: standing.step, ..fact };
                self.add(vec![again]);
            }
        }
    }

    /// The ledger is another one, or lost what it had: what is known here is written down again.
    fn lost(&mut self, name: &Name, number: u64) {
        if let Some(ward) = self.wards.get_mut(name) {
            ward.renumber(number);
            let again = ward.facts.clone();
            self.enter(Entry::Facts(again));
        }
    }

    fn replay(&mut self, name: &Name, epoch: u64, signs: &[FirstSign]) {
        let Some(ward) = self.wards.get_mut(name).filter(|ward| ward.standing.epoch == epoch) else {
            return;
        };
        ward.replay(signs);
        // what the signs say holds, also where nobody lived to write it down
        if let Some(evidence) = ward.alarm() {
            self.alarm(name, &evidence);
        }
    }
}
