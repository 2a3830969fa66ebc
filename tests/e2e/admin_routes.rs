//! Every route of the operators' address that takes something, as the sources and `/openapi.json` list them: nobody changes anything
//! without the right token, name and page. A new route is either refused to those who may only read, or named here as one that only reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::eventually;
use crate::harness::operator::{self, bearer, session};
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Answer;

const FLAGS: &str = "# ours\n[flags.form]\npercent = 50 # half\ngoals = [\"sent\"]\n\n[flags.ramp.rollout]\n\
                     steps = [{ percent = 10, hold = \"approval\" }, { percent = 100 }]\n\n[goals.sent]\non = \"POST /form\"\n";
const TOKEN: &str = "a-token-that-operators-use";
const READ_TOKEN: &str = "a-token-that-only-reads";
const FORM: &str = "application/x-www-form-urlencoded";

/// Routes that take something and change nothing but what the caller's own session says. Who may read may use them.
const READERS: [&str; 10] = [
    "POST /api/v1/check",
    "POST /api/v1/explain",
    "POST /api/v1/flags/{flag}/explain",
    "POST /api/v1/preview",
    "POST /ofrep/v1/evaluate/flags",
    "POST /ofrep/v1/evaluate/flags/",
    "POST /ofrep/v1/evaluate/flags/{*key}",
    "POST /session/end",
    "POST /session/name",
    "POST /simulator/{flag}",
];
/// Routes that let in: by the token of the form, and by tokens of their own.
const OPEN: [&str; 3] = ["POST /session", "POST /api/frontend/", "POST /api/frontend/{*rest}"];

/// What a route needs so that it does something.
fn body(route: &str) -> &'static str {
    match route {
        "POST /api/v1/flags" => r#"{"name": "fresh"}"#,
        "PATCH /api/v1/flags/{flag}" => r#"{"set": {"percent": 20}}"#,
        "POST /api/v1/flags/{flag}/end" => r#"{"winner": "on", "force": true}"#,
        "POST /api/v1/forget" => r#"{"visitor": "somebody"}"#,
        "POST /api/v1/links" => r#"{"url": "http://shop.example/", "variants": {"form": "on"}}"#,
        "POST /api/v1/preview" => r#"{"flag": "form", "switch": "off"}"#,
        "POST /api/v1/rollback" => r#"{"revision": "now^"}"#,
        "POST /flags/{flag}/rollout" => "command=advance&seen=1",
        "POST /flags/{flag}/end" => "winner=on&force=on",
        "POST /flags/{flag}/preview" | "POST /flags/{flag}/save" => "percent=20&seen_percent=50",
        "POST /new-flag" => "name=fresh",
        "POST /session/name" => "name=ada",
        route if route.contains("/api/") || route.contains("/ofrep/") => "{}",
        _ => "",
    }
}

/// Routes of the sources that take something, but for those of the API's table.
fn in_the_sources() -> BTreeSet<String> {
    let mut folders: Vec<PathBuf> = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/admin/src")];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("tests.rs") {
                let text = fs::read_to_string(path).unwrap().replace("FRONTEND,", "\"/api/frontend/\",");
                let text = text.replace("FLAGS,", "\"/ofrep/v1/evaluate/flags\",");
                let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
                for route in text.split(".route(\"").skip(1) {
                    let (path, handlers) = route.split_once('"').unwrap();
                    let handlers = handlers.split(['}', ';']).next().unwrap();
                    let takes =
                        ["post(", "put(", "patch(", "delete(", "any("].iter().any(|one| handlers.contains(one));
                    if takes && !handlers.contains("any(no_route)") {
                        found.insert(format!("POST {path}"));
                    }
                }
            }
        }
    }
    found
}

/// Routes of the API's table that take something.
#[track_caller]
fn in_the_table(program: &Program) -> BTreeSet<String> {
    let document = send(program, "GET /openapi.json", &[&bearer(TOKEN)], "");
    let document: Value = serde_json::from_slice(&document.body).unwrap();
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let methods = operations.as_object().unwrap().keys().filter(|method| *method != "get");
        found.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    found
}

/// With the kind of content that the route takes.
#[track_caller]
fn send(program: &Program, request: &str, fields: &[&str], body: &str) -> Answer {
    let kind = if request.contains("/api/") || request.contains("/ofrep/") { "application/json" } else { FORM };
    let kind = format!("Content-Type: {kind}");
    operator::send(program, request, &[&[&*kind], fields].concat(), body)
}

/// All that an edit, an order or a fact would change.
#[track_caller]
/// Whether the program does nothing more by itself: its files are on record, and its rollout waits for a person.
fn is_settled(program: &Program) -> bool {
    let [_, _, history, rollout] = state(program);
    history.contains("\"type\":\"revision\"") && rollout.contains("approval_needed")
}

fn state(program: &Program) -> [String; 4] {
    let ask = |path: &str| send(program, &format!("GET {path}"), &[&bearer(TOKEN)], "").text();
    let file = fs::read_to_string(program.path("flags.toml")).unwrap();
    [file, ask("/api/v1/flags"), ask("/api/v1/history"), ask("/api/v1/flags/ramp/rollout")]
}

#[test]
fn no_route_changes_anything_without_the_right_token_host_and_page() {
    let setup = Setup::default().flags(FLAGS).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN);
    let setup = setup
        .env("FLAGSTAFF_ADMIN_READ_TOKEN", READ_TOKEN)
        .env("FLAGSTAFF_KEYS", "a key that signs and is long enough");
    let program = setup.start();
    let revision = program.health()["flags"]["revision"].as_str().unwrap().to_owned();
    eventually("all is on record that comes by itself", || is_settled(&program));
    let table = in_the_table(&program);
    assert!(table.len() > 18 && in_the_sources().len() > 15, "{table:?} {:?}", in_the_sources());
    let routes: BTreeSet<_> = table.union(&in_the_sources()).cloned().collect();
    for named in READERS.iter().chain(&OPEN) {
        assert!(routes.contains(*named), "{named} is not there any more");
    }
    let (full, read) = (session(&program, TOKEN), session(&program, READ_TOKEN));
    let (ours, app) = (format!("Origin: http://{}", program.admin), format!("Origin: http://{}", program.address));
    let before = state(&program);
    for route in routes.iter().filter(|route| !OPEN.contains(&route.as_str())) {
        let flag = if route.contains("/rollout") { "ramp" } else { "form" };
        let request = route.replace("{flag}", flag).replace("{*key}", flag).replace("{revision}", &revision);
        let request = if route.starts_with("DELETE") { format!("{request}?yes=true") } else { request };
        let as_sent = |fields: &[&str]| send(&program, &request, fields, body(route));
        for (status, fields) in [
            (401, &[][..]),
            (401, &[&*ours]),
            (421, &[&*bearer(TOKEN), "Host: evil.example"]),
            (421, &[&full, "Host: evil.example", "Origin: http://evil.example", "Sec-Fetch-Site: same-origin"]),
            (403, &[&full]),
            (403, &[&full, &app]),
            (403, &[&full, "Origin: https://evil.example"]),
            (403, &[&full, "Origin: null"]),
            (403, &[&full, &ours, "Sec-Fetch-Site: cross-site"]),
        ] {
            let answer = as_sent(fields);
            assert_eq!(answer.status, status, "{request} {fields:?}: {}", answer.text());
        }
        for fields in [&[&*bearer(READ_TOKEN)][..], &[&read, &ours], &[&*bearer(READ_TOKEN), "Idempotency-Key: once"]]
        {
            let answer = as_sent(fields);
            let is_refused = answer.status == 403 && answer.text().contains("this token may read and change nothing");
            let is_reader = READERS.contains(&route.as_str());
            assert_eq!(is_refused, !is_reader, "{request} {fields:?}: {} {}", answer.status, answer.text());
            assert!(!is_reader || answer.status < 500, "{request}: {}", answer.text());
        }
        assert_eq!(fs::read_to_string(program.path("flags.toml")).unwrap(), FLAGS, "{request}");
    }
    assert_eq!(state(&program), before);
    // the same requests are not refused to whom they are allowed
    for route in routes.iter().filter(|route| !OPEN.contains(&route.as_str()) && !READERS.contains(&route.as_str())) {
        fs::write(program.path("flags.toml"), FLAGS).unwrap();
        let flag = if route.contains("/rollout") { "ramp" } else { "form" };
        let request = route.replace("{flag}", flag).replace("{revision}", &revision);
        let request = if route.starts_with("DELETE") { format!("{request}?yes=true") } else { request };
        let answer = send(&program, &request, &[&full, &ours], body(route));
        assert!(
            !matches!(answer.status, 400..=405 | 415 | 421 | 500..),
            "{request}: {} {}",
            answer.status,
            answer.text()
        );
    }
}

/// A program with both tokens, and all its routes that take something.
#[track_caller]
fn with_routes() -> (Program, BTreeSet<String>) {
    let setup = Setup::default().flags(FLAGS).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN);
    let program = setup.env("FLAGSTAFF_ADMIN_READ_TOKEN", READ_TOKEN).start();
    eventually("all is on record that comes by itself", || is_settled(&program));
    let routes = in_the_table(&program).union(&in_the_sources()).cloned().collect();
    (program, routes)
}

/// The route with a name in it.
fn about(route: &str, name: &str) -> String {
    ["{flag}", "{*key}", "{revision}", "{*rest}", "{name}"]
        .iter()
        .fold(route.to_owned(), |path, one| path.replace(one, name))
}

#[test]
fn no_order_of_the_api_passes_over_a_condition() {
    let (program, _) = with_routes();
    program.save_flags(&FLAGS.replace("50 # half", "40 # less"));
    eventually("both revisions are recorded", || state(&program)[2].matches("\"type\":\"revision\"").count() == 2);
    let before = state(&program);
    for route in in_the_table(&program).iter().filter(|route| !READERS.contains(&route.as_str())) {
        let flag = if route.contains("/rollout") { "ramp" } else { "form" };
        let request = about(route, flag);
        let request = if route.starts_with("DELETE") { format!("{request}?yes=true") } else { request };
        let answer = send(&program, &request, &[&bearer(TOKEN), "If-Match: \"stale\""], body(route));
        assert!(matches!(answer.status, 400 | 412), "{request}: {} {}", answer.status, answer.text());
        assert!(answer.text().contains("\"help\":"), "{request}: {}", answer.text());
    }
    assert_eq!(state(&program), before);
}

#[test]
fn no_page_offers_a_change_to_somebody_who_may_only_read() {
    let (program, routes) = with_routes();
    let read = session(&program, READ_TOKEN);
    for route in routes.iter().filter(|route| route.starts_with("POST /") && !route.contains("/v1/")) {
        let page = about(route, "form").replace("POST", "GET");
        let answer = operator::send(&program, &page, &[&read, "Accept: text/html"], "");
        let text = answer.text();
        let posts =
            text.split("<form ").skip(1).filter(|form| form.split('>').next().unwrap().contains("method=\"post\""));
        let offered: Vec<_> = posts
            .map(|form| form.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned())
            .filter(|action| !["/session/end", "/session/name", "/simulator/form"].contains(&action.as_str()))
            .collect();
        assert!(answer.status != 200 || offered.is_empty(), "{page}: {offered:?}");
    }
    for page in
        ["/flags/form/off", "/flags/form/on", "/flags/form/edit", "/flags/form/end", "/new-flag", "/history/now/back"]
    {
        let answer = operator::send(&program, &format!("GET {page}"), &[&read, "Accept: text/html"], "");
        assert_eq!(answer.status, 403, "{page}: {}", answer.text());
    }
}

#[test]
fn every_refusal_is_a_problem_or_a_page() {
    let (program, routes) = with_routes();
    let ours = format!("Origin: http://{}", program.admin);
    // these answer in the words of their protocols
    let ours_to_say = |route: &&String| !route.contains("/ofrep/") && !route.contains("/api/frontend");
    let others = [
        "POST /healthz",
        "POST /metrics",
        "GET /nothing",
        "POST /history/restore",
        "GET /flags/%ff",
        "GET /assets/none",
    ];
    let others = others.map(str::to_owned);
    for route in routes.iter().filter(ours_to_say).chain(&others) {
        let (path, full) = (route.split(' ').nth(1).unwrap(), session(&program, TOKEN));
        for (request, fields, body) in [
            (about(route, "%ff"), vec![&*full, &ours], ""),
            (about(route, "form"), vec![&*full, &ours, "Content-Type: text/plain"], "a"),
            (about(route, "form"), vec![&*full, &ours, "Content-Type: application/x-www-form-urlencoded"], "other=1"),
            (about(&format!("BREW {path}"), "form"), vec![&*full, &ours], ""),
            (about(route, "form"), vec![], ""),
            (about(route, "form"), vec!["Host: evil.example"], ""),
            (about(route, "form"), vec![&*full, "Origin: https://evil.example"], ""),
        ] {
            for accepts in ["Accept: */*", "Accept: text/html"] {
                let fields = [&fields[..], &[accepts]].concat();
                let answer = operator::send(&program, &request, &fields, body);
                if answer.status < 400 {
                    continue;
                }
                let kind = answer.field("content-type").unwrap_or_default();
                let says = format!("{request} {fields:?}: {} {kind} {}", answer.status, answer.text());
                if kind == "application/problem+json" {
                    let problem: Value = serde_json::from_slice(&answer.body).unwrap();
                    for key in ["type", "title", "detail"] {
                        assert!(problem[key].is_string(), "{key}: {says}");
                    }
                    assert_eq!(problem["status"], answer.status, "{says}");
                } else {
                    assert!(kind.starts_with("text/html") && !answer.body.is_empty(), "{says}");
                }
            }
        }
    }
}

#[test]
fn a_list_is_no_body_of_any_route() {
    let (program, routes) = with_routes();
    let before = state(&program);
    // these take no body, or a text
    let takes_json = |route: &&String| {
        let is_bodiless = route.starts_with("DELETE") || route.contains("/rollout/") || route.ends_with("/check");
        route.contains("/api/v1/") && !is_bodiless
    };
    for route in routes.iter().filter(takes_json) {
        let request = about(route, "form");
        for list in ["[]", "[{\"percent\": 33}, true]", "[\"a\", \"b\", \"c\"]", "1", "\"a\"", "null"] {
            let answer = send(&program, &request, &[&bearer(TOKEN)], list);
            assert_eq!(answer.status, 400, "{request} {list}: {}", answer.text());
        }
    }
    assert_eq!(state(&program), before);
}
