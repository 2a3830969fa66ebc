//! Rollouts that advance, wait and stop.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::time::Duration;

use flagstaff_experiment::rollout::{
    Command, Next, RolloutInputs, RolloutState, SHARED_OUTAGE, Trouble, apply, next_step, sample_ratio_broken,
    undone, waited,
};
use flagstaff_flags::*;
use jiff::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_760_000_000 + seconds).unwrap()
}

fn step(percent: f64, hold: Hold) -> RolloutStep {
    RolloutStep { percent: Percent::new(percent).unwrap(), hold, min_visitors: None }
}

const HOUR: Hold = Hold::For(Duration::from_secs(3600));

fn rollout() -> Rollout {
    Rollout::new(None, vec![step(1.0, HOUR), step(50.0, Hold::Approval), step(100.0, Hold::End)]).unwrap()
}

fn flag() -> Flag {
    Flag { rollout: Some(rollout()), definition: Definition(7), ..Flag::new(Name::new("checkout").unwrap()) }
}

fn draft(standing: &Standing, seconds: i64) -> Fact {
    Fact {
        flag: flag().name,
        number: standing.number + 1,
        at: at(seconds),
        definition: Definition(7),
        kind: FactKind::Defined,
        step: 0,
        by: "flagstaff".into(),
        why: String::new(),
        evidence: None,
    }
}

fn begun() -> Standing {
    let blank = Standing::from(&Fact {
        flag: flag().name,
        number: 0,
        at: at(0),
        definition: Definition(7),
        kind: FactKind::Defined,
        step: 0,
        by: String::new(),
        why: String::new(),
        evidence: None,
    });
    Standing::from(&draft(&blank, 0))
}

fn add(standing: &mut Standing, kind: FactKind, step: usize, seconds: i64) {
    let fact = Fact { kind, step, ..draft(standing, seconds) };
    standing.add(&fact);
}

fn inputs<'a>(rollout: &'a Rollout, standing: &'a Standing, seconds: i64) -> RolloutInputs<'a> {
    let (now, visitors) = (at(seconds), Some(500));
    let waited = waited(rollout, standing, now);
    RolloutInputs { rollout, standing, now, visitors, split_is_broken: false, waited, trouble: None }
}

#[test]
fn a_step_goes_on_when_its_hold_is_over_and_enough_came() {
    let (rollout, standing) = (rollout(), begun());
    let early = next_step(&inputs(&rollout, &standing, 3599));
    assert_eq!((early.state, early.advances_at, early.next), (RolloutState::Advancing, Some(at(3600)), Next::Wait));
    let over = inputs(&rollout, &standing, 3600);
    assert_eq!(next_step(&over).next, Next::Advance);
    let fact = Next::Advance.fact(&over, draft(&standing, 3600)).unwrap();
    assert_eq!((fact.kind, fact.step), (FactKind::Step, 1));
}

fn outage() -> Option<Trouble> {
    Some(Trouble { reason: SHARED_OUTAGE, words: "both at 50 %".into() })
}

#[test]
fn a_clock_that_is_set_ends_no_hold_and_makes_none_longer() {
    let (rollout, standing) = (rollout(), begun());
    for wall in [-3600, 10, 7200] {
        let at =
            |seconds| RolloutInputs { waited: Duration::from_secs(seconds), ..inputs(&rollout, &standing, wall) };
        assert_eq!(next_step(&at(3599)).next, Next::Wait, "{wall}");
        assert_eq!(next_step(&at(3600)).next, Next::Advance, "{wall}");
    }
}

#[test]
fn whatever_speaks_against_it_holds_it_and_is_told_once() {
    let (rollout, mut standing) = (rollout(), begun());
    let over = |standing: &Standing, change: fn(&mut RolloutInputs<'_>)| {
        let mut inputs = inputs(&rollout, standing, 4000);
        change(&mut inputs);
        next_step(&inputs)
    };
    type Change = fn(&mut RolloutInputs<'_>);
    let changes: [(Change, &str); 4] = [
        (|m| m.visitors = Some(99), "99 of 100 visitors"),
        (|m| m.visitors = None, "ledger"),
        (|m| m.split_is_broken = true, "split is broken"),
        (|m| m.trouble = outage(), "both at 50 %"),
    ];
    for (change, words) in changes {
        let next_step = over(&standing, change);
        assert_eq!(next_step.state, RolloutState::Holding);
        assert!(next_step.why.contains(words), "{}", next_step.why);
        assert!(matches!(next_step.next, Next::TellInconclusive(_)));
    }
    let mut early = inputs(&rollout, &standing, 1);
    early.trouble = outage();
    assert_eq!(next_step(&early).state, RolloutState::Holding, "an outage is told at once");
    let few: Change = |m| m.visitors = Some(99);
    let Next::TellInconclusive(reason) = over(&standing, few).next else { unreachable!() };
    let told = Fact { kind: FactKind::Inconclusive, why: reason.into(), ..draft(&standing, 4000) };
    standing.add(&told);
    assert_eq!(over(&standing, few).next, Next::Wait, "it was told already");
    assert!(matches!(over(&standing, |m| m.split_is_broken = true).next, Next::TellInconclusive(_)));
    assert_eq!(over(&standing, |_| ()).next, Next::Advance, "and goes on when it is over");
}

#[test]
fn a_rollout_runs_from_its_start_to_its_end() {
    let (rollout, mut standing) = (rollout(), begun());
    add(&mut standing, FactKind::Step, 1, 3600);
    let waits = next_step(&inputs(&rollout, &standing, 999_999));
    assert_eq!((waits.state, waits.next), (RolloutState::Approval, Next::AskApproval));
    add(&mut standing, FactKind::ApprovalNeeded, 1, 3600);
    assert_eq!(next_step(&inputs(&rollout, &standing, 999_999)).next, Next::Wait);
    let approved = apply(Command::Approve, &flag(), &standing, "ada", at(5000)).unwrap();
    assert_eq!((approved.kind, approved.step, approved.by.as_str()), (FactKind::Step, 2, "ada"));
    standing.add(&approved);
    let last = next_step(&inputs(&rollout, &standing, 5001));
    assert_eq!((last.state, last.next), (RolloutState::Done, Next::Finish));
    let finished = last_fact(&rollout, &standing);
    standing.add(&finished);
    let done = next_step(&inputs(&rollout, &standing, 5002));
    assert_eq!((done.state, done.next), (RolloutState::Done, Next::Wait));
    assert!(apply(Command::Advance, &flag(), &standing, "ada", at(5003)).is_err());
}

fn last_fact(rollout: &Rollout, standing: &Standing) -> Fact {
    Next::Finish.fact(&inputs(rollout, standing, 5001), draft(standing, 5001)).unwrap()
}

#[test]
fn holds_count_from_the_start_where_that_is_later() {
    let rollout = Rollout::new(Some(at(1000)), rollout().steps().to_vec()).unwrap();
    let standing = begun();
    let before = next_step(&inputs(&rollout, &standing, 999));
    assert_eq!((before.state, before.advances_at), (RolloutState::Holding, Some(at(1000))));
    assert_eq!(next_step(&inputs(&rollout, &standing, 1000)).advances_at, Some(at(4600)));
}

#[test]
fn a_trip_stops_everything_but_a_reset() {
    let (rollout, mut standing) = (rollout(), begun());
    add(&mut standing, FactKind::Tripped, 0, 10);
    assert_eq!(next_step(&inputs(&rollout, &standing, 4000)).state, RolloutState::Tripped);
    for command in [Command::Advance, Command::Approve, Command::Pause, Command::Resume] {
        let refusal = apply(command, &flag(), &standing, "ada", at(20)).unwrap_err().to_string();
        assert!(refusal.contains("rolled back by its guard"), "{refusal}");
    }
    let reset = apply(Command::Reset, &flag(), &standing, "ada", at(20)).unwrap();
    standing.add(&reset);
    assert_eq!(next_step(&inputs(&rollout, &standing, 21)).state, RolloutState::Advancing);
}

#[test]
fn what_its_guard_holds_goes_on_by_no_command() {
    let mut standing = begun();
    add(&mut standing, FactKind::Held, 0, 10);
    for command in [Command::Advance, Command::Approve, Command::Resume] {
        let refusal = apply(command, &flag(), &standing, "ada", at(20)).unwrap_err().to_string();
        assert!(refusal.contains("is held by its guard"), "{command:?}: {refusal}");
    }
    standing.add(&apply(Command::Reset, &flag(), &standing, "ada", at(20)).unwrap());
    assert!(apply(Command::Advance, &flag(), &standing, "ada", at(30)).is_ok());
}

#[test]
fn an_edit_names_the_step_that_was_shown() {
    let mut standing = begun();
    assert_eq!(undone(&standing, None), None);
    let off = Flag { enabled: false, ..flag() };
    assert_eq!(undone(&standing, Some(&off)), None, "one that is off has no step under way");
    assert!(
        undone(&standing, Some(&flag())).unwrap().ends_with("step 1"),
        "its hold and what its guard saw are lost"
    );
    for (kind, step, shown) in
        [(FactKind::Step, 1, "step 2"), (FactKind::Step, 2, "step 3"), (FactKind::Done, 3, "step 3")]
    {
        add(&mut standing, kind, step, 10);
        let told = undone(&standing, None).unwrap();
        assert!(told.ends_with(shown), "{told}");
    }
}

#[test]
fn a_pause_holds_until_it_is_over() {
    let (rollout, mut standing) = (rollout(), begun());
    assert!(apply(Command::Resume, &flag(), &standing, "ada", at(20)).is_err());
    standing.add(&apply(Command::Pause, &flag(), &standing, "ada", at(20)).unwrap());
    assert!(apply(Command::Pause, &flag(), &standing, "ada", at(20)).is_err());
    let paused = next_step(&inputs(&rollout, &standing, 4000));
    assert_eq!((paused.state, paused.next), (RolloutState::Holding, Next::Wait));
    standing.add(&apply(Command::Resume, &flag(), &standing, "ada", at(30)).unwrap());
    assert_eq!(next_step(&inputs(&rollout, &standing, 4000)).next, Next::Advance);
}

#[test]
fn a_flag_without_a_rollout_can_only_begin_anew() {
    let flag = Flag { rollout: None, ..flag() };
    assert!(apply(Command::Advance, &flag, &begun(), "ada", at(1)).unwrap_err().to_string().contains("no rollout"));
    assert!(apply(Command::Reset, &flag, &begun(), "ada", at(1)).is_ok());
}

#[test]
fn a_split_is_broken_when_the_shares_cannot_explain_it() {
    assert!(!sample_ratio_broken(&[9_500, 500], &[95.0, 5.0]));
    assert!(sample_ratio_broken(&[9_000, 1_000], &[95.0, 5.0]));
    assert!(!sample_ratio_broken(&[0, 0], &[95.0, 5.0]));
    assert!(!sample_ratio_broken(&[10, 0], &[100.0, 0.0]), "one arm has nothing to compare with");
}
