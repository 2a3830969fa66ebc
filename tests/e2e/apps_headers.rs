//! Apps that read headers: Flask, FastAPI. An app that reads none: a folder of files.

use std::collections::BTreeMap;
use std::fs;

use flagstaff_flags::Draw;
use serde_json::Value;

use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;
use crate::harness::raw::Answer;

const FLAGS: &str = r#"
[flags.contact_form]
percent = 50

[flags.pricing]
variants = { classic = 50, simple = 25, annual_first = 25 }

[flags.gone]
enabled = false
"#;

fn in_front_of(app: &PythonApp) -> Program {
    Setup::to(&[app.address]).flags(FLAGS).start()
}

/// What an app's page of headers shows, for names that could be ours.
pub(crate) fn ours(answer: &Answer) -> BTreeMap<String, Vec<String>> {
    let all: BTreeMap<String, Vec<String>> = serde_json::from_str(&answer.text()).unwrap();
    all.into_iter()
        .filter(|(name, _)| name.replace('_', "-").starts_with("x-flag") || name.contains("visitor"))
        .collect()
}

fn expected(visitor: &str) -> BTreeMap<String, Vec<String>> {
    let on = Draw::of("contact_form", visitor).bucket() < 50;
    let pricing = match Draw::of("pricing", visitor).split() {
        0..50_000 => "classic",
        50_000..75_000 => "simple",
        _ => "annual_first",
    };
    let one = |name: &str, value: String| (name.to_owned(), vec![value]);
    let mut all = BTreeMap::from([one("x-visitor-id", visitor.into()), one("x-flag-pricing", pricing.into())]);
    all.extend(on.then(|| one("x-flag-contact-form", "on".into())));
    let form = if on { "contact_form=on, " } else { "" };
    all.extend([one("x-flags", format!("{form}pricing={pricing}"))]);
    all
}

fn sees_what_was_decided(program: &Program, form: impl Fn(&Answer) -> String) {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..24 {
        let visitor = format!("somebody-who-reads-{n:03}");
        let mut browser = Browser::of(program.address, &visitor);
        let forged = "X-Flag-Gone: on\r\nx-flag-contact-form: forged\r\nX-Visitor-Id: forged\r\n";
        assert_eq!(ours(&browser.get("/headers")), expected(&visitor));
        assert_eq!(ours(&browser.get_with("/headers", forged)), expected(&visitor));
        let on = Draw::of("contact_form", &visitor).bucket() < 50;
        assert_eq!(form(&browser.get("/form")), if on { "short" } else { "long" });
        seen.insert(on);
    }
    assert_eq!(seen.len(), 2, "visitors on either side");
}

#[test]
fn flask_reads_what_was_decided() {
    let app = PythonApp::start("flask_app.py", &[]);
    sees_what_was_decided(&in_front_of(&app), Answer::text);
}

#[test]
fn fastapi_reads_what_was_decided() {
    let app = PythonApp::start("fastapi_app.py", &[]);
    let form = |answer: &Answer| {
        let body: Value = serde_json::from_str(&answer.text()).unwrap();
        body["form"].as_str().unwrap().to_owned()
    };
    sees_what_was_decided(&in_front_of(&app), form);
}

#[test]
fn directives_of_the_app_stay_between_it_and_us() {
    let app = PythonApp::start("flask_app.py", &[]);
    let answer = Browser::new(in_front_of(&app).address).get("/says");
    assert_eq!(answer.text(), "said");
    assert!(!answer.head.to_lowercase().contains("x-flag"), "{}", answer.head);
}

#[test]
fn a_static_site_is_served_with_a_visitor() {
    let folder = tempfile::tempdir().unwrap();
    let long: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    fs::write(folder.path().join("index.html"), "<h1>files</h1>").unwrap();
    fs::write(folder.path().join("long.txt"), &long).unwrap();
    let app = PythonApp::static_site(folder.path());
    let program = in_front_of(&app);
    let mut browser = Browser::new(program.address);
    assert_eq!(browser.get("/").text(), "<h1>files</h1>");
    let visitor = browser.cookie("flagstaff_visitor").unwrap().to_owned();
    assert_eq!(browser.get("/long.txt").text(), long);
    assert_eq!(browser.get("/nowhere").status, 404);
    assert_eq!(browser.cookie("flagstaff_visitor"), Some(visitor.as_str()), "set once");
    let modified = browser.get("/").field("last-modified").unwrap();
    let unchanged = browser.get_with("/", &format!("If-Modified-Since: {modified}\r\n"));
    assert_eq!((unchanged.status, unchanged.text().as_str()), (304, ""));
}
