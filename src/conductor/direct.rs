//! The conductor: hears what happens, decides, and has it published and written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::guard::{Blown, Evidence};
use flagstaff_flags::{Fact, FactKind, Facts, Flag, Name, OnTrip, Publisher, Snapshot};
use flagstaff_ledger::FirstSign;
use metrics::counter;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::books::{Entry, Told};
use super::sentry::{Sentry, Word};
use super::take_up;
use super::ward::Ward;
use crate::flags::today;
use crate::webhooks::Teller;

/// How often rollouts are looked at.
const TICK: Duration = Duration::from_millis(250);
/// Who takes back and holds.
pub(super) const BY_GUARD: &str = "guard";

/// Where a flag began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begun {
    /// Here and now: nothing was seen before.
    Here,
    /// In what is recorded.
    Elsewhere,
}

pub(super) struct Conductor {
    publisher: Arc<Publisher>,
    pub(super) sentry: Arc<Sentry>,
    pub(super) books: Option<mpsc::UnboundedSender<Entry>>,
    teller: Teller,
    ready: Option<std::sync::mpsc::Sender<()>>,
    pub(super) wards: HashMap<Name, Ward>,
    /// The flags in force.
    pub(super) snapshot: Arc<Snapshot>,
    /// Why the ledger cannot be read, while it cannot.
    pub(super) away: Option<String>,
}

impl Conductor {
    pub(super) fn new(
        publisher: Arc<Publisher>,
        sentry: Arc<Sentry>,
        books: Option<mpsc::UnboundedSender<Entry>>,
        teller: Teller,
        ready: std::sync::mpsc::Sender<()>,
    ) -> Self {
        let snapshot = publisher.current();
        Self { publisher, sentry, books, teller, ready: Some(ready), wards: HashMap::new(), snapshot, away: None }
    }

    /// Works until it is told to stop.
    pub(super) async fn run(mut self, mut heard: mpsc::Receiver<Word>) {
        if self.books.is_none() {
            self.begin(HashMap::new());
        }
        let mut tick = Instant::now() + TICK;
        loop {
            match timeout_at(tick, heard.recv()).await {
                Ok(None | Some(Word::Stop)) => break,
                Ok(Some(word)) => self.hear(word),
                Err(_) => {}
            }
            if Instant::now() >= tick {
                self.tick();
                tick = Instant::now() + TICK;
            }
        }
        self.write_signs();
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::Loaded(snapshot) => {
                self.snapshot = snapshot;
                if self.is_ready() {
                    self.take_up();
                }
            }
            Word::Sign(flag, definition, sign) => self.see(&flag, definition, sign),
            Word::Blown(flag, definition, blown) => self.blown(&flag, definition, &blown),
            Word::Books(told) => self.told(told),
            Word::Stop => {}
        }
    }

    /// Whether what is recorded is known.
    const fn is_ready(&self) -> bool {
        self.ready.is_none()
    }

    /// Begins, with all that is recorded.
    fn begin(&mut self, all: HashMap<Name, Vec<Fact>>) {
        self.wards = all.into_iter().filter_map(|(name, facts)| Some((name, Ward::new(&facts)?))).collect();
        let names: Vec<_> = self.snapshot.flags().iter().map(|flag| flag.name.clone()).collect();
        names.iter().for_each(|name| self.watch_anew(name, Begun::Elsewhere));
        let ready = self.ready.take();
        self.take_up();
        self.publish();
        if let Some(ready) = ready {
            // whoever waited may have given up
            let _ = ready.send(());
        }
    }

    /// Takes up the flags in force: those that are new, edited or gone begin or end.
    fn take_up(&mut self) {
        let snapshot = Arc::clone(&self.snapshot);
        self.sentry.retain(&snapshot);
        let seen = snapshot.flags().iter().filter_map(|flag| take_up::seen(flag, self.wards.get(&flag.name)));
        let gone = self.wards.iter().filter_map(|(name, ward)| take_up::gone(name, &snapshot, ward));
        let facts: Vec<_> = seen.chain(gone).collect();
        for ward in self.wards.values_mut() {
            ward.flag = None;
        }
        for flag in snapshot.flags() {
            if let Some(ward) = self.wards.get_mut(&flag.name) {
                ward.flag = Some(Arc::clone(flag));
            }
        }
        self.add(facts);
        self.tell_expired();
    }

    fn tell_expired(&mut self) {
        let today = today();
        let expired = self.wards.values().filter_map(|ward| take_up::expired(ward.flag.as_ref()?, ward, today));
        let facts: Vec<_> = expired.collect();
        self.add(facts);
    }

    /// Adds facts: decided here and now, published at once, written down as soon as the ledger takes them.
    pub(super) fn add(&mut self, facts: Vec<Fact>) {
        if facts.is_empty() {
            return;
        }
        for fact in &facts {
            self.follow(fact, Begun::Here);
            announce(fact);
        }
        self.publish();
        if self.books.is_none() {
            self.teller.tell(&facts);
        }
        self.enter(Entry::Facts(facts));
    }

    /// What a fact changes in what is known here.
    fn follow(&mut self, fact: &Fact, begun: Begun) {
        let anew = match self.wards.get_mut(&fact.flag) {
            Some(ward) => ward.add(fact),
            None => {
                let begun = Ward::new(std::slice::from_ref(fact));
                self.wards.extend(begun.map(|ward| (fact.flag.clone(), ward)));
                true
            }
        };
        if anew {
            self.watch_anew(&fact.flag, begun);
        }
    }

    /// Watches a flag from the fact on with which it began. Where that was elsewhere, what was seen since then is asked for.
    fn watch_anew(&mut self, name: &Name, begun: Begun) {
        let flag = self.snapshot.flag_named(name.as_str()).cloned();
        let Some(ward) = self.wards.get_mut(name) else { return };
        ward.flag = flag;
        ward.begin_watch(begun == Begun::Elsewhere && self.books.is_some());
        if ward.waits_for_signs() {
            let entry = Entry::AskSigns(name.clone(), ward.standing.epoch);
            self.enter(entry);
        }
    }

    fn publish(&self) {
        let mut facts = Facts { unknown: !self.is_ready(), ..Facts::default() };
        self.wards.iter().for_each(|(name, ward)| facts.add(name, &ward.standing));
        self.publisher.learn(facts);
    }

    pub(super) fn enter(&self, entry: Entry) {
        if let Some(books) = &self.books {
            // they close after the conductor
            let _ = books.send(entry);
        }
    }

    fn see(&mut self, name: &Name, definition: flagstaff_flags::Definition, sign: FirstSign) {
        let Some(ward) = self.wards.get_mut(name).filter(|ward| ward.standing.definition == definition) else {
            return;
        };
        if let Some(evidence) = ward.see(sign) {
            self.alarm(name, &evidence);
        }
    }

    fn blown(&mut self, name: &Name, definition: flagstaff_flags::Definition, blown: &Blown) {
        if self.wards.get(name).is_some_and(|ward| ward.standing.definition == definition) {
            self.act(name, blown.words(), &json!({ "fuse": blown }));
        }
    }

    fn alarm(&mut self, name: &Name, evidence: &Evidence) {
        let value = serde_json::to_value(evidence).unwrap_or_default();
        self.act(name, evidence.words(), &value);
    }

    /// Does what the flag says its guard does, once.
    fn act(&mut self, name: &Name, why: String, evidence: &Value) {
        let Some(ward) = self.wards.get(name) else { return };
        let Some(guard) = ward.flag.as_ref().and_then(|flag| flag.guard.as_ref()) else { return };
        let standing = &ward.standing;
        let (kind, done) = match (guard.observe, guard.on_trip) {
            (true, _) => (FactKind::Observed, standing.observed.is_some()),
            (false, OnTrip::Off) => (FactKind::Tripped, standing.trip.is_some()),
            (false, OnTrip::Hold) => (FactKind::Held, standing.hold.is_some()),
        };
        if done || standing.trip.is_some() {
            return;
        }
        let fact = Fact { kind, why, evidence: Some(evidence.to_string()), ..ward.draft(BY_GUARD) };
        // the signs first: whoever reads the trip finds what it rests on
        self.write_signs();
        self.add(vec![fact]);
    }

    fn write_signs(&mut self) {
        let unsaved = |(name, ward): (&Name, &mut Ward)| {
            let signs = ward.take_unsaved();
            (!signs.is_empty()).then(|| Entry::Signs(name.clone(), ward.standing.epoch, signs))
        };
        let entries: Vec<_> = self.wards.iter_mut().filter_map(unsaved).collect();
        entries.into_iter().for_each(|entry| self.enter(entry));
    }

    fn told(&mut self, told: Told) {
        match told {
            Told::All(all) => self.begin(all),
            Told::Away(why) => self.away(why),
            Told::News(name, facts) => self.news(&name, &facts),
            Told::Instead(name, facts) => self.instead(&name, &facts),
            Told::Lost(name, number) => self.lost(&name, number),
            Told::Signs(name, epoch, signs) => self.replay(&name, epoch, &signs),
            Told::Arrivals(name, step, arrivals) => {
                if let Some(ward) = self.wards.get_mut(&name) {
                    ward.arrived(step, arrivals);
                }
            }
        }
    }

    /// The ledger is away, or back. Nobody waits for what it cannot tell now.
    fn away(&mut self, why: Option<String>) {
        if why.is_some() && self.is_ready() {
            self.wards.values_mut().for_each(|ward| ward.replay(&[]));
        }
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
        if let Some(ward) = Ward::new(facts) {
            self.wards.insert(name.clone(), ward);
            self.watch_anew(name, Begun::Elsewhere);
        }
        let current = self.snapshot.flag_named(name.as_str());
        let seen = current.and_then(|flag| take_up::seen(flag, self.wards.get(name)));
        self.add(seen.into_iter().collect());
        self.publish();
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

    fn tick(&mut self) {
        self.write_signs();
        if !self.is_ready() {
            return;
        }
        let moves = |flag: &&Arc<Flag>| flag.rollout.is_some() || flag.guard.is_some();
        let names: Vec<_> = self.snapshot.flags().iter().filter(moves).map(|flag| flag.name.clone()).collect();
        names.iter().for_each(|name| self.look_at(name));
        self.tell_expired();
    }
}

/// Says in the log what happened.
fn announce(fact: &Fact) {
    counter!("flagstaff_facts_total", "kind" => fact.kind.as_str()).increment(1);
    let (flag, by, why, step) = (fact.flag.as_str(), &fact.by, &fact.why, fact.step + 1);
    match fact.kind {
        FactKind::Defined => tracing::debug!(flag, by, why, "flag defined"),
        FactKind::Tripped | FactKind::Held | FactKind::Observed | FactKind::Inconclusive | FactKind::Expired => {
            tracing::warn!(flag, by, why, step, "flag {}", fact.kind);
        }
        _ => tracing::info!(flag, by, why, step, "flag {}", fact.kind),
    }
}
