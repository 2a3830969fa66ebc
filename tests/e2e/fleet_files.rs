//! Programs of one ledger whose files differ, as they do while a new file goes round.

use std::path::Path;

use crate::experiment_flow::done;
use crate::fleet_guard::is_tripped;
use crate::guards::{flags, kinds, status};
use crate::harness::checkout_app::{Fate, Patient, Queue};
use crate::harness::command::flagstaff;
use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};
use crate::harness::{WAIT_LIMIT, eventually, within};

const GUARD: &str = "errors = \"5xx\"\nfuse = 5";

/// The older file: a rollout at its first step.
fn older() -> String {
    let steps = "[flags.checkout.rollout]\nsteps = [{ percent = 40, hold = \"1h\" }, { percent = 100 }]\n";
    flags(50, GUARD).replace("percent = 50\n", "") + steps
}

/// Ledgers of every kind that there is here: a file in this folder, and a server, which lives as long as its test.
fn ledgers(folder: &Path) -> Vec<(String, Option<Server>)> {
    let file = folder.join("flagstaff.db").display().to_string();
    let server = Server::start().map(|server| (server.database(), Some(server)));
    [(file, None)].into_iter().chain(server).collect()
}

#[track_caller]
fn lags(program: &Program) -> bool {
    program.health().to_string().contains("have another state of it")
}

/// A rolling update that its guard stops, and then a machine with the older file that starts again, by a signal and by a crash.
#[test]
fn a_program_with_an_older_file_clears_no_rollback_when_it_starts_again() {
    let folder = tempfile::tempdir().unwrap();
    for (ledger, _server) in ledgers(folder.path()) {
        let app = Patient::start(Fate::default());
        let start =
            |text: &str| Setup::to(&[app.app.address]).top(&format!("ledger = \"{ledger}\"")).flags(text).start();
        let mut old = start(&older());
        eventually("it is known", || status(&old)["since"].is_string());
        let new = start(&flags(50, GUARD));
        eventually("the newer file is on record", || kinds(&status(&new)) == ["defined", "changed"]);
        app.does(Fate { errors: [0.0, 1.0], ..Fate::default() }, 1);
        Queue::to(&new, "bad").come(100);
        eventually("it is rolled back", || status(&new)["state"] == "tripped");
        let served = |program: &Program, name: &str| Queue::to(program, name).come(50);
        eventually("the older program obeys", || served(&old, "obeys") == 0);
        for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
            old.process.signal(signal);
            old.process.wait();
            old.restart();
            assert_eq!(served(&old, "again"), 0, "{signal:?}");
            assert_eq!(served(&new, "new"), 0, "{signal:?}");
            within(WAIT_LIMIT * 2, "it says that its file is another", || lags(&old));
            assert!(!lags(&new), "the newer one");
            let now = status(&new);
            assert_eq!(
                (kinds(&now), &now["state"]),
                (vec!["defined".into(), "changed".into(), "tripped".into()], &"tripped".into())
            );
        }
        let fleet = || flagstaff(old.folder.path(), ["fleet", "--config", "flagstaff.toml"], &[]);
        within(WAIT_LIMIT * 2, "so does the fleet", || {
            let said = fleet();
            said.code == 1 && said.out.contains("have another state of it")
        });
        let told = status(&old);
        assert!(told["why"].as_str().unwrap().contains("as it was earlier"), "{told}");

        // somebody decides that the older file is the right one
        app.does(Fate::default(), 1);
        done(&old, "rollout checkout reset --by ada");
        eventually("it is served", || served(&old, "served") > 0);
        assert_eq!(served(&new, "still off"), 0, "what was rolled back stays so where it is still in force");
    }
}

/// A person takes the file back by hand. Running programs see the edit; a program that did not run then finds no other with newer flags.
#[test]
fn a_file_that_is_taken_back_holds_again() {
    let app = Patient::start(Fate::default());
    let mut program = Setup::to(&[app.app.address]).flags(&flags(20, GUARD)).start();
    let write =
        |program: &Program, percent| std::fs::write(program.path("flags.toml"), flags(percent, GUARD)).unwrap();
    let has =
        |program: &Program, wanted: &[&str]| eventually("it is on record", || kinds(&status(program)) == wanted);
    has(&program, &["defined"]);
    write(&program, 50);
    has(&program, &["defined", "changed"]);
    app.does(Fate { errors: [0.0, 1.0], ..Fate::default() }, 1);
    Queue::to(&program, "bad").come(100);
    has(&program, &["defined", "changed", "tripped"]);
    write(&program, 20);
    has(&program, &["defined", "changed", "tripped", "changed"]);
    assert!(!is_tripped(&program));
    write(&program, 50);
    has(&program, &["defined", "changed", "tripped", "changed", "changed"]);
    assert!(program.stop().success());
    write(&program, 20);
    program.restart();
    within(WAIT_LIMIT * 4, "nobody else has had other flags for half a minute", || {
        kinds(&status(&program)).len() == 6
    });
    assert_eq!(kinds(&status(&program)).last().map(String::as_str), Some("changed"));
}
