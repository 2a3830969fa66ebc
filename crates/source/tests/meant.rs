//! What is written can do what it says: conditions that can hold, routes that are asked for.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use flagstaff_source::{ParseOptions, Report, Severity, Text, parse};

/// The first lines of a flag about which there is nothing else to say.
const FINE: &str = "[flags.a]\nowner = \"x\"\nexpires = 2027-01-01\n";

fn report(text: &str) -> Report {
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    parse(text, None, &ParseOptions::default()).map_or_else(|report| report, |loaded| loaded.report)
}

/// `line:column message | help` of each problem of a text, all of one severity.
#[track_caller]
fn told(text: &str, severity: Severity) -> Vec<String> {
    let report = report(text);
    let each = report.problems().iter();
    each.map(|p| {
        let said = format!("{}:{} {} | {}", p.line, p.column, p.message, p.help.as_deref().unwrap_or("-"));
        assert_eq!(p.severity, severity, "{said}\n{text}");
        said
    })
    .collect()
}

fn rule(conditions: &str) -> String {
    format!("{FINE}rules = [{{ if = {{ {conditions} }}, serve = \"on\" }}]\n")
}

fn segment(conditions: &str) -> String {
    format!("[segments.s]\nany = [{{ group = \"g\" }}, {{ {conditions} }}]\n{FINE}percent = 5\n")
}

/// The conditions, in a rule and in a segment, have this one problem, where `«` stands, or none when it is empty.
#[track_caller]
fn assert_told(marked: &str, severity: Severity, wanted: &str) {
    for marked in [rule(marked), segment(marked)] {
        let before = marked.split('«').next().unwrap();
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let wanted = if wanted.is_empty() { vec![] } else { vec![format!("{line}:{column} {wanted}")] };
        assert_eq!(told(&marked.replace('«', ""), severity), wanted, "{marked}");
    }
}

#[track_caller]
fn assert_fine(conditions: &str) {
    assert_told(conditions, Severity::Error, "");
}

#[test]
fn a_fraction_that_is_another_number_than_is_written_is_refused() {
    let refused = |marked: &str, wanted: &str| assert_told(marked, Severity::Error, wanted);
    let is_2_1 = "`2.10` without quotes is the number 2.1";
    refused("v = { at_least = «2.10 }", &format!("{is_2_1} | write at_least = \"2.10\""));
    refused("v = { below = «2.10 }", &format!("{is_2_1} | write below = \"2.10\""));
    refused("v = { at_least = 2, below = «2.10 }", &format!("{is_2_1} | write below = \"2.10\""));
    refused("v = { not = «2.10 }", &format!("{is_2_1} | write not = \"2.10\""));
    refused("v = { not = [\"1\", «2.10] }", &format!("{is_2_1} | put it in quotes: \"2.10\""));
    refused("v = «2.10", &format!("{is_2_1} | write v = \"2.10\""));
    refused("v = [2.9, «2.10]", &format!("{is_2_1} | put it in quotes: \"2.10\""));
    refused("header.x-version = «2.10", &format!("{is_2_1} | write x-version = \"2.10\""));
    refused("v = { at_least = «2_0.10 }", "`20.10` without quotes is the number 20.1 | write at_least = \"20.10\"");
    refused("v = «2.0", "`2.0` without quotes is the number 2 | write v = \"2.0\"");
    refused(
        "v = { at_least = «1.00000000000000000001 }",
        "`1.00000000000000000001` without quotes is the number 1 | write at_least = \"1.00000000000000000001\"",
    );
    for fine in ["2", "10", "2.9", "2.05", "2.0", "0.5", "\"2.10\""] {
        assert_fine(&format!("v = {{ at_least = {fine} }}"));
        assert_fine(&format!("v = {{ below = {fine} }}"));
    }
    for fine in ["2", "10", "2.9", "2.05", "\"2.10\"", "[2, 2.5]", "{ not = [2.5] }"] {
        assert_fine(&format!("v = {fine}"));
    }
}

#[test]
fn fractions_that_are_numbers_may_end_in_zeros() {
    let flag = format!("{FINE}percent = 2.10\nmetadata = {{ rules = [{{ if = {{ v = 2.10 }} }}] }}\n");
    assert_eq!(told(&flag, Severity::Error), [""; 0]);
    let rule = format!("{FINE}rules = [{{ if = {{ v = 1 }}, percent = 2.50 }}]\n");
    assert_eq!(told(&rule, Severity::Error), [""; 0]);
    let values = format!("{FINE}percent = 5\nvalues = {{ on = 9.90 }}\n");
    assert_eq!(told(&values, Severity::Error), [""; 0]);
}

#[test]
fn a_misread_fraction_names_its_flag_and_hides_no_other_mistake() {
    let text = "[flags.a]\nrules = [{ if = { v = 2.10, w = [1.10] }, serve = \"maybe\" }]\npercnt = 5\n";
    let report = report(text);
    let places: Vec<_> = report.errors().map(|p| (p.line, p.column, p.flag.as_deref())).collect();
    let told = [(2, 23), (2, 34), (2, 51), (3, 1)].map(|(line, column)| (line, column, Some("a")));
    assert_eq!(places, told, "{}", report.render(false));
}

#[test]
fn a_path_has_no_query() {
    let query = "a path has no query: leave out what begins at the `?`";
    let fragment = "a path has no fragment: leave out what begins at the `#`";
    let refused = |text: &str, wanted: String| assert_eq!(told(text, Severity::Error), [wanted], "{text}");
    for (what, help) in [("/contact?x=1", query), ("GET /?ok=1", query), ("POST /a#b", fragment), ("*?x=*", query)] {
        let said = format!("`{what}` does not name requests | {help}");
        refused(&format!("{FINE}percent = 5\nexposed_on = [\"/x\", \"{what}\"]\n"), format!("5:21 {said}"));
        refused(&format!("[goals.g]\non = \"{what}\"\n{FINE}percent = 5\n"), format!("2:6 {said}"));
    }
    for (what, help) in [("/pay?x=1", query), ("*#pay", fragment)] {
        let said = format!("`{what}` is not a valid path | {help}");
        let gate =
            format!("gate = {{ paths = [\"/x\", \"{what}\"], when_off = {{ redirect = \"/?closed#now\" }} }}\n");
        refused(&format!("{FINE}{gate}"), format!("4:25 {said}"));
        let said = format!("`{what}` fits no path | {help}");
        for marked in [
            format!("path = «\"{what}\""),
            format!("path = «[\"/x\", \"{what}\"]"),
            format!("path = «{{ not = \"{what}\" }}"),
        ] {
            assert_told(&marked, Severity::Error, &said);
        }
    }
    assert_fine("path = { matches = \"^/pay/?$\" }");
    assert_fine("path = [\"/pay/*\", \"*%3F*\"]");
    assert_fine("query.x = \"what?\", user_agent = \"*#1?*\"");
}
