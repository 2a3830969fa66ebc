//! The conductor: hears what happens, decides, and has it published and written down.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::guard::{Evidence, Origin};
use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{Fact, FactKind, Facts, Flag, Name, OnTrip, Publisher, Snapshot};
use flagstaff_ledger::FirstSign;
use metrics::counter;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::advance::{Noticed, measure};
use crate::flag_state::{Notice, Ward};
use crate::ledger_sync::Entry;
use crate::monitor::{Sentry, Stamp, Word};
use crate::reconcile;
use crate::webhooks::Teller;

/// How often rollouts are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How often where flags stand is shown in the metrics, and dates are looked at.
const MEASURE_EVERY: Duration = Duration::from_secs(2);
/// Who takes back and holds.
pub(crate) const BY_GUARD: &str = "guard";

/// Where a flag began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// Here and now: nothing was seen before.
    Here,
    /// In what is recorded.
    Elsewhere,
}

pub(crate) struct Conductor {
    publisher: Arc<Publisher>,
    pub(crate) sentry: Arc<Sentry>,
    pub(crate) books: Option<mpsc::UnboundedSender<Entry>>,
    teller: Teller,
    ready: Option<std::sync::mpsc::Sender<()>>,
    pub(crate) wards: HashMap<Name, Ward>,
    /// The flags in force.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Trouble of flags that was told: the program that saw it says when it is over.
    pub(crate) troubles: HashMap<Name, Noticed>,
    measured: Instant,
    /// Why the ledger cannot be read, while it cannot.
    pub(crate) away: Option<String>,
    /// The flags in force are the last good ones, until their file is good again.
    is_last_good: bool,
}

impl Conductor {
    pub(crate) fn new(
        publisher: Arc<Publisher>,
        sentry: Arc<Sentry>,
        books: Option<mpsc::UnboundedSender<Entry>>,
        teller: Teller,
        ready: std::sync::mpsc::Sender<()>,
    ) -> Self {
        let snapshot = publisher.current();
        Self {
            publisher,
            sentry,
            books,
            teller,
            ready: Some(ready),
            wards: HashMap::new(),
            troubles: HashMap::new(),
            measured: Instant::now(),
            snapshot,
            away: None,
            is_last_good: false,
        }
    }

    /// Whether the flags in force are the last good ones.
    pub(crate) fn serving_last_good(self, is_last_good: bool) -> Self {
        Self { is_last_good, ..self }
    }

    /// Works until it is told to stop.
    pub(crate) async fn run(&mut self, heard: &mut mpsc::Receiver<Word>) {
        if self.books.is_none() && !self.is_ready() {
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
        // the books close after what they were given
        self.books = None;
    }

    /// Goes on after a panic: what was decided stands, what was seen is read again, and the flags are those in force.
    pub(crate) fn recover(&mut self) {
        self.snapshot = self.publisher.current();
        self.troubles.clear();
        if !self.is_ready() {
            return;
        }
        for ward in self.wards.values_mut() {
            ward.recover();
        }
        let names: Vec<_> = self.wards.keys().cloned().collect();
        names.iter().for_each(|name| self.watch_anew(name, Begun::Elsewhere));
        self.take_up(&Snapshot::empty());
        self.publish();
    }

    /// All facts since each flag began.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.wards.values().flat_map(|ward| ward.facts.clone()).collect()
    }

    fn hear(&mut self, word: Word) {
        match word {
            Word::Loaded(snapshot) => {
                self.is_last_good = false;
                let before = std::mem::replace(&mut self.snapshot, snapshot);
                if self.is_ready() {
                    self.take_up(&before);
                }
            }
            Word::Sign(stamp, sign, limited) => self.see(&stamp, sign, limited),
            Word::Came(stamp, sign) => {
                if let Some(ward) = self.ward(&stamp) {
                    ward.came(sign);
                }
            }
            Word::Blown(stamp, blown) => {
                if self.ward(&stamp).is_some() {
                    self.act(&stamp.flag, blown.words(), &json!({ "fuse": blown }));
                }
            }
            Word::Books(told) => self.told(told),
            Word::Stop => {}
            #[cfg(test)]
            Word::Fall => unreachable!("a test lets it fall"),
        }
    }

    /// Whether what is recorded is known.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready.is_none()
    }

    /// Begins, with all that is recorded.
    pub(crate) fn begin(&mut self, all: HashMap<Name, Vec<Fact>>) {
        self.wards = all.into_iter().filter_map(|(name, facts)| Some((name, Ward::new(&facts)?))).collect();
        let names: Vec<_> = self.snapshot.flags().iter().map(|flag| flag.name.clone()).collect();
        names.iter().for_each(|name| self.watch_anew(name, Begun::Elsewhere));
        let ready = self.ready.take();
        // what went while nobody ran may be another program's: nothing is known to have gone
        self.take_up(&Snapshot::empty());
        self.publish();
        if let Some(ready) = ready {
            // whoever waited may have given up
            let _ = ready.send(());
        }
    }

    /// Takes up the flags in force: those that are new, edited or gone begin or end.
    fn take_up(&mut self, before: &Snapshot) {
        let snapshot = Arc::clone(&self.snapshot);
        self.sentry.retain(&snapshot);
        let was = |flag: &Flag| before.flag_named(flag.name.as_str()).map(|flag| &**flag);
        let seen =
            snapshot.flags().iter().filter_map(|flag| reconcile::seen(flag, was(flag), self.wards.get(&flag.name)));
        let was_here = |name: &Name| before.find(name.as_str()).is_some();
        let here = self.wards.iter().filter(|(name, _)| was_here(name));
        let gone = here.filter_map(|(name, ward)| reconcile::gone(name, &snapshot, ward));
        let is_last_good = self.is_last_good;
        let is_news = |fact: &Fact| !is_last_good || !reconcile::is_edit(fact.kind);
        let facts: Vec<_> = seen.chain(gone).filter(is_news).collect();
        self.warn_of_undone(&facts);
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

    /// Says of edits by hand what they undo; an edit by command asked before.
    fn warn_of_undone(&self, facts: &[Fact]) {
        for fact in facts.iter().filter(|fact| fact.kind == FactKind::Changed) {
            let undone = self.wards.get(&fact.flag).and_then(|ward| undone(&ward.standing));
            if let Some(undone) = undone {
                tracing::warn!(
                    flag = fact.flag.as_str(),
                    "the edit of the file changes what decides of the flag: {undone}"
                );
            }
        }
    }

    fn tell_expired(&mut self) {
        let today = jiff::Zoned::now().date();
        let expired = self.wards.values().filter_map(|ward| reconcile::expired(ward.flag.as_ref()?, ward, today));
        let facts: Vec<_> = expired.collect();
        self.add(facts);
    }

    /// Adds facts: decided here and now, published at once, written down as soon as the ledger takes them.
    pub(crate) fn add(&mut self, facts: Vec<Fact>) {
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
    pub(crate) fn follow(&mut self, fact: &Fact, begun: Begun) {
        let anew = match self.wards.get_mut(&fact.flag) {
            Some(ward) => ward.add(fact),
            None => {
                let begun = Ward::new(std::slice::from_ref(fact));
                self.wards.extend(begun.map(|ward| (fact.flag.clone(), ward)));
                true
            }
        };
        if anew {
            self.begin_post(fact, begun);
            self.watch_anew(&fact.flag, begun);
        }
        self.wards.get(&fact.flag).into_iter().for_each(|ward| measure(&fact.flag, ward));
    }

    /// What was seen before a flag began says nothing of it. Answers to an edited flag may be heard of before the edit: these stay.
    fn begin_post(&self, fact: &Fact, begun: Begun) {
        let is_edit = begun == Begun::Here && fact.kind != FactKind::Reset;
        match self.snapshot.flag_named(fact.flag.as_str()) {
            Some(flag) if !is_edit => self.sentry.begin(flag, fact.step),
            _ => self.sentry.forget_others(&fact.flag, fact.definition),
        }
    }

    /// Watches a flag from the fact on with which it began. Where that was elsewhere, what was seen since then is asked for.
    pub(crate) fn watch_anew(&mut self, name: &Name, begun: Begun) {
        let flag = self.snapshot.flag_named(name.as_str()).cloned();
        self.troubles.remove(name);
        let Some(ward) = self.wards.get_mut(name) else { return };
        ward.flag = flag;
        ward.begin_watch(begun == Begun::Elsewhere && self.books.is_some());
        if ward.waits_for_signs() {
            let entry = Entry::AskSigns(name.clone(), ward.standing.epoch);
            self.enter(entry);
        }
    }

    pub(crate) fn publish(&self) {
        let mut facts = Facts { unknown: !self.is_ready(), ..Facts::default() };
        self.wards.iter().for_each(|(name, ward)| facts.add(name, &ward.standing));
        self.publisher.learn(facts);
    }

    pub(crate) fn enter(&self, entry: Entry) {
        if let Some(books) = &self.books {
            // they close after the conductor
            let _ = books.send(entry);
        }
    }

    /// The flag that a word is about, where it has not begun anew since.
    fn ward(&mut self, stamp: &Stamp) -> Option<&mut Ward> {
        self.catch_up(stamp);
        let ward = self.wards.get_mut(&stamp.flag)?;
        Some(ward).filter(|ward| ward.standing.definition == stamp.definition && self.sentry.is_current(stamp))
    }

    /// Answers to requests that were decided with new flags may be heard of before those flags.
    fn catch_up(&mut self, stamp: &Stamp) {
        if self.wards.get(&stamp.flag).is_some_and(|ward| ward.standing.definition == stamp.definition) {
            return;
        }
        let current = self.publisher.current();
        let flag = current.flag_named(stamp.flag.as_str());
        if flag.is_some_and(|flag| flag.definition == stamp.definition) {
            self.hear(Word::Loaded(current));
        }
    }

    fn see(&mut self, stamp: &Stamp, sign: FirstSign, limited: Option<Origin>) {
        let evidence = self.ward(stamp).and_then(|ward| ward.see(sign, limited));
        if let Some(evidence) = evidence {
            self.alarm(&stamp.flag, &evidence);
        }
    }

    pub(crate) fn alarm(&mut self, name: &Name, evidence: &Evidence) {
        let value = serde_json::to_value(evidence).unwrap_or_default();
        self.act(name, evidence.words(), &value);
    }

    /// Does what the flag says its guard does, once.
    pub(crate) fn act(&mut self, name: &Name, why: String, evidence: &Value) {
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

    pub(crate) fn write_signs(&mut self) {
        let unsaved = |(name, ward): (&Name, &mut Ward)| {
            let signs = ward.take_unsaved();
            (!signs.is_empty()).then(|| Entry::Signs(name.clone(), ward.standing.epoch, signs))
        };
        let entries: Vec<_> = self.wards.iter_mut().filter_map(unsaved).collect();
        entries.into_iter().for_each(|entry| self.enter(entry));
    }

    fn tick(&mut self) {
        self.write_signs();
        if !self.is_ready() {
            return;
        }
        let moves = |flag: &&Arc<Flag>| flag.rollout.is_some() || flag.guard.is_some();
        let names: Vec<_> = self.snapshot.flags().iter().filter(moves).map(|flag| flag.name.clone()).collect();
        names.iter().for_each(|name| self.trip_lost_upstream(name));
        let facts: Vec<_> = names.iter().filter_map(|name| self.look_at(name)).collect();
        self.add(facts);
        if self.measured.elapsed() > MEASURE_EVERY {
            self.measured = Instant::now();
            self.wards.iter().for_each(|(name, ward)| measure(name, ward));
            self.tell_full();
            self.tell_expired();
        }
    }
}

impl Conductor {
    /// Says once of each guard that it cannot remember every visitor, and counts those that it forgot. Shows what guards say.
    fn tell_full(&mut self) {
        for (name, forgotten) in self.sentry.forgotten() {
            counter!("flagstaff_guard_forgotten_total", "flag" => name.to_string()).absolute(forgotten);
            if let Some(ward) = self.wards.get_mut(&name) {
                ward.tell_once(Notice::Forgets);
            }
        }
        self.sentry.say(self.wards.values().flat_map(Ward::notices).collect());
    }
}

/// Says in the log what happened.
pub(crate) fn announce(fact: &Fact) {
    counter!("flagstaff_facts_total", "kind" => fact.kind.as_str()).increment(1);
    // once all steps are behind it, it is at none any more
    let step = fact.step + usize::from(fact.kind != FactKind::Done);
    let (flag, by, why) = (fact.flag.as_str(), &fact.by, &fact.why);
    match fact.kind {
        FactKind::Defined | FactKind::Continued => tracing::debug!(flag, by, why, "flag {}", fact.kind),
        FactKind::Tripped | FactKind::Held | FactKind::Observed | FactKind::Inconclusive | FactKind::Expired => {
            tracing::warn!(flag, by, why, step, "flag {}", fact.kind);
        }
        FactKind::SwitchedOff | FactKind::SwitchedOn => tracing::warn!(flag, by, why, "flag {}", fact.kind),
        _ => tracing::info!(flag, by, why, step, "flag {}", fact.kind),
    }
}
