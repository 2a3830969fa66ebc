//! Flags move in, and a thousand people keep what each system's own SDK gives them.

use std::path::Path;

use crate::harness::moving::Move;
use crate::harness::node;
use crate::harness::python::{output_of, output_of_sdk};

#[test]
fn posthog_users_keep_what_they_have() {
    let flags = Move { system: "posthog", export: "posthog.json", arguments: &[], exact: true, constant: &["ended"] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_posthog.py", &[export, people]));
}

#[test]
fn configcat_users_keep_what_they_have() {
    let flags = Move {
        system: "configcat",
        export: "configcat.json",
        arguments: &["--attribute=Email=email"],
        exact: true,
        constant: &[],
    };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_configcat.py", &[export, people]));
}

#[test]
fn flagsmith_users_keep_what_they_have() {
    let flags =
        Move { system: "flagsmith", export: "flagsmith.json", arguments: &[], exact: true, constant: &["ended"] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_flagsmith.py", &[export, people]));
}

#[test]
fn statsig_users_keep_what_they_have() {
    // Those without an id are drawn by the salt alone there.
    let flags = Move { system: "statsig", export: "statsig.json", arguments: &[], exact: false, constant: &[] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_statsig.py", &[export, people]));
}

#[test]
fn users_of_azure_app_configuration_keep_what_they_have() {
    let flags =
        Move { system: "azure", export: "azure.json", arguments: &[], exact: false, constant: &["Beta", "Ended"] };
    flags.assert_nobody_is_drawn_anew(|export, people| output_of_sdk("ask_azure.py", &[export, people]));
}

#[test]
fn users_of_vercel_flags_keep_what_they_have() {
    let mapped = ["plan", "email", "age", "country"].map(|name| format!("--attribute=user.{name}={name}"));
    let arguments: Vec<&str> = mapped.iter().map(String::as_str).collect();
    let constant = &["paused", "rolled"];
    let flags = Move { system: "vercel", export: "vercel.json", arguments: &arguments, exact: true, constant };
    flags.assert_nobody_is_drawn_anew(|export, people| node::output_of("ask_vercel.js", &[export, people]));
}

/// There is no library for Python or JavaScript that decides by the files of these: their rules are written out by hand.
fn by_hand(system: &'static str) -> impl Fn(&Path, &Path) -> String {
    move |_, people| output_of("import/ask_by_hand.py", &[system, people.to_str().unwrap()])
}

#[test]
fn flipper_users_keep_what_they_have() {
    let constant = &["newCheckout", "off"];
    let flags = Move { system: "flipper", export: "flipper.json", arguments: &[], exact: false, constant };
    flags.assert_nobody_is_drawn_anew(by_hand("flipper"));
}

#[test]
fn flipt_users_keep_what_they_have() {
    let flags = Move { system: "flipt", export: "flipt.yaml", arguments: &[], exact: true, constant: &[] };
    flags.assert_nobody_is_drawn_anew(by_hand("flipt"));
}

#[test]
fn users_of_go_feature_flag_keep_what_they_have() {
    let flags = Move { system: "goff", export: "goff.yaml", arguments: &[], exact: true, constant: &[] };
    flags.assert_nobody_is_drawn_anew(by_hand("goff"));
}
