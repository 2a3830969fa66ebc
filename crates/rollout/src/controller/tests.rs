//! The controller by itself, without a thread and without a ledger: what it makes of messages, late or wrong as they may come.

mod lagging;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flagstaff_flags::{Definition, Fact, FactKind, Flag, Hold, Publisher, Standing, publisher};
use flagstaff_ledger::{FirstSign, NumberedSigns};
use jiff::{SignedDuration, Timestamp};
use metrics::{Counter, Gauge, GaugeFn, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokio::sync::mpsc;

use super::Controller;
use crate::fixtures::{FINE, Visitor, fact, flag, in_steps, is_tripped, name, snapshot};
use crate::messages::{LedgerCommand, LedgerEvent, LedgerLink, Message};
use crate::monitor::{Answered, OutcomeMonitor};
use crate::webhooks::WebhookSender;

/// A controller whose messages and commands wait until a test takes them.
struct Desk {
    controller: Controller,
    messages: mpsc::Receiver<Message>,
    commands: mpsc::UnboundedReceiver<LedgerCommand>,
    publisher: Arc<Publisher>,
}

impl Desk {
    /// With a ledger in which nothing is recorded.
    fn new(flag: Flag) -> Self {
        Self::recorded(flag, vec![])
    }

    /// With a ledger that has facts of the flag.
    fn recorded(flag: Flag, facts: Vec<Fact>) -> Self {
        let (publisher, reader) = publisher(snapshot(flag));
        let publisher = Arc::new(publisher);
        let (sender, messages) = mpsc::channel(1_024);
        let (sender_of_commands, commands) = mpsc::unbounded_channel();
        let ledger = LedgerLink { commands: sender_of_commands, is_file: false };
        let (ready, _) = std::sync::mpsc::channel();
        let monitor = Arc::new(OutcomeMonitor::new(sender, reader));
        let sender = WebhookSender::default();
        let mut controller = Controller::new(Arc::clone(&publisher), monitor, Some(ledger), sender, ready, false);
        let all = if facts.is_empty() { HashMap::new() } else { HashMap::from([(name(), facts)]) };
        controller.handle(Message::Ledger(LedgerEvent::AllFacts(all)));
        Self { controller, messages, commands, publisher }
    }

    fn tell(&mut self, event: LedgerEvent) {
        self.controller.handle(Message::Ledger(event));
    }

    /// A visitor with the flag gets an answer.
    fn gets(&mut self, number: u32, result: Answered, by_upstream: bool) {
        self.visits(number, true, result, by_upstream);
    }

    fn visits(&mut self, number: u32, has_flag: bool, result: Answered, by_upstream: bool) {
        let snapshot = self.publisher.current();
        let visitor = Visitor { snapshot: &snapshot, number, has_flag, shares_network: false };
        visitor.gets(&self.controller.monitor, result, by_upstream);
        while let Ok(message) = self.messages.try_recv() {
            self.controller.handle(message);
        }
    }

    /// Visitors with the flag fail, those without it do not, which blows the fuse.
    fn fails(&mut self) {
        for number in 0..4 {
            self.visits(number, false, FINE, false);
            self.visits(number, true, Answered::Error, false);
        }
    }

    /// What the ledger was asked since the last time.
    fn commands(&mut self) -> Vec<LedgerCommand> {
        std::iter::from_fn(|| self.commands.try_recv().ok()).collect()
    }

    fn standing(&self) -> &Standing {
        self.controller.states[&name()].standing()
    }

    fn published_step(&self) -> usize {
        let current = self.publisher.current();
        current.step(current.find("checkout").unwrap())
    }
}

fn kinds(commands: &[LedgerCommand]) -> Vec<FactKind> {
    let facts = commands.iter().filter_map(|command| match command {
        LedgerCommand::AddFacts(facts) => Some(facts),
        _ => None,
    });
    facts.flatten().map(|fact| fact.kind).collect()
}

/// Signs of visitors with the flag, above a number and up to another.
fn signs(epoch: u64, numbers: std::ops::Range<i64>) -> LedgerEvent {
    let sign = |at| FirstSign { sign: "errors".into(), unit: format!("unit-{at}"), variant: 1, step: 0, at };
    let (after, up_to) = (numbers.start.unsigned_abs(), numbers.end.unsigned_abs());
    let signs = (numbers.start + 1..=numbers.end).map(sign).collect();
    LedgerEvent::Signs { of: (name(), epoch), after, next: NumberedSigns { signs, up_to, has_more: false } }
}

/// A rollback from end to end: answers that fail, the snapshot that is published, and what is written, the signs first.
#[test]
fn errors_roll_the_flag_back_at_once_and_the_signs_are_written_before_the_fact() {
    let mut desk = Desk::new(flag(1));
    let commands = desk.commands();
    assert!(matches!(&commands[0], LedgerCommand::FollowSigns(of) if *of == (name(), 1)), "{commands:?}");
    assert_eq!(kinds(&commands), [FactKind::Defined]);
    desk.fails();
    assert!(is_tripped(&desk.publisher));
    let commands = desk.commands();
    let signs = |signs: &[(_, Vec<_>)]| signs[0].0 == (name(), 1) && signs[0].1.len() >= 3;
    assert!(matches!(&commands[0], LedgerCommand::KeepSigns(kept) if signs(kept)), "{commands:?}");
    assert_eq!(kinds(&commands), [FactKind::Tripped]);
    desk.gets(9, Answered::Error, false);
    desk.controller.tick();
    assert_eq!(kinds(&desk.commands()), [], "once");
}

/// Notes, whenever a metric says that a flag is tripped, whether it is.
struct Truth {
    publisher: Arc<Publisher>,
    told: Mutex<Vec<bool>>,
}

impl GaugeFn for Truth {
    fn increment(&self, _: f64) {}
    fn decrement(&self, _: f64) {}

    fn set(&self, value: f64) {
        if value == 1.0 {
            self.told.lock().unwrap().push(is_tripped(&self.publisher));
        }
    }
}

/// All gauges of the trips that guards make.
struct Gauges(Arc<Truth>);

impl Recorder for Gauges {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        if key.name() == "flagstaff_guard_tripped" { Gauge::from_arc(Arc::clone(&self.0)) } else { Gauge::noop() }
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Who reads in the metrics that a flag was rolled back meets it no more: it is told when it is so, not before.
#[test]
fn what_is_told_is_so_already() {
    let trips: [fn(&mut Desk); 2] = [Desk::fails, |desk| {
        let facts = vec![fact(2, FactKind::Tripped, Timestamp::now())];
        desk.tell(LedgerEvent::FactsAdded(name(), facts));
    }];
    for trip in trips {
        let mut desk = Desk::new(flag(1));
        let truth = Arc::new(Truth { publisher: Arc::clone(&desk.publisher), told: Mutex::default() });
        metrics::with_local_recorder(&Gauges(Arc::clone(&truth)), || trip(&mut desk));
        assert_eq!(*truth.told.lock().unwrap(), [true]);
    }
}

/// A ledger that numbers nothing, as one that is locked: a file delays no guard, and a server gives the order that all programs share.
#[test]
fn a_file_that_takes_nothing_delays_no_guard() {
    let mut without_fuse = flag(1);
    without_fuse.guard.iter_mut().for_each(|guard| guard.fuse = None);
    for is_file in [true, false] {
        let mut desk = Desk::new(without_fuse.clone());
        desk.controller.ledger.iter_mut().for_each(|ledger| ledger.is_file = is_file);
        (0..60).for_each(|number| desk.gets(number, Answered::Error, false));
        assert_eq!(is_tripped(&desk.publisher), is_file);
    }
}

/// What the signs in the ledger say holds, also where the program ended before it could write the fact.
#[test]
fn signs_of_before_a_restart_roll_the_flag_back() {
    let mut desk = Desk::recorded(flag(1), vec![fact(1, FactKind::Defined, Timestamp::now())]);
    let commands = desk.commands();
    assert!(matches!(&commands[..], [LedgerCommand::FollowSigns((_, 1))]), "{commands:?}");
    desk.tell(signs(2, 0..60));
    assert!(!is_tripped(&desk.publisher), "these are of another epoch");
    desk.tell(signs(1, 10..60));
    assert!(!is_tripped(&desk.publisher), "the first ones are missing");
    desk.tell(signs(1, 0..5));
    desk.tell(signs(1, 5..60));
    assert!(is_tripped(&desk.publisher));
    assert_eq!(kinds(&desk.commands()), [FactKind::Tripped]);
}

/// A rollout whose first step has been held for two hours of one.
fn held_long_enough() -> Desk {
    let flag = in_steps([(50.0, Hold::For(Duration::from_secs(3600))), (100.0, Hold::Approval)]);
    let began = Timestamp::now() - SignedDuration::from_hours(2);
    Desk::recorded(flag, vec![fact(1, FactKind::Defined, began)])
}

/// A step from end to end: the hold is over, the ledger counts who came, the next step is published and written.
#[test]
fn a_rollout_goes_on_when_its_hold_is_over_and_enough_visitors_came() {
    let mut desk = held_long_enough();
    for (treatment, step) in [(2, 0), (3, 1)] {
        desk.commands();
        desk.controller.states.values_mut().for_each(super::flag_state::FlagState::forget_arrivals);
        desk.controller.tick();
        let commands = desk.commands();
        let [LedgerCommand::CountArrivals(question)] = &commands[..] else { panic!("{commands:?}") };
        assert_eq!((question.step, question.arms.len()), (0, 2));
        desk.controller.tick();
        assert!(desk.commands().is_empty(), "it is asked once");
        let epoch = question.epoch;
        desk.tell(LedgerEvent::Arrivals {
            flag: name(),
            epoch: epoch + 1,
            step: 0,
            by_arm: vec![9, 9],
            treatment: 9,
        });
        desk.controller.tick();
        assert_eq!(desk.standing().step, 0, "who came before it began anew says nothing");
        let _ = desk.commands();
        desk.tell(LedgerEvent::Arrivals { flag: name(), epoch, step: 0, by_arm: vec![3, 3], treatment });
        desk.controller.tick();
        assert_eq!(desk.standing().step, step, "{treatment} came");
    }
    assert_eq!(kinds(&desk.commands()), [FactKind::Step]);
    assert_eq!(desk.published_step(), 1);
}

/// A machine whose clock is ahead, or behind, skips no hold and lengthens none: a start within a step goes by the ledger's time, and
/// what is written down for others has it.
#[test]
fn a_wrong_clock_moves_no_rollout() {
    let an_hour = Duration::from_secs(3600);
    for ahead in [-48, -2, 0, 2, 48].map(SignedDuration::from_hours) {
        for (held, is_over) in [(SignedDuration::from_mins(1), false), (SignedDuration::from_mins(61), true)] {
            let there = Timestamp::now() + ahead;
            let flag = in_steps([(50.0, Hold::For(an_hour)), (100.0, Hold::Approval)]);
            let mut desk = Desk::recorded(flag, vec![fact(1, FactKind::Defined, there - held)]);
            desk.tell(LedgerEvent::Clock(ahead));
            desk.commands();
            desk.controller.tick();
            assert_eq!(!desk.commands().is_empty(), is_over, "{ahead} {held}");
            desk.fails();
            let written = desk.standing().trip.as_ref().map(|trip| trip.at.duration_since(there).abs());
            assert!(written.is_some_and(|off| off < SignedDuration::from_mins(1)), "{ahead}: {written:?}");
        }
    }
}

#[test]
fn a_rollout_holds_while_the_ledger_is_away() {
    let mut desk = held_long_enough();
    desk.commands();
    desk.tell(LedgerEvent::Unreachable(Some("it is down".into())));
    desk.controller.tick();
    let asks = |commands: &[LedgerCommand]| {
        commands.iter().any(|command| matches!(command, LedgerCommand::CountArrivals(_)))
    };
    assert!(!asks(&desk.commands()) && desk.standing().step == 0);
    desk.tell(LedgerEvent::Unreachable(None));
    desk.controller.tick();
    assert!(asks(&desk.commands()));
}

#[test]
fn facts_that_the_ledger_lost_are_written_again_with_numbers_that_fit() {
    let mut desk = Desk::new(flag(1));
    desk.fails();
    desk.commands();
    desk.tell(LedgerEvent::FactsLost(name(), 0));
    let commands = desk.commands();
    assert_eq!(kinds(&commands), [FactKind::Defined, FactKind::Tripped]);
    let LedgerCommand::AddFacts(facts) = &commands[0] else { unreachable!() };
    assert_eq!(facts.iter().map(|fact| fact.number).collect::<Vec<_>>(), [1, 2]);
    assert!(is_tripped(&desk.publisher));
}

/// While the last good flags are served, the controller does not take them for an edit of the file.
#[test]
fn the_last_good_flags_are_no_edit() {
    for is_last_good in [true, false] {
        let mut desk = Desk::new(flag(1));
        desk.fails();
        desk.controller.is_last_good = is_last_good;
        desk.controller.snapshot = Arc::new(snapshot(flag(2)));
        let before = desk.publisher.current();
        desk.controller.reconcile(Some(&before));
        assert_eq!(desk.standing().trip.is_some(), is_last_good);
    }
}

#[test]
fn a_trip_whose_fact_number_is_taken_uses_the_next() {
    let mut desk = Desk::new(flag(1));
    desk.fails();
    let why = desk.standing().trip.as_ref().map(|trip| trip.why.clone());
    desk.commands();
    let start = Timestamp::now() - SignedDuration::from_mins(1);
    let others = vec![fact(1, FactKind::Defined, start), fact(2, FactKind::Inconclusive, start)];
    desk.tell(LedgerEvent::Conflict(name(), others.clone()));
    let trip = desk.standing().trip.clone();
    assert_eq!(trip.map(|trip| (trip.number, Some(trip.why))), Some((3, why)));
    assert_eq!(kinds(&desk.commands()), [FactKind::Tripped]);

    // once more, with a trip among what others wrote: one is enough
    let theirs = [others.clone(), vec![fact(3, FactKind::Tripped, start)]].concat();
    desk.tell(LedgerEvent::Conflict(name(), theirs));
    assert_eq!(desk.standing().number, 3);
}

#[test]
fn a_trip_gives_way_to_an_edit_and_to_a_person_who_came_after_it() {
    let (early, late) = (SignedDuration::from_mins(-1), SignedDuration::from_mins(1));
    let reset = |number, at| fact(number, FactKind::Reset, at);
    for (after, stays) in [(early, true), (late, false)] {
        let mut desk = Desk::new(flag(1));
        desk.fails();
        let start = Timestamp::now() - SignedDuration::from_mins(5);
        let facts = vec![fact(1, FactKind::Defined, start), reset(2, Timestamp::now() + after)];
        desk.tell(LedgerEvent::Conflict(name(), facts));
        assert_eq!(desk.standing().trip.is_some(), stays, "{after}");
    }
}

/// An edit of the flag clears its rollback; the answers to requests of before say nothing any more.
#[test]
fn an_edit_clears_a_rollback() {
    let mut desk = Desk::new(flag(1));
    desk.fails();
    desk.publisher.publish(&snapshot(flag(2)));
    desk.controller.handle(Message::Published(desk.publisher.current()));
    assert!(!is_tripped(&desk.publisher));
    assert_eq!((desk.standing().definition, desk.standing().step), (Definition(2), 0));
}

/// Trouble that comes and goes is one trouble; only the upstream itself says that it is back; and after a trip nothing is known.
#[tokio::test(start_paused = true)]
async fn trouble_ends_after_a_minute_without_it() {
    let mut desk = Desk::new(flag(1));
    let away = Answered::Fallback(None);
    let steps = [
        (away, false, 0, Some(FactKind::Inconclusive), "it begins"),
        (FINE, false, 600, None, "another's answer says nothing"),
    ];
    let flapping = [(FINE, true, 50, None, "it may come again"), (away, false, 1, None, "it was told")];
    let ends = [
        (FINE, true, 61, Some(FactKind::Recovered), "it is over"),
        (away, false, 1, Some(FactKind::Inconclusive), "it begins again"),
    ];
    let flapping = flapping.iter().cycle().take(18);
    for (result, by_upstream, seconds, told, what) in steps.iter().chain(flapping).chain(&ends) {
        desk.gets(1, *result, *by_upstream);
        tokio::time::advance(Duration::from_secs(*seconds)).await;
        let fact = desk.controller.advance(&name());
        assert_eq!(fact.as_ref().map(|fact| fact.kind), *told, "{what}");
        desk.controller.add_facts(fact.into_iter().collect());
    }
    desk.gets(1, FINE, true);
    desk.fails();
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(desk.controller.advance(&name()).is_none(), "the guard tripped");
}
