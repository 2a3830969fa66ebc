//! What is written can do what it says: conditions that can hold, routes that are asked for, guards that have somebody to compare with.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

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

#[track_caller]
fn assert_warned(marked: &str, wanted: &str) {
    assert_told(marked, Severity::Warning, wanted);
}

#[test]
fn conditions_that_never_hold() {
    let host = "it is compared without port and final dot";
    let shop = format!("fits no host: {host} | write \"shop.example.com\"");
    assert_warned("host = «\"shop.example.com:8080\"", &format!("`shop.example.com:8080` {shop}"));
    assert_warned("host = [\"a\", «\"shop.example.com.\"]", &format!("`shop.example.com.` {shop}"));
    assert_warned("host = { not = «\"*:80\" }", &format!("`*:80` fits no host: {host} | write \"*\""));
    let url = "`https://shop.example.com` fits no host | write the host alone, such as \"shop.example.com\"";
    assert_warned("host = «\"https://shop.example.com\"", url);
    assert_warned("path = «\"beta/*\"", "`beta/*` fits no path: a path begins with / | write \"/beta/*\"");
    let at = "`de_AT` fits no language that a browser sends | write \"de-AT\"";
    assert_warned("language = «\"de_AT\"", at);
    assert_warned("languages = [\"en\", «\"de_AT\"]", at);
    let german = "fits no language that a browser sends | write \"de\", which includes its regions";
    assert_warned("language = { not = [«\"de-*\"] }", &format!("`de-*` {german}"));
    let code = "fits no country: a country is two letters | write its code of ISO 3166, such as \"DE\"";
    assert_warned("country = «\"Germany\"", &format!("`Germany` {code}"));
    assert_warned("countries = [\"DE\", «\"AUT\"]", &format!("`AUT` {code}"));
    assert_warned("method = «\"GTE\"", "HTTP knows no method `GTE` | did you mean `GET`?");
    let other = "write GET, POST, PUT, PATCH, DELETE or another method of HTTP";
    assert_warned("method = [\"post\", «\"fetch\"]", &format!("HTTP knows no method `fetch` | {other}"));
    let never =
        "`after` is not before `before`, so there is no time at which both hold | write the earlier time at `after`";
    assert_warned("before = 2026-11-20T09:00:00Z, after = «2026-11-20T10:00:00+01:00", never);
    assert_warned("after = «\"2026-11-21T09:00:00Z\", before = 2026-11-20T09:00:00Z", never);
    for fine in [
        "host = [\"shop.example.com\", \"*.example.com\", \"[::1]\", \"LOCALHOST\"]",
        "path = [\"/beta/*\", \"*.html\"]",
        "language = [\"de\", \"de-AT\", \"zh-Hant-TW\", \"*\"]",
        "country = [\"DE\", \"at\", \"T1\", \"*\", \"D*\"]",
        "country = { matches = \"^(DE|AT)$\" }",
        "method = [\"GET\", \"post\", \"PROPFIND\", \"P*\"]",
        "after = 2026-11-20T09:00:00Z, before = 2026-11-20T09:00:01Z",
        "locale = \"de_AT\", header.host = \"a:80\", query.method = \"GTE\", cookie.country = \"Germany\"",
    ] {
        assert_warned(fine, "");
    }
}

#[test]
fn requests_and_people_that_nobody_is() {
    let said = "HTTP knows no method `GTE` | did you mean `GET`?";
    let flag = format!("{FINE}percent = 5\nexposed_on = [\"/a\", \"GTE /b\", \"PROPFIND /c\"]\n");
    assert_eq!(told(&flag, Severity::Warning), [format!("5:21 {said}")]);
    let goal = format!("[goals.g]\non = \"GTE /a\"\n{FINE}percent = 5\n");
    assert_eq!(told(&goal, Severity::Warning), [format!("2:6 {said}")]);
    let people = format!("{FINE}allow.languages = [\"de\", \"de_AT\"]\n");
    let at = "`de_AT` fits no language that a browser sends | write \"de-AT\"";
    assert_eq!(told(&people, Severity::Warning), [format!("4:26 {at}")]);
    let flag = report(&flag);
    assert_eq!(flag.problems()[0].flag.as_deref(), Some("a"));
}

#[test]
fn a_guard_needs_somebody_to_compare_with() {
    let warned = |keys: &str| told(&format!("{FINE}{keys}\nguard.errors = \"5xx\"\n"), Severity::Warning);
    let all = "everybody has the flag | write percent = 50, or a rollout in steps, or take out the guard";
    let named = "whom `allow` or a rule names is not compared | add percent = 50, or take out the guard";
    let anew = "the flag is drawn anew for each request | write bucket_by = \"visitor\", or take out the guard";
    for (keys, why) in [
        ("", all),
        ("percent = 100", all),
        ("variants = { a = 100, b = 0 }", all),
        ("rollout.steps = [{ percent = 100 }]", all),
        ("deny.users = [\"1\"]", all),
        ("allow.users = [\"1\"]", named),
        ("rules = [{ if = { country = \"DE\" }, percent = 50 }]", named),
        ("percent = 50\nbucket_by = \"request\"", anew),
    ] {
        let [one] = &warned(keys)[..] else { panic!("{keys}: {:?}", warned(keys)) };
        assert!(one.ends_with(&format!("the guard has nobody to compare with: {why}")), "{keys}: {one}");
    }
    for keys in [
        "percent = 50",
        "percent = 99.999",
        "enabled = false",
        "percent = 50\nallow.users = [\"1\"]",
        "percent = 0\nallow.users = [\"1\"]",
        "rollout.steps = [{ percent = 100, hold = \"1d\" }]",
        "rollout.steps = [{ percent = 5, hold = \"1d\" }, { percent = 100 }]",
        "upstream = { on = \"127.0.0.1:8001\" }",
    ] {
        assert_eq!(warned(keys), [""; 0], "{keys}");
    }
    let variants = format!(
        "{FINE}variants = {{ a = 50, b = 50 }}\ngoals = [\"g\"]\nguard.errors = \"5xx\"\n[goals.g]\nevent = \"g\"\n"
    );
    assert_eq!(told(&variants, Severity::Warning), [""; 0]);
}
