//! What an edit says of the keys before it puts them back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::fs;

use flagstaff_source::edit::{Change, EditError, EditPlan, Refused};
use flagstaff_source::{FlagSource, ParseOptions};
use proptest::prelude::*;

/// A flag with keys in every form in which TOML can write them.
const FORM: &str = r#"# ours
[flags.a]
percent = 20
owner = 'it "is"'
ticket = "4711" # a number
allow = { users = ["1", "2"] }
sticky = "visitor"
guard.errors = "5xx"
metadata = { big = 9007199254740993, half = 0.50, text = """
two
lines "of" \\ text""", list = [
  1, # one
  2,
] }
rules = [
  # first
  { if = { country = "AT" }, serve = "on" },
  { if = { path = '/x/*' }, percent = 5 },
]

[[flags.b.rules]]
if.country = "AT"
serve = "on"

[[flags.b.rules]]
if = { country = "DE" }
percent = 5

[flags.c.rollout]
steps = [{ percent = 5, hold = "1h" }, { percent = 100 }]

[flags.d]
description = "naught"
"#;

/// What is laid over it.
const OVERLAY: &str = "[flags.a]\nenabled = false\nrules = [{ if = { country = \"CH\" }, serve = \"on\" }]\n";

/// Keys, with values that each of them can have.
const EDITS: [(&str, &str, &str); 24] = [
    ("a", "percent", "30"),
    ("a", "enabled", "true"),
    ("a", "owner", "ada"),
    ("a", "ticket", "12"),
    ("a", "description", "\"new\""),
    ("a", "allow", "{ users = [\"3\"] }"),
    ("a", "allow.users", "[\"3\"]"),
    ("a", "allow.groups", "[\"beta\"]"),
    ("a", "deny.groups", "[\"beta\"]"),
    ("a", "guard.errors", "4xx"),
    ("a", "metadata", "{ other = true }"),
    ("a", "metadata.big", "9007199254740995"),
    ("a", "metadata.half", "1.50"),
    ("a", "metadata.text", "none"),
    ("a", "metadata.list", "[]"),
    ("a", "metadata.new.deep", "1"),
    ("a", "rules.0.serve", "off"),
    ("a", "rules", "[{ if = { country = \"CH\" }, serve = \"off\" }]"),
    ("b", "rules.0.serve", "off"),
    ("b", "rules.1.percent", "7.5"),
    ("b", "guard.errors", "5xx"),
    ("b", "metadata.x", "1"),
    ("c", "rollout.steps.0.percent", "6"),
    ("d", "guard.errors", "5xx"),
];

/// Files in a folder of their own.
struct Files {
    _folder: tempfile::TempDir,
    source: FlagSource,
    reading: ParseOptions,
}

impl Files {
    fn new(overlay: Option<&str>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flags.toml");
        fs::write(&file, FORM).unwrap();
        let environment = overlay.map(|_| "production".to_owned());
        if let Some(text) = overlay {
            fs::write(folder.path().join("flags.production.toml"), text).unwrap();
        }
        let source = FlagSource::files(&file, environment.as_deref());
        Self { _folder: folder, source, reading: ParseOptions { environment, ..ParseOptions::default() } }
    }

    fn change(&self, flag: &str, change: &Change<'_>) -> EditPlan {
        let plan = EditPlan::new(&self.source, &self.reading, None, flag, change);
        let plan = plan.unwrap_or_else(|refused| panic!("{refused}: {change:?}"));
        plan.write().unwrap();
        plan
    }

    /// What the files say, without comments and layout.
    fn meaning(&self) -> Vec<toml::Table> {
        let texts = self.source.texts().unwrap().1;
        let all = [Some(texts.definitions.to_string()), texts.overlay.map(|text| text.to_string())];
        all.into_iter().flatten().map(|text| toml::from_str(&text).unwrap()).collect()
    }

    /// Undoes a plan as its words say: `set` what was there, and take out what was not.
    fn undo(&self, flag: &str, plan: EditPlan) {
        let all = plan.undo().to_vec();
        drop(plan);
        let set: Vec<_> = all.iter().filter_map(|one| Some((one.key.as_str(), one.value.as_deref()?))).collect();
        let gone: Vec<_> = all.iter().filter(|one| one.value.is_none()).map(|one| (one.key.as_str(), None)).collect();
        if !set.is_empty() {
            self.change(flag, &Change::Set(&set));
        }
        if !gone.is_empty() {
            self.change(flag, &Change::Put(&gone));
        }
    }
}

fn is_put_back(overlay: Option<&str>, flag: &str, keys: &[(&str, &str)]) {
    let files = Files::new(overlay);
    let before = files.meaning();
    let plan = files.change(flag, &Change::Set(keys));
    assert!(plan.undo().iter().all(|one| one.is_changed), "{keys:?}: {:?}", plan.undo());
    assert_ne!(files.meaning(), before, "{keys:?}");
    files.undo(flag, plan);
    assert_eq!(files.meaning(), before, "{keys:?}");
}

#[test]
fn each_key_is_put_back() {
    for (flag, key, value) in EDITS {
        is_put_back(None, flag, &[(key, value)]);
        is_put_back(Some(OVERLAY), flag, &[(key, value)]);
    }
}

#[test]
fn what_is_in_a_list_of_an_overlay_is_edited_there() {
    let files = Files::new(Some(OVERLAY));
    drop(files.change("a", &Change::Set(&[("rules.0.if.path", "/x")])));
    let texts = files.source.texts().unwrap().1;
    assert!(
        texts.definitions.as_ref() == FORM && texts.overlay.unwrap().contains("path = \"/x\""),
        "the overlay has it"
    );
}

/// Also where the first of them changes nothing by itself.
#[test]
fn keys_that_begin_one_table_are_put_back() {
    for put in [
        [("allow.users", None), ("allow.groups", Some("[\"x\"]"))],
        [("allow.groups", Some("[\"x\"]")), ("allow.users", None)],
        [("allow.groups", Some("[\"x\"]")), ("allow.users", Some("[\"y\"]"))],
    ] {
        let files = Files::new(None);
        let before = files.meaning();
        let plan = files.change("b", &Change::Put(&put));
        assert!(plan.undo().iter().any(|one| one.is_changed), "{put:?}: {:?}", plan.undo());
        files.undo("b", plan);
        assert_eq!(files.meaning(), before, "{put:?}");
    }
}

#[test]
fn on_for_everyone_is_put_back() {
    for overlay in [None, Some(OVERLAY)] {
        let files = Files::new(overlay);
        let before = files.meaning();
        let plan = files.change("a", &Change::OnForEveryone);
        files.undo("a", plan);
        assert_eq!(files.meaning(), before);
    }
}

#[test]
fn no_key_is_named_twice() {
    let files = Files::new(None);
    let refused = |change: &Change<'_>| EditPlan::new(&files.source, &files.reading, None, "a", change).unwrap_err();
    for keys in [
        [("percent", "30"), ("percent", "40")],
        [("guard.errors", "4xx"), ("guard", "{}")],
        [("rules.0.serve", "on"), ("rules", "[]")],
        [("metadata.x", "1"), ("metadata.x.y", "1")],
    ] {
        let put = keys.map(|(key, value)| (key, Some(value)));
        for change in [Change::Set(&keys), Change::Put(&put), Change::Create { like: None, keys: &keys }] {
            assert!(matches!(refused(&change), Refused::Edit(EditError::Twice { .. })), "{change:?}");
        }
    }
    drop(files.change("a", &Change::Set(&[("metadata.x", "1"), ("metadata.xy", "1"), ("metadata.x-y.z", "1")])));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several keys at once, in any order.
    #[test]
    fn keys_are_put_back_together(picked in prop::sample::subsequence(EDITS.to_vec(), 1..6).prop_shuffle(), over: bool) {
        let flag = picked[0].0;
        let mut keys: Vec<(&str, &str)> = Vec::new();
        for (of, key, value) in picked {
            let is_apart = |other: &str| !other.starts_with(key) && !key.starts_with(other);
            if of == flag && keys.iter().all(|(other, _)| is_apart(other)) {
                keys.push((key, value));
            }
        }
        is_put_back(over.then_some(OVERLAY), flag, &keys);
    }
}
