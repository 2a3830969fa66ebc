//! Flags of a fleet: one document in Redis, edited by command as a file is, followed by every program.

use std::fs;
use std::time::Instant;

use crate::harness::app::App;
use crate::harness::command::{Said, flagstaff};
use crate::harness::edits::revision;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::redis::Redis;

pub(crate) const FLAGS: &str = "# ours\n[flags.a] # the first\npercent = 20 # slowly\n\n[flags.b]\npercent = 0\n";

#[track_caller]
pub(crate) fn asked(program: &Program, line: &str) -> Said {
    let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
    flagstaff(program.folder.path(), words, &[("USER", "ada")])
}

/// A program whose flags are in this Redis.
#[track_caller]
fn start(redis: &Redis, app: &App) -> Program {
    Setup::to(&[app.address]).top(&format!("flags = \"{}\"", redis.url())).start()
}

pub(crate) fn is_on(program: &Program, flag: &str) -> bool {
    program.get("/").1.to_lowercase().contains(&format!("x-flag-{flag}: on"))
}

fn in_force(program: &Program) -> String {
    program.health()["flags"]["revision"].as_str().unwrap().to_owned()
}

#[track_caller]
fn kept(program: &Program) {
    eventually("the good flags are kept", || {
        fs::read_dir(program.path("flagstaff-state"))
            .is_ok_and(|all| all.flatten().any(|one| one.file_name().to_string_lossy().starts_with("flags-")))
    });
}

#[test]
fn a_document_is_pushed_pulled_and_edited_in_place() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    fs::write(folder.path().join("flags.production.toml"), "[flags.b]\nenabled = true\npercent = 100\n").unwrap();
    let run = |line: &str| {
        let words = line.split(' ').chain(["--ledger", "none"]).filter(|word| !word.is_empty());
        flagstaff(folder.path(), words, &[("USER", "ada"), ("FLAGSTAFF_FLAGS", &redis.url())])
    };
    let plain = |line: &str| flagstaff(folder.path(), line.split(' '), &[("FLAGSTAFF_FLAGS", &redis.url())]);
    let missing = plain("check");
    assert!(missing.code == 2 && missing.err.contains("flagstaff push"), "{missing:?}");
    let pushed = run("push flags.toml --json");
    assert_eq!(pushed.code, 0, "{pushed:?}");
    assert_eq!(pushed.json()["revision"], revision(FLAGS).as_str());
    assert_eq!(redis.document(None).as_deref(), Some(FLAGS));
    assert_eq!(redis.document(Some("production")), None, "no environment was named");
    assert!(run("push flags.toml").out.contains("already so"));
    assert_eq!(run("push flags.toml --environment production").code, 0);
    assert_eq!(redis.document(Some("production")).as_deref(), Some("[flags.b]\nenabled = true\npercent = 100\n"));
    let edited = run("set a percent=25");
    assert!(edited.code == 0 && edited.out.contains("redis://"), "{edited:?}");
    assert_eq!(redis.document(None), Some(FLAGS.replace("percent = 20", "percent = 25")), "comments stay");
    assert_eq!(run("set b percent=50 --environment production").code, 0);
    assert_eq!(redis.document(Some("production")).as_deref(), Some("[flags.b]\nenabled = true\npercent = 50\n"));
    let off = run("off b");
    assert!(off.code == 1 && off.out.contains("--environment production"), "the overlay has its own word: {off:?}");
    let pulled = plain("pull --environment production --output there.toml");
    assert_eq!(pulled.code, 0, "{pulled:?}");
    assert_eq!(Some(fs::read_to_string(folder.path().join("there.toml")).unwrap()), redis.document(None));
    let overlay = fs::read_to_string(folder.path().join("there.production.toml")).unwrap();
    assert_eq!(Some(overlay), redis.document(Some("production")));
    assert_eq!(Some(plain("pull").out), redis.document(None));
    let before = redis.document(None);
    fs::write(folder.path().join("flags.toml"), "[flags.a]\npercent = 200\n").unwrap();
    let refused = run("push flags.toml");
    assert!(refused.code == 2 && refused.err.contains("200") && redis.document(None) == before, "{refused:?}");
}

#[test]
fn of_two_pushes_one_wins_and_the_other_is_told_what_changed() {
    let Some(redis) = Redis::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("flagstaff.db");
    let app = App::mirror();
    redis.put(None, FLAGS);
    // a program begins the ledger, which has the texts of revisions then
    let place = format!("flags = \"{}\"", redis.url());
    let program = Setup::to(&[app.address]).top(&place).top(&format!("ledger = \"{}\"", ledger.display())).start();
    let rev = revision(FLAGS);
    let texts = [FLAGS.replace("20", "30"), FLAGS.replace("percent = 0", "percent = 5")];
    for (i, text) in texts.iter().enumerate() {
        fs::write(program.path(&format!("{i}.toml")), text).unwrap();
    }
    eventually("the first revision is recorded", || asked(&program, "history --json").out.contains(&rev[..12]));
    let push = |i: usize| asked(&program, &format!("push {i}.toml --if-revision {}", &rev[..12]));
    let said: Vec<Said> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..2).map(|i| scope.spawn(move || push(i))).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut codes = [said[0].code, said[1].code];
    codes.sort_unstable();
    assert_eq!(codes, [0, 1], "{said:?}");
    let winner = said.iter().position(|one| one.code == 0).unwrap();
    let loser = &said[1 - winner];
    assert_eq!(redis.document(None).as_deref(), Some(texts[winner].as_str()));
    let change = ["percent 20 → 30", "percent 0 → 5"][winner];
    assert!(loser.err.contains("not pushed") && loser.err.contains(change), "{loser:?}");
    let now = revision(&texts[winner]);
    assert!(loser.err.contains(&format!("--if-revision {}", &now[..12])), "{loser:?}");
}

#[test]
fn a_start_without_redis_serves_the_last_good_flags_and_says_so() {
    let Some(mut redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, "[flags.a]\npercent = 100\n");
    let mut program = start(&redis, &app);
    kept(&program);
    assert!(program.stop().success());
    redis.down();
    program.restart();
    assert!(is_on(&program, "a"));
    eventually("the log says it", || program.process.log().contains("the last good flags are served"));
    eventually("health says it", || {
        let problem = program.health()["flags"]["problem"].clone();
        problem.as_str().is_some_and(|problem| problem.contains("Redis cannot be asked"))
    });
    let check = asked(&program, "check --config flagstaff.toml");
    assert!(check.code == 2, "{check:?}");
    let listed = asked(&program, "list");
    assert!(listed.code == 0 && listed.err.contains("last good"), "{listed:?}");
    let set = asked(&program, "set a percent=5");
    assert!(set.code == 2 && set.err.contains("cannot be asked"), "{set:?}");
    let off = asked(&program, "off a");
    assert_eq!(off.code, 0, "the ledger says it: {off:?}");
    eventually("it is off", || !is_on(&program, "a"));
    assert_eq!(asked(&program, "on a").code, 0);
    eventually("it is on again", || is_on(&program, "a"));
    redis.up();
    redis.put(None, "[flags.b]\npercent = 100\n");
    eventually("it is followed again", || is_on(&program, "b") && program.health()["flags"]["problem"].is_null());
    redis.down();
    let fresh = tempfile::tempdir().unwrap();
    let refused = flagstaff(fresh.path(), ["run", "--flags", &redis.url(), "--listen", "127.0.0.1:0"], &[]);
    assert!(refused.code == 2 && refused.err.contains("Redis cannot be asked"), "nothing is known: {refused:?}");
}

#[test]
fn redis_is_flushed_killed_and_back_and_no_flag_is_lost() {
    let Some(mut redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, "[flags.a]\npercent = 100\n");
    let program = start(&redis, &app);
    redis.ask(&["FLUSHALL"]);
    redis.ask(&["PUBLISH", "flagstaff:flags", ""]);
    eventually("it is said", || {
        program.health()["flags"]["problem"].as_str().is_some_and(|problem| problem.contains("no flag document"))
    });
    assert!(is_on(&program, "a"), "the last good flags stay");
    let bad = "[flags.a]\npercent = 100\n[flags.c]\npercent = 700\n";
    redis.put(None, bad);
    eventually("a bad document is told at its place", || {
        program.health()["flags"]["problem"].as_str().is_some_and(|problem| problem.contains("700"))
    });
    assert!(is_on(&program, "a"));
    redis.ask(&["DEL", "flagstaff:flags"]);
    redis.ask(&["HSET", "flagstaff:flags", "a", "1"]);
    redis.ask(&["PUBLISH", "flagstaff:flags", ""]);
    eventually("another type is told", || {
        program.health()["flags"]["problem"].as_str().is_some_and(|problem| problem.contains("another type"))
    });
    redis.ask(&["DEL", "flagstaff:flags"]);
    redis.put(None, "[flags.b]\npercent = 100\n");
    eventually("it is mended", || is_on(&program, "b") && program.health()["status"] == "ok");
    redis.down();
    eventually("it is away", || program.health()["flags"]["problem"].is_string());
    assert!(is_on(&program, "b"));
    redis.up();
    eventually("it is back", || program.health()["flags"]["problem"].is_null());
    redis.put(None, "[flags.c]\npercent = 100\n");
    eventually("changes are heard again", || is_on(&program, "c"));
    assert!(!is_on(&program, "b"));
}

/// Every edit of two people at once is made, each in a row with the others, and three programs have what comes of them.
#[test]
fn a_burst_of_edits_loses_none_and_reaches_all() {
    let Some(redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, FLAGS);
    let programs: Vec<_> = (0..3).map(|_| start(&redis, &app)).collect();
    std::thread::scope(|scope| {
        for (program, flag) in programs.iter().zip(["a", "b"]) {
            scope.spawn(move || {
                for percent in 1..=8 {
                    let set = asked(program, &format!("set {flag} percent={percent} --yes"));
                    assert_eq!(set.code, 0, "{set:?}");
                }
            });
        }
    });
    let text = redis.document(None).unwrap();
    assert_eq!(text, FLAGS.replace("20", "8").replace("percent = 0", "percent = 8"));
    let wanted = revision(&text);
    eventually("all have it", || programs.iter().all(|program| in_force(program) == wanted));
    let began = Instant::now();
    let set = asked(&programs[0], "set a percent=100 --yes");
    assert_eq!(set.code, 0, "{set:?}");
    let wrote = began.elapsed();
    eventually("all have it", || programs.iter().all(|program| is_on(program, "a")));
    eprintln!("an edit by command took {wrote:?}, and was in force in three programs after {:?}", began.elapsed());
    assert!(programs.iter().all(|program| program.health()["flags"]["problem"].is_null()));
}

#[test]
fn a_password_is_wanted_and_never_shown() {
    let Some(redis) = Redis::of("redis", &["--requirepass", "s3cret"]) else { return };
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    let url = |login: &str| redis.url().replace("redis://", &format!("redis://{login}"));
    let push = |login: &str| {
        let arguments = ["push", "flags.toml", "--ledger", "none", "--flags", &url(login)];
        flagstaff(folder.path(), arguments, &[])
    };
    let none = push("");
    assert!(none.code == 2 && none.err.contains("before the @"), "{none:?}");
    let wrong = push(":wr0ng@");
    assert!(wrong.code == 2 && !wrong.err.contains("wr0ng"), "{wrong:?}");
    let right = push(":s3cret@");
    assert!(right.code == 0 && !right.out.contains("s3cret"), "{right:?}");
    let app = App::mirror();
    let program = Setup::to(&[app.address]).env("FLAGSTAFF_FLAGS", &url(":s3cret@")).start();
    assert_eq!(in_force(&program), revision(FLAGS));
    kept(&program);
    drop(redis);
    eventually("it is away", || program.health()["flags"]["problem"].is_string());
    let shown = format!("{}{}", program.health(), program.process.log());
    assert!(!shown.contains("s3cret"), "{shown}");
    for entry in fs::read_dir(program.path("flagstaff-state")).unwrap().flatten() {
        assert!(!fs::read_to_string(entry.path()).unwrap().contains("s3cret"));
    }
}

/// A server that takes a connection and says nothing keeps neither a start nor a command for long, and no request at all.
#[test]
fn a_server_that_says_nothing_keeps_nobody() {
    let Some(redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, "[flags.a]\npercent = 100\n");
    let mut program = start(&redis, &app);
    kept(&program);
    assert!(program.stop().success());
    let address = redis.address;
    drop(redis);
    let silent = std::net::TcpListener::bind(address).unwrap();
    program.restart();
    assert!(is_on(&program, "a"));
    eventually("it is said", || {
        program.health()["flags"]["problem"].as_str().is_some_and(|problem| problem.contains("does not answer"))
    });
    let set = asked(&program, "set a percent=5");
    assert!(set.code == 2 && set.err.contains("does not answer"), "{set:?}");
    drop(silent);
}

/// Programs tell each other of facts on a channel beside the flags: a program that hears of one looks into the ledger at once.
#[test]
fn facts_are_told_on_a_channel_beside_the_flags() {
    let Some(mut redis) = Redis::start() else { return };
    redis.put(None, FLAGS);
    let (sender, heard) = std::sync::mpsc::channel();
    let source = flagstaff_source::FlagSource::new(&redis.url(), None).unwrap();
    let tell = Box::new(move || sender.send(()).unwrap_or_default());
    let listening = source.fact_channel().unwrap().open(tell).unwrap();
    let hears = |what: &str| assert!(heard.recv_timeout(3 * crate::harness::WAIT_LIMIT).is_ok(), "{what}");
    hears("what was told before it listened");
    let app = App::mirror();
    let mut program = start(&redis, &app);
    hears("what a program writes first of all");
    eventually("all is quiet", || heard.try_iter().count() == 0);
    redis.put(None, "[flags.a]\npercent = 50\n");
    hears("the fact that a flag was edited");
    redis.down();
    redis.up();
    hears("what was told while Redis was away");
    eventually("all is quiet", || heard.try_iter().count() == 0);
    listening.tell();
    hears("its own word");
    assert!(program.stop().success());
    assert!(flagstaff_source::FlagSource::new("flags.toml", None).unwrap().fact_channel().is_none());
}
