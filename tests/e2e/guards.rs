//! A variant that does harm is rolled back by itself, and one that does none is not.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::experiment_flow::{done, said};
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::checkout_app::{Fate, Patient, Queue};
use crate::harness::program::{Program, Setup};
use crate::harness::{WAIT_LIMIT, eventually};

/// A flag with a guard, at a share.
pub(crate) fn flags(percent: u32, guard: &str) -> String {
    format!(
        "[flags.checkout]\nowner = \"team\"\nexpires = 2099-01-01\npercent = {percent}\nsticky = \"none\"\n\
         [flags.checkout.guard]\n{guard}\n[goals.paid]\non = \"POST /pay\"\n"
    )
}

/// Where the flag stands.
#[track_caller]
pub(crate) fn status(program: &Program) -> Value {
    said(program, "rollout checkout status --json").json()
}

/// The kinds of facts there are, oldest first.
pub(crate) fn kinds(status: &Value) -> Vec<String> {
    let kind = |fact: &Value| fact["kind"].as_str().unwrap().to_owned();
    status["history"].as_array().unwrap().iter().map(kind).collect()
}

/// Begins anew after a trip. What comes between a look and an order is refused: the trip is on record first.
#[track_caller]
fn reset(program: &Program) {
    eventually("the trip is on record", || status(program)["state"] == "tripped");
    done(program, "rollout checkout reset --by ada");
}

/// How many met the flag before nobody did any more.
fn until_rolled_back(queue: &mut Queue, program: &Program) -> usize {
    let mut met = 0;
    for _ in 0..100 {
        met += queue.come(200);
        // asked of the program itself: the ledger is a moment behind
        if program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0 {
            assert_eq!(queue.come(200), 0, "it is served after it was rolled back");
            return met;
        }
    }
    panic!("not rolled back after {met} visitors");
}

#[test]
fn ten_percent_errors_are_rolled_back_soon() {
    let healthy = Fate::default();
    let bad = Fate { errors: [0.01, 0.10], ..Fate::default() };
    let checkout_app = Patient::start(healthy);
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(5, "errors = \"5xx\"")).start();
    let mut met: Vec<_> = (0..20)
        .map(|run| {
            if run > 0 {
                reset(&program);
                eventually("it begins anew", || {
                    program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 0.0
                });
            }
            checkout_app.does(bad, run);
            until_rolled_back(&mut Queue::to(&program, &format!("run-{run:02}")), &program)
        })
        .collect();
    met.sort_unstable();
    println!("visitors of the treatment until it was rolled back: {met:?}");
    assert!((met[9] + met[10]) / 2 <= 110, "{met:?}");
    assert!(met[17] <= 220, "{met:?}");
    eventually("the trip is on record", || status(&program)["state"] == "tripped");
    let status = status(&program);
    let evidence = &status["evidence"];
    assert_eq!((&evidence["sign"], &evidence["variant"]), (&"errors".into(), &"on".into()));
    assert!(evidence["log_evidence"].as_f64() >= evidence["threshold"].as_f64(), "{evidence}");
    assert_eq!(status["percent"], 0.0);
    assert!(status["why"].as_str().unwrap().contains("had an error"), "{status}");
    // an alert ends with the flag, and a rollback does not
    let file = flags(5, "errors = \"5xx\"");
    program.save_flags("# the checkout of another branch\n");
    eventually("nothing is shown of it", || program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 0.0);
    assert_eq!(program.metric("flagstaff_guard_log_evidence", "flag=\"checkout\""), 0.0);
    program.save_flags(&file);
    eventually("it is back", || program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0);
    assert_eq!(Queue::to(&program, "later").come(100), 0, "it stays rolled back");
}

#[test]
fn answers_that_take_three_times_as_long_are_rolled_back() {
    let ms = Duration::from_millis;
    let checkout_app = Patient::start(Fate { takes: [ms(40), ms(120)], ..Fate::default() });
    let guard = "errors = \"5xx\"\nslower_than = \"80ms\"";
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, guard)).start();
    let mut queue = Queue::to(&program, "slow");
    let mut met = 0;
    while program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") != 1.0 {
        met += queue.come(4);
        assert!(met < 200, "not rolled back");
    }
    assert_eq!(queue.come(20), 0);
    eventually("the trip is on record", || status(&program)["evidence"]["sign"] == "slow");
    // the end of the interval moved up to the ratio at which the guard trips
    let told = status(&program);
    let course = told["guard_course"].as_array().unwrap().iter().find(|one| one["sign"] == "slow").unwrap();
    let is_past = |point: &Value| point["bound"].as_f64() >= course["tolerated"].as_f64();
    let points = course["points"].as_array().unwrap();
    assert!(!is_past(&points[0]) && points.iter().any(is_past), "{course}");
    let text = said(&program, "rollout checkout").out;
    assert!(text.contains("at least") && text.contains("trips at 1.25"), "{text}");
}

#[test]
fn slow_can_be_what_the_control_says() {
    let ms = Duration::from_millis;
    let checkout_app = Patient::start(Fate::default());
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, "slower_than = \"p95\"")).start();
    let mut queue = Queue::to(&program, "slow");
    checkout_app.does(Fate { takes: [ms(2), ms(2)], ..Fate::default() }, 1);
    // as long as the control is only looked at, nobody is slow
    let mut control: Vec<_> = (0..450)
        .filter_map(|_| {
            let start = Instant::now();
            (!queue.next()).then(|| start.elapsed())
        })
        .take(200)
        .collect();
    assert_eq!(control.len(), 200, "as many as the limit is made of");
    assert_ne!(program.metric("flagstaff_guard_tripped", "flag=\"checkout\""), 1.0);
    // the limit is at most what clients saw: a machine that stands still now and then takes its time with everybody
    control.sort_unstable();
    checkout_app.does(Fate { takes: [ms(2), control[189] + ms(60)], ..Fate::default() }, 1);
    let mut met = 0;
    while program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") != 1.0 {
        met += queue.come(4);
        assert!(met < 400, "not rolled back");
    }
    eventually("the trip is on record", || status(&program)["evidence"]["sign"] == "slow");
}

#[test]
fn conversions_that_stop_are_rolled_back() {
    let checkout_app = Patient::start(Fate::default());
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, "goals = [\"paid\"]")).start();
    let mut queue = Queue::to(&program, "buyer");
    for visitor in 0.. {
        assert!(visitor < 1_000, "not rolled back");
        // a visitor with the new form never gets to pay; of the others every second does
        if !queue.next() && visitor % 2 == 0 {
            let last = queue.last();
            assert_eq!(queue.ask("POST /pay HTTP/1.1", last).status, 200);
        }
        if program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0 {
            break;
        }
    }
    assert_eq!(queue.come(50), 0);
    eventually("the trip is on record", || status(&program)["evidence"]["sign"] == "goal:paid");
}

#[test]
fn an_outage_that_both_share_is_told_and_trips_nothing() {
    let checkout_app = Patient::start(Fate { errors: [0.5, 0.5], ..Fate::default() });
    let program = Setup::to(&[checkout_app.app.address])
        .flags(&flags(50, "errors = \"5xx\"").replace("percent = 50", ""))
        .start();
    let rollout = "[flags.checkout.rollout]\nsteps = [{ percent = 50, hold = \"1s\" }, { percent = 100 }]\n";
    program.save_flags(&(flags(50, "errors = \"5xx\"").replace("percent = 50\n", "") + rollout));
    let mut queue = Queue::to(&program, "unlucky");
    queue.come(1_500);
    eventually("it is told", || kinds(&status(&program)).iter().any(|kind| kind == "inconclusive"));
    let now = status(&program);
    assert_eq!((&now["state"], &now["step"], &now["evidence"]), (&"holding".into(), &1.into(), &Value::Null));
    assert!(now["why"].as_str().unwrap().contains("shared outage"), "{now}");
    assert!(program.process.log().contains("shared outage"));
    assert!(queue.come(100) > 20, "it is served as before");
}

#[test]
fn a_guard_that_observes_tells_and_does_nothing() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let program =
        Setup::to(&[checkout_app.app.address]).flags(&flags(50, "errors = \"5xx\"\nobserve = true")).start();
    let mut queue = Queue::to(&program, "seen");
    queue.come(200);
    eventually("it is told", || kinds(&status(&program)).iter().any(|kind| kind == "observed"));
    assert!(queue.come(100) > 20);
    queue.come(100);
    let now = status(&program);
    assert_eq!(kinds(&now).iter().filter(|kind| *kind == "observed").count(), 1, "{now}");
    assert_ne!(now["state"], "tripped");
}

#[test]
fn a_guard_that_holds_keeps_the_step_and_serves_on() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let rollout =
        "[flags.checkout.rollout]\nsteps = [{ percent = 50, hold = \"2s\", min_visitors = 1 }, { percent = 100 }]\n";
    let text = flags(50, "errors = \"5xx\"\non_trip = \"hold\"").replace("percent = 50\n", "") + rollout;
    let program = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    let mut queue = Queue::to(&program, "held");
    queue.come(200);
    eventually("it is told", || kinds(&status(&program)).iter().any(|kind| kind == "held"));
    std::thread::sleep(Duration::from_millis(2_500));
    let now = status(&program);
    assert_eq!((&now["state"], &now["step"]), (&"holding".into(), &1.into()), "{now}");
    assert!(now["why"].as_str().unwrap().contains("guard holds it"), "{now}");
    let advance = said(&program, "rollout checkout advance");
    assert!(advance.code == 1 && advance.err.contains("held by its guard"), "{advance:?}");
    assert_eq!(status(&program)["step"], 1);
    assert!(queue.come(100) > 20);
}

#[test]
fn a_fuse_blows_before_the_statistics_are_sure() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    // so small a chance of a false alarm that the test would take long
    let guard = "errors = \"5xx\"\nfalse_alarm = 0.000000000000001\nfuse = 4";
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, guard)).start();
    let mut queue = Queue::to(&program, "fuse");
    let met = until_rolled_back(&mut queue, &program);
    println!("{met} met it");
    eventually("the trip is on record", || status(&program)["evidence"]["fuse"]["visitors"] == 4);
}

#[test]
fn a_trip_stands_across_restarts_until_the_flag_is_edited() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let text = flags(50, "errors = \"5xx\"");
    let mut program = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    let mut queue = Queue::to(&program, "first");
    until_rolled_back(&mut queue, &program);
    eventually("the trip is on record", || status(&program)["state"] == "tripped");
    let on = said(&program, "on checkout");
    assert!(on.code == 1 && on.out.contains("flagstaff rollout checkout reset"), "{on:?}");
    assert!(!on.out.contains("overrides it"), "no file does: {on:?}");
    program.process.signal(rustix::process::Signal::KILL);
    program.process.wait();
    program.restart();
    assert_eq!(Queue::to(&program, "second").come(50), 0, "from the first answer on");
    assert!(program.stop().success());
    program.restart();
    assert_eq!(Queue::to(&program, "third").come(50), 0);
    let explained = said(&program, "explain checkout --visitor somebody --json").json();
    assert_eq!(explained["step"], "tripped", "{explained}");
    let ledger = program.path("flagstaff.db");
    let listed = &said(&program, &format!("list --json --ledger {}", ledger.display())).json()[0];
    assert_eq!((&listed["state"], &listed["percent"]), (&"tripped".into(), &0.0.into()), "{listed}");

    checkout_app.does(Fate::default(), 1);
    program.save_flags(&text.replace("percent = 50", "percent = 49"));
    let mut queue = Queue::to(&program, "fourth");
    eventually("it is served again", || queue.come(10) > 0);
    eventually("the edit is on record", || kinds(&status(&program)).last().is_some_and(|kind| kind == "changed"));
    let now = status(&program);
    assert_eq!(kinds(&now), ["defined", "tripped", "changed"]);
    assert_eq!((&now["state"], &now["evidence"]), (&"holding".into(), &Value::Null));
}

#[test]
fn a_flag_that_is_edited_and_edited_back_is_not_tripped_any_more() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let text = flags(50, "errors = \"5xx\"");
    let program = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    until_rolled_back(&mut Queue::to(&program, "first"), &program);
    checkout_app.does(Fate::default(), 1);
    for text in [text.replace("percent = 50", "percent = 49"), text] {
        program.save_flags(&text);
        program.flags_in_force();
    }
    let mut queue = Queue::to(&program, "second");
    eventually("it is served again", || queue.come(10) > 0);
}

#[test]
fn a_guard_works_while_the_ledger_is_gone() {
    let checkout_app = Patient::start(Fate::default());
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, "errors = \"5xx\"")).start();
    let mut queue = Queue::to(&program, "before");
    queue.come(100);
    for file in ["flagstaff.db", "flagstaff.db-wal", "flagstaff.db-shm"] {
        let _ = std::fs::remove_file(program.path(file));
    }
    // a folder in its place cannot be opened
    std::fs::create_dir(program.path("flagstaff.db")).unwrap();
    checkout_app.does(Fate { errors: [0.0, 1.0], ..Fate::default() }, 1);
    until_rolled_back(&mut queue, &program);
    std::fs::remove_dir(program.path("flagstaff.db")).unwrap();
    eventually("what was decided meanwhile is written down", || {
        program.path("flagstaff.db").is_file()
            && said(&program, "rollout checkout --json").code == 0
            && status(&program)["state"] == "tripped"
    });
}

#[test]
fn a_canary_that_is_killed_fails_nobody_and_is_rolled_back() {
    let (app, canary) = (App::says("app"), App::says("canary"));
    let guard = "errors = \"5xx\"\nupstream_away = \"1s\"";
    let text = flags(50, guard) + &format!("[flags.checkout.upstream]\non = \"{}\"\n", canary.address);
    let program = Setup::to(&[app.address]).flags(&text).start();
    let mut queue = Queue::to(&program, "canary");
    let mut ask = |visitors: usize| -> Vec<String> {
        (0..visitors)
            .map(|_| {
                queue.next();
                let last = queue.last();
                let answer = queue.ask("GET /again HTTP/1.1", last);
                assert_eq!(answer.status, 200, "{}", answer.head);
                answer.text()
            })
            .collect()
    };
    assert!(ask(40).iter().any(|text| text == "canary"));
    drop(canary);
    let start = Instant::now();
    while program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") != 1.0 {
        assert!(ask(10).iter().all(|text| text == "app"));
        assert!(start.elapsed() < WAIT_LIMIT, "not rolled back");
    }
    let fallbacks = program.metric("flagstaff_canary_fallbacks_total", "flag=\"checkout\"");
    ask(40);
    assert_eq!(program.metric("flagstaff_canary_fallbacks_total", "flag=\"checkout\""), fallbacks);
}

#[test]
fn of_two_programs_on_one_ledger_both_take_it_back_and_one_writes_it_down() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let text = flags(50, "errors = \"5xx\"");
    let first = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    let ledger = format!("ledger = \"{}\"", first.path("flagstaff.db").display());
    let second = Setup::to(&[checkout_app.app.address]).top(&ledger).flags(&text).start();
    assert!(Queue::to(&second, "elsewhere").come(10) > 0, "it is served");
    until_rolled_back(&mut Queue::to(&first, "here"), &first);
    eventually("the other follows", || Queue::to(&second, "elsewhere").come(20) == 0);
    assert_eq!(kinds(&status(&first)), ["defined", "tripped"]);
    done(&second, "rollout checkout reset --by ada");
    checkout_app.does(Fate::default(), 1);
    for program in [&first, &second] {
        eventually("both begin anew", || Queue::to(program, "afterwards").come(20) > 0);
    }
    assert_eq!(kinds(&status(&first)), ["defined", "tripped", "reset"]);
}

#[test]
fn without_a_ledger_a_guard_works_as_long_as_the_program() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let program =
        Setup::to(&[checkout_app.app.address]).top("ledger = \"none\"").flags(&flags(50, "errors = \"5xx\"")).start();
    until_rolled_back(&mut Queue::to(&program, "visitors"), &program);
    assert!(program.process.log().contains("flag tripped"));
}

/// Visitors who keep the flag from a larger share are many more than the smaller share says.
#[test]
fn who_keeps_a_variant_from_before_makes_no_false_alarm() {
    let checkout_app = Patient::start(Fate::default());
    let text = flags(50, "errors = \"5xx\"").replace("sticky = \"none\"", "sticky = \"visitor\"");
    let program = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    let id = |number| format!("{:-<15}{number:07}", "kept");
    let mut visitors: Vec<_> = (0..200).map(|number| Browser::of(program.address, &id(number))).collect();
    let come = |visitors: &mut [Browser]| {
        visitors.iter_mut().filter_map(|one| (one.get("/").text() == "on").then_some(())).count()
    };
    assert!((70..130).contains(&come(&mut visitors)));
    program.save_flags(&text.replace("percent = 50", "percent = 5"));
    program.flags_in_force();
    // everybody meets errors, with the flag and without it
    checkout_app.does(Fate { errors: [1.0, 1.0], ..Fate::default() }, 1);
    assert!(come(&mut visitors) >= 70, "they keep it");
    let seen = |status: &Value| status["guard"][0]["control_visitors"].as_u64();
    eventually("the guard has seen them", || seen(&status(&program)).is_some_and(|seen| seen > 150));
    assert_eq!(program.metric("flagstaff_guard_tripped", "flag=\"checkout\""), 0.0, "{}", status(&program));
}

#[test]
fn one_visitor_who_tries_again_and_again_trips_nothing() {
    let checkout_app = Patient::start(Fate { errors: [1.0, 1.0], ..Fate::default() });
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, "errors = \"5xx\"\nfuse = 3")).start();
    let mut queue = Queue::to(&program, "stubborn");
    while !queue.next() {}
    let stubborn = queue.last();
    for _ in 0..300 {
        assert_eq!(queue.ask("GET / HTTP/1.1", stubborn).text(), "on");
    }
    // the others find the app well again
    checkout_app.does(Fate::default(), 1);
    assert!(queue.come(100) > 20);
    assert_eq!(program.metric("flagstaff_guard_tripped", "flag=\"checkout\""), 0.0, "{}", status(&program));
}

#[test]
fn a_gate_that_is_closed_for_those_without_the_flag_looks_like_no_fault_of_theirs() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let gate = "[flags.checkout.gate]\npaths = [\"/\"]\nwhen_off = { status = 503, body = \"Not yet.\" }\n";
    let program = Setup::to(&[checkout_app.app.address]).flags(&(flags(50, "errors = \"5xx\"") + gate)).start();
    let mut queue = Queue::to(&program, "gate");
    for visitor in 1..=100 {
        queue.ask("GET / HTTP/1.1", visitor);
        // behind the gate those with the flag meet the app, and fail; elsewhere everybody meets it
        queue.ask("GET /open HTTP/1.1", visitor);
    }
    eventually("it is rolled back", || program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0);
}

/// A program on the ledger of another, with a file of its own.
fn beside(other: &Program, app: std::net::SocketAddr, text: &str) -> Program {
    let ledger = format!("ledger = \"{}\"", other.path("flagstaff.db").display());
    Setup::to(&[app]).top(&ledger).flags(text).start()
}

#[test]
fn a_new_file_elsewhere_brings_nothing_back_that_was_rolled_back() {
    let checkout_app = Patient::start(Fate { errors: [0.0, 1.0], ..Fate::default() });
    let text = flags(50, "errors = \"5xx\"");
    let mut old = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    until_rolled_back(&mut Queue::to(&old, "before"), &old);
    eventually("the trip is on record", || status(&old)["state"] == "tripped");
    let new = beside(&old, checkout_app.app.address, &text.replace("percent = 50", "percent = 40"));
    eventually("the new one serves it", || Queue::to(&new, "new").come(20) > 0);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(Queue::to(&old, "old").come(100), 0, "the old one has the broken definition still");
    let _other = beside(&old, checkout_app.app.address, "[flags.other]\nowner = \"team\"\nexpires = 2099-01-01\n");
    std::thread::sleep(Duration::from_millis(600));
    assert!(!kinds(&status(&new)).contains(&"removed".to_owned()), "a file without it is another file");
    assert!(old.stop().success());
}

#[test]
fn two_programs_tell_one_outage_once() {
    let checkout_app = Patient::start(Fate { errors: [0.5, 0.5], ..Fate::default() });
    // it would go on after so many visitors only: until then the outage is known, however slow the machine is
    let rollout = "[flags.checkout.rollout]\nsteps = [{ percent = 50, hold = \"1s\", min_visitors = 300 }, { percent = 100 }]\n";
    let text = flags(50, "errors = \"5xx\"").replace("percent = 50\n", "") + rollout;
    let busy = Setup::to(&[checkout_app.app.address]).flags(&text).start();
    let _idle = beside(&busy, checkout_app.app.address, &text);
    let mut queue = Queue::to(&busy, "unlucky");
    eventually("it is told", || {
        queue.come(100);
        kinds(&status(&busy)).last().is_some_and(|kind| kind == "inconclusive")
    });
    for _ in 0..4 {
        queue.come(100);
        std::thread::sleep(Duration::from_millis(250));
    }
    let now = status(&busy);
    assert_eq!(kinds(&now), ["defined", "inconclusive"], "{now}");
    assert_eq!((&now["state"], &now["step"]), (&"holding".into(), &1.into()));
}

#[test]
fn an_app_that_hangs_until_its_visitors_give_up_is_noticed() {
    let checkout_app = Patient::start(Fate { takes: [Duration::ZERO, Duration::from_secs(20)], ..Fate::default() });
    let program = Setup::to(&[checkout_app.app.address]).flags(&flags(50, "slower_than = \"200ms\"")).start();
    let mut visitor = 0;
    eventually("it is rolled back", || {
        let clients: Vec<_> = (0..10)
            .map(|_| {
                visitor += 1;
                let mut raw = program.raw();
                raw.send(format!(
                    "GET / HTTP/1.1\r\nHost: shop\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\n\
                     Accept: text/html\r\nCookie: flagstaff_visitor={:-<15}{visitor:07}\r\n\r\n",
                    "impatient"
                ));
                raw
            })
            .collect();
        std::thread::sleep(Duration::from_millis(400));
        drop(clients);
        program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0
    });
    eventually("the trip is on record", || status(&program)["evidence"]["sign"] == "slow");
}
