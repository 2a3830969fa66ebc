//! Exports that are broken, huge, deep or full of odd names: an error or a flag file that passes the check, never a panic.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

mod made;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use flagstaff_import::{Options, System, import};

/// Exports of all systems that are kept for tests.
fn exports() -> Vec<(System, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/apps/import");
    let of =
        |system: System| ["json", "yaml", "toml"].map(|ext| (system, folder.join(system.word()).with_extension(ext)));
    System::all().flat_map(of).filter(|(_, path)| path.exists()).collect()
}

/// What is written passes the check, whatever was read.
#[track_caller]
fn check(system: System, bytes: &[u8]) {
    let wrong = mistakes(system, bytes);
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// What is wrong with what is written.
fn mistakes(system: System, bytes: &[u8]) -> Vec<String> {
    let Ok(made) = import(system, bytes, &Options::default()) else { return Vec::new() };
    made::mistakes(&made.toml).into_iter().map(|mistake| format!("{}: {mistake}", system.word())).collect()
}

#[test]
fn exports_become_valid_files() {
    assert!(exports().len() >= 8);
    for (system, path) in exports() {
        let made = import(system, &std::fs::read(&path).unwrap(), &Options::default()).unwrap();
        made::check(&made.toml);
        assert!(!made.report.flags.is_empty(), "{system:?}");
    }
}

#[test]
fn what_is_no_export_is_said() {
    let deep = "[".repeat(100_000);
    let tables = "{\"a\":".repeat(100_000);
    for system in System::all() {
        for text in ["", " ", "null", "1", "\"x\"", "[]", "{", "\u{0}", "- ", "a: b: c", "[a]\nb = 1", &deep, &tables]
        {
            check(system, text.as_bytes());
        }
        check(system, b"\xff\xfe\x00");
        assert!(import(system, &vec![b' '; flagstaff_import::LARGEST_EXPORT + 1], &Options::default()).is_err());
    }
}

/// Values that a field does not expect.
const ODD: [&str; 12] = [
    "null",
    "true",
    "-1",
    "1e308",
    "0.30000000000000004",
    "\"\"",
    "\"a\\\"\\n\\u0000'''\\\"\\\"\\\"] # = \\u202e\"",
    "\"日本語\"",
    "[]",
    "{}",
    "[[null], {\"a\": [1]}]",
    "{\"type\": \"OR\", \"values\": [{}], \"key\": \"x\", \"u\": {}, \"s\": {\"s\": 99}, \"v\": {\"b\": true}}",
];

#[test]
fn every_value_may_be_something_else() {
    let wrong: BTreeSet<String> = std::thread::scope(|scope| {
        let run = |(system, path): (System, PathBuf)| scope.spawn(move || mistakes_of_changed(system, &path));
        let all: Vec<_> = exports().into_iter().map(run).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is wrong with what is written when one value of an export is something else.
fn mistakes_of_changed(system: System, path: &Path) -> Vec<String> {
    let Ok(export) = serde_json::from_slice::<serde_json::Value>(&std::fs::read(path).unwrap()) else {
        return Vec::new();
    };
    let mut places = Vec::new();
    pointers(&export, String::new(), &mut places);
    let mut wrong = Vec::new();
    for (at, place) in places.iter().enumerate() {
        // Each place gets four of them, and all of them come up.
        for odd in (0..4).map(|n| ODD[(at + n * 5) % ODD.len()]) {
            let mut changed = export.clone();
            *changed.pointer_mut(place).unwrap() = serde_json::from_str(odd).unwrap();
            wrong.extend(mistakes(system, changed.to_string().as_bytes()));
        }
    }
    wrong
}

/// The places of all values.
fn pointers(value: &serde_json::Value, here: String, all: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, one)| pointers(one, format!("{here}/{at}"), all));
        }
        serde_json::Value::Object(table) => table.iter().for_each(|(key, one)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            pointers(one, format!("{here}/{key}"), all);
        }),
        _ => {}
    }
    all.push(here);
}

#[test]
fn texts_that_end_early_or_have_other_letters() {
    for (system, path) in exports() {
        let bytes = std::fs::read(&path).unwrap();
        for end in (0..bytes.len()).step_by(37) {
            check(system, &bytes[..end]);
            let mut changed = bytes.clone();
            changed[end] = b"\"{}[],:# \n\t0a"[end % 13];
            check(system, &changed);
        }
    }
}
