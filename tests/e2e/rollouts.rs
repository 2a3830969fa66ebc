//! Rollouts that advance by themselves, and the commands of people.

use std::time::Duration;

use crate::experiment_flow::{done, said};
use crate::guards::{kinds, status};
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::checkout_app::{Fate, Patient, Queue};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::stores::Store;

const FIVE: &str = "steps = [{ percent = 10, hold = \"1s\", min_visitors = 10 }, { percent = 25, hold = \"1s\", min_visitors = 10 },
  { percent = 50, hold = \"approval\" }, { percent = 75, hold = \"1s\", min_visitors = 10 }, { percent = 100, hold = \"1s\", min_visitors = 10 }]";

fn flags(steps: &str) -> String {
    format!(
        "[flags.checkout]\nowner = \"team\"\nexpires = 2099-01-01\nsticky = \"none\"\n\
         [flags.checkout.rollout]\n{steps}\n[flags.checkout.guard]\nerrors = \"5xx\"\n"
    )
}

fn rolling(steps: &str) -> (Patient, Program) {
    rolling_in(&Store::File, steps)
}

fn rolling_in(store: &Store, steps: &str) -> (Patient, Program) {
    let checkout_app = Patient::start(Fate::default());
    let program = Setup::to(&[checkout_app.app.address]).kept_in(store).flags(&flags(steps)).start();
    (checkout_app, program)
}

/// Visitors come until it is so.
#[track_caller]
fn while_they_come(program: &Program, name: &str, what: &str, holds: impl Fn(&serde_json::Value) -> bool) {
    let mut queue = Queue::to(program, name);
    eventually(what, || {
        queue.come(100);
        holds(&status(program))
    });
}

/// Its facts, but for those that say that a step goes on waiting: on a slow machine the visitors come after the hold is over.
fn decided(status: &serde_json::Value) -> Vec<String> {
    kinds(status).into_iter().filter(|kind| kind != "inconclusive").collect()
}

#[test]
fn five_steps_on_a_fast_clock() {
    let (_patient, program) = rolling(FIVE);
    while_they_come(&program, "visitors", "it waits for an approval", |now| now["state"] == "approval");
    let now = status(&program);
    assert_eq!((&now["step"], &now["percent"], &now["steps"]), (&3.into(), &50.0.into(), &5.into()));
    std::thread::sleep(Duration::from_millis(1_200));
    assert_eq!(status(&program)["step"], 3, "it waits as long as it takes");
    let met = Queue::to(&program, "half").come(400);
    assert!((120..280).contains(&met), "{met} of 400 at 50 %");

    let approved = said(&program, "rollout checkout approve --by ada --json");
    assert_eq!(approved.code, 0, "{approved:?}");
    assert_eq!(approved.json()["step"], 4);
    while_they_come(&program, "last", "the last step keeps a control back", |now| now["step"] == 5);
    while_they_come(&program, "end", "it is done", |now| kinds(now).last().is_some_and(|kind| kind == "done"));
    let mut queue = Queue::to(&program, "everybody");
    eventually("everybody has it", || queue.come(50) == 50);
    let now = status(&program);
    assert_eq!((&now["step"], &now["percent"]), (&5.into(), &100.0.into()));
    assert_eq!(decided(&now), ["defined", "step", "step", "approval_needed", "step", "step", "done"], "{now}");
    let by_ada: Vec<_> = now["history"].as_array().unwrap().iter().filter(|fact| fact["by"] == "ada").collect();
    assert_eq!((by_ada.len(), &by_ada[0]["kind"]), (1, &"step".into()), "{now}");
    let told = said(&program, "rollout checkout").out;
    assert!(told.contains("done") && told.contains("approval_needed") && told.contains("ada"), "{told}");
}

#[test]
fn a_step_without_enough_visitors_holds_and_says_why() {
    let (_patient, program) = rolling("steps = [{ percent = 50, hold = \"200ms\" }, { percent = 100 }]");
    Queue::to(&program, "few").come(20);
    eventually("it is told", || status(&program)["history"].to_string().contains("too few visitors"));
    let now = status(&program);
    assert_eq!((&now["state"], &now["step"]), (&"holding".into(), &1.into()));
    assert!(now["why"].as_str().unwrap().contains("of 100 visitors"), "{now}");
    while_they_come(&program, "many", "it goes on", |now| now["state"] == "done");
}

#[test]
fn steps_stand_across_restarts() {
    let (_patient, mut program) =
        rolling("steps = [{ percent = 1, hold = \"1h\" }, { percent = 60, hold = \"1h\" }, { percent = 100 }]");
    eventually("it is known", || said(&program, "rollout checkout advance --by ada").code == 0);
    let mut queue = Queue::to(&program, "before");
    eventually("it is at the second step", || queue.come(20) > 4);
    program.process.signal(rustix::process::Signal::KILL);
    program.process.wait();
    program.restart();
    assert!(Queue::to(&program, "after").come(100) > 35, "from the first answer on");
    assert!(program.stop().success());
    program.restart();
    assert!(Queue::to(&program, "later").come(100) > 35);
    let now = status(&program);
    assert_eq!((&now["step"], &now["state"], &now["percent"]), (&2.into(), &"climbing".into(), &60.0.into()));
    assert_eq!(kinds(&now), ["defined", "step"]);
}

#[test]
fn an_edit_begins_anew() {
    Store::all().iter().for_each(an_edit_begins_anew_in);
}

fn an_edit_begins_anew_in(store: &Store) {
    let steps = "steps = [{ percent = 1, hold = \"1h\" }, { percent = 100, hold = \"1h\" }]";
    let (_patient, program) = rolling_in(store, steps);
    eventually("it is known", || said(&program, "rollout checkout advance").code == 0);
    program.save_flags(&flags(&steps.replace("percent = 1,", "percent = 2,")));
    eventually("it begins anew", || status(&program)["percent"] == 2.0);
    let now = status(&program);
    assert_eq!((&now["step"], kinds(&now).last().unwrap().as_str()), (&1.into(), "changed"));
}

#[test]
fn people_can_stop_it_and_let_it_go_on() {
    Store::all().iter().for_each(people_can_stop_it_and_let_it_go_on_in);
}

fn people_can_stop_it_and_let_it_go_on_in(store: &Store) {
    let (_patient, program) =
        rolling_in(store, "steps = [{ percent = 50, hold = \"300ms\", min_visitors = 1 }, { percent = 100 }]");
    eventually("it is known", || said(&program, "rollout checkout pause --by ada").code == 0);
    Queue::to(&program, "visitors").come(100);
    std::thread::sleep(Duration::from_millis(1_000));
    let now = status(&program);
    assert_eq!((&now["state"], &now["step"], &now["paused"]), (&"holding".into(), &1.into(), &true.into()));
    let again = said(&program, "rollout checkout pause");
    assert!(again.code == 1 && again.err.contains("paused already"), "{again:?}");
    let approve = said(&program, "rollout checkout approve");
    assert!(approve.code == 1 && approve.err.contains("needs no approval"), "{approve:?}");
    done(&program, "rollout checkout resume --by ada");
    while_they_come(&program, "more", "it goes on", |now| now["state"] == "done");
    done(&program, "rollout checkout reset --by ada");
    eventually("it is at its first step again", || status(&program)["percent"] == 50.0);
}

#[test]
fn a_rollout_waits_for_its_start() {
    let (_patient, program) =
        rolling("start = 2099-01-01T00:00:00Z\nsteps = [{ percent = 50, hold = \"1h\" }, { percent = 100 }]");
    assert_eq!(Queue::to(&program, "early").come(50), 0);
    eventually("it is known", || status(&program)["since"].is_string());
    let now = status(&program);
    assert_eq!((&now["state"], &now["percent"]), (&"holding".into(), &0.0.into()), "{now}");
    assert!(now["advances_at"].as_str().unwrap().starts_with("2099-01-01"));
}

#[test]
fn a_command_right_after_an_edit_waits_until_the_edit_is_read() {
    let (_patient, program) = rolling(FIVE);
    for percent in 11..16 {
        let edited = FIVE.replace("percent = 10,", &format!("percent = {percent},"));
        std::fs::write(program.path("flags.toml"), flags(&edited)).unwrap();
        let advanced = said(&program, "rollout checkout advance --by ada");
        assert_eq!(advanced.code, 0, "{advanced:?}");
    }
}

#[test]
fn what_cannot_be_told_is_said() {
    let (_patient, mut program) = rolling(FIVE);
    assert!(program.stop().success());
    let unknown = said(&program, "rollout chekout");
    assert!(unknown.code == 2 && unknown.err.contains("`checkout`"), "{unknown:?}");
    program.restart();
    eventually("it is known", || status(&program)["since"].is_string());
    assert!(program.stop().success());
    std::fs::write(program.path("flags.toml"), flags(&FIVE.replace("percent = 10,", "percent = 11,"))).unwrap();
    let stale = said(&program, "rollout checkout advance");
    assert!(stale.code == 1 && stale.err.contains("no running program has read"), "{stale:?}");
    for file in ["flagstaff.db", "flagstaff.db-wal", "flagstaff.db-shm"] {
        let _ = std::fs::remove_file(program.path(file));
    }
    let never = said(&program, "rollout checkout --json");
    assert_eq!((never.code, &never.json()["since"]), (0, &serde_json::Value::Null), "{never:?}");
    assert!(!program.path("flagstaff.db").exists(), "only looking begins no ledger");
}

#[test]
fn of_three_programs_on_one_ledger_one_takes_each_step() {
    let steps = "steps = [{ percent = 40, hold = \"1s\", min_visitors = 10 }, { percent = 60, hold = \"1s\", min_visitors = 10 }, { percent = 100 }]";
    let (checkout_app, first) = rolling(steps);
    let ledger = format!("ledger = \"{}\"", first.path("flagstaff.db").display());
    let more = || Setup::to(&[checkout_app.app.address]).top(&ledger).flags(&flags(steps)).start();
    let others = [more(), more()];
    let mut queues = [("first", &first), ("second", &others[0]), ("third", &others[1])]
        .map(|(name, program)| Queue::to(program, name));
    eventually("it is done", || {
        for queue in &mut queues {
            queue.come(30);
        }
        kinds(&status(&first)).last().is_some_and(|kind| kind == "done")
    });
    assert_eq!(decided(&status(&first)), ["defined", "step", "step", "done"]);
    for queue in &mut queues {
        eventually("everybody has it everywhere", || queue.come(30) == 30);
    }
}

#[test]
fn those_who_come_again_count_again_after_a_reset() {
    let steps = "steps = [{ percent = 50, hold = \"300ms\", min_visitors = 10 }, { percent = 100 }]";
    let (_patient, program) = rolling(steps);
    let same = || {
        let mut queue = Queue::to(&program, "regulars");
        eventually("it is done", || {
            // always the same hundred
            for visitor in 1..=100 {
                queue.ask("GET / HTTP/1.1", visitor);
            }
            kinds(&status(&program)).last().is_some_and(|kind| kind == "done")
        });
    };
    same();
    done(&program, "rollout checkout reset --by ada");
    same();
    program.save_flags(&(flags(steps) + "# nothing but a remark\n"));
    program.save_flags(&flags(steps).replace("errors = \"5xx\"", "errors = \"5xx\"\nfalse_alarm = 0.002"));
    eventually("the edit is on record", || kinds(&status(&program)).contains(&"changed".to_owned()));
    same();
}

/// What a rollback took from visitors does not come back to them with the first step.
#[test]
fn a_reset_forgets_who_had_the_flag() {
    let app = App::mirror();
    let steps = "steps = [{ percent = 2, hold = \"approval\" }, { percent = 90, hold = \"approval\" }]";
    let program =
        Setup::to(&[app.address]).flags(&flags(steps).replace("sticky = \"none\"", "sticky = \"visitor\"")).start();
    eventually("the flag is on record", || !kinds(&status(&program)).is_empty());
    let mut browsers: Vec<_> = (0..60).map(|_| Browser::new(program.address)).collect();
    let mut having = || -> Vec<bool> {
        browsers
            .iter_mut()
            .map(|browser| browser.get("/").text().to_lowercase().contains("x-flag-checkout: on"))
            .collect()
    };
    let count = |all: &[bool]| all.iter().filter(|has| **has).count();
    let first = having();
    done(&program, "rollout checkout approve --by ada");
    eventually("most have it", || count(&having()) > 40);
    done(&program, "rollout checkout reset --by ada");
    eventually("only those of the first step have it", || having() == first);
    // what is drawn from now on is remembered again
    done(&program, "rollout checkout approve --by ada");
    eventually("most have it again", || count(&having()) > 40);
    program.save_flags(
        &flags("steps = [{ percent = 3, hold = \"approval\" }, { percent = 90, hold = \"approval\" }]")
            .replace("sticky = \"none\"", "sticky = \"visitor\""),
    );
    eventually("the edit is on record", || kinds(&status(&program)).contains(&"changed".to_owned()));
    assert!(count(&having()) > 40, "an edit takes a variant from nobody who drew it");
}
