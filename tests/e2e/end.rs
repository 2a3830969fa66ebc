//! The end of an experiment: archived with its results, given to everybody, and taken out once no code asks.

use std::fs;
use std::path::Path;

use flagstaff_flags::{Fact, FactKind};
use flagstaff_ledger::{FactStore, Location};
use flagstaff_source::{ParseOptions, Text, parse};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::experiment_flow::said;
use crate::harness::browser::Browser;
use crate::harness::command::{Said, flagstaff};
use crate::harness::crowd::{Crowd, form};
use crate::harness::program::Setup;
use crate::harness::stores::Desk;
use crate::harness::{eventually, run};

const FLAGS: &str = r#"# The flags of the shop.

# A form with three fields.
[flags.form]
owner = "growth"    # ask them
percent = 50
exposed_on = ["GET /form"]
goals = ["sent"]

[flags.other]
percent = 50

[goals.sent]
on = "POST /form"
status = "2xx,3xx"
"#;

fn folder(flags: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), flags).unwrap();
    folder
}

fn end(folder: &Path, line: &str) -> Said {
    let ledger = if line.contains("--ledger") { "" } else { " --ledger none" };
    flagstaff(folder, format!("end {line} --flags flags.toml{ledger}").split(' '), &[])
}

/// The same about flags in any store.
fn end_at(desk: &Desk, line: &str) -> Said {
    let ledger = if line.contains("--ledger") { "" } else { " --ledger none" };
    let line = format!("end {line} --flags {}{ledger}", desk.place());
    flagstaff(desk.folder.path(), line.split(' '), &[])
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn a_winner_is_archived_with_its_results_and_given_to_everybody() {
    let app = form();
    let mut program = Setup::to(&[app.address]).flags(FLAGS).top("workers = 2").start();
    let done = Crowd { address: program.address, visitors: 12_000, rates: [0.05, 0.075], noise: false }.comes();
    let path = |name: &str| program.path(name);
    // what was recorded is written within a second
    eventually("all are counted", || {
        let results = said(&program, "results form --json").json();
        results["sample_ratio"]["observed"] == json!(done.visitors)
    });

    let wrong = said(&program, "end form --winner off --json");
    let told = wrong.json();
    assert_eq!((wrong.code, &told["done"], &told["archived"]), (1, &json!(false), &json!(false)), "{told:#}");
    assert!(told["objections"][0].as_str().unwrap().contains("for `on`, not for `off`"), "{told:#}");
    assert_eq!(fs::read_to_string(path("flags.toml")).unwrap(), FLAGS);
    assert!(!path("flags.archive.toml").exists());

    let dry = said(&program, "end form --winner on --dry-run");
    assert!(dry.code == 0 && dry.out.contains("would be archived") && dry.out.contains("ship:"), "{dry:?}");
    assert!(!path("flags.archive.toml").exists() && fs::read_to_string(path("flags.toml")).unwrap() == FLAGS);

    let ended = said(&program, "end form --winner on --by ada --json");
    let told = ended.json();
    assert_eq!(
        (ended.code, &told["done"], &told["archived"], &told["removed"]),
        (0, &json!(true), &json!(true), &json!(false))
    );
    assert_eq!(
        (&told["keep"], &told["delete"], &told["unused_goals"]),
        (&json!("on"), &json!(["off"]), &json!(["sent"]))
    );
    assert!(told["next"].as_str().unwrap().contains("flagstaff end form --remove"));
    let after = FLAGS.replace("percent = 50\nexposed_on = [\"GET /form\"]\ngoals = [\"sent\"]\n", "");
    assert_eq!(fs::read_to_string(path("flags.toml")).unwrap(), after);

    // the running program gives it to everybody
    program.flags_in_force();
    for i in 0..20 {
        assert_eq!(Browser::of(program.address, &format!("comes-after-the-end{i:03}")).get("/form").text(), "on");
    }
    archived(&fs::read_to_string(path("flags.archive.toml")).unwrap(), done.visitors, done.conversions);

    assert_eq!(said(&program, "end form --remove").code, 0);
    program.flags_in_force();
    assert_eq!(Browser::of(program.address, "comes-after-the-end999").get("/form").text(), "off");
    assert_eq!(fs::read_to_string(path("flags.toml")).unwrap().matches("form]").count(), 0);
    assert!(program.stop().success());
}

/// What the archive says, read by any reader of TOML.
fn archived(text: &str, visitors: [u64; 2], conversions: [u64; 2]) {
    let archive: toml::Table = text.parse().unwrap();
    let one = serde_json::to_value(&archive["ended"][0]).unwrap();
    assert_eq!((&one["flag"], &one["winner"], &one["by"]), (&json!("form"), &json!("on"), &json!("ada")));
    assert_eq!((&one["forced"], &one["revision"].as_str().unwrap().len()), (&Value::Null, &64));
    assert!(archive["ended"][0]["at"].is_datetime());
    let text = one["text"].as_str().unwrap();
    assert!(
        text.starts_with("# A form with three fields.\n[flags.form]\nowner = \"growth\"    # ask them\n"),
        "{text}"
    );
    let results = &one["results"];
    assert_eq!((&results["verdict"]["kind"], &results["verdict"]["variant"]), (&json!("ship"), &json!("on")));
    assert_eq!(results["sample_ratio"]["observed"], json!(visitors));
    let goal = &results["goals"][0];
    for arm in 0..2 {
        let told = [&goal["variants"][arm]["visitors"], &goal["variants"][arm]["conversions"]];
        assert_eq!(told, [&json!(visitors[arm]), &json!(conversions[arm])]);
    }
    let compared = &goal["comparisons"][0];
    for key in ["difference", "lift", "p_value"] {
        assert!(compared[key].is_f64(), "{key}: {compared:#}");
    }
    assert!(compared["interval"][0].is_f64() && compared["always_valid"]["p_value"].is_f64(), "{compared:#}");
}

#[test]
fn without_a_ledger_it_ends_and_says_so() {
    Desk::all(FLAGS).iter().for_each(without_a_ledger_it_ends_and_says_so_at);
}

fn without_a_ledger_it_ends_and_says_so_at(desk: &Desk) {
    let ended = end_at(desk, "form --winner on");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("archived in ") && ended.out.contains(&desk.named(Some("archive"))), "{ended:?}");
    for wanted in ["no results were recorded", "everybody gets `on`", "X-Flag-Form", "dwf_form"] {
        assert!(ended.out.contains(wanted), "{wanted}: {}", ended.out);
    }
    let archive = desk.document(Some("archive")).unwrap();
    assert!(!archive.contains("results"), "{archive}");
    // again, as after a crash: nothing is said twice
    let again = end_at(desk, "form --winner on --json").json();
    assert_eq!((&again["archived"], &again["changed"], &again["done"]), (&json!(false), &json!(false), &json!(true)));
    assert_eq!(desk.document(Some("archive")).unwrap(), archive);
    for line in ["form --remove", "form --remove", "form --winner on", "form --winner on --remove"] {
        assert_eq!(end_at(desk, line).code, 0, "{line}");
    }
    assert!(!desk.document(None).unwrap().contains("flags.form"));
    assert_eq!(desk.document(Some("archive")).unwrap(), archive);
    let check = flagstaff(desk.folder.path(), ["check", &desk.place()], &[]);
    assert_eq!(check.code, 0, "{check:?}");
}

#[test]
fn a_ledger_that_should_be_there_and_is_not_ends_nothing() {
    Desk::all(FLAGS).iter().for_each(a_ledger_that_should_be_there_and_is_not_ends_nothing_at);
}

fn a_ledger_that_should_be_there_and_is_not_ends_nothing_at(desk: &Desk) {
    let said = end_at(desk, "form --winner on --ledger typo.db");
    assert!(said.code == 1 && said.out.contains("there is no ledger at") && said.out.contains("--force"), "{said:?}");
    assert_eq!(desk.document(None).unwrap(), FLAGS);
    assert_eq!(end_at(desk, "form --winner on --ledger typo.db --force").code, 0);
}

#[test]
fn at_once_when_the_code_is_gone_already() {
    Desk::all(FLAGS).iter().for_each(at_once_when_the_code_is_gone_already_at);
}

fn at_once_when_the_code_is_gone_already_at(desk: &Desk) {
    assert_eq!(end_at(desk, "form --winner on --remove").code, 0);
    assert!(!desk.document(None).unwrap().contains("form]"));
    assert!(desk.document(Some("archive")).unwrap().contains("percent = 50"));
}

#[test]
fn what_makes_no_sense_is_refused() {
    Desk::all(&format!(
        "{FLAGS}[flags.dark]\nenabled = false\n[flags.price]\nvariants = {{ a = 50, b = 50 }}\n[flags.needy]\nrequires = [\"other\"]\n"
    )).iter().for_each(what_makes_no_sense_is_refused_at);
}

fn what_makes_no_sense_is_refused_at(desk: &Desk) {
    let before = desk.document(None).unwrap();
    for (line, code, wanted) in [
        ("form --winner maybe", 2, "it can be: off, on"),
        ("price --winner on", 2, "it can be: a, b"),
        ("from --winner on", 2, "did you mean `form`?"),
        ("form --remove", 2, "name the winner with --winner (off, on)"),
        ("form", 2, "--winner"),
        ("other --winner off", 2, format!("{}:21:13", desk.named(None)).as_str()),
        ("form --winner on --code nowhere", 2, "no such folder"),
    ] {
        let said = end_at(desk, line);
        assert!(said.code == code && said.err.contains(wanted), "{line}: {said:?}");
    }
    let dark = end_at(desk, "dark --winner on");
    assert!(dark.code == 1 && dark.out.contains("is off now") && dark.out.contains("--force"), "{dark:?}");
    assert_eq!(desk.document(None).unwrap(), before);
    assert_eq!(desk.document(Some("archive")), None);
    assert_eq!(end_at(desk, "dark --winner on --force").code, 0);
    assert!(desk.document(Some("archive")).unwrap().contains("forced = true"));
    desk.write_document(Some("production"), "[flags.form]\npercent = 5\n");
    let overlaid = end_at(desk, "form --winner on");
    let place = format!("{}:1:8", desk.named(Some("production")));
    assert!(overlaid.code == 2 && overlaid.err.contains(&place), "{overlaid:?}");
}

#[test]
fn code_that_asks_is_found_and_keeps_the_flag() {
    let folder = folder(FLAGS);
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(
        "app/views.py",
        "def page(request):\n    if request.META.get(\"HTTP_X_FLAG_FORM\") == \"on\":\n        pass\n",
    );
    write("app/templates/page.html", "{% flag form %}<p>{% endflag %}\n<form action=\"/formula\">\n");
    write("app/all.js", "const all = headers['x-flags'];\nconst brand = 'platform';\n");
    write("app/.gitignore", "build/\n");
    write("app/build/views.py", "HTTP_X_FLAG_FORM\n");
    write("app/logo.png", "\u{0}X-Flag-Form");
    let ended = end(folder.path(), "form --winner on --code app --json").json();
    let lines: Vec<_> = ended["code"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["file"].as_str().unwrap(), &one["line"], one["kind"].as_str().unwrap()))
        .collect();
    let (one, two) = (json!(1), json!(2));
    let expected = [
        ("app/all.js", &one, "all_flags"),
        ("app/templates/page.html", &one, "waffle"),
        ("app/templates/page.html", &two, "name"),
        ("app/views.py", &two, "header"),
    ];
    assert_eq!(lines, expected, "{ended:#}");
    let text = end(folder.path(), "form --winner on --code app").out;
    assert!(text.contains("keep the branch of `on`, delete that of `off`"), "{text}");
    assert!(text.contains("app/views.py:2: if request.META.get"), "{text}");

    let early = end(folder.path(), "form --remove --code app");
    assert!(early.code == 1 && early.out.contains("2 lines still ask for `form`"), "{early:?}");
    assert!(read(folder.path(), "flags.toml").contains("[flags.form]"));
    write("app/views.py", "def page(request):\n    pass\n");
    write("app/templates/page.html", "<form action=\"/formula\">\n");
    assert_eq!(end(folder.path(), "form --remove --code app").code, 0);
    assert!(!read(folder.path(), "flags.toml").contains("[flags.form]"));

    // who edits the flag after its end has something else in mind
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    let edited = end(folder.path(), "form --remove");
    assert!(edited.code == 1 && edited.out.contains("was changed since"), "{edited:?}");
}

#[test]
fn what_a_guard_took_back_does_not_come_back_by_accident() {
    let flags = "[flags.form]\npercent = 50\nguard = { errors = \"5xx\" }\n";
    let folder = folder(flags);
    let text = Text { name: "flags.toml", bytes: flags.as_bytes() };
    let snapshot = parse(text, None, &ParseOptions::default()).unwrap().snapshot;
    let flag = snapshot.flag_named("form").unwrap();
    let fact = |kind, number| Fact {
        flag: flag.name.clone(),
        number,
        at: jiff::Timestamp::now(),
        definition: flag.definition,
        kind,
        step: 0,
        by: "guard".into(),
        why: "errors".into(),
        evidence: None,
    };
    run(async {
        let place = Location::file(&folder.path().join("flagstaff.db")).unwrap();
        let mut register = FactStore::open(&place).await.unwrap();
        assert!(register.add(&[fact(FactKind::Defined, 1), fact(FactKind::Tripped, 2)]).await.unwrap());
        register.close().await;
    });
    let tripped = end(folder.path(), "form --winner on --ledger flagstaff.db");
    assert!(tripped.code == 1 && tripped.out.contains("its guard rolled `form` back"), "{tripped:?}");
    assert_eq!(read(folder.path(), "flags.toml"), flags);
    assert_eq!(end(folder.path(), "form --winner off --ledger flagstaff.db").code, 0);
}
