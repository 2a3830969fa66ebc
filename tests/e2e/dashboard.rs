//! The dashboard asks for nothing that the program does not count.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::harness::crowd::{form, look};
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::raw::Raw;

/// Every name of a metric in the questions of a dashboard.
fn names(board: &Value, all: &mut BTreeSet<String>) {
    match board {
        Value::Object(map) => map.values().for_each(|value| names(value, all)),
        Value::Array(list) => list.iter().for_each(|value| names(value, all)),
        Value::String(text) if text.contains('(') || text.starts_with("process_") => {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let is_ours = |word: &&str| word.starts_with("flagstaff_") || word.starts_with("process_");
            all.extend(words.filter(is_ours).map(str::to_owned));
        }
        _ => {}
    }
}

#[test]
fn every_metric_of_the_dashboard_is_there() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/grafana/flagstaff.json");
    let board: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut wanted = BTreeSet::new();
    names(&board, &mut wanted);
    assert!(wanted.len() > 12, "{wanted:?}");
    let app = form();
    let program = Setup::to(&[app.address]).flags("[flags.form]\npercent = 50\n").start();
    look(&mut program.raw(), "seen000000000000000001");
    let metrics = || {
        let mut raw = Raw::connect(program.admin);
        raw.send(format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", program.admin));
        raw.answer().text()
    };
    let missing = || {
        let text = metrics();
        let is_there = |name: &&String| {
            text.lines().any(|line| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(['{', ' '])))
        };
        wanted.iter().filter(|name| !is_there(name)).cloned().collect::<Vec<_>>()
    };
    let mut last = Vec::new();
    eventually("all are there", || {
        last = missing();
        if !last.is_empty() {
            eprintln!("missing: {last:?}");
        }
        last.is_empty()
    });
}
