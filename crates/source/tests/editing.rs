//! Edits keep every byte but those of the value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use flagstaff_source::edit::{EditError, Refused, edit, set, turn_off, turn_on};
use flagstaff_source::{Files, Options, Text, load, parse};
use proptest::prelude::*;

fn changed(text: &str, path: &str, value: &str) -> String {
    set(text, "a", &[(path, value)]).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn a_value_in_place_of_another() {
    let text = "# top\r\n[flags.a] # a\r\n  percent   =  5   # five\r\nowner='x'";
    assert_eq!(changed(text, "percent", "20"), text.replace("  5   #", "  20   #"));
    assert_eq!(changed(text, "owner", "growth"), text.replace("'x'", "\"growth\""));
    let text = "\u{feff}[flags]\na = { percent = 5, rollout.start = 2026-01-01T00:00:00Z } # x";
    assert_eq!(changed(text, "percent", "0.5"), text.replace("= 5", "= 0.5"));
    assert_eq!(changed(text, "rollout.start", "2027-01-01T00:00:00Z"), text.replace("2026-01", "2027-01"));
    let text = "flags.a.goals = [\n  \"x\", # first\n]\n[flags.b]\n";
    assert_eq!(changed(text, "goals", "[\"y\"]"), "flags.a.goals = [\"y\"]\n[flags.b]\n");
    assert_eq!(changed(text, "goals.0", "z"), text.replace("\"x\"", "\"z\""));
    let text = "[flags.a]\n[[flags.a.rules]]\npercent = 1\n[[flags.a.rules]]\npercent = 2\n";
    assert_eq!(changed(text, "rules.1.percent", "3"), text.replace("= 2", "= 3"));
}

#[test]
fn a_value_where_there_was_none() {
    let of = |text: &str| changed(text, "percent", "20");
    assert_eq!(of("[flags.a]\n"), "[flags.a]\npercent = 20\n");
    assert_eq!(of("[flags.a]"), "[flags.a]\npercent = 20\n");
    assert_eq!(of("[flags.a] # x\r\n\r\n[flags.b]\r\n"), "[flags.a] # x\r\npercent = 20\r\n\r\n[flags.b]\r\n");
    assert_eq!(
        of("[flags.a]\n  owner = \"x\" # y\n# z\n\n[flags.b]\n"),
        "[flags.a]\n  owner = \"x\" # y\n  percent = 20\n# z\n\n[flags.b]\n"
    );
    assert_eq!(
        of("[flags.a]\ngoals = [\n  \"x\",\n]\n[flags.a.guard]\nerrors = \"5xx\"\n"),
        "[flags.a]\ngoals = [\n  \"x\",\n]\npercent = 20\n[flags.a.guard]\nerrors = \"5xx\"\n"
    );
    assert_eq!(
        of("[flags]\na.owner = \"x\"\nb.owner = \"y\"\n"),
        "[flags]\na.owner = \"x\"\na.percent = 20\nb.owner = \"y\"\n"
    );
    assert_eq!(of("[flags]\na = {}\n"), "[flags]\na = { percent = 20 }\n");
    assert_eq!(of("[flags]\na = { owner = \"x\" }\n"), "[flags]\na = { owner = \"x\", percent = 20 }\n");
    assert_eq!(of("flags.a.owner = \"x\""), "flags.a.owner = \"x\"\nflags.a.percent = 20\n");
    assert_eq!(
        of("# x\n[flags.b]\n# guard\n[flags.a.guard]\nerrors = \"5xx\"\n"),
        "# x\n[flags.b]\n# guard\n[flags.a]\npercent = 20\n\n[flags.a.guard]\nerrors = \"5xx\"\n"
    );
    assert_eq!(changed("[flags.a]\n", "guard.errors", "5xx"), "[flags.a]\nguard = { errors = \"5xx\" }\n");
    assert_eq!(changed("[flags.a]\n", "metadata.a b", "1"), "[flags.a]\nmetadata = { \"a b\" = 1 }\n");
    assert_eq!(
        changed("[flags.a.guard]\nerrors = \"5xx\"\n[flags.a.gate]\n", "guard.on_trip", "hold"),
        "[flags.a.guard]\nerrors = \"5xx\"\non_trip = \"hold\"\n[flags.a.gate]\n"
    );
}

#[test]
fn quotes_in_a_path_are_a_slip() {
    for path in ["metadata.\"x.y\"", "metadata.'x'", "metadata..x", ""] {
        assert!(set("[flags.a]\n", "a", &[(path, "1")]).is_err(), "{path}");
    }
}

#[test]
fn several_at_once() {
    let text = "[flags.a]\npercent = 5\n";
    let edited = set(text, "a", &[("percent", "20"), ("enabled", "true"), ("owner", "growth team")]).unwrap();
    assert_eq!(edited, "[flags.a]\npercent = 20\nenabled = true\nowner = \"growth team\"\n");
}

#[test]
fn on_and_off() {
    let on = |text: &str| turn_on(text, "a").unwrap();
    assert_eq!(turn_off("[flags.a]\n", "a").unwrap(), "[flags.a]\nenabled = false\n");
    assert_eq!(on("[flags.a]\nenabled = false\npercent = 5\n"), "[flags.a]\nenabled = true\npercent = 100\n");
    assert_eq!(on("[flags.a]\nenabled = false\n"), "[flags.a]\nenabled = true\n");
    assert_eq!(on("[flags.a]\n"), "[flags.a]\n");
    assert_eq!(on("[flags.a]\nallow.users = [\"1\"]\n"), "[flags.a]\nallow.users = [\"1\"]\npercent = 100\n");
    let rollout = "[flags.a]\nenabled = false\nrollout.steps = [{ percent = 100 }]\n";
    assert_eq!(on(rollout), rollout.replace("false", "true"));
}

#[test]
fn what_cannot_be_set_is_refused() {
    let refused = |text: &str, flag: &str, path: &str, value: &str| set(text, flag, &[(path, value)]).unwrap_err();
    let text = "[flags.new_form]\npercent = 5\n[flags.new_form.guard]\n";
    let near = Some("new_form".to_owned());
    assert_eq!(refused(text, "new_from", "percent", "1"), EditError::NoFlag { flag: "new_from".into(), near });
    assert!(refused(text, "zebra", "percent", "1").to_string().contains("[flags.zebra]"));
    assert!(matches!(refused(text, "new_form", "guard", "1"), EditError::NoValue { .. }));
    assert!(matches!(refused(text, "new_form", "percent.x", "1"), EditError::NoValue { .. }));
    assert!(matches!(refused(text, "new_form", "a..b", "1"), EditError::NoValue { .. }));
    for value in ["", "[1", "\"x", "{ a = }", "a\nb = 1", "\u{7}"] {
        assert!(matches!(refused(text, "new_form", "percent", value), EditError::NotAValue(_)), "{value:?}");
    }
    assert!(matches!(refused("[flags", "a", "percent", "1"), EditError::NotToml(_)));
}

/// A file of its own.
struct Fixture {
    folder: tempfile::TempDir,
    files: Files,
}

const BEFORE: &str = "# keep\n[flags.a]\npercent = 5\n";

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flags.toml");
        fs::write(&file, BEFORE).unwrap();
        let files = Files::new(&file, None);
        Self { folder, files }
    }

    fn path(&self) -> &Path {
        self.files.definitions()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn percent(&self, value: &str, revision: Option<&str>) -> Result<flagstaff_source::edit::Edited, Refused> {
        edit(&self.files, &Options::default(), revision, |text| set(text, "a", &[("percent", value)]))
    }

    fn others(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count() - 1
    }
}

#[test]
fn a_file_is_edited_in_place() {
    let f = Fixture::new();
    let edited = f.percent("20", None).unwrap();
    assert!(edited.changed && edited.loaded.snapshot.flag_named("a").is_some());
    assert_eq!(f.text(), BEFORE.replace('5', "20"));
    assert!(!f.percent("20", None).unwrap().changed);
    assert_eq!(f.others(), 0);
}

#[test]
fn a_result_that_is_wrong_is_not_written() {
    let f = Fixture::new();
    let Err(Refused::Invalid(report)) = f.percent("200", None) else { panic!("written") };
    assert!(report.to_string().contains("between 0 and 100"));
    let typo = edit(&f.files, &Options::default(), None, |text| set(text, "a", &[("percnt", "2")]));
    assert!(matches!(typo, Err(Refused::Invalid(report)) if report.to_string().contains("did you mean `percent`?")));
    assert_eq!((f.text().as_str(), f.others()), (BEFORE, 0));
}

#[test]
fn a_file_that_is_wrong_can_be_mended() {
    let f = Fixture::new();
    fs::write(f.path(), BEFORE.replace('5', "500")).unwrap();
    f.percent("50", None).unwrap();
    assert_eq!(f.text(), BEFORE.replace('5', "50"));
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let f = Fixture::new();
    let revision = load(f.path(), &Options::default()).unwrap().snapshot.revision().to_owned();
    let other = "[flags.a]\npercent = 7\n";
    let meanwhile = edit(&f.files, &Options::default(), None, |text| {
        fs::write(f.path(), other).unwrap();
        set(text, "a", &[("percent", "20")])
    });
    assert!(matches!(meanwhile, Err(Refused::Changed)));
    assert!(matches!(f.percent("20", Some(&revision)), Err(Refused::Changed)));
    assert_eq!((f.text().as_str(), f.others()), (other, 0));
    let revision = load(f.path(), &Options::default()).unwrap().snapshot.revision().to_owned();
    f.percent("20", Some(&revision)).unwrap();
}

#[cfg(unix)]
#[test]
fn mode_and_link_stay() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let f = Fixture::new();
    fs::set_permissions(f.path(), fs::Permissions::from_mode(0o640)).unwrap();
    let link = f.folder.path().join("link.toml");
    symlink("flags.toml", &link).unwrap();
    let files = Files::new(&link, None);
    edit(&files, &Options::default(), None, |text| turn_off(text, "a")).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(f.path()).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(f.text().contains("enabled = false"));
}

#[test]
fn edits_at_the_same_time_all_count_or_are_refused() {
    let f = Fixture::new();
    let one = |i: usize| {
        edit(&f.files, &Options::default(), None, |text| set(text, "a", &[(&format!("metadata.k{i}"), "1")]))
    };
    let written: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|i| scope.spawn(move || usize::from(one(i).is_ok()))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(f.text().matches("k").count() - 1, written, "{}", f.text());
    assert!(written > 0);
}

/// Flag `a` in every way it can be written, among other things.
fn layout() -> impl Strategy<Value = String> {
    let flag = prop_oneof![
        Just("[flags.a]\nowner = \"x\" # o\npercent = 5 # p\n"),
        Just("[flags.a]   # head\r\n\r\n\tpercent=5\r\n# end\r\n"),
        Just("[flags.a]\n\n# nothing yet\n"),
        Just("[flags]\na.owner = \"x\"\na.enabled = true\n"),
        Just("[flags]\na = { owner = 'x', percent = 5 }\n"),
        Just("[flags.a.guard] # g\nerrors = \"5xx\"\n"),
        Just("[flags.'a']\n\"percent\" = 5.0\ngoals = [ # list\n  \"g\",\n]\n[flags.a.guard]\nerrors = \"5xx\"\n"),
    ];
    let around = prop_oneof![Just(""), Just("# note\n"), Just("\n\r\n"), Just("[goals.g]\nevent = \"g\" # e\n")];
    let after = prop_oneof![
        Just(""),
        Just("# end"),
        Just("\n[flags.b] # b\r\npercent = 1\n"),
        Just("[segments.s]\nany = [{ user = \"1\" }]")
    ];
    (around, flag, after).prop_map(|(before, flag, after)| {
        let goal =
            if before.contains("goals.g") || !flag.contains("goals") { "" } else { "[goals.g]\nevent = \"g\"\n" };
        format!("{before}{goal}{flag}{after}")
    })
}

proptest! {
    #[test]
    fn all_other_bytes_stay(text in layout(), thousandths in 0u32..=100_000) {
        let value = format!("{}", f64::from(thousandths) / 1000.0);
        let edited = set(&text, "a", &[("percent", &value)]).unwrap();
        // What was cut out and what was put in is one stretch; all before and all behind it is as it was.
        let before = text.bytes().zip(edited.bytes()).take_while(|(a, b)| a == b).count();
        let most = text.len().min(edited.len()) - before;
        let behind = text.bytes().rev().zip(edited.bytes().rev()).take(most).take_while(|(a, b)| a == b).count();
        let cut = &text[before..text.len() - behind];
        prop_assert!(cut.len() <= 3 && !cut.contains('\n'), "cut {cut:?} of {text:?}");
        let bytes = edited.as_bytes();
        let loaded = parse(Text { name: "flags.toml", bytes }, None, &Options::default());
        let loaded = loaded.unwrap_or_else(|report| panic!("{report}\n{edited}"));
        let percent = loaded.snapshot.flag_named("a").unwrap().percent.unwrap();
        prop_assert_eq!(percent.thousandths(), thousandths);
        let again = set(&edited, "a", &[("percent", &value)]).unwrap();
        prop_assert_eq!(again, edited);
    }
}
