//! The conductor by itself, without a ledger: what it makes of what it hears, late or wrong as it may come.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{
    Definition, Fact, FactKind, Flag, Guard, Hold, Name, Percent, Publisher, Rollout, RolloutStep, Snapshot,
    StatusSet, Step, Subject, VariantId, publisher,
};
use flagstaff_layer::{Answered, Meeting, Outcome, Outcomes};
use flagstaff_tag::Network;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use crate::controller::Conductor;
use crate::flag_state::Ward;
use crate::handle::{Conducting, Start, WORDS};
use crate::ledger_sync::{Entry, Told};
use crate::monitor::{Sentry, Word};
use crate::webhooks::Teller;

fn name() -> Name {
    Name::new("checkout").unwrap()
}

/// A flag at half that trips when three in a row fail, or when errors tell.
fn flag(definition: u64) -> Flag {
    let mut guard = Guard::new(0.001).unwrap();
    (guard.errors, guard.fuse) = (Some(StatusSet::new("5xx").unwrap()), Some(3));
    let percent = Some(Percent::new(50.0).unwrap());
    Flag { percent, guard: Some(guard), definition: Definition(definition), ..Flag::new(name()) }
}

fn snapshot(flag: Flag) -> Snapshot {
    Snapshot::new("test", vec![flag], vec![], vec![], vec![]).unwrap()
}

/// A visitor of an arm, by number, from an address of a network of its own or of one that all share.
struct Visitor<'a> {
    snapshot: &'a Arc<Snapshot>,
    number: u32,
    has_flag: bool,
    shares_network: bool,
}

impl Visitor<'_> {
    fn does(&self, sentry: &Sentry, result: Answered) {
        self.gets(sentry, result, false);
    }

    fn gets(&self, sentry: &Sentry, result: Answered, by_upstream: bool) {
        let variant = if self.has_flag { VariantId::ON } else { VariantId::OFF };
        let block = if self.shares_network { 1 } else { 1_000 + self.number };
        let meeting = Meeting {
            snapshot: self.snapshot,
            flag: self.snapshot.find("checkout").unwrap(),
            variant,
            drawn: variant,
            unit: &format!("visitor-{}-{}", self.number, self.has_flag),
            network: Some(Network::of(Ipv4Addr::from_bits(block << 8 | 7).into())),
            at: Timestamp::now(),
            since: Instant::now(),
        };
        sentry.met(&meeting);
        sentry.answered(&Outcome { meeting, result, by_upstream });
    }
}

const FINE: Answered = Answered::Fine(Some(Duration::from_millis(1)));

fn is_tripped(publisher: &Publisher) -> bool {
    publisher.current().decide(&Subject::at(Timestamp::now())).get("checkout").step() == Step::Tripped
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "not within 20 s: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Running {
    publisher: Arc<Publisher>,
    conducting: Conducting,
    sentry: Arc<Sentry>,
}

impl Running {
    fn start(flag: Flag) -> Self {
        let (publisher, _) = publisher(snapshot(flag));
        let publisher = Arc::new(publisher);
        let conducting =
            Conducting::start(Arc::clone(&publisher), None, Teller::default(), Start::default()).unwrap();
        let sentry = conducting.sentry();
        Self { publisher, conducting, sentry }
    }

    fn load(&self, flag: Flag) {
        self.publisher.publish(&snapshot(flag));
        self.conducting.herald().loaded(&self.publisher.current());
    }

    /// Visitors of both arms come, and those with the flag fail.
    fn fail(&self, snapshot: &Arc<Snapshot>, visitors: std::ops::Range<u32>, shares_network: bool) {
        for number in visitors {
            for (has_flag, result) in [(false, FINE), (true, Answered::Error)] {
                Visitor { snapshot, number, has_flag, shares_network }.does(&self.sentry, result);
            }
        }
    }
}

#[test]
fn a_conductor_that_falls_goes_on_and_loses_no_trip() {
    let running = Running::start(flag(1));
    running.fail(&running.publisher.current(), 0..4, false);
    eventually("it trips", || is_tripped(&running.publisher));
    let fall = || running.conducting.words.blocking_send(Word::Fall).unwrap();
    fall();
    eventually("its fall is shown", || flagstaff_supervise::ailing().contains(&"conductor".into()));
    eventually("it is back", || !flagstaff_supervise::ailing().contains(&"conductor".into()));
    assert!(is_tripped(&running.publisher), "what was decided stands");
    // it works as before: an edit clears the trip, and the next one comes
    running.load(flag(2));
    eventually("the edit is taken up", || !is_tripped(&running.publisher));
    fall();
    running.fail(&running.publisher.current(), 10..20, false);
    eventually("it trips again", || {
        running.fail(&running.publisher.current(), 20..24, false);
        is_tripped(&running.publisher)
    });
}

#[test]
fn answers_of_a_definition_of_before_change_nothing() {
    let running = Running::start(flag(1));
    let before = running.publisher.current();
    running.fail(&before, 0..2, false);
    running.load(flag(2));
    let now = running.publisher.current();
    running.fail(&now, 10..12, false);
    // late ones, of both kinds: neither starts the run of errors over nor adds to it
    for number in 30..50 {
        Visitor { snapshot: &before, number, has_flag: true, shares_network: false }.does(&running.sentry, FINE);
        Visitor { snapshot: &before, number, has_flag: true, shares_network: false }
            .does(&running.sentry, Answered::Error);
    }
    assert!(!is_tripped(&running.publisher));
    running.fail(&now, 12..14, false);
    eventually("the third in a row of the new one trips it", || is_tripped(&running.publisher));
}

#[test]
fn one_network_of_many_trips_neither_test_nor_fuse() {
    let running = Running::start(flag(1));
    let snapshot = running.publisher.current();
    for number in 1_000..1_500 {
        for has_flag in [false, true] {
            Visitor { snapshot: &snapshot, number, has_flag, shares_network: false }.does(&running.sentry, FINE);
        }
    }
    let strangers = |visitors| {
        for number in visitors {
            Visitor { snapshot: &snapshot, number, has_flag: true, shares_network: true }
                .does(&running.sentry, Answered::Error);
            Visitor { snapshot: &snapshot, number: number + 9_000, has_flag: false, shares_network: false }
                .does(&running.sentry, FINE);
        }
    };
    strangers(0..50);
    let heard = || running.conducting.words.capacity() == WORDS;
    eventually("it has heard of them", heard);
    assert!(!is_tripped(&running.publisher));
    // the same from networks of their own
    running.fail(&snapshot, 5_000..5_010, false);
    eventually("it trips", || is_tripped(&running.publisher));
}

/// A conductor with a ledger that is not there: what it enters is held back.
fn desk(flag: Flag) -> (Conductor, mpsc::UnboundedReceiver<Entry>) {
    let (publisher, reader) = publisher(snapshot(flag));
    let (words, _) = mpsc::channel(8);
    let (entries, entered) = mpsc::unbounded_channel();
    let (ready, _) = std::sync::mpsc::channel();
    let sentry = Arc::new(Sentry::new(words, reader));
    let mut conductor = Conductor::new(Arc::new(publisher), sentry, Some(entries), Teller::default(), ready);
    conductor.told(Told::All(std::collections::HashMap::new()));
    (conductor, entered)
}

fn fact(number: u64, kind: FactKind, at: Timestamp) -> Fact {
    let (by, why) = ("pia".into(), String::new());
    Fact { flag: name(), number, at, definition: Definition(1), kind, step: 0, by, why, evidence: None }
}

fn trips(conductor: &mut Conductor) {
    conductor.act(&name(), "it fails".into(), &serde_json::json!({}));
}

#[test]
fn a_trip_that_lost_the_race_for_its_number_takes_the_next() {
    let (mut conductor, mut entered) = desk(flag(1));
    trips(&mut conductor);
    let start = Timestamp::now() - SignedDuration::from_mins(1);
    let others = vec![fact(1, FactKind::Defined, start), fact(2, FactKind::Inconclusive, start)];
    conductor.told(Told::Instead(name(), others.clone()));
    let standing = &conductor.wards[&name()].standing;
    assert_eq!(standing.trip.as_ref().map(|trip| (trip.number, trip.why.as_str())), Some((3, "it fails")));
    let written = std::iter::from_fn(|| entered.try_recv().ok());
    let again = written.filter_map(|entry| match entry {
        Entry::Facts(facts) => facts.into_iter().find(|fact| fact.number == 3),
        _ => None,
    });
    assert_eq!(again.map(|fact| fact.kind).collect::<Vec<_>>(), [FactKind::Tripped]);

    // once more, with a trip among what others wrote: one is enough
    let theirs = [others.clone(), vec![fact(3, FactKind::Tripped, start)]].concat();
    conductor.told(Told::Instead(name(), theirs));
    assert_eq!(conductor.wards[&name()].standing.number, 3);
}

#[test]
fn a_trip_gives_way_to_an_edit_and_to_a_person_who_came_after_it() {
    let (early, late) = (SignedDuration::from_mins(-1), SignedDuration::from_mins(1));
    let reset = |number, at| fact(number, FactKind::Reset, at);
    for (after, stays) in [(early, true), (late, false)] {
        let (mut conductor, _entered) = desk(flag(1));
        trips(&mut conductor);
        let start = Timestamp::now() - SignedDuration::from_mins(5);
        let facts = vec![fact(1, FactKind::Defined, start), reset(2, Timestamp::now() + after)];
        conductor.told(Told::Instead(name(), facts));
        assert_eq!(conductor.wards[&name()].standing.trip.is_some(), stays, "{after}");
    }
}

/// Visitors who were forgotten, or whose record is lost, count when they come again: no rollout waits for those it counted before.
#[test]
fn visitors_who_are_no_longer_recorded_are_counted_again() {
    let step = |percent| RolloutStep {
        percent: Percent::new(percent).unwrap(),
        hold: Hold::Approval,
        min_visitors: Some(3),
    };
    let rollout = Rollout::new(None, [50.0, 100.0].map(step).into()).unwrap();
    let (publisher, reader) = publisher(snapshot(Flag { percent: None, rollout: Some(rollout), ..flag(1) }));
    let snapshot = publisher.current();
    let (words, mut heard) = mpsc::channel(64);
    let sentry = Sentry::new(words, reader);
    let mut come = || {
        for number in 0..3 {
            Visitor { snapshot: &snapshot, number, has_flag: true, shares_network: false }.does(&sentry, FINE);
        }
        std::iter::from_fn(|| heard.try_recv().ok()).filter(|word| matches!(word, Word::Came(..))).count()
    };
    assert_eq!((come(), come()), (3, 0), "once each");
    sentry.recount(&name(), 0, 3);
    sentry.recount(&name(), 1, 2);
    assert_eq!(come(), 0, "all are recorded");
    sentry.recount(&name(), 0, 2);
    assert_eq!((come(), come()), (3, 0), "one is missing");
}

/// Trouble that comes and goes is one trouble; only the upstream itself says that it is back; and after a trip nobody knows.
#[test]
fn trouble_is_over_after_a_minute_without_it() {
    let (mut conductor, _entered) = desk(flag(1));
    let (sentry, snapshot) = (Arc::clone(&conductor.sentry), Arc::clone(&conductor.snapshot));
    let gets = |result, by_upstream| {
        let visitor = Visitor { snapshot: &snapshot, number: 1, has_flag: true, shares_network: false };
        visitor.gets(&sentry, result, by_upstream);
    };
    let mut tells = |seconds| {
        conductor.troubles.values_mut().for_each(|noticed| noticed.at -= Duration::from_secs(seconds));
        let fact = conductor.look_at(&name());
        conductor.add(fact.clone().into_iter().collect());
        fact.map(|fact| fact.kind)
    };
    gets(Answered::Fallback(None), false);
    assert_eq!(tells(0), Some(FactKind::Inconclusive));
    gets(FINE, false);
    assert_eq!(tells(600), None, "another's answer says nothing");
    for _ in 0..9 {
        gets(FINE, true);
        assert_eq!(tells(50), None, "it may come again");
        gets(Answered::Fallback(None), false);
        assert_eq!(tells(1), None, "it was told");
    }
    gets(FINE, true);
    assert_eq!(tells(61), Some(FactKind::Recovered));
    gets(Answered::Fallback(None), false);
    assert_eq!(tells(1), Some(FactKind::Inconclusive));
    gets(FINE, true);
    trips(&mut conductor);
    conductor.troubles.values_mut().for_each(|noticed| noticed.at -= Duration::from_secs(600));
    assert!(conductor.look_at(&name()).is_none());
}

#[test]
fn a_hold_goes_by_a_clock_that_nobody_sets() {
    let step = |percent, hold| RolloutStep { percent: Percent::new(percent).unwrap(), hold, min_visitors: None };
    let hour = Hold::For(Duration::from_secs(3600));
    let rollout = Rollout::new(None, vec![step(1.0, hour), step(100.0, Hold::End)]).unwrap();
    let start = Timestamp::now();
    let mut ward = Ward::new(&[fact(1, FactKind::Defined, start)]).unwrap();
    let quarter = SignedDuration::from_mins(15);
    let waited = ward.waited(&rollout, start + quarter);
    assert!(
        waited >= Duration::from_secs(900) && waited < Duration::from_secs(1000),
        "a start within a hold: {waited:?}"
    );
    for hours in [-1, 1] {
        let set = start + quarter + SignedDuration::from_hours(hours);
        let waited = ward.waited(&rollout, set);
        assert!(waited >= Duration::from_secs(900) && waited < Duration::from_secs(1000), "{hours} h: {waited:?}");
    }
    // a step that another program entered in what is the future here begins now
    let mut ward = Ward::new(&[fact(1, FactKind::Defined, start + SignedDuration::from_hours(1))]).unwrap();
    assert!(ward.waited(&rollout, start) < Duration::from_secs(100));
}
