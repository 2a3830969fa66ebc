//! What others put into the keys, the channel and the tables of a fleet, and a Redis that keeps everybody waiting.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use crate::fleet_redis::{FLAGS, asked, is_on};
use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::redis::Redis;

/// What is wrong with the flags.
fn problem(program: &Program) -> String {
    program.health()["flags"]["problem"].as_str().unwrap_or_default().to_owned()
}

fn start(redis: &Redis, app: &App) -> Program {
    Setup::to(&[app.address]).top(&format!("flags = \"{}\"", redis.url())).start()
}

/// Says so much on the channel, as fast as it can.
fn flood(redis: &Redis, messages: usize) {
    let mut stream = TcpStream::connect(redis.address).unwrap();
    let mut reader = stream.try_clone().unwrap();
    let sender = std::thread::spawn(move || {
        let hundred = "PUBLISH flagstaff:flags changed\r\n".repeat(100);
        (0..messages / 100).for_each(|_| stream.write_all(hundred.as_bytes()).unwrap());
    });
    // each is answered with how many heard it, of fewer than ten
    let mut answers = vec![0; messages * b":1\r\n".len()];
    reader.read_exact(&mut answers).unwrap();
    sender.join().unwrap();
}

/// How often the document was read.
fn readings(redis: &Redis) -> u64 {
    let stats = redis.ask(&["INFO", "commandstats"]).unwrap();
    let line = stats.lines().find_map(|line| line.strip_prefix("cmdstat_mget:calls=")).unwrap_or("0,");
    line.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_channel_that_is_flooded_has_the_document_read_a_few_times_a_second() {
    let Some(redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, FLAGS);
    let program = start(&redis, &app);
    let (before, began) = (readings(&redis), Instant::now());
    flood(&redis, 100_000);
    redis.put(None, "[flags.b]\npercent = 100\n");
    eventually("the change among them is found", || is_on(&program, "b"));
    let (read, took) = (readings(&redis) - before, began.elapsed());
    let most = took.as_millis() / 100 + 5;
    assert!(u128::from(read) <= most, "read {read} times in {took:?}");
}

#[test]
fn a_redis_that_keeps_everybody_waiting_keeps_no_visitor() {
    let Some(redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, "[flags.a]\npercent = 100\n");
    let program = start(&redis, &app);
    eventually("it listens", || redis.ask(&["PUBSUB", "NUMSUB", "flagstaff:flags"]).as_deref() == Some("1"));
    redis.ask(&["PUBLISH", "flagstaff:flags", ""]);
    redis.ask(&["CLIENT", "PAUSE", "15000", "ALL"]);
    eventually("it is said", || {
        assert!(is_on(&program, "a"));
        problem(&program).contains("does not answer")
    });
    let set = asked(&program, "set a percent=5");
    assert!(set.code == 2 && set.err.contains("does not answer"), "{set:?}");
    eventually("it goes on", || problem(&program).is_empty());
    let set = asked(&program, "set a percent=0");
    assert_eq!(set.code, 0, "{set:?}");
    eventually("it is followed again", || !is_on(&program, "a"));
}

#[test]
fn keys_of_other_kinds_and_sizes_are_told_and_nothing_is_lost() {
    let Some(redis) = Redis::start() else { return };
    let app = App::mirror();
    redis.put(None, FLAGS);
    let program = start(&redis, &app);
    let long = "x".repeat(4 << 20);
    redis.put(None, format!("{FLAGS}# {long}"));
    eventually("it is too long", || problem(&program).contains("more than"));
    redis.put(None, b"[flags.a]\n# \xff\xfe");
    eventually("it is no text", || problem(&program).contains("UTF-8"));
    redis.put(None, "\u{1b}[31m<script>");
    eventually("it is no TOML", || problem(&program).contains("<script>"));
    assert!(!problem(&program).contains('\u{1b}') && !program.process.log().contains("\u{1b}[31m"), "as it is");
    redis.put(None, FLAGS);
    eventually("it is mended", || problem(&program).is_empty());

    // names of environments that no file can have are passed over, in any number
    for name in ["../../etc/passwd", "a b", "\u{1b}[31m", "*", "", "edit"] {
        redis.ask(&["SADD", "flagstaff:flags:environments", name]);
    }
    redis.ask(&[
        "EVAL",
        "for i = 1, 50000 do redis.call('SADD', KEYS[1], 'gone' .. i) end",
        "1",
        "flagstaff:flags:environments",
    ]);
    redis.ask(&["EVAL", "redis.call('SADD', KEYS[1], '\\255\\254')", "1", "flagstaff:flags:environments"]);
    let added = asked(&program, "add c");
    assert_eq!(added.code, 0, "{added:?}");
    assert_eq!(asked(&program, "delete c --yes").code, 0);

    for (key, line) in [
        ("flagstaff:flags:environments", "end a --winner off --force"),
        ("flagstaff:flags:archive", "end a --winner off --force"),
        ("flagstaff:flags:test", "set a percent=5 --environment test"),
    ] {
        let before = redis.document(None);
        redis.ask(&["DEL", key]);
        redis.ask(&["HSET", key, "field", "value"]);
        let said = asked(&program, line);
        assert!(said.code != 0 && !said.err.is_empty() && redis.document(None) == before, "{key}: {said:?}");
        assert!(said.err.contains("another type"), "{key}: {said:?}");
        redis.ask(&["DEL", key]);
    }
    // an edit that never ends keeps the others for a while
    redis.ask(&["HSET", "flagstaff:flags:edit", "field", "value"]);
    assert_eq!(asked(&program, "set a percent=5").code, 0, "it is made");
}

#[test]
fn a_table_of_programs_that_somebody_wrote_into_is_shown_as_text() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).with_token().flags(FLAGS).start();
    let lists = |word: &str| asked(&program, "fleet --json").out.contains(word);
    eventually("it is there", || lists(&program.process.id().to_string()));
    let write = "import sqlite3, sys, time\n\
        db = sqlite3.connect(sys.argv[1], timeout=30)\n\
        text = '<script>alert(1)</script>\\x1b[31m\\u202eabc\\n' + 'x' * 5000\n\
        row = [text + 'id', text, -5, text, text, text, text, text, text, -10**17, 10**18]\n\
        db.execute('INSERT INTO programs VALUES (?,?,?,?,?,?,?,?,?,?,?)', row)\n\
        db.commit()\n";
    let mut python = Command::new("python3");
    let wrote = python.args(["-c", write]).arg(program.path("flagstaff.db")).output().unwrap();
    assert!(wrote.status.success(), "{wrote:?}");
    eventually("it is listed", || lists("alert(1)"));
    let said = asked(&program, "fleet");
    assert!(said.out.contains("<script>") && !said.out.contains(['\u{1b}', '\u{202e}']), "{said:?}");
    let page = program.operator("GET", "/fleet", "Accept: text/html\r\nConnection: close\r\n", "").answer();
    let text = page.text();
    assert!(page.status == 200 && text.contains("alert(1)"), "{text}");
    assert!(!text.contains("<script>alert") && !text.contains(['\u{1b}', '\u{202e}']), "{text}");
    assert!(said.out.len() < 20_000 && text.len() < 60_000, "{} and {} bytes", said.out.len(), text.len());
}
