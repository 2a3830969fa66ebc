//! Decisions as they are made: the stream, the command that reads it, and the page.

use std::fmt::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::harness::api::TOKEN;
use crate::harness::command::flagstaff;
use crate::harness::crowd::{ask, form, look};
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::tailing::Tailing;

const FLAGS: &str = "[flags.form]\npercent = 100\n\n[flags.shut]\nenabled = false\n\n[flags.elsewhere]\npercent = 100\nexposed_on = [\"/else\"]\n";

fn setup(app: &crate::harness::app::App) -> Setup {
    Setup::to(&[app.address]).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(FLAGS)
}

/// The command in the folder of the settings, which name the address.
fn beside(program: &Program, line: &str) -> Tailing {
    let line = format!("{line} --config flagstaff.toml");
    Tailing::start(program.folder.path(), &line, &[("FLAGSTAFF_ADMIN_TOKEN", TOKEN)])
}

/// The id of a visitor.
fn visitor(number: u32) -> String {
    format!("tailed{number:016}")
}

/// A visitor comes, and its decisions are noted.
fn comes(program: &Program, number: u32) {
    look(&mut program.raw(), &visitor(number));
    let page = || program.api(&format!("GET /tail?visitor={}", visitor(number)), "", "").text();
    eventually("it is noted", || page().contains("<tr><td"));
}

#[test]
fn the_last_decisions_come_first_and_then_each_as_it_is_made() {
    let app = form();
    let program = setup(&app).start();
    comes(&program, 1);
    let revision = program.health()["flags"]["revision"].as_str().unwrap()[..12].to_owned();
    let all = beside(&program, "");
    let first = all.next();
    for words in [" form ", " on ", "the same for everyone", &revision, "GET /form"] {
        assert!(first.contains(words), "{words}: {first}");
    }
    let second = all.next();
    assert!(second.contains(" shut ") && second.contains("switched off in its file"), "{second}");
    look(&mut program.raw(), &visitor(2));
    let live = all.until(&visitor(2));
    assert!(live.contains(" form ") && !live.contains('\u{1b}'), "no colours without a terminal: {live}");
    comes(&program, 3);
    let one = beside(&program, &format!("elsewhere --last 1 --json --visitor {}", visitor(3)));
    one.next_json();
    for number in [2, 3] {
        look(&mut program.raw(), &visitor(number));
    }
    let line = one.next_json();
    assert_eq!(line["flag"], "elsewhere", "one that is named is told also where no request meets it: {line}");
    assert_eq!((&line["visitor"], &line["variant"]), (&visitor(3).into(), &"on".into()), "{line}");
    assert!(line["why"].is_string() && line["step"].is_string() && line["reason"].is_string(), "{line}");
    let lines = format!("Accept: text/html\r\nCookie: flagstaff_visitor={}\r\n", visitor(9));
    ask(&mut program.raw(), "GET", "Googlebot/2.1", &lines);
    let bot = all.until(&visitor(9));
    assert!(bot.contains("(not counted: bot)"), "{bot}");
}

#[test]
fn ids_are_noted_only_while_somebody_watches() {
    let app = form();
    let program = setup(&app).start();
    look(&mut program.raw(), &visitor(1));
    let page = || program.api("GET /tail", "", "").text();
    eventually("it is noted", || page().contains("<tr><td"));
    let text = page();
    assert!(!text.contains(&visitor(1)) && text.contains("<code>~"), "{text}");
    let found = program.api(&format!("GET /tail?visitor={}", visitor(1)), "", "").text();
    assert!(found.contains("<code>~"), "who knows the id finds the pseudonym: {found}");
    let pseudonym = found.split("<code>~").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let same = program.api(&format!("GET /tail?visitor=~{pseudonym}&flag=shut"), "", "").text();
    assert_eq!(same.matches("<tr><td").count(), 1, "{same}");
    assert!(program.api("GET /tail?visitor=~0000000000000000", "", "").text().contains("No decision is known yet"));
    let none = setup(&app).top("recent_requests = 0").start();
    look(&mut none.raw(), &visitor(1));
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(none.api("GET /tail", "", "").text().contains("No decision is known yet"), "nothing is kept then");
    assert_eq!(none.api("GET /tail?flag=from", "", "").status, 404);
}

#[test]
fn a_restart_is_said_and_the_tail_goes_on() {
    let app = form();
    let mut program = setup(&app).start();
    comes(&program, 1);
    let tail = beside(&program, "form --last 1");
    tail.until(" form ");
    assert!(program.stop().success(), "a listener does not keep it");
    tail.notice("trying again");
    program.restart();
    // before the command is there again
    look(&mut program.raw(), &visitor(7));
    let said = tail.notice("connected again");
    assert!(said.contains("restarted"), "{said}");
    let missed = tail.until(" form ");
    assert!(missed.contains("GET /form"), "{missed}");
    look(&mut program.raw(), &visitor(8));
    tail.until(&visitor(8));
}

#[test]
fn it_ends_quietly_and_says_clearly_why_it_cannot_begin() {
    let app = form();
    let program = setup(&app).start();
    comes(&program, 1);
    let mut tail = beside(&program, "");
    tail.next();
    let id = rustix::process::Pid::from_child(&tail.child);
    // as Ctrl-C ends it; that signal is ignored where a shell runs the tests in its background
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(tail.ends().signal(), Some(15));
    // `| head -1`: what comes after it ends the command
    let mut piped = Command::new("sh");
    piped.args([
        "-c",
        "\"$0\" tail --config flagstaff.toml 2>err | head -1; cat err >&2",
        env!("CARGO_BIN_EXE_flagstaff"),
    ]);
    piped.current_dir(program.folder.path()).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN);
    let mut piped = piped.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut number = 100;
    eventually("it ends", || {
        number += 1;
        look(&mut program.raw(), &visitor(number));
        piped.try_wait().unwrap().is_some()
    });
    let output = piped.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 1);
    let folder = program.folder.path();
    let url = format!("http://{}", program.admin);
    for (line, token, words) in [
        (format!("tail from --url {url}"), TOKEN, "did you mean"),
        (format!("tail --url {url}"), "another-token-that-is-wrong", "token is not valid"),
        ("tail --url http://127.0.0.1:1".into(), TOKEN, "is the program running"),
        (format!("tail --url {url} --config flagstaff.toml"), TOKEN, "leave out --config"),
    ] {
        let said = flagstaff(folder, line.split(' '), &[("FLAGSTAFF_ADMIN_TOKEN", token)]);
        assert!(said.code == 2 && said.err.to_lowercase().contains(words), "{line}: {said:?}");
    }
}

#[test]
fn the_token_that_the_program_made_is_found_beside_the_settings() {
    let app = form();
    let program = Setup::to(&[app.address]).flags(FLAGS).start();
    let tail = Tailing::start(program.folder.path(), "form --config flagstaff.toml", &[]);
    let mut number = 0;
    eventually("a line comes", || {
        number += 1;
        look(&mut program.raw(), &visitor(number));
        !tail.so_far().is_empty()
    });
}

#[test]
fn a_slow_reader_is_told_how_much_it_missed_and_keeps_no_request_waiting() {
    let app = form();
    let mut text = FLAGS.to_owned();
    for flag in 0..50 {
        writeln!(text, "[flags.many_{flag}]").unwrap();
    }
    let program = setup(&app).with_token().flags(&text).start();
    // it never reads while requests come
    let mut slow = program.operator("GET", "/api/v1/tail", "", "");
    let mut events = program.listens("/api/v1/tail?flag=form", "");
    assert_eq!(events.next().name, "listening");
    let mut raw = program.raw();
    for number in 0..3_000 {
        assert_eq!(look(&mut raw, &visitor(number)).status, 200);
    }
    let (mut told, mut missed, mut last) = (0, 0, String::new());
    while last != visitor(2_999) {
        let event = events.next();
        match event.name.as_str() {
            "decision" => {
                told += 1;
                last = event.data["visitor"].as_str().unwrap().to_owned();
            }
            "missed" => missed += event.data["missed"].as_u64().unwrap(),
            other => panic!("{other}"),
        }
    }
    assert_eq!(told + missed, 3_000, "{told} were told, {missed} were missed");
    // of the other, who reads now, one in fifty decisions fits
    let mut of_slow = 0;
    while of_slow == 0 {
        let event = String::from_utf8(slow.until(b"\n\n")).unwrap();
        let missed = event.contains("event: missed").then(|| event.split("\"missed\":").nth(1).unwrap());
        of_slow += missed.map_or(0, |rest| rest.split('}').next().unwrap().parse::<u64>().unwrap());
    }
}
