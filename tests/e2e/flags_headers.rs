//! Which headers the app gets, as the settings say.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::apps_headers::ours;
use crate::flags_spoofing::KEYS;
use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;

const FLAGS: &str = "[flags.one]\n\n[flags.two]\nenabled = false\n\n[flags.three]\nvariants = { \"2nd\" = 100 }\n";
const VISITOR: &str = "somebody-with-headers0";

fn program(app: &PythonApp, keys: &[&str]) -> Program {
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS);
    let setup = keys.iter().fold(setup, |setup, key| setup.key("headers", key));
    setup.start()
}

#[test]
fn settings_say_which_headers_tell() {
    let app = PythonApp::start("flask_app.py", &[]);
    let told = |keys: &[&str]| -> BTreeMap<String, String> {
        let answer = Browser::of(program(&app, keys).address, VISITOR).get("/headers");
        ours(&answer).into_iter().map(|(name, values)| (name, values.join(" and "))).collect()
    };
    let map = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        let visitor = ("x-visitor-id", VISITOR);
        let all = all.iter().chain([&visitor]);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let each = [("x-flag-one", "on"), ("x-flag-three", "2nd")];
    let compact = ("x-flags", "one=on, three=\"2nd\"");
    assert_eq!(told(&[]), map(&[each[0], each[1], compact]));
    assert_eq!(told(&["send = \"each\""]), map(&each));
    assert_eq!(told(&["send = \"compact\""]), map(&[compact]));
    let with_off = ("x-flags", "one=on, two=off, three=\"2nd\"");
    assert_eq!(told(&["off = true"]), map(&[each[0], ("x-flag-two", "off"), each[1], with_off]));
}

/// The app checks with the lines of Python that the documentation gives.
#[test]
fn an_app_can_verify_what_it_is_told() {
    let app = PythonApp::start("flask_app.py", &[("SHOP_KEY", Path::new(KEYS))]);
    let program = program(&app, &["sign = true"]);
    let verdict = |mut browser: Browser, lines: &str| -> (bool, Value) {
        let answer = browser.get_with("/genuine", lines);
        let said: Value = serde_json::from_str(&answer.text()).unwrap();
        (said["genuine"].as_bool().unwrap(), said["told"].clone())
    };
    let through = || Browser::of(program.address, VISITOR);
    let (genuine, told) = verdict(through(), "");
    assert!(genuine, "{told}");
    let forged = "X-Flags: two=on\r\nX-Flags-Signature: t=1, v1=00\r\nX-Visitor-Id: x\r\n";
    assert!(verdict(through(), forged).0);

    // Beside the proxy, with what was signed: as it is it holds, changed it does not.
    let text = |name: &str| told[name].as_str().unwrap();
    let direct = |flags: &str, visitor: &str, signature: &str| {
        let lines = format!("X-Flags: {flags}\r\nX-Visitor-Id: {visitor}\r\nX-Flags-Signature: {signature}\r\n");
        verdict(Browser::new(app.address), &lines).0
    };
    let (flags, signature) = (text("x-flags"), text("x-flags-signature"));
    assert!(direct(flags, VISITOR, signature));
    assert!(!direct("one=on, two=on", VISITOR, signature));
    assert!(!direct(flags, "somebody-else-entirely", signature));
    assert!(!direct(flags, VISITOR, &signature.replace("t=1", "t=2")));
    let elsewhere = ours(&through().get("/headers"));
    assert!(!direct(flags, VISITOR, &elsewhere["x-flags-signature"][0]), "signed for another page");
}
