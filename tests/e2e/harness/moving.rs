//! Flags that moved in from another system, and what a thousand people get there and here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::browser::Browser;
use super::command::{Said, flagstaff};
use super::program::Setup;

const TOKEN: &str = "operators-token-of-the-tests";
/// Attributes of people, each found here under the same name. A plan is a group too.
const ATTRIBUTES: [&str; 3] = ["email", "plan", "age"];

/// An export of `tests/apps/import`.
pub(crate) fn export(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps/import").join(name)
}

/// `flagstaff import`, with the attributes of people mapped.
#[track_caller]
pub(crate) fn import(system: &str, file: &Path, arguments: &[&str]) -> Said {
    let mapped: Vec<String> = ATTRIBUTES.iter().map(|name| format!("--attribute={name}={name}")).collect();
    let mut all = vec!["import", system, file.to_str().unwrap()];
    all.extend(mapped.iter().map(String::as_str).chain(arguments.iter().copied()));
    flagstaff(&std::env::temp_dir(), all, &[])
}

/// People of several countries, plans and ages.
pub(crate) fn people() -> Vec<Value> {
    let one = |n: usize| {
        let host = ["example.com", "mail.test", "example.org"][n % 3];
        let plan = ["free", "pro", "team"][n % 7 % 3];
        let country = ["DE", "AT", "US", "FR"][if n.is_multiple_of(5) { 0 } else { n % 4 }];
        let version = ["1.4.2", "1.5.0", "2.0.0", "2.3.1"][n % 11 % 4];
        json!({
            "id": format!("user-{n}"),
            "email": format!("user-{n}@{host}"),
            "plan": plan,
            "country": country,
            "app_version": version,
            "age": 18 + n % 50,
        })
    };
    (0..1000).map(one).collect()
}

/// What each of them gets of these flags here: by name, the value.
#[track_caller]
pub(crate) fn given_here(toml: &str, people: &[Value]) -> Vec<Map<String, Value>> {
    let program = Setup::default().env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(toml).start();
    let lines = format!("Authorization: Bearer {TOKEN}\r\n");
    let given = |person: &Value| {
        let mut context = person.as_object().unwrap().clone();
        let id = context.remove("id").unwrap();
        let groups = context["plan"].clone();
        context.extend([
            ("groups".to_owned(), groups),
            ("targetingKey".to_owned(), json!("a-visitor")),
            ("user".to_owned(), id),
        ]);
        let body = json!({ "context": context }).to_string();
        let answer = Browser::new(program.admin).post_json("/ofrep/v1/evaluate/flags", &lines, &body);
        let read: Value = serde_json::from_slice(&answer.body).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
        let flags = read["flags"].as_array().unwrap_or_else(|| panic!("{answer:?}")).iter();
        flags.map(|flag| (flag["key"].as_str().unwrap().to_owned(), flag["value"].clone())).collect()
    };
    people.iter().map(given).collect()
}

/// An export, and whom to ask what its system gives.
pub(crate) struct Move<'a> {
    pub(crate) system: &'a str,
    /// In `tests/apps/import`.
    pub(crate) export: &'a str,
    /// Further options of the import.
    pub(crate) arguments: &'a [&'a str],
    /// Whether all flags are carried exactly.
    pub(crate) exact: bool,
    /// Flags that give everybody the same.
    pub(crate) constant: &'a [&'a str],
}

impl Move<'_> {
    /// Everybody gets here what they get there, as `asked` says for a file of people, and each flag tells people apart.
    #[track_caller]
    pub(crate) fn assert_nobody_is_drawn_anew(&self, asked: impl FnOnce(&Path, &Path) -> String) {
        let file = export(self.export);
        let people = people();
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("people.json");
        fs::write(&list, serde_json::to_vec(&people).unwrap()).unwrap();
        let there = asked(&file, &list);
        let there: Vec<Map<String, Value>> = serde_json::from_str(&there).unwrap_or_else(|e| panic!("{e}: {there}"));

        let strict = ["--json", "--strict"].into_iter().take(if self.exact { 2 } else { 1 });
        let arguments: Vec<&str> = strict.chain(self.arguments.iter().copied()).collect();
        let said = import(self.system, &file, &arguments);
        assert_eq!(said.code, 0, "{}", said.err);
        let report: Value = serde_json::from_str(&said.err).unwrap_or_else(|e| panic!("{e}: {said:?}"));
        let here = given_here(&said.out, &people);
        for origin in there[0].keys() {
            let mut flags = report["flags"].as_array().unwrap().iter();
            let flag =
                flags.find(|flag| flag["origin"] == **origin).unwrap_or_else(|| panic!("no {origin}: {report}"));
            let name = flag["name"].as_str().unwrap();
            let mut seen = BTreeSet::new();
            for ((person, there), here) in people.iter().zip(&there).zip(&here) {
                assert!(
                    same(&here[name], &there[origin]),
                    "{origin} for {person}: {here:?}, not {there:?}\n{}",
                    said.out
                );
                seen.insert(here[name].to_string());
            }
            assert_eq!(seen.len() > 1, !self.constant.contains(&origin.as_str()), "{origin}: {seen:?}");
        }
    }
}

/// Whether two values are the same; `20` and `20.0` are.
fn same(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}
