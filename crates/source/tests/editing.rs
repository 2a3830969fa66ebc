//! Edits keep every byte but those of the value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::Path;

use flagstaff_source::edit::{Change, EditError, EditPlan, Refused, set};
use flagstaff_source::{FlagSource, ParseOptions, Text, load, parse};
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

/// A shell takes quotes away, and a program sends texts that look like something else.
#[test]
fn a_key_for_texts_takes_any_text() {
    for (key, value, written) in [
        ("ticket", "4711", "\"4711\""),
        ("owner", "true", "\"true\""),
        ("description", "[WIP] new form", "\"[WIP] new form\""),
        ("salt", "2026-01-01", "\"2026-01-01\""),
        ("ticket", "'4711'", "'4711'"),
    ] {
        assert_eq!(changed("[flags.a]\n", key, value), format!("[flags.a]\n{key} = {written}\n"));
    }
    assert!(matches!(set("[flags.a]\n", "a", &[("owner", "\"ada")]), Err(EditError::NotAValue(_))));
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

/// A text after a switch.
#[track_caller]
fn switched(text: &str, change: &Change<'_>) -> String {
    let f = Fixture::of(text);
    f.change(None, change).unwrap_or_else(|e| panic!("{e}"));
    f.text()
}

#[test]
fn off_and_on_again_is_as_before() {
    assert_eq!(switched("[flags.a]\n", &Change::Off), "[flags.a]\nenabled = false\n");
    for text in [
        "[flags.a]\nenabled = true\npercent = 5\n",
        "[flags.a]\nenabled = true\nallow.users = [\"1\"]\n",
        "[flags]\na.enabled = true\n",
        "[flags.a]\nenabled = true\nrollout.steps = [{ percent = 100 }]\n",
    ] {
        let off = switched(text, &Change::Off);
        assert_eq!(off, text.replace("true", "false"));
        assert_eq!(switched(&off, &Change::On), text);
    }
    assert_eq!(switched("[flags.a]\npercent = 20\n", &Change::On), "[flags.a]\npercent = 20\n");
}

#[test]
fn on_for_everyone_is_a_hundred_percent() {
    let on = |text: &str| switched(text, &Change::OnForEveryone);
    assert_eq!(on("[flags.a]\nenabled = false\npercent = 5\n"), "[flags.a]\nenabled = true\npercent = 100\n");
    assert_eq!(on("[flags.a]\nenabled = false\n"), "[flags.a]\nenabled = true\n");
    assert_eq!(on("[flags.a]\n"), "[flags.a]\n");
    assert_eq!(on("[flags.a]\nallow.users = [\"1\"]\n"), "[flags.a]\nallow.users = [\"1\"]\npercent = 100\n");
}

/// Whatever is wrong elsewhere, of every kind of mistake, a switch edits its own table and adds nothing.
#[test]
fn a_switch_works_beside_any_mistake() {
    for broken in [
        "[flags.b]\npercent = 200\n",
        "[flags.b]\npercnt = 2\n",
        "[flags.b]\nrequires = [\"zzz\"]\n",
        "[flags.b\npercent = 2\n",
        "[flags.b]\npercent = = 2\n",
        "[flags.b]\ndescription = \"no end\n",
        "[flags.b]\ngoals = [\n\"x\",\n",
        "[flags.b]\n[flags.b]\n",
        "[flags.B!]\n",
        "flugs = 1\n",
        "<<<<<<< HEAD\n=======\n>>>>>>> theirs\n",
    ] {
        for (before, after) in [(broken, ""), ("", broken)] {
            // lines right behind the table are part of it, and within a list without an end there is no table
            if after.starts_with(['f', '<']) || before.contains("goals = [") {
                continue;
            }
            let text = format!("{before}[flags.a] # it\npercent = 5\n\n{after}");
            let f = Fixture::of(&text);
            let plan = f.change(None, &Change::Off).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert!(plan.after().is_err() && plan.is_change(), "{text}");
            drop(plan); // it keeps others from the file
            assert_eq!(f.text(), text.replace("percent = 5\n", "percent = 5\nenabled = false\n"), "{text}");
            let keys = Change::Set(&[("percent", "6")]);
            assert!(f.change(None, &keys).is_err(), "a key is set in a sound file only: {text}");
        }
    }
}

#[test]
fn an_edit_adds_no_mistake() {
    for text in [
        "[flags.b]\ndescription = \"\"\"\n[flags.a]\npercent = 5\n",
        "[flags.a]\n[flags.a]\n",
        "[flags.a\npercent = 5\n",
        "[flags.b]\ngoals = [\n\"x\",\n[flags.a]\npercent = 5\n",
    ] {
        let f = Fixture::of(text);
        assert!(f.change(None, &Change::Off).is_err(), "{text}");
        assert_eq!(f.text(), text);
    }
    let f = Fixture::of("");
    fs::write(f.path(), b"[flags.a]\n# \xff\n").unwrap();
    assert!(f.change(None, &Change::Off).is_err(), "what is no text is left alone");
    assert_eq!(fs::read(f.path()).unwrap(), b"[flags.a]\n# \xff\n");
}

#[test]
fn a_key_is_written_where_its_value_stands() {
    let f = Fixture::of("[flags.a]\npercent = 5\nowner = \"x\"\n");
    let over = f.folder.path().join("flags.production.toml");
    fs::write(&over, "[flags.a]\nenabled = true\npercent = 100\n[flags.only]\n").unwrap();
    let files = FlagSource::files(f.path(), Some("production"));
    let options = ParseOptions { environment: Some("production".into()), ..ParseOptions::default() };
    let change = |flag: &str, change: Change<'_>| {
        let plan = EditPlan::new(&files, &options, None, flag, &change).unwrap_or_else(|e| panic!("{e}"));
        plan.write().unwrap();
        plan.after().unwrap().snapshot.flag_named(flag).unwrap().enabled
    };
    assert!(!change("a", Change::Off), "the overlay wins, so that is where it is off");
    assert!(change("a", Change::Set(&[("enabled", "true"), ("percent", "20"), ("owner", "y")])));
    assert!(!change("only", Change::Off));
    assert_eq!(f.text(), "[flags.a]\npercent = 5\nowner = \"y\"\n");
    let text = fs::read_to_string(&over).unwrap();
    assert_eq!(text, "[flags.a]\nenabled = true\npercent = 20\n[flags.only]\nenabled = false\n");
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
    files: FlagSource,
}

const BEFORE: &str = "# keep\n[flags.a]\npercent = 5\n";

impl Fixture {
    fn new() -> Self {
        Self::of(BEFORE)
    }

    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flags.toml");
        fs::write(&file, text).unwrap();
        let files = FlagSource::files(&file, None);
        Self { folder, files }
    }

    fn path(&self) -> &Path {
        self.files.file().unwrap()
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn change(&self, revision: Option<&str>, change: &Change<'_>) -> Result<EditPlan, Refused> {
        let plan = EditPlan::new(&self.files, &ParseOptions::default(), revision, "a", change)?;
        plan.write().map(|()| plan)
    }

    fn percent(&self, value: &str, revision: Option<&str>) -> Result<EditPlan, Refused> {
        self.change(revision, &Change::Set(&[("percent", value)]))
    }

    fn others(&self) -> usize {
        fs::read_dir(self.folder.path()).unwrap().count() - 1
    }
}

#[test]
fn a_file_is_edited_in_place() {
    let f = Fixture::new();
    let edited = f.percent("20", None).unwrap();
    assert!(edited.is_change() && edited.after().unwrap().snapshot.flag_named("a").is_some());
    assert_eq!(edited.undo()[0].value.as_deref(), Some("5"));
    assert_eq!(f.text(), BEFORE.replace('5', "20"));
    drop(edited);
    assert!(!f.percent("20", None).unwrap().is_change());
    assert_eq!(f.others(), 0);
}

#[test]
fn a_result_that_is_wrong_is_not_written() {
    let f = Fixture::new();
    let Err(Refused::Invalid(report)) = f.percent("200", None) else { panic!("written") };
    assert!(report.to_string().contains("between 0 and 100"));
    let typo = f.change(None, &Change::Set(&[("percnt", "2")]));
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
fn what_is_no_toml_is_told_with_its_place() {
    let file = Fixture::of("[flags.a]\npercent = 5\n\n[flags.a]\npercent = 6\n");
    let Err(Refused::Invalid(report)) = file.percent("20", None) else { panic!("it is refused as a whole") };
    assert!(report.to_string().contains("flags.toml:4:"), "{report}");
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let f = Fixture::new();
    let revision = load(f.path(), &ParseOptions::default()).unwrap().snapshot.revision().to_owned();
    let other = "[flags.a]\npercent = 7\n";
    let plan =
        EditPlan::new(&f.files, &ParseOptions::default(), None, "a", &Change::Set(&[("percent", "20")])).unwrap();
    fs::write(f.path(), other).unwrap();
    assert!(matches!(plan.write(), Err(Refused::Changed)));
    drop(plan);
    assert!(matches!(f.percent("20", Some(&revision)), Err(Refused::Changed)));
    assert_eq!((f.text().as_str(), f.others()), (other, 0));
    let revision = load(f.path(), &ParseOptions::default()).unwrap().snapshot.revision().to_owned();
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
    let files = FlagSource::files(&link, None);
    EditPlan::new(&files, &ParseOptions::default(), None, "a", &Change::Off).unwrap().write().unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(f.path()).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(f.text().contains("enabled = false"));
}

#[test]
fn edits_at_the_same_time_all_count_or_are_refused() {
    let f = Fixture::new();
    let one = |i: usize| f.change(None, &Change::Set(&[(&format!("metadata.k{i}"), "1")])).map(drop);
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
        let loaded = parse(Text { name: "flags.toml", bytes }, None, &ParseOptions::default());
        let loaded = loaded.unwrap_or_else(|report| panic!("{report}\n{edited}"));
        let percent = loaded.snapshot.flag_named("a").unwrap().percent.unwrap();
        prop_assert_eq!(percent.thousandths(), thousandths);
        let again = set(&edited, "a", &[("percent", &value)]).unwrap();
        prop_assert_eq!(again, edited);
    }
}
