//! `/metrics`: every counter is there from the start, visitors add no label, and the parser of Prometheus reads it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::python::python;
use crate::harness::raw::Raw;

/// Flags that have everything that is counted.
fn flags(upstream: std::net::SocketAddr) -> String {
    format!(
        "[flags.form]\npercent = 50\nexposed_on = [\"/*\"]\ngoals = [\"paid\"]\n[flags.form.guard]\nerrors = \"5xx\"\n\
         [flags.pay]\nenabled = false\n[flags.pay.gate]\npaths = [\"/pay\"]\nwhen_off = {{ status = 503, body = \"closed\" }}\n\
         [flags.shop]\nupstream = {{ on = \"{upstream}\" }}\n[goals.paid]\nevent = \"paid\"\n"
    )
}

fn scrape(program: &Program) -> String {
    let mut raw = Raw::connect(program.admin);
    raw.send("GET /metrics HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n");
    raw.answer().text()
}

/// The names of what is counted, with what each counts so far.
fn counters(text: &str) -> Vec<(&str, f64)> {
    let typed = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"));
    let is_counter: BTreeSet<_> = typed.collect();
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    let named = samples.map(|(series, value)| (series.split('{').next().unwrap(), value.parse().unwrap()));
    named.filter(|(name, _)| is_counter.contains(name)).collect()
}

fn names(text: &str) -> BTreeSet<String> {
    counters(text).into_iter().map(|(name, _)| name.to_owned()).collect()
}

/// The names of all counters in the sources of the program.
fn in_the_sources() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    let mut folders: Vec<PathBuf> = vec![root.join("src"), root.join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() && !entry.ends_with("tests") {
                folders.push(entry);
            } else if entry.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(entry).unwrap();
                let quoted = text.split('"').skip(1).step_by(2);
                let is_counter = |word: &&str| word.starts_with("flagstaff_") && word.ends_with("_total");
                found.extend(quoted.filter(is_counter).map(ToOwned::to_owned));
            }
        }
    }
    found
}

#[test]
fn every_counter_is_there_with_0_from_the_start_and_in_the_documentation() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(&flags(app.address)).start();
    eventually("the ledger is open", || program.metric("flagstaff_ledger_up", "") == 1.0);
    let fresh = scrape(&program);
    // an answer by flag and variant begins with the first visitor who is drawn
    let mut expected = in_the_sources();
    assert!(expected.remove("flagstaff_answers_total") && expected.len() > 25, "{expected:?}");
    let missing: Vec<_> = expected.difference(&names(&fresh)).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "no such counter at the start: {fresh}");
    let begun = [
        "flagstaff_reloads_total",
        "flagstaff_facts_total",
        "flagstaff_ledger_written_total",
        "flagstaff_connections_total",
    ];
    let others =
        counters(&fresh).into_iter().filter(|(name, _)| name.starts_with("flagstaff_") && !begun.contains(name));
    for (name, value) in others {
        assert!(value == 0.0, "{name} begins with {value}");
    }
    let documents = ["metrics.md", "rollouts.md", "webhooks.md"]
        .map(|name| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap());
    for name in in_the_sources() {
        assert!(documents.concat().contains(&format!("`{name}`")), "{name} is not documented");
    }
    for _ in 0..20 {
        assert_eq!(program.get("/").0, 200);
        assert!(program.get("/pay").0 >= 400);
        let _ = program.get("/.flagstaff/nothing");
    }
    let mut busy = names(&scrape(&program));
    busy.remove("flagstaff_answers_total");
    assert_eq!(busy, names(&fresh), "nothing begins later");
}

/// Over so many connections visitors come.
const CONNECTIONS: u32 = 4;
/// Requests that are sent before their answers are read.
const AT_ONCE: u32 = 50;

/// Each of these visitors comes once, with a browser of its own.
fn come(program: &Program, visitors: Range<u32>) {
    let each = (visitors.end - visitors.start) / CONNECTIONS;
    std::thread::scope(|scope| {
        for first in (0..CONNECTIONS).map(|connection| visitors.start + connection * each) {
            scope.spawn(move || {
                let mut raw = program.raw();
                for batch in (first..first + each).step_by(AT_ONCE as usize) {
                    let batch = batch..(batch + AT_ONCE).min(first + each);
                    raw.send(batch.clone().map(request).collect::<String>());
                    batch.for_each(|_| assert_eq!(raw.answer().status, 200));
                }
            });
        }
    });
}

fn request(visitor: u32) -> String {
    format!(
        "GET /seen/{visitor} HTTP/1.1\r\nHost: test\r\nUser-Agent: agent-{visitor}\r\nCookie: flagstaff_visitor=someone-{visitor:08}\r\n\r\n"
    )
}

#[test]
fn the_parser_of_prometheus_reads_every_metric_and_no_visitor_adds_one() {
    read_after(4_000);
}

#[test]
#[ignore = "takes minutes: tests/long"]
fn of_a_hundred_thousand_visitors_none_adds_a_metric() {
    read_after(100_000);
}

/// With 500 flags and so many visitors.
#[track_caller]
fn read_after(visitors: u32) {
    let app = App::start(|exchange| exchange.answer(200, "", "fine"));
    let mut text = flags(app.address);
    for flag in 0..500 {
        write!(text, "[flags.flag_{flag}]\npercent = 50\nexposed_on = [\"/seen/*\"]\n").unwrap();
    }
    let setup = Setup::to(&[app.address]).flags(&text).key("headers", "send = \"compact\"").top("workers = 2");
    let program = setup.start();
    come(&program, 0..400);
    let few = scrape(&program);
    come(&program, 400..visitors);
    let many = scrape(&program);
    assert_eq!(many.lines().count(), few.lines().count(), "{visitors} visitors make no more lines than 400");
    assert!(many.len() < few.len() * 5 / 4, "{} bytes grew to {}", few.len(), many.len());
    assert!(
        !many.contains("someone-") && !many.contains("agent-") && !many.contains("/seen/"),
        "no label comes from a visitor"
    );
    assert!(program.metric("flagstaff_requests_total", "") >= f64::from(visitors));
    let text = scrape(&program);
    let mut parser = python();
    parser.args(["-c", PARSER]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut parser = parser.spawn().unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = parser.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = String::from_utf8(output.stdout).unwrap();
    for wanted in [
        "process_cpu_seconds counter 1",
        "process_open_fds gauge 1",
        "flagstaff_build_info gauge 1",
        "flagstaff_admin_refused counter 4",
    ] {
        assert!(read.lines().any(|line| line == wanted), "{wanted}: {read}");
    }
    assert!(!read.contains(" unknown ") && !read.contains(" untyped "), "each has its kind: {read}");
}

/// Each family by name, kind and number of samples; fails where a text is not by the rules, or a sample is there twice.
const PARSER: &str = r#"
import sys
from prometheus_client.parser import text_string_to_metric_families
seen = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.documentation, family.name
    print(family.name, family.type, len(family.samples))
    for sample in family.samples:
        key = (sample.name, tuple(sorted(sample.labels.items())))
        assert key not in seen, key
        seen.add(key)
"#;
