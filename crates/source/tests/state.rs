//! What a document becomes: overlays, pins, fingerprints, and other documents.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail loudly")]

use flagstaff_flags::{Origin, Percent, Problem};
use flagstaff_source::{Loaded, ParseOptions, Report, Severity, Text, parse, read};

fn text<'a>(name: &'a str, content: &'a str) -> Text<'a> {
    let bytes = content.as_bytes();
    Text { name, bytes }
}

fn loaded(content: &str) -> Loaded {
    parse(text("flags.toml", content), None, &ParseOptions::default()).unwrap_or_else(|report| panic!("{report}"))
}

fn overlaid(below: &str, above: &str) -> Result<Loaded, Report> {
    let environment = Some("production".into());
    let options = ParseOptions { environment, ..ParseOptions::default() };
    parse(text("flags.toml", below), Some(text("flags.production.toml", above)), &options)
}

fn pinned(content: &str, pins: &[(&str, &str)]) -> Result<Loaded, Report> {
    let pins = pins.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    parse(text("flags.toml", content), None, &ParseOptions { pins, ..ParseOptions::default() })
}

#[test]
fn an_overlay_counts_key_by_key() {
    let below = "[flags.a]\npercent = 5\nallow = { users = [\"1\"], groups = [\"g\"] }\n[flags.b]\n";
    let above = "[flags.a]\npercent = 20\nallow.users = [\"2\"]\n[flags.c]\nenabled = false\n";
    let snapshot = overlaid(below, above).unwrap().snapshot;
    let flag = |name| snapshot.flag_named(name).unwrap();
    assert_eq!(flag("a").percent, Percent::new(20.0).ok());
    let allow = flag("a").allow.as_ref().unwrap();
    assert_eq!((&allow.users, &allow.groups), (&["2".to_owned()].into(), &["g".to_owned()].into()));
    assert_eq!(flag("a").origin, Origin::Overlay("production".into()));
    assert_eq!(flag("b").origin, Origin::File);
    assert!(!flag("c").enabled);
    assert_eq!(flag("c").origin, Origin::Overlay("production".into()));
}

#[test]
fn an_empty_overlay_is_a_save_that_is_not_done() {
    let report = overlaid("[flags.a]\n", " \n").unwrap_err();
    assert_eq!(report.problems()[0].file, "flags.production.toml");
}

#[test]
fn a_flag_misspelt_in_an_overlay_is_told() {
    let loaded = overlaid("[flags.new_checkout]\n", "[flags.new_chekout]\nenabled = false\n[flags.zebra]\n").unwrap();
    let told = |name: &str| {
        let of =
            loaded.report.warnings().filter(|w| w.flag.as_deref() == Some(name) && w.message.contains("only in"));
        of.map(|w| (w.file.clone(), w.line, w.column, w.help.clone().unwrap_or_default())).collect::<Vec<_>>()
    };
    let expected = ("flags.production.toml".to_owned(), 1, 8, "did you mean `new_checkout`?".to_owned());
    assert_eq!((told("new_chekout"), told("zebra")), (vec![expected], vec![]));
}

#[test]
fn problems_are_in_the_file_they_are_in() {
    let below = "[flags.a]\npercnt = 5\n[flags.b]\ngoals = [\"g\"]\n";
    let above = "# production\n[flags.a]\npercent = 500\n[goals.h]\nevent = 1\n";
    let report = overlaid(below, above).unwrap_err();
    let places: Vec<_> = report.errors().map(|p| format!("{}:{}:{}", p.file, p.line, p.column)).collect();
    let expected = ["flags.toml:2:1", "flags.toml:4:10", "flags.production.toml:3:11", "flags.production.toml:5:9"];
    assert_eq!(places, expected, "{report}");
}

#[test]
fn pins_are_seen_and_checked() {
    let content = "[flags.new_form]\nenabled = false\n[flags.prices]\nvariants = { one = 50, two = 50 }\n";
    let pins = [("PATH", "/bin"), ("FLAGSTAFF_FLAG_NEW_FORM", "on"), ("FLAGSTAFF_FLAG_PRICES", "two")];
    let loaded = pinned(content, &pins).unwrap();
    let pin = loaded.snapshot.flag_named("new_form").unwrap().pin.clone().unwrap();
    assert_eq!((pin.variable.as_str(), pin.variant.index()), ("FLAGSTAFF_FLAG_NEW_FORM", 1));
    let prices = loaded.snapshot.flag_named("prices").unwrap();
    assert_eq!(prices.variants.name(prices.pin.as_ref().unwrap().variant), "two");
    let odd = pinned("[flags.flagstaff_flag_x]\n", &[("FLAGSTAFF_FLAG_FLAGSTAFF_FLAG_X", "off")]);
    assert!(odd.unwrap().snapshot.flags()[0].pin.is_some());
    let pins = [("FLAGSTAFF_FLAG_NEW_FROM", "on"), ("FLAGSTAFF_FLAG_PRICES", "three")];
    let report = pinned(content, &pins).unwrap_err();
    let errors: Vec<_> = report.errors().map(|p| (p.file.as_str(), p.line, p.column, p.message.as_str())).collect();
    assert_eq!(errors, [("the environment", 2, 23, "the flag `prices` has no variant `three`")]);
    let alone = report.only_errors();
    assert_eq!((alone.errors().count(), alone.warnings().count()), (1, 0));
    assert!(alone.to_string().contains("^^^^^"), "{alone}");
    let warning = report.warnings().find(|p| p.file == "the environment").unwrap();
    assert_eq!((warning.severity, warning.line), (Severity::Warning, 1));
    assert_eq!(warning.help.as_deref(), Some("did you mean FLAGSTAFF_FLAG_NEW_FORM?"));
}

#[test]
fn an_edit_of_what_decides_changes_the_definition_and_nothing_else_does() {
    let definition = |content: &str| loaded(content).snapshot.flag_named("a").unwrap().definition;
    let base = "[flags.a]\npercent = 50\nowner = \"x\"\nvariants = { one = 50, two = 50 }\n";
    let before = definition(base);
    for same in [
        "# note\n[flags.b]\n\n[flags.a] # here\nowner    = 'x'\nvariants.one = 50.0\nvariants.two = 5_0\npercent = 0x32\n",
        "flags = { a = { variants = { one = 50, two = 50 }, percent = 50, owner = \"x\" } }",
    ] {
        assert_eq!(definition(same), before, "{same}");
    }
    let notes = [
        "description = \"new\"",
        "ticket = \"T-1\"",
        "created = 2026-11-01",
        "expires = 2099-01-31",
        "metadata = { team = \"x\" }",
        "enabled = false",
        "client = true",
        "testing = true",
        "gate = { paths = [\"/pay/*\"], when_off = { status = 503, body = \"soon\" } }",
    ];
    for note in notes {
        assert_eq!(definition(&format!("{base}{note}\n")), before, "{note}");
    }
    assert_eq!(definition(&base.replace("\"x\"", "\"y\"")), before, "another owner");
    for other in [
        base.replace("percent = 50", "percent = 50.001"),
        base.replace("one = 50, two = 50", "two = 50, one = 50"),
        base.replace("percent = 50\n", ""),
        format!("{base}salt = \"other\"\n"),
        format!("{base}sticky = \"visitor\"\n"),
        format!("{base}bucket_by = \"user\"\n"),
        format!("{base}exposed_on = [\"GET /a\"]\n"),
        format!("{base}allow = {{ users = [\"1\"] }}\n"),
        format!("{base}deny = {{ users = [\"1\"] }}\n"),
        format!("{base}rules = [{{ if = {{ country = \"DE\" }}, serve = \"one\" }}]\n"),
        format!("{base}guard = {{ errors = \"5xx\" }}\n"),
        format!("{base}values = {{ one = 1 }}\n"),
    ] {
        assert_ne!(definition(&other), before, "{other}");
    }
    let pin = [("FLAGSTAFF_FLAG_A", "off")];
    assert_eq!(pinned(base, &pin).unwrap().snapshot.flag_named("a").unwrap().definition, before);
    let over = overlaid(base, "[flags.a]\npercent = 50").unwrap();
    assert_eq!(over.snapshot.flag_named("a").unwrap().definition, before);
}

/// What ledgers hold of versions before must be recognised: these numbers never change.
#[test]
fn the_former_fingerprint_is_what_earlier_versions_recorded() {
    let former = |content: &str| loaded(content).snapshot.flag_named("a").unwrap().former_definition.to_string();
    assert_eq!(former("[flags.a]\n"), "da4b67039c7ca8ed");
    assert_eq!(
        former("[flags.a]\npercent = 50\nowner = \"x\"\nvariants = { one = 50, two = 50 }\n"),
        "3eb54d6239026583"
    );
}

#[test]
fn the_revision_is_that_of_the_bytes() {
    let loaded = loaded("[flags.a]\n");
    // printf '[flags.a]\n' | sha256sum
    let revision = "18dbf109b459124dffcdb2ce08e2068690403e45c91f88f69c0472703eedee47";
    assert_eq!(loaded.snapshot.revision(), revision);
    let again = overlaid("[flags.a]\n", "# nothing yet\n").unwrap();
    assert_ne!(loaded.snapshot.revision(), again.snapshot.revision());
}

#[test]
fn weights_and_flags_keep_their_order() {
    let snapshot =
        loaded("[flags.z]\nvariants = { zeta = 40, alpha = 30, mid = 30 }\n[flags.b]\n[flags.a]\n").snapshot;
    let names: Vec<_> = snapshot.flags().iter().map(|flag| flag.name.to_string()).collect();
    assert_eq!(names, ["z", "b", "a"]);
    let z = snapshot.flag_named("z").unwrap();
    assert_eq!(z.variants.name(z.variants.control()), "zeta");
    assert_eq!(z.variants.name(z.variants.at(69_999)), "alpha");
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    listen: Vec<String>,
    workers: u16,
    tls: Tls,
}

#[derive(Debug, Default, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    key: String,
}

#[test]
fn settings_are_read_the_same_way() {
    let content = "listen = [\"a\", \"b\"]\nworkers = 2\n[tls]\nkey = \"k\"\n";
    let (settings, spans) = read::<Settings>(text("flagstaff.toml", content)).unwrap();
    assert_eq!((settings.workers, settings.tls.key.as_str()), (2, "k"));
    let wrong = Problem::new(["listen", "1"], "no address").help("write 127.0.0.1:80");
    let odd = Problem::new(["tls", "key"], "readable by everybody");
    let report = spans.report(vec![wrong], vec![odd]);
    let told: Vec<_> = report.problems().iter().map(|p| (p.severity, p.line, p.column)).collect();
    assert_eq!(told, [(Severity::Error, 1, 16), (Severity::Warning, 4, 7)]);
    let bad = "lisen = []\nworkers = \"2\"\n[tls]\nkeyy = \"k\"\nkey = k\n[log]\n";
    let report = read::<Settings>(text("flagstaff.toml", bad)).unwrap_err();
    let told: Vec<_> = report.errors().map(|p| (p.line, p.column, p.help.clone().unwrap_or_default())).collect();
    let expected = [
        (1, 1, "did you mean `listen`?"),
        (2, 11, "write workers = 2, without quotes"),
        (4, 1, "did you mean `key`?"),
        (5, 7, "a word is written in quotes: key = \"k\""),
        (6, 2, "there are: listen, workers, tls"),
    ];
    assert_eq!(told, expected.map(|(line, column, help)| (line, column, help.to_owned())), "{report}");
}

#[test]
fn pins_take_the_usual_words_for_on_and_off() {
    let pinned = |value: &str, flag: &str| {
        let pins = vec![("FLAGSTAFF_FLAG_A".to_owned(), value.to_owned())];
        let text = Text { name: "flags.toml", bytes: flag.as_bytes() };
        let loaded = parse(text, None, &ParseOptions { pins, ..ParseOptions::default() });
        loaded.map(|loaded| {
            let flag = loaded.snapshot.flag_named("a").unwrap().clone();
            flag.variants.name(flag.pin.as_ref().unwrap().variant).to_owned()
        })
    };
    for (values, wanted) in [("on true 1 ON yes True YES", "on"), ("off false 0 OFF no False NO", "off")] {
        for value in values.split(' ') {
            assert_eq!(pinned(value, "[flags.a]\n").ok().as_deref(), Some(wanted), "{value}");
        }
    }
    let named = "[flags.a]\nvariants = { classic = 50, simple = 50 }\n";
    assert_eq!(pinned("Simple", named).ok().as_deref(), Some("simple"));
    assert!(pinned("simpel", named).unwrap_err().to_string().contains("did you mean `simple`?"));
    assert!(pinned("true", named).unwrap_err().to_string().contains("classic, simple"));
    assert_eq!(pinned("False", named).ok(), pinned("off", named).ok());
    assert!(pinned("maybe", "[flags.a]\n").is_err());
}
