//! `flagstaff export --as`: the flags of the file as another system's file, read with that system's own evaluator.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Map, Value, json};

use crate::harness::browser::Browser;
use crate::harness::command::{Said, flagstaff};
use crate::harness::program::{Program, Setup};
use crate::harness::python::evaluators;

const TOKEN: &str = "operators-token-of-the-tests";

/// Flags that every system can say, drawn by its own formula.
fn flags(formula: &str) -> String {
    format!(
        r#"
[flags.for_all]
description = "everybody has it"

[flags.switched_off]
enabled = false
percent = 50

[flags.for_nobody]
percent = 0

[flags.half]
percent = 50
hash = {{ as = "{formula}" }}

[flags.a_fifth]
percent = 20
hash = {{ as = "{formula}" }}

[flags.by_user]
percent = 30
bucket_by = "user"
hash = {{ as = "{formula}" }}

[flags.prices]
variants = {{ low = 25, high = 75 }}
hash = {{ as = "{formula}", order = ["low", "high"] }}

[flags.people]
percent = 0
allow = {{ users = ["1", "5"], languages = ["de"] }}
deny = {{ users = ["5"] }}

[[flags.ruled.rules]]
if = {{ plan = ["pro", "team*"] }}
serve = "on"
[[flags.ruled.rules]]
if = {{ country = "AT" }}
serve = "off"
[[flags.ruled.rules]]
if = {{ authenticated = true }}
percent = 50

[flags.ruled]
percent = 10
hash = {{ as = "{formula}" }}
"#
    )
}

fn contexts() -> Vec<Value> {
    let of = |n: usize| {
        let mut context = Map::new();
        context.insert("targetingKey".into(), format!("visitor-{n:05}-of-all").into());
        if !n.is_multiple_of(3) {
            context.insert("user".into(), (n % 40).to_string().into());
        }
        let word = |list: &[&str], by: usize| list.get(n / by % (list.len() + 1)).map(|word| Value::from(*word));
        for (key, value) in [
            ("language", word(&["de", "de-AT", "en", "deutsch"], 1)),
            ("plan", word(&["pro", "team-7", "free"], 2)),
            ("country", word(&["AT", "DE"], 3)),
        ] {
            context.extend(value.map(|value| (key.into(), value)));
        }
        Value::Object(context)
    };
    (0..400).map(of).collect()
}

/// What the program itself says of each.
fn decided(flags: &str, contexts: &[Value]) -> Vec<Map<String, Value>> {
    let program: Program = Setup::default().env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(flags).start();
    let lines = format!("Authorization: Bearer {TOKEN}\r\n");
    let mut operator = Browser::new(program.admin);
    let mut ask = |context: &Value| {
        let answer =
            operator.post_json("/ofrep/v1/evaluate/flags", &lines, &json!({ "context": context }).to_string());
        let answer: Value = serde_json::from_str(&answer.text()).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
        let flags = answer["flags"].as_array().unwrap_or_else(|| panic!("{answer}"));
        flags.iter().map(|flag| (flag["key"].as_str().unwrap().to_owned(), flag["variant"].clone())).collect()
    };
    contexts.iter().map(&mut ask).collect()
}

fn evaluated(system: &str, file: &std::path::Path, contexts: &[Value]) -> Vec<Map<String, Value>> {
    let mut command = evaluators();
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apps/exported/read.py")).arg(system).arg(file);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(serde_json::to_string(contexts).unwrap().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn exported(system: &str, flags: &str) -> (tempfile::TempDir, Said) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), flags).unwrap();
    let said = flagstaff(folder.path(), ["export", "--as", system, "--flags", "flags.toml"], &[]);
    assert_eq!(said.code, 0, "{said:?}");
    fs::write(folder.path().join("exported.json"), &said.out).unwrap();
    (folder, said)
}

#[test]
fn every_evaluator_decides_as_the_program_does() {
    let contexts = contexts();
    for system in ["flagd", "unleash", "goff"] {
        let flags = flags(system);
        let (folder, said) = exported(system, &flags);
        let ours = decided(&flags, &contexts);
        let theirs = evaluated(system, &folder.path().join("exported.json"), &contexts);
        for ((context, ours), theirs) in contexts.iter().zip(&ours).zip(&theirs) {
            for (flag, variant) in ours {
                assert_eq!(&theirs[flag], variant, "{system} {flag}: {context}\n{}\n{}", said.out, said.err);
            }
        }
        assert!(!said.err.contains("drawn anew"), "{system}: {}", said.err);
    }
}

#[test]
fn what_cannot_be_said_is_reported() {
    let flags = "[flags.a]\npercent = 12.5\ngoals = [\"paid\"]\nguard = { errors = \"5xx\" }\n[[flags.b.rules]]\nif = { ip = \"10.0.0.0/8\" }\nserve = \"on\"\n\
                 [goals.paid]\nevent = \"paid\"\n";
    for (system, words) in [("flagd", "drawn anew"), ("unleash", "whole percentages"), ("goff", "drawn anew")] {
        let (_folder, said) = exported(system, flags);
        for words in [words, "`guard`", "`goals`", "ranges of addresses"] {
            assert!(said.err.contains(words), "{system} {words}: {}", said.err);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), flags).unwrap();
    let said = flagstaff(folder.path(), ["export", "--as", "flagd", "--flags", "flags.toml", "--strict"], &[]);
    assert_eq!(said.code, 1, "{said:?}");
    let said = flagstaff(folder.path(), ["export", "--as", "splitio"], &[]);
    assert_eq!(said.code, 2, "{said:?}");
}

/// Words stay as they are written, and who minds case there or not is said.
#[test]
fn case_is_kept_or_its_loss_is_reported() {
    let words = "[[flags.a.rules]]\nif = { country = [\"AT\", \"De\"] }\nserve = \"on\"\n[[flags.b.rules]]\nif = { host = \"Shop*\" }\nserve = \"on\"\n";
    let pattern = "[[flags.c.rules]]\nif = { plan = [\"Pro*\"] }\nserve = \"on\"\n";
    for (system, of_words, of_host, of_pattern) in
        [("flagd", true, true, false), ("unleash", true, false, false), ("goff", false, false, true)]
    {
        let (folder, said) = exported(system, &format!("{words}{pattern}"));
        for word in ["AT", "De", "Shop", "Pro"] {
            assert!(
                said.out.contains(word) && !said.out.contains(&format!("\"{}\"", word.to_lowercase())),
                "{system} {word}: {}",
                said.out
            );
        }
        for (key, is_told) in [("country", of_words), ("host", of_host), ("plan", of_pattern)] {
            let told = said.err.lines().any(|line| line.contains("upper and lower case") && line.contains(key));
            assert_eq!(told, is_told, "{system} {key}: {}", said.err);
        }
        assert_eq!(said.out.contains("\"caseInsensitive\": true"), system == "unleash", "{}", said.out);
        for (flags, is_lost) in [(words, of_words), (pattern, of_pattern)] {
            fs::write(folder.path().join("flags.toml"), flags).unwrap();
            let strict = ["export", "--as", system, "--flags", "flags.toml", "--strict"];
            assert_eq!(flagstaff(folder.path(), strict, &[]).code, i32::from(is_lost), "{system}: {flags}");
        }
    }
}
