//! The end of a flag: archived before anything changes, once, and nothing else touched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use std::fs;
use std::path::PathBuf;

use flagstaff_source::archive::Ended;
use flagstaff_source::edit::{Ending, Refused, Settled, VariantNames, end};
use flagstaff_source::{FlagSource, ParseOptions, Text, load, parse};
use proptest::prelude::*;
use tempfile::TempDir;

const FLAGS: &str = r#"#:schema ./flags.schema.json
# The flags of the shop.

# ── Forms ──

# The new one, of three fields.
[flags.form]
owner = "growth"    # ask them
percent = 50
goals = ["sent"]

[flags.form.guard]
errors = "5xx"

# ── Prices ──

[flags.price]
variants = { classic = 50, simple = 50 }
layer = "page"

[goals.sent]
on = "POST /form"

[layers.page]
slices = { form = [0, 50], price = [50, 100] }  # halves
"#;

struct Shop {
    folder: TempDir,
}

impl Shop {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn archived(&self) -> Vec<Ended> {
        FlagSource::files(&self.path("flags.toml"), None).ended().unwrap()
    }

    fn end(&self, flag: &str, winner: &str, remove: bool) -> Result<Settled, Refused> {
        let revision =
            load(&self.path("flags.toml"), &ParseOptions::default()).unwrap().snapshot.revision().to_owned();
        self.end_of(&revision, flag, winner, remove)
    }

    fn end_of(&self, revision: &str, flag: &str, winner: &str, remove: bool) -> Result<Settled, Refused> {
        self.end_with(revision, Some(&entry(flag, winner)), (flag, winner), remove)
    }

    fn end_with(
        &self,
        revision: &str,
        entry: Option<&Ended>,
        (flag, winner): (&str, &str),
        remove: bool,
    ) -> Result<Settled, Refused> {
        let variants =
            if flag == "price" { VariantNames::Named(&["classic", "simple"]) } else { VariantNames::OffAndOn };
        let files = FlagSource::files(&self.path("flags.toml"), None);
        let ending = Ending { flag, winner, variants, entry, remove, dry_run: false };
        end(&files, &ParseOptions::default(), revision, &ending)
    }
}

fn entry(flag: &str, winner: &str) -> Ended {
    Ended {
        flag: flag.into(),
        winner: winner.into(),
        at: "2026-11-20T22:00:00Z".parse().unwrap(),
        by: None,
        revision: "r".into(),
        definition: "d".into(),
        forced: false,
        text: String::new(),
        results: None,
    }
}

/// The places and messages of a refusal.
#[track_caller]
fn refused(result: Result<Settled, Refused>) -> Vec<String> {
    let Err(Refused::Invalid(report)) = result else { panic!("{result:?}") };
    let told = |p: &flagstaff_source::Located| {
        let file = p.file.rsplit('/').next().unwrap_or_default();
        format!("{file}:{}: {} | {}", p.line, p.message, p.help.as_deref().unwrap_or_default())
    };
    report.problems().iter().map(told).collect()
}

#[test]
fn the_winner_is_for_everybody_and_then_the_flag_goes() {
    let shop = Shop::new(&[("flags.toml", FLAGS)]);
    let settled = shop.end("form", "on", false).unwrap();
    assert!(settled.archived && settled.changed);
    assert_eq!(settled.gone, ["layers.page.slices.form", "percent", "guard", "goals"]);
    let after = FLAGS
        .replace("percent = 50\ngoals = [\"sent\"]\n\n[flags.form.guard]\nerrors = \"5xx\"\n", "")
        .replace("form = [0, 50], ", "");
    assert_eq!(shop.text("flags.toml"), after);
    let whole = "# The new one, of three fields.\n[flags.form]\nowner = \"growth\"    # ask them\npercent = 50\ngoals = [\"sent\"]\n\n[flags.form.guard]\nerrors = \"5xx\"\n";
    let [archived] = shop.archived().try_into().unwrap();
    assert_eq!(archived, Ended { text: whole.into(), ..entry("form", "on") });

    // once more changes nothing
    let again = shop.end("form", "on", false).unwrap();
    assert!(!again.archived && !again.changed);
    let revision = load(&shop.path("flags.toml"), &ParseOptions::default()).unwrap().snapshot.revision().to_owned();
    let removed = shop.end_with(&revision, None, ("form", "on"), true).unwrap();
    assert!(!removed.archived && removed.changed && shop.archived().len() == 1);
    let gone =
        after.replace("# The new one, of three fields.\n[flags.form]\nowner = \"growth\"    # ask them\n\n", "");
    assert_eq!(shop.text("flags.toml"), gone);
}

#[test]
fn weights_say_a_named_winner() {
    let shop = Shop::new(&[("flags.toml", FLAGS)]);
    shop.end("price", "simple", false).unwrap();
    let text = shop.text("flags.toml");
    assert!(text.contains("variants = { classic = 0, simple = 100 }\n"), "{text}");
    assert!(text.contains("slices = { form = [0, 50] }  # halves\n") && !text.contains("layer = "), "{text}");
}

#[test]
fn a_run_cut_off_before_the_flag_file_is_finished_by_another() {
    for remove in [false, true] {
        let shop = Shop::new(&[("flags.toml", FLAGS)]);
        shop.end("form", "on", remove).unwrap();
        let (done, archive) = (shop.text("flags.toml"), shop.text("flags.archive.toml"));
        // as it was between the two
        fs::write(shop.path("flags.toml"), FLAGS).unwrap();
        let again = shop.end("form", "on", remove).unwrap();
        assert!(!again.archived && again.changed);
        assert_eq!((shop.text("flags.toml"), shop.text("flags.archive.toml")), (done, archive));
    }
}

#[test]
fn a_second_experiment_of_the_name_is_another_entry() {
    let shop = Shop::new(&[("flags.toml", FLAGS)]);
    shop.end("form", "on", true).unwrap();
    let more = FLAGS.replace("percent = 50", "percent = 20");
    fs::write(shop.path("flags.toml"), &more).unwrap();
    assert!(shop.end("form", "on", false).unwrap().archived);
    let other = shop.end("form", "off", false).unwrap();
    assert!(other.archived && other.changed);
    let winners: Vec<_> = shop.archived().into_iter().map(|one| one.winner).collect();
    assert_eq!(winners, ["on", "on", "off"]);
}

#[test]
fn what_holds_on_to_it_is_told_at_its_place() {
    let needy = format!(
        "{FLAGS}\n[flags.needs_any]\nrequires = [\"form\"]\n[flags.needs_on]\nrequires = {{ form = \"on\" }}\n[flags.needs_off]\nrequires = {{ form = \"off\" }}\n"
    );
    let shop = Shop::new(&[("flags.toml", &needy)]);
    let unmet = refused(shop.end("form", "off", false));
    assert_eq!(unmet.len(), 2, "{unmet:#?}");
    assert!(unmet[0].starts_with("flags.toml:28: the flag `needs_any` would be off for everybody"), "{unmet:#?}");
    assert!(unmet[0].contains("end `needs_any` first"), "{unmet:#?}");
    let unmet = refused(shop.end("form", "on", false));
    assert!(unmet.len() == 1 && unmet[0].starts_with("flags.toml:32: the flag `needs_off`"), "{unmet:#?}");
    let unmet = refused(shop.end("form", "on", true));
    assert!(unmet.len() == 3 && unmet[0].contains("take it out of the requires of `needs_any`"), "{unmet:#?}");
    assert_eq!(shop.text("flags.toml"), needy);
    assert!(!shop.path("flags.archive.toml").exists(), "nothing was archived");

    let overlay =
        "[flags.price]\nenabled = true\n[flags.form]\nenabled = false\n[layers.page.slices]\nform = [0, 1]\n";
    let shop = Shop::new(&[
        ("flags.toml", FLAGS),
        ("flags.production.toml", overlay),
        ("flags.staging.toml", "# nothing\n"),
        ("flags.archive.toml", "# empty\n"),
        ("other.production.toml", overlay),
    ]);
    let said = refused(shop.end("form", "on", false));
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].starts_with("flags.production.toml:3: this overlay says something about the flag `form`"),
        "{said:#?}"
    );
    assert!(said[1].starts_with("flags.production.toml:6: "), "{said:#?}");

    let gated = "[flags.pay]\nenabled = false\n[flags.pay.gate]\npaths = [\"/pay/*\"]\nwhen_off = { status = 503 }\n";
    let shop = Shop::new(&[("flags.toml", gated)]);
    assert!(!shop.end("pay", "off", false).unwrap().changed, "it is off already");
    let open = refused(shop.end("pay", "off", true));
    assert!(open[0].starts_with("flags.toml:3: ") && open[0].contains("these paths are open"), "{open:#?}");
}

#[test]
fn files_that_changed_or_cannot_be_read_are_left_alone() {
    let shop = Shop::new(&[("flags.toml", FLAGS)]);
    assert!(matches!(shop.end_of("another", "form", "on", false), Err(Refused::Changed)));
    fs::write(shop.path("flags.archive.toml"), "[[ended]]\nflag = 3\n").unwrap();
    let error = shop.end("form", "on", false).unwrap_err();
    assert!(error.to_string().contains("flags.archive.toml cannot be read"), "{error}");
    assert_eq!(shop.text("flags.toml"), FLAGS);
    fs::write(shop.path("flags.archive.toml"), "# mine\n").unwrap();
    shop.end("form", "on", false).unwrap();
    assert!(shop.text("flags.archive.toml").starts_with("# mine\n\n[[ended]]\n"));
}

/// A flag in one of the ways it may be written, without a name of its own taken.
fn written(way: usize, name: &str, percent: u32) -> String {
    match way {
        0 => format!("[flags.{name}]\npercent = {percent} # share\n"),
        1 => format!("# about {name}\n[flags.{name}]\ngoals = [\"g\"]\npercent = {percent}\n# a remark\n"),
        2 => format!(
            "[flags.{name}]\n\npercent = {percent}\n\n[[flags.{name}.rules]]\nserve = \"on\"\n\n[[flags.{name}.rules]]\npercent = 5\n"
        ),
        3 => format!("[flags.{name}.guard]\nerrors = \"5xx\"\n"),
        4 => {
            format!("[flags.{name}]\nallow = {{ users = [\n  \"1\", # one\n  \"2\",\n] }}\nguard.errors = \"5xx\"\n")
        }
        _ => format!("[flags.\"{name}\"]\n# nothing yet\n"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn only_the_flag_goes_however_it_is_written(
        ways in proptest::collection::vec((0..6usize, 0..=100u32, 0..3usize), 1..6),
        which in any::<prop::sample::Index>(),
        dotted in any::<bool>(),
        windows in any::<bool>(),
    ) {
        let mut text = String::from("# top\n\n");
        if dotted {
            text += "[flags]\nplain.percent = 5\ninline = { percent = 6 }\n\n";
        }
        for (i, (way, percent, blank)) in ways.iter().enumerate() {
            text += &written(*way, &format!("f{i}"), *percent);
            text += &"\n".repeat(*blank);
        }
        text += "[goals.g]\nevent = \"g\"\n";
        if windows {
            text = text.replace('\n', "\r\n");
        }
        let mut names: Vec<String> = (0..ways.len()).map(|i| format!("f{i}")).collect();
        if dotted {
            names.extend(["plain".into(), "inline".into()]);
        }
        let name = which.get(&names);
        let read = |text: &str| {
            let loaded = parse(Text { name: "flags.toml", bytes: text.as_bytes() }, None, &ParseOptions::default()).unwrap();
            let flags = loaded.snapshot.flags().iter();
            flags.map(|flag| (flag.name.to_string(), flag.definition)).collect::<Vec<_>>()
        };
        let shop = Shop::new(&[("flags.toml", &text)]);
        let settled = shop.end(name, "on", true).unwrap();
        let left = shop.text("flags.toml");
        let expected: Vec<_> = read(&text).into_iter().filter(|(one, _)| one != name).collect();
        prop_assert_eq!(read(&left), expected);
        // what was taken is a flag file, and means what it meant
        let archived = shop.archived().pop().unwrap();
        prop_assert_eq!(&archived.text, &settled.text);
        let alone = format!("{}\n[goals.g]\nevent = \"g\"\n", archived.text);
        let before = read(&text).into_iter().find(|(one, _)| one == name);
        prop_assert_eq!(read(&alone).into_iter().next(), before);
        // every line is in one of the two
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            prop_assert!(left.contains(line) || archived.text.contains(line), "{}", line);
        }
        // and giving it to everybody first changes no other flag
        fs::write(shop.path("flags.toml"), &text).unwrap();
        shop.end(name, "on", false).unwrap();
        let settled: Vec<_> = read(&shop.text("flags.toml")).into_iter().filter(|(one, _)| one != name).collect();
        let others: Vec<_> = read(&text).into_iter().filter(|(one, _)| one != name).collect();
        prop_assert_eq!(settled, others);
    }
}
