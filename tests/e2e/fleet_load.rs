//! Three programs, one Redis and one PostgreSQL under a load of visitors: edits reach all, each visitor is counted once, and what dies takes nothing
//! else with it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flagstaff_flags::Draw;

use crate::experiment_flow::told;
use crate::harness::fleet::{Fleet, Load, SIZE, Visit};
use crate::harness::{WAIT_LIMIT, eventually, within};

const FLAGS: &str = r#"# Of three programs.
[flags.form]
percent = 50
exposed_on = ["GET /form"]
goals = ["sent"]

[flags.banner] # edited while visitors come
percent = 0

[flags.risky]
sticky = "none"
rollout.steps = [{ percent = 1, hold = "approval" }, { percent = 60, hold = "approval" }, { percent = 100 }]

[goals.sent]
on = "POST /form"
status = "2xx,3xx"
"#;

/// The program that is killed.
const KILLED: usize = 2;

/// A visitor who has `risky` from its second step on.
fn late() -> String {
    let among = |id: &String| (2_000..50_000).contains(&Draw::of("risky", id).position());
    (0..).map(|i| format!("comes-late-to-it{i:06}")).find(among).unwrap()
}

/// A command, and then a flag is so at all programs, but one that is down.
#[track_caller]
fn reaches(fleet: &Fleet, line: &str, flag: &str, variant: &str, but: Option<usize>) {
    let began = Instant::now();
    let said = fleet.asked(line);
    assert_eq!(said.code, 0, "{line}: {said:?}");
    let wrote = began.elapsed();
    let visitor = late();
    eventually(line, || fleet.all_serve(&visitor, flag, variant, but));
    eprintln!("`{line}` took {wrote:?}, and was in force everywhere after {:?}", began.elapsed());
}

/// Visitors come while this is done, and until there are so many.
#[track_caller]
fn under_load(load: &Load, visitors: usize, act: impl FnOnce()) {
    act();
    within(10 * WAIT_LIMIT, "visitors come", || load.came() >= visitors);
}

/// What the ledger counts is what was done, by results and by export.
#[track_caller]
fn counted_exactly(fleet: &Fleet, visits: &[Visit]) {
    let made: HashMap<_, _> =
        visits.iter().map(|visit| (visit.id.clone(), (visit.is_on, visit.sent.is_some()))).collect();
    assert_eq!(made.len(), visits.len());
    eventually("everybody is written", || {
        fleet.programs.iter().all(|program| {
            let ledger = &program.health()["ledger"];
            ledger["queued"] == 0 && ledger["status"] == "ok" && ledger["dropped"] == 0
        })
    });
    eventually("everybody is exported", || fleet.exported().len() >= made.len());
    let exported = fleet.exported();
    let other: Vec<_> = made.iter().filter(|(id, told)| exported.get(*id) != Some(told)).collect();
    assert!(other.is_empty() && exported.len() == made.len(), "{} of {}: {other:?}", exported.len(), made.len());
    let said = fleet.asked("results form --json");
    assert_eq!(told(&said.json()), sums(&exported));
}

/// Visitors and conversions without the flag and with it.
fn sums(exported: &HashMap<String, (bool, bool)>) -> ([u64; 2], [u64; 2]) {
    exported.values().fold(Default::default(), |(mut visitors, mut sent), (is_on, has_sent): &(bool, bool)| {
        visitors[usize::from(*is_on)] += 1;
        sent[usize::from(*is_on)] += u64::from(*has_sent);
        (visitors, sent)
    })
}

/// Nothing dies: edits reach all, and all counts agree.
fn healthy(fleet: &Fleet, visitors: usize, pace: Duration) -> Vec<Visit> {
    let load = Load::begin(fleet, "healthy", pace);
    under_load(&load, visitors / 4, || reaches(fleet, "set banner percent=100 --yes", "banner", "on", None));
    under_load(&load, visitors / 2, || reaches(fleet, "rollout risky advance", "risky", "on", None));
    under_load(&load, 3 * visitors / 4, || reaches(fleet, "off risky", "risky", "off", None));
    under_load(&load, visitors, || reaches(fleet, "on risky", "risky", "on", None));
    let visits = load.end();
    counted_exactly(fleet, &visits);
    let answers: f64 =
        fleet.programs.iter().map(|program| program.metric("flagstaff_answers_total", "flag=\"form\"")).sum();
    let shown: usize = visits.iter().map(|visit| visit.shown.len()).sum();
    assert!((answers - shown as f64).abs() < 0.5, "{answers} of {shown} answers");
    visits
}

/// Both servers die and come back, one after the other.
fn servers_die(fleet: &mut Fleet, before: &[Visit], visitors: usize, pace: Duration) -> Vec<Visit> {
    let load = Load::begin(fleet, "servers", pace);
    fleet.redis.down();
    let refused = fleet.asked("set banner percent=0 --yes");
    assert!(refused.code == 2 && refused.err.contains("Redis cannot be asked"), "{refused:?}");
    reaches(fleet, "off banner", "banner", "off", None);
    reaches(fleet, "on banner", "banner", "on", None);
    eventually("all say it", || fleet.programs.iter().all(|one| one.health()["flags"]["problem"].is_string()));
    under_load(&load, visitors / 4, || fleet.redis.up());
    under_load(&load, visitors / 2, || reaches(fleet, "set banner percent=0 --yes", "banner", "off", None));

    fleet.postgres.kill();
    eventually("all say it", || fleet.programs.iter().all(|one| one.health()["ledger"]["status"] == "away"));
    under_load(&load, 3 * visitors / 4, || fleet.postgres.up());
    eventually("it is back", || fleet.programs.iter().all(|one| one.health()["ledger"]["status"] == "ok"));
    under_load(&load, visitors, || reaches(fleet, "off risky", "risky", "off", None));
    let visits: Vec<_> = before.iter().cloned().chain(load.end()).collect();
    counted_exactly(fleet, &visits);
    visits
}

/// One of the programs is killed and comes back.
fn a_program_dies(fleet: &mut Fleet, before: &[Visit], visitors: usize, pace: Duration) {
    let load = Load::begin(fleet, "killed", pace);
    let mut marked = None;
    within(10 * WAIT_LIMIT, "somebody whom it alone knows is written", || {
        marked = marked.take().or_else(|| load.last_at(KILLED).filter(|_| load.came() > visitors / 4));
        marked.as_ref().is_some_and(|visit: &Visit| fleet.exported().contains_key(&visit.id))
    });
    load.is_killed(KILLED);
    fleet.programs[KILLED].process.signal(rustix::process::Signal::KILL);
    fleet.programs[KILLED].process.wait();
    let killed = Instant::now();
    under_load(&load, visitors / 2, || {
        reaches(fleet, "set banner percent=100 --yes", "banner", "on", Some(KILLED));
        fleet.programs[KILLED].restart();
    });
    load.is_back(KILLED, fleet.programs[KILLED].address);
    eventually("it serves what was edited meanwhile", || fleet.all_serve(&late(), "banner", "on", None));
    under_load(&load, visitors, || ());
    let visits = load.end();
    for program in &mut fleet.programs {
        assert!(program.stop().success());
    }
    let marked = marked.unwrap().shown[0].1;
    lost_only_what_was_last(fleet, &before.iter().cloned().chain(visits).collect::<Vec<_>>(), marked, killed);
}

/// Missing are only visitors whom the killed program alone saw, and later than one who is known to be written.
#[track_caller]
fn lost_only_what_was_last(fleet: &Fleet, visits: &[Visit], marked: Instant, killed: Instant) {
    let mut exported = fleet.exported();
    let sums = sums(&exported);
    let may_be_lost = |(at, when): &(usize, Instant)| *at == KILLED && (marked..killed).contains(when);
    let mut lost = Vec::new();
    for visit in visits {
        let Some((is_on, has_sent)) = exported.remove(&visit.id) else {
            assert!(visit.is_unsure || visit.shown.iter().all(may_be_lost), "not counted: {visit:?}");
            lost.extend(visit.shown.iter().map(|(_, when)| killed - *when).max());
            continue;
        };
        assert!(visit.is_unsure || is_on == visit.is_on, "{visit:?}");
        let agrees = visit.is_unsure || has_sent == visit.sent.is_some();
        assert!(agrees || visit.sent.as_ref().is_some_and(may_be_lost), "{has_sent}: {visit:?}");
        lost.extend(visit.sent.filter(|_| !agrees).map(|(_, when)| killed - when));
    }
    assert!(exported.is_empty(), "counted, and never there: {exported:?}");
    assert_eq!(told(&fleet.asked("results form --json").json()), sums);
    eprintln!(
        "of {} visits {} were lost, the first of them {:?} before the end",
        visits.len(),
        lost.len(),
        lost.iter().max()
    );
}

fn everything(visitors: usize, pace: Duration) {
    let Some(mut fleet) = Fleet::start(FLAGS) else { return };
    eventually("the rollout is known", || fleet.asked("rollout risky --json").json()["step"] == 1);
    within(3 * WAIT_LIMIT, "all are listed, and are one fleet", || {
        let programs = fleet.asked("fleet --json").json()["programs"].as_array().unwrap().clone();
        programs.len() == SIZE && programs.iter().all(|one| one["notices"] == serde_json::json!([]))
    });
    let first = healthy(&fleet, visitors / 2, pace);
    let both = servers_die(&mut fleet, &first, visitors / 4, pace);
    a_program_dies(&mut fleet, &both, visitors / 4, pace);
}

#[test]
fn each_visitor_of_three_programs_is_counted_once_whatever_dies() {
    everything(1_200, Duration::from_millis(10));
}

#[test]
#[ignore = "20,000 visitors: tests/long"]
fn each_of_many_visitors_of_three_programs_is_counted_once_whatever_dies() {
    everything(20_000, Duration::from_millis(1));
}
