//! The package for Python (`clients/python`): what it reads is what the program decided, and a project of django-waffle needs nothing
//! but other imports.

use std::path::{Path, PathBuf};
use std::process::Command;

use flagstaff_flags::Draw;
use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::program::Setup;
use crate::harness::python::{PythonApp, newer_python_with_django, python};

const KEY: &str = "a key of at least thirty-two bytes for tests";
const TOKEN: &str = "operators-token-of-the-tests";
const FLAGS: &str = "[flags.form]\npercent = 50\n\n[flags.prices]\nvariants = { classic = 50, \"2.0\" = 50 }\n";

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python")
}

/// What a command said, which must have been content.
#[track_caller]
fn done(mut command: Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Python with the package, run in a folder.
fn python_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = python();
    command.current_dir(folder).args(arguments);
    command
}

#[test]
fn its_own_tests_pass() {
    let said = done(python_in(&package(), &["-m", "unittest", "discover", "-s", "tests"]));
    assert!(said.contains("\nOK"), "{said}");
}

#[test]
fn its_types_hold_and_its_lines_are_tidy() {
    let cache = tempfile::tempdir().unwrap();
    let cache = cache.path().to_str().unwrap();
    done(python_in(&package(), &["-m", "ruff", "check", "--no-cache", "."]));
    done(python_in(&package(), &["-m", "ruff", "format", "--no-cache", "--check", "."]));
    let said = done(python_in(&package(), &["-m", "mypy", "--strict", "--cache-dir", cache]));
    assert!(said.contains("no issues found"), "{said}");
}

#[test]
fn it_has_the_version_of_the_program() {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("pyproject.toml", format!("\nversion = \"{version}\"")),
        ("src/flagstaff/__init__.py", format!("\n__version__ = \"{version}\"")),
    ] {
        let text = std::fs::read_to_string(package().join(file)).unwrap();
        assert!(text.contains(&line), "{file} should say{line}");
    }
}

/// The shop's own tests, first as it is, then with its imports changed, by two versions of Django.
#[test]
fn a_waffle_project_changes_its_imports_and_nothing_else() {
    move_from_waffle(python);
    if let Some(newer) = newer_python_with_django() {
        let said = move_from_waffle(newer);
        assert!(said.starts_with("6."), "{said}");
    } else {
        println!("no Python 3.12 or later is here, so Django 6 is not tried");
    }
}

/// Returns the version of Django.
fn move_from_waffle(python: impl Fn() -> Command) -> String {
    let folder = tempfile::tempdir().unwrap();
    let shop = package().join("tests/waffle_project");
    let moved = folder.path().join("moved");
    let in_folder = |folder: &Path, arguments: &[&str]| {
        let mut command = python();
        command.current_dir(folder).args(arguments);
        done(command)
    };
    let said = in_folder(&shop, &["manage.py", "test"]);
    assert!(said.contains("Ran 19 tests") && said.contains("\nOK"), "{said}");
    let changed = python_script(&python, &shop, &moved);
    assert!(changed.contains("shop/views.py:6: from flagstaff.django.decorators import waffle_flag"), "{changed}");
    // Nothing of django-waffle is left that could have passed the tests.
    let blocked = folder.path().join("moved/waffle.py");
    std::fs::write(blocked, "raise ImportError('the project should not need this any more')").unwrap();
    let said = in_folder(&moved, &["manage.py", "test"]);
    assert!(said.contains("Ran 19 tests") && said.contains("\nOK"), "{said}");
    in_folder(&moved, &["-c", "import django; print(django.get_version())"])
}

fn python_script(python: impl Fn() -> Command, shop: &Path, moved: &Path) -> String {
    let mut command = python();
    command.args(["-m", "flagstaff.from_waffle"]).arg(shop).arg(moved);
    done(command)
}

/// For thousands of people, what the package makes of a flag file is what the program decides.
#[test]
fn it_decides_by_the_file_as_the_program_does() {
    let flags = std::fs::read_to_string(package().join("tests/compare/flags.toml")).unwrap();
    let program = Setup::default().env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(&flags).start();
    let mut command = python();
    command.arg(package().join("tests/compare/with_program.py"));
    command.args([&program.admin.to_string(), TOKEN, env!("CARGO_BIN_EXE_flagstaff"), "1500"]);
    let said = done(command);
    assert!(said.starts_with("1500 people, "), "{said}");
}

/// The same for flags that nobody would think of.
#[test]
fn it_decides_odd_flags_as_the_program_does() {
    for seed in ["1", "2", "3"] {
        let mut writer = python();
        writer.arg(package().join("tests/compare/random_flags.py")).args([seed, "150"]);
        let program = Setup::default().env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(&done(writer)).start();
        let mut command = python();
        command.arg(package().join("tests/compare/with_program.py"));
        let binary = env!("CARGO_BIN_EXE_flagstaff");
        command.args([&program.admin.to_string(), TOKEN, binary, "100"]).arg(program.path("flags.toml"));
        let said = done(command);
        assert!(said.starts_with("100 people, 150 flags: "), "{said}");
    }
}

#[test]
fn django_reads_what_was_decided() {
    reads_what_was_decided("django", "");
}

#[test]
fn flask_reads_what_was_decided() {
    reads_what_was_decided("flask", "");
}

#[test]
fn fastapi_reads_what_was_decided() {
    reads_what_was_decided("fastapi", "");
}

#[test]
fn plain_wsgi_reads_what_was_decided() {
    reads_what_was_decided("wsgi", "");
}

/// Servers say a root before the path that was asked for, and so signed.
#[test]
fn apps_below_a_root_read_what_was_decided() {
    for framework in ["django", "flask", "fastapi", "wsgi"] {
        reads_what_was_decided(framework, "/api");
    }
}

fn reads_what_was_decided(framework: &str, root: &str) {
    let environment = [("APP", framework), ("KEY", KEY), ("ROOT", root)].map(|(name, text)| (name, Path::new(text)));
    let app = PythonApp::start("client_app.py", &environment);
    let program =
        Setup::to(&[app.address]).key("headers", "sign = true").env("FLAGSTAFF_KEYS", KEY).flags(FLAGS).start();
    let told = |mut browser: Browser, target: &str, lines: &str| -> Value {
        let answer = browser.get_with(target, lines);
        assert_eq!(answer.status, 200, "{}", answer.text());
        serde_json::from_str(&answer.text()).unwrap()
    };
    let forged = "X-Flag-Form: forged\r\nX-Flags: form=forged\r\nX-Visitor-Id: forged\r\n";
    for n in 0..12 {
        let visitor = format!("somebody-in-python-{n:03}");
        for target in ["/form", "/a%20b/%C3%A4?x=%2F", "/a;b/c=d,e+f~g"] {
            let said = told(Browser::of(program.address, &visitor), target, forged);
            let flags = expected(&visitor);
            let form = flags.get("form").cloned().unwrap_or_else(|| json!("off"));
            let wanted = json!({
                "source": "headers", "visitor": visitor, "form": form, "flags": flags, "current": flags
            });
            assert_eq!(said, wanted, "{target}");
        }
    }
    // Beside the proxy nobody is believed.
    let said = told(Browser::new(app.address), "/form", forged);
    assert_eq!(said, json!({ "source": "defaults", "visitor": null, "form": "off", "flags": {}, "current": {} }));
}

fn expected(visitor: &str) -> Value {
    let prices = if Draw::of("prices", visitor).split() < 50_000 { "classic" } else { "2.0" };
    let mut flags = json!({ "prices": prices });
    if Draw::of("form", visitor).bucket() < 50 {
        flags["form"] = json!("on");
    }
    flags
}
