//! The commands, as people and scripts use them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use flagstaff_flags::Draw;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::flags_spoofing::KEYS;
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::command::{Said, flagstaff};
use crate::harness::eventually;
use crate::harness::free_address;
use crate::harness::program::Setup;
use crate::harness::stores::Desk;

fn folder(flags: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), flags).unwrap();
    folder
}

#[track_caller]
fn said(folder: &TempDir, line: &str) -> Said {
    let words = line.split(' ');
    flagstaff(folder.path(), words.chain(["--flags", "flags.toml"]), &[])
}

/// A command about the flags of a desk, without a ledger.
#[track_caller]
fn said_at(desk: &Desk, line: &str) -> Said {
    let place = desk.place();
    flagstaff(desk.folder.path(), line.split(' ').chain(["--flags", &place]), &[])
}

fn shipped() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/flags.toml")).unwrap()
}

// ── check ────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Lines of a file with twelve mistakes, each with what is wrong in it.
const MISTAKES: [(&str, Option<&str>); 50] = [
    ("[flags.first]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("percnt = 50", Some("percnt")),
    ("goals = [\"contact_sent\", \"contact_snt\"]", Some("\"contact_snt\"")),
    ("", None),
    ("[flags.SecondFlag]", Some("SecondFlag")),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("", None),
    ("[flags.third]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("percent = 130", Some("130")),
    ("enabled = \"yes\"", Some("\"yes\"")),
    ("", None),
    ("[flags.fourth]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("description = \"ä ö ü\"", None),
    ("variants = { a = 50, b = 40 }", Some("{ a")),
    ("", None),
    ("[flags.fifth]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("requires = [\"sixth\"]", Some("[\"sixth")),
    ("", None),
    ("[flags.sixth]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("requires = [\"fifth\"]", None),
    ("", None),
    ("[flags.seventh]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("layer = \"nowhere\"", Some("\"nowhere\"")),
    ("allow = { roles = [\"größte\"], segments = [\"beta_tester\"] }", Some("\"beta_tester\"")),
    ("", None),
    ("[flags.eighth]", None),
    ("owner = \"growth\"", None),
    ("expires = 2099-01-31", None),
    ("rollout.steps = [{ percent = 25, hold = \"30m\" }, { percent = 5 }]", Some("5 }]")),
    ("rules = [{ if = { contry = \"DE\" }, serve = \"on\" }]", Some("contry")),
    ("created = \"last week\"", Some("\"last week\"")),
    ("", None),
    ("[goals.contact_sent]", None),
    ("on = \"POST /contact\"", None),
    ("", None),
    ("[segments.beta_testers]", None),
    ("any = [{ group = \"beta\" }]", None),
];

fn mistaken() -> String {
    MISTAKES.map(|(line, _)| format!("{line}\n")).concat()
}

/// Line and column of every mistake, both from 1, columns in characters.
fn places() -> Vec<(u64, u64)> {
    let place = |(n, (line, wrong)): (usize, &(&str, Option<&str>))| {
        let at = line.find((*wrong)?).unwrap();
        let column = line[..at].chars().count() + 1;
        Some((n as u64 + 1, column as u64))
    };
    MISTAKES.iter().enumerate().filter_map(place).collect()
}

#[test]
fn check_tells_twelve_mistakes_each_at_its_place() {
    let folder = folder(&mistaken());
    let wanted = places();
    assert_eq!(wanted.len(), 12);

    let answer = said(&folder, "check --json");
    assert_eq!(answer.code, 1);
    let json = answer.json();
    let problems = json["problems"].as_array().unwrap();
    let found: Vec<_> =
        problems.iter().map(|p| (p["line"].as_u64().unwrap(), p["column"].as_u64().unwrap())).collect();
    assert_eq!(found, wanted, "{problems:#?}");
    for problem in problems {
        assert_eq!(problem["severity"], "error");
        assert!(!problem["message"].as_str().unwrap().is_empty());
        assert!(problem["help"].is_string(), "says what to write: {problem}");
    }
    let flags: Vec<_> = problems.iter().map(|p| p["flag"].as_str().unwrap()).collect();
    let named = [
        "first",
        "first",
        "SecondFlag",
        "third",
        "third",
        "fourth",
        "fifth",
        "seventh",
        "seventh",
        "eighth",
        "eighth",
        "eighth",
    ];
    assert_eq!(flags, named);

    let text = said(&folder, "check");
    assert_eq!(text.code, 1);
    assert!(text.out.ends_with("12 errors\n"), "{}", text.out);
    assert!(!text.out.contains('\x1b'), "colour only on a terminal");
    for ((line, column), problem) in wanted.iter().zip(problems) {
        assert!(text.out.contains(&format!("flags.toml:{line}:{column}\n")), "{}", text.out);
        assert!(text.out.contains(problem["message"].as_str().unwrap()));
        assert!(text.out.contains(problem["help"].as_str().unwrap()));
    }
    assert_eq!(text.out.lines().filter(|line| line.contains('^')).count(), 12, "a caret each");
}

#[test]
fn check_says_by_its_exit_code_how_it_is() {
    let fine = folder("[flags.a]\nowner = \"me\"\nexpires = 2099-01-31\npercent = 5\n");
    assert_eq!(said(&fine, "check").code, 0);
    assert_eq!(said(&fine, "check --strict").code, 0);
    assert_eq!(said(&fine, "check --json").json(), json!({ "problems": [] }));

    let odd = folder("[flags.a]\npercent = 5\n");
    assert_eq!(said(&odd, "check").code, 0);
    assert_eq!(said(&odd, "check --strict").code, 1);
    let warnings = said(&odd, "check --json").json();
    let all = warnings["problems"].as_array().unwrap();
    assert!(!all.is_empty() && all.iter().all(|p| p["severity"] == "warning"), "{all:?}");

    for (text, code) in [("[flags.a", 1), ("", 1), ("[flags.a]\npercent = 101\n", 1)] {
        assert_eq!(said(&folder(text), "check").code, code, "{text}");
    }
    let nowhere = flagstaff(fine.path(), ["check", "nowhere.toml"], &[]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("nowhere.toml"), "{}", nowhere.err);
    assert_eq!(flagstaff(fine.path(), ["check", "--no-such-option"], &[]).code, 2);
    assert_eq!(flagstaff(fine.path(), ["check", "flags.toml"], &[]).code, 0);
}

#[test]
fn the_shipped_flags_are_fine() {
    let answer = said(&folder(&shipped()), "check");
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(!answer.out.contains("error:"), "{}", answer.out);
}

#[test]
fn nothing_is_bound_when_something_is_wrong() {
    let folder = folder(&mistaken());
    let (listen, admin) = (free_address().to_string(), free_address().to_string());
    let run = ["run", "--flags", "flags.toml", "--listen", &listen, "--admin", &admin];
    let answer = flagstaff(folder.path(), run, &[]);
    assert_eq!(answer.code, 2);
    assert!(answer.err.contains("flags.toml:4:1"), "{}", answer.err);
    assert_eq!(answer.out, "", "no address was said");

    let settings = "listen = [\"nowhere\"]\nworkrs = 3\n[timeouts]\nconnect = \"soon\"\n";
    fs::write(folder.path().join("flagstaff.toml"), settings).unwrap();
    let answer = flagstaff(folder.path(), ["run", "--config", "flagstaff.toml"], &[]);
    assert_eq!(answer.code, 2);
    for place in ["flagstaff.toml:2:1", "flagstaff.toml:4:11"] {
        assert!(answer.err.contains(place), "{place}: {}", answer.err);
    }
}

// ── schema ───────────────────────────────────────────────────────────────────────────────────────────────────────

/// TOML as JSON: points in time become texts, as editors see them.
fn as_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(all) => all.into_iter().map(as_json).collect(),
        toml::Value::Table(table) => {
            let entries = table.into_iter().map(|(key, value)| (key, as_json(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

#[test]
fn the_schema_takes_the_shipped_flags_and_refuses_mistakes() {
    let schema = flagstaff(Path::new("."), ["schema"], &[]);
    assert_eq!(schema.code, 0);
    let schema = jsonschema::validator_for(&schema.json()).unwrap();
    let read = |text: &str| as_json(toml::Value::Table(text.parse().unwrap()));
    let wrong: Vec<_> = schema.iter_errors(&read(&shipped())).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(!schema.is_valid(&read(&mistaken())));
    // What a file alone shows to be wrong, the schema shows too, one by one.
    for wrong in [
        "percnt = 50",
        "percent = 130",
        "percent = -1",
        "enabled = \"yes\"",
        "goals = \"contact_sent\"",
        "sticky = \"always\"",
        "created = \"last week\"",
        "rollout = { steps = [{ percnt = 1 }] }",
        "guard = { on_trip = \"explode\" }",
        "gate = { paths = 3 }",
    ] {
        assert!(!schema.is_valid(&read(&format!("[flags.a]\n{wrong}\n"))), "{wrong}");
    }
    assert!(schema.is_valid(&read("[flags.a]\npercent = 50\n")));
}

// ── explain ──────────────────────────────────────────────────────────────────────────────────────────────────────

const STEPS: &str = r#"
[flags.pinned_here]
percent = 0

[flags.disabled_one]
enabled = false

[flags.guarded]
percent = 50
guard = { errors = "5xx" }

[flags.needy]
requires = ["disabled_one"]

[flags.trial]
percent = 0
testing = true

[flags.listed]
allow = { users = ["42"], groups = ["beta"] }
deny = { users = ["13"] }

[[flags.ruled.rules]]
if = { country = "DE", path = "/app/*" }
serve = "on"

[flags.left]
layer = "shared"

[flags.right]
layer = "shared"

[flags.price]
variants = { classic = 50, simple = 50 }
percent = 1
sticky = "visitor"

[flags.half]
percent = 50

[layers.shared]
slices = { left = [0, 50], right = [50, 100] }
"#;

/// A visitor of the right half of the layer.
fn right_of_layer() -> String {
    let mut ids = (0..).map(|n| format!("v{n}"));
    ids.find(|id| Draw::of("shared", id).position() >= 50_000).unwrap()
}

#[test]
fn explain_names_the_step_that_decided() {
    let folder = folder(STEPS);
    let right = format!("left --visitor {}", right_of_layer());
    for (asked, step, variant, reason, code) in [
        ("nowhere", "unknown", "off", "DEFAULT", 1),
        ("pinned_here", "pinned", "on", "STATIC", 0),
        ("disabled_one", "disabled", "off", "DISABLED", 0),
        ("guarded --tripped guarded", "tripped", "off", "DISABLED", 0),
        ("needy", "requires", "off", "DEFAULT", 0),
        ("trial --path /?flagstaff.trial=on", "override", "on", "TARGETING_MATCH", 0),
        ("trial --header X-Flag-Override=trial=on", "override", "on", "TARGETING_MATCH", 0),
        ("listed --user 13 --group beta", "deny", "off", "TARGETING_MATCH", 0),
        ("listed --user 42", "allow", "on", "TARGETING_MATCH", 0),
        ("listed --user 7 --group beta", "allow", "on", "TARGETING_MATCH", 0),
        ("ruled --country DE --path /app/start", "rule", "on", "TARGETING_MATCH", 0),
        (&right, "layer", "off", "SPLIT", 0),
        ("price --visitor x --sticky price=simple", "sticky", "simple", "SPLIT", 0),
        ("half --visitor x", "percent", "", "SPLIT", 0),
        ("trial", "percent", "off", "STATIC", 0),
        ("listed --user 7", "percent", "off", "DEFAULT", 0),
    ] {
        let run = |json: bool| {
            let line = format!("explain {asked} --flags flags.toml{}", if json { " --json" } else { "" });
            flagstaff(folder.path(), line.split(' '), &[("FLAGSTAFF_FLAG_PINNED_HERE", "on")])
        };
        let answer = run(true);
        assert_eq!(answer.code, code, "{asked}: {answer:?}");
        let json = answer.json();
        assert_eq!(json["step"], step, "{asked}: {json:#}");
        assert_eq!(json["reason"], reason, "{asked}: {json:#}");
        assert!(variant.is_empty() || json["variant"] == variant, "{asked}: {json:#}");
        let trace = json["trace"].as_array().unwrap();
        let (last, before) = trace.split_last().unwrap();
        assert_eq!((&last["step"], &last["outcome"]), (&json!(step), &json!("decided")));
        assert!(before.iter().all(|t| t["outcome"] == "passed"), "{trace:#?}");
        assert!(!last["detail"].as_str().unwrap().is_empty());
        let text = run(false).out;
        assert!(text.contains(&format!("▶ {step}")), "{text}");
    }
}

#[test]
fn explain_follows_the_order_of_the_steps() {
    let folder = folder(STEPS);
    let answer = said(&folder, "explain half --visitor x --json").json();
    let steps: Vec<_> =
        answer["trace"].as_array().unwrap().iter().map(|t| t["step"].as_str().unwrap().to_owned()).collect();
    let order = [
        "unknown", "pinned", "disabled", "tripped", "requires", "override", "deny", "allow", "rule", "holdout",
        "layer", "sticky", "percent",
    ];
    assert_eq!(steps, order);
}

/// The draw is what anyone can compute with one line of Python.
#[test]
fn explain_agrees_with_one_line_of_python() {
    let folder = folder(STEPS);
    for visitor in ["x", "0b9cK-some_visitor0000", "žluťoučký"] {
        let answer = said(&folder, &format!("explain half --visitor {visitor} --json")).json();
        let line = "import hashlib, sys; x = int(hashlib.sha256(('half:' + sys.argv[1]).encode()).hexdigest(), 16); r = x % 100000; \
                    print(x % 100, (r % 100) * 1000 + r // 100, x // 100000 % 100000)";
        let python = Command::new("python3").args(["-X", "utf8", "-c", line, visitor]).output().unwrap();
        let numbers = format!("{} {} {}\n", answer["bucket"], answer["position"], answer["split"]);
        assert_eq!(String::from_utf8(python.stdout).unwrap(), numbers);
        let on = answer["bucket"].as_u64().unwrap() < 50;
        assert_eq!(answer["variant"], if on { "on" } else { "off" });
        assert_eq!(answer["unit"], visitor);
    }
}

/// A flag that comes from Flipper is drawn as there, and the explanation has what anyone can compute again.
#[test]
fn explain_shows_the_formula_of_another_system() {
    let folder = folder("[flags.form]\npercent = 40\n");
    let line =
        ["set", "form", "hash={ as = \"flipper\", key = \"Form\", prefix = \"User;\" }", "--flags", "flags.toml"];
    assert_eq!(flagstaff(folder.path(), line, &[]).code, 0);
    for visitor in ["7", "8", "žluťoučký"] {
        let answer = said(&folder, &format!("explain form --visitor {visitor} --json")).json();
        let line = "import sys, zlib; print(zlib.crc32(('FormUser;' + sys.argv[1]).encode()) % 100000)";
        let python = Command::new("python3").args(["-X", "utf8", "-c", line, visitor]).output().unwrap();
        let number = &answer["numbers"][0];
        assert_eq!(String::from_utf8(python.stdout).unwrap(), format!("{}\n", number["number"]));
        assert_eq!(
            (&answer["formula"], &number["of"], &answer["position"]),
            (&"flipper".into(), &100_000.into(), &number["number"])
        );
        assert_eq!(number["text"], format!("FormUser;{visitor}"));
        let on = number["number"].as_u64().unwrap() < 40_000;
        assert_eq!(answer["variant"], if on { "on" } else { "off" });
        let text = said(&folder, &format!("explain form --visitor {visitor}")).out;
        assert!(
            text.contains(&format!("by flipper: \"FormUser;{visitor}\" is {} of 100000", number["number"])),
            "{text}"
        );
    }
    let text = said(&folder, "list").out;
    assert!(text.lines().next().unwrap().ends_with("FORMULA") && text.contains("flipper"), "{text}");
}

// ── list, simulate ───────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn list_has_what_scripts_rely_on() {
    let folder = folder(
        "[flags.a]\npercent = 12.5\nowner = \"me\"\nexpires = 2020-01-31\n\n[flags.b]\nvariants = { x = 75, y = 25 }\n\n\
         [flags.c]\ncreated = 2020-01-01\n\n[flags.d]\nenabled = false\n",
    );
    assert!(!said(&folder, "list").out.contains("FORMULA"), "all have our own");
    let all = said(&folder, "list --json").json();
    let names = |value: &Value| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|flag| flag["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&all), ["a", "b", "c", "d"]);
    let a = &all[0];
    for (key, value) in [
        ("enabled", json!(true)),
        ("percent", json!(12.5)),
        ("variants", json!(["off", "on"])),
        ("owner", json!("me")),
        ("expires", json!("2020-01-31")),
        ("state", json!("split")),
        ("origin", json!("file")),
        ("formula", json!("sha256")),
    ] {
        assert_eq!(a[key], value, "{key}");
    }
    assert_eq!(all[1]["variants"], json!({ "x": 75.0, "y": 25.0 }));
    assert_eq!((&all[1]["owner"], &all[1]["expires"]), (&Value::Null, &Value::Null));
    assert_eq!((&all[3]["enabled"], &all[3]["state"]), (&json!(false), &json!("off")));
    assert_eq!(names(&said(&folder, "list --expired --json").json()), ["a"]);
    assert_eq!(names(&said(&folder, "list --stale --json").json()), ["c"]);
    let text = said(&folder, "list").out;
    for name in ["a ", "b ", "c ", "d "] {
        assert!(text.lines().any(|line| line.starts_with(name)), "{text}");
    }
}

#[test]
fn pins_and_overlays_are_seen_everywhere() {
    let folder = folder("[flags.a]\npercent = 50\n\n[flags.b]\npercent = 50\n\n[flags.c]\npercent = 50\n");
    fs::write(folder.path().join("flags.production.toml"), "[flags.b]\npercent = 0\n").unwrap();
    let run = |line: &str| {
        let words = line.split(' ').chain(["--flags", "flags.toml", "--environment", "production"]);
        flagstaff(folder.path(), words, &[("FLAGSTAFF_FLAG_A", "on")])
    };
    let list = run("list --json").json();
    assert_eq!(list[0]["origin"], "pinned to on by FLAGSTAFF_FLAG_A");
    assert_eq!((&list[0]["state"], &list[0]["percent"]), (&json!("on"), &json!(100.0)), "what is served here");
    assert_eq!((&list[1]["origin"], &list[1]["percent"]), (&json!("overlay production"), &json!(0.0)));
    assert_eq!(list[2]["origin"], "file");
    let text = run("list").out;
    assert!(text.contains("FLAGSTAFF_FLAG_A") && text.contains("overlay production"), "{text}");
    assert_eq!(run("explain a --json").json()["step"], "pinned");
    // Switching off what a pin holds fast is not done, and says so.
    let off = run("off a");
    assert_eq!(off.code, 1, "{off:?}");
    assert!(off.out.contains("FLAGSTAFF_FLAG_A"), "{}", off.out);
}

/// What an edit for one environment changes in others is said first, and its undo goes where the edit went.
#[test]
fn an_edit_for_one_environment_says_what_it_changes_in_others() {
    let folder = folder("[flags.a]\npercent = 5\n\n[flags.b]\npercent = 10\n");
    let file = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    fs::write(folder.path().join("flags.staging.toml"), "[flags.b]\npercent = 20\n").unwrap();
    fs::write(folder.path().join("flags.production.toml"), "[flags.b]\npercent = 30\n").unwrap();
    let before = file("flags.toml");
    for environment in ["staging", "stagin"] {
        let asked = said(&folder, &format!("set a percent=100 --environment {environment}"));
        let others = if environment == "staging" { "of production read" } else { "of production and staging read" };
        assert!(asked.code == 1 && asked.err.contains(others), "{asked:?}");
        assert_eq!(file("flags.toml"), before);
    }
    assert_eq!(said(&folder, "set a owner=ada --environment staging").code, 0, "nobody's variant changes");
    assert_eq!(said(&folder, "set a percent=100 --environment staging --yes").code, 0);
    assert!(file("flags.toml").contains("percent = 100"));
    let done = said(&folder, "set b percent=100 --environment production");
    let undo = "flagstaff set b percent=30 --flags flags.toml --environment production";
    assert!(done.code == 0 && done.out.contains(undo), "its overlay has its own word: {done:?}");
}

#[test]
fn pins_and_overlays_hold_in_the_running_program() {
    let app = App::mirror();
    let program = Setup::to(&[app.address])
        .top("environment = \"production\"")
        .env("FLAGSTAFF_FLAG_PINNED", "on")
        .flags("[flags.pinned]\nenabled = false\n\n[flags.overlaid]\nenabled = false\n\n[flags.neither]\nenabled = false\n")
        .file("flags.production.toml", "[flags.overlaid]\nenabled = true\n")
        .start();
    let head = program.get("/").1.to_lowercase();
    assert!(head.contains("x-flags: pinned=on, overlaid=on\r\n"), "{head}");
}

#[test]
fn simulate_has_what_scripts_rely_on() {
    let folder = folder(&shipped());
    let run = |line: &str| {
        let answer = said(&folder, &format!("simulate {line} --json"));
        assert_eq!(answer.code, 0, "{answer:?}");
        let json = answer.json();
        let counts = json["variants"].as_object().unwrap().clone();
        let sum: u64 = counts.values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(Some(sum), json["visitors"].as_u64());
        json
    };
    let near = |json: &Value, name: &str, wanted: f64| {
        let share = json["variants"][name].as_f64().unwrap_or(0.0) / json["visitors"].as_f64().unwrap();
        assert!((share - wanted).abs() < 0.02, "{name}: {json}");
    };
    let half = run("show_new_contact_form");
    assert_eq!((&half["flag"], &half["percent"]), (&json!("show_new_contact_form"), &json!(50.0)));
    assert_eq!(half["visitors"], 10_000);
    near(&half, "on", 0.5);
    let supposed = run("show_new_contact_form --percent 12.5 --visitors 20000");
    assert_eq!((&supposed["percent"], &supposed["visitors"]), (&json!(12.5), &json!(20_000)));
    near(&supposed, "on", 0.125);
    // A rollout begins with its first step.
    let rollout = run("new_checkout");
    assert_eq!(rollout["percent"], 25.0);
    near(&rollout, "on", 0.25);
    let variants = run("pricing_display --visitors 20000");
    near(&variants, "simple", 0.125);
    near(&variants, "annual_first", 0.125);
    assert_eq!(said(&folder, "simulate show_new_contact_form --percent 101").code, 2);
    let wrong = said(&folder, "simulate show_new_contact_from --json");
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("show_new_contact_form"), "{}", wrong.err);
}

// ── set, on, off ─────────────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn edits_change_what_they_say_and_nothing_else() {
    Desk::all(&shipped()).iter().for_each(edits_change_what_they_say_and_nothing_else_at);
}

fn edits_change_what_they_say_and_nothing_else_at(desk: &Desk) {
    let text = shipped();
    let now = || desk.document(None).unwrap();
    let said = |line: &str| said_at(desk, line);
    let changed = |from: &str, to: &str| {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text.replace(from, to)
    };
    let line = "percent = 50                            # of visitors";
    assert_eq!(said("set show_new_contact_form percent=20").code, 0);
    assert_eq!(now(), changed(line, &line.replace("50", "20")));
    assert_eq!(said("set show_new_contact_form percent=50").code, 0);
    assert_eq!(now(), text, "and back");

    assert_eq!(said("set new_checkout guard.false_alarm=0.01 owner=payments rollout.steps.0.hold=2h").code, 0);
    let edited = text
        .replace("false_alarm = 0.001", "false_alarm = 0.01")
        .replace("owner = \"checkout\"", "owner = \"payments\"")
        .replace("{ percent = 25, hold = \"30m\"", "{ percent = 25, hold = \"2h\"");
    assert_eq!(now(), edited);
    desk.write_document(None, &text);

    let enabled = "enabled = true                          # false";
    assert_eq!(said("off show_new_contact_form").code, 0);
    assert_eq!(now(), changed(enabled, &enabled.replace("true", "false")));
    assert_eq!(said("list --json").json()[0]["state"], "off");
    assert_eq!(said("on show_new_contact_form").code, 0);
    assert_eq!(now(), text, "on undoes off");
    assert_eq!(said("on show_new_contact_form --everyone").code, 0);
    let on = said("list --json").json();
    assert_eq!((&on[0]["state"], &on[0]["percent"]), (&json!("on"), &json!(100.0)));
    for comment in text.lines().filter_map(|line| Some(line.split_once('#')?.1)) {
        assert!(now().contains(comment), "kept: {comment}");
    }
}

#[test]
fn edits_that_would_break_the_file_are_refused() {
    Desk::all(&shipped()).iter().for_each(edits_that_would_break_the_file_are_refused_at);
}

fn edits_that_would_break_the_file_are_refused_at(desk: &Desk) {
    let text = shipped();
    for (line, word) in [
        ("set show_new_contact_form percent=130", "0 to 100"),
        ("set show_new_contact_form percnt=20", "percent"),
        ("set show_new_contact_form goals=[\"contact_snt\"]", "contact_sent"),
        ("set show_new_contact_form enabled=maybe", "true"),
        ("set nowhere percent=20", "nowhere"),
        ("set show_new_contact_from percent=20", "show_new_contact_form"),
        ("off nowhere", "nowhere"),
        ("set show_new_contact_form percent", "NAME=VALUE"),
    ] {
        let answer = said_at(desk, line);
        assert_eq!(answer.code, 2, "{line}: {answer:?}");
        assert!(answer.err.contains(word), "{line}: {}", answer.err);
        assert_eq!(desk.document(None).as_deref(), Some(text.as_str()), "{line}");
    }
    let left: Vec<_> = fs::read_dir(desk.folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| name == "flags.toml"), "nothing is left lying about: {left:?}");
}

// ── link, completions, the rest ──────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_signed_link_gives_its_variant_for_a_session() {
    let app = App::mirror();
    let flags = "[flags.form]\npercent = 0\n\n[flags.price]\nvariants = { classic = 50, simple = 50 }\npercent = 0\n";
    let program = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(flags).start();
    let link = |words: &[&str], keys: &[(&str, &str)]| {
        let start = ["link", "http://shop.example/page?a=1#here"];
        let end = ["--flags", "flags.toml"];
        flagstaff(program.folder.path(), start.iter().chain(words).chain(&end), keys)
    };
    let keys = [("FLAGSTAFF_KEYS", KEYS)];
    let target = |answer: &Said| {
        let url = answer.out.trim().strip_prefix("http://shop.example").unwrap();
        let (target, fragment) = url.split_once('#').unwrap();
        assert_eq!(fragment, "here");
        target.to_owned()
    };
    let shown = |browser: &mut Browser, target: &str| {
        let head = browser.get(target).text().to_lowercase();
        (head.contains("x-flag-form: on"), head.contains("x-flag-price: simple"))
    };
    let signed = target(&link(&["form=on", "price=simple"], &keys));
    let mut browser = Browser::new(program.address);
    assert_eq!(shown(&mut browser, "/"), (false, false));
    assert_eq!(shown(&mut browser, &signed), (true, true));
    assert_eq!(shown(&mut browser, "/other"), (true, true), "remembered for the session");
    assert_eq!(shown(&mut Browser::new(program.address), "/"), (false, false));

    let fresh = || Browser::new(program.address);
    let one = target(&link(&["price=classic"], &keys));
    assert_eq!(shown(&mut fresh(), &one.replace("classic", "simple")), (false, false), "changed");
    assert_eq!(shown(&mut fresh(), &format!("{one}&flagstaff.form=on")), (false, false), "added to");
    let brief = target(&link(&["form=on", "--for", "1s"], &keys));
    eventually("it ends", || shown(&mut fresh(), &brief) == (false, false));
    assert_eq!(link(&["form=on", "--for", "0s"], &keys).code, 2);
    assert_eq!(link(&["form=on", "form=off"], &keys).code, 2);
    let other = [("FLAGSTAFF_KEYS", "some other key that signs and is long enough")];
    assert_eq!(shown(&mut fresh(), &target(&link(&["form=on"], &other))), (false, false), "another key");

    let without = link(&["form=on"], &[]);
    assert_eq!(without.code, 2);
    assert!(without.err.contains("FLAGSTAFF_KEYS"), "{}", without.err);
    assert_eq!(link(&["form=purple"], &keys).code, 2);
    assert_eq!(link(&["from=on"], &keys).code, 2);
}

#[test]
fn completions_are_printed_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let answer = flagstaff(Path::new("."), ["completions", shell], &[]);
        assert_eq!(answer.code, 0);
        for word in ["simulate", "explain", "completions", "--strict"] {
            assert!(answer.out.contains(word.trim_start_matches("--")), "{shell}: {word}");
        }
    }
    let script = flagstaff(Path::new("."), ["completions", "bash"], &[]).out;
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(bash.wait().unwrap().success());
    assert_eq!(flagstaff(Path::new("."), ["completions", "cmd"], &[]).code, 2);
}

#[test]
fn help_and_version_answer() {
    let help = flagstaff(Path::new("."), ["--help"], &[]);
    assert_eq!(help.code, 0);
    for command in
        ["run", "check", "list", "explain", "simulate", "set", "on", "off", "link", "schema", "completions"]
    {
        assert!(help.out.lines().any(|line| line.trim_start().starts_with(command)), "{command}: {}", help.out);
        let own = flagstaff(Path::new("."), [command, "--help"], &[]);
        assert_eq!(own.code, 0, "{command}");
    }
    let version = flagstaff(Path::new("."), ["--version"], &[]).out;
    assert_eq!(version.trim(), format!("flagstaff {}", env!("CARGO_PKG_VERSION")));
    assert_eq!(flagstaff(Path::new("."), ["dance"], &[]).code, 2);
}
