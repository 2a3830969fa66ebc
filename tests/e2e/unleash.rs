//! Unleash's frontend API and django-waffle's views: what web clients of both ask.

use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::node::NodeClient;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, Raw};

const FLAGS: &str = r#"
[flags.for_all]
client = true
waffle_name = "For-All"

[flags.switched_off]
enabled = false
client = true

[flags.colour]
variants = { blue = 100 }
client = true

[flags.limit]
values = { on = 25, off = 0 }
client = true

[flags.layout]
values = { on = { columns = 2 }, off = {} }
client = true

[flags.for_42]
allow = { users = ["42"] }
client = true

[flags.for_pro]
client = true
[[flags.for_pro.rules]]
if = { plan = "pro" }
serve = "on"

[flags.hidden]
"#;

const TOKEN: &str = "default:production.token-of-the-pages";
const VISITOR: &str = "somebody-with-unleash0";

fn setup() -> Setup {
    Setup::default().env("FLAGSTAFF_UNLEASH_TOKENS", &format!("{TOKEN},another")).flags(FLAGS)
}

/// A question to the operators' address with header lines.
#[track_caller]
fn ask(program: &Program, method: &str, rest: &str, lines: &str, body: &str) -> Answer {
    let mut raw = Raw::connect(program.admin);
    let length = body.len();
    raw.send(format!(
        "{method} /api/frontend{rest} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n{lines}\r\n{body}",
        program.admin
    ));
    raw.answer()
}

fn with_token(lines: &str) -> String {
    format!("Authorization: {TOKEN}\r\n{lines}")
}

#[track_caller]
fn names(answer: &Answer) -> Vec<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    body["toggles"].as_array().unwrap().iter().map(|toggle| toggle["name"].as_str().unwrap().to_owned()).collect()
}

/// What the client has to say, whichever way it asks.
#[track_caller]
fn check(got: &Value, is_42: bool) {
    let enabled = json!({"for_all": true, "switched_off": false, "for_42": is_42, "for_pro": is_42, "hidden": false});
    assert_eq!(got["enabled"], enabled);
    assert_eq!((&got["colour"]["name"], &got["colour"]["enabled"]), (&json!("blue"), &json!(true)));
    assert_eq!(got["limit"], json!({"type": "number", "value": "25"}));
    assert_eq!(got["layout"], json!({"type": "json", "value": "{\"columns\":2}"}));
    assert_eq!((&got["none"]["name"], &got["none"]["feature_enabled"]), (&json!("disabled"), &json!(true)));
}

#[test]
fn an_unchanged_web_client_works_with_a_token() {
    let program = setup().start();
    let said =
        NodeClient::start("unleash.js", &[&format!("http://{}/api/frontend", program.admin), TOKEN, ""]).line();
    check(&said["get"], true);
    check(&said["post"], true);
    let statuses = said["statuses"].as_array().unwrap();
    for status in ["GET frontend 200", "GET frontend 304", "POST frontend 200", "POST metrics 202"] {
        assert!(statuses.contains(&json!(status)), "{status}: {statuses:?}");
    }
    let url = format!("http://{}/api/frontend", program.admin);
    let refused = NodeClient::start("unleash.js", &[&url, "no token of ours", "refused"]).line();
    assert_eq!(refused["error"]["code"], 401);
}

#[test]
fn an_unchanged_web_client_works_for_the_visitor() {
    let program = setup().start();
    let url = format!("http://{}/.flagstaff/unleash/frontend", program.address);
    let said = NodeClient::start("unleash.js", &[&url, "anything", ""]).line();
    // The context that it sends says neither who the visitor is nor what it has.
    check(&said["get"], false);
    check(&said["post"], false);
    assert!(said["statuses"].as_array().unwrap().contains(&json!("POST metrics 202")));
}

#[test]
fn only_tokens_and_nothing_else_let_in() {
    let program = setup().start();
    let status = |lines: &str| ask(&program, "GET", "", lines, "").status;
    assert_eq!(status(&with_token("")), 200);
    assert_eq!(status(&format!("Authorization: Bearer {TOKEN}\r\n")), 200);
    assert_eq!(status("Authorization: another\r\n"), 200);
    for wrong in ["", "Authorization: \r\n", "Authorization: wrong\r\n", "Authorization: Bearer\r\n"] {
        assert_eq!(status(wrong), 401, "{wrong}");
    }
    let metrics = || {
        let mut raw = Raw::connect(program.admin);
        raw.send(format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", program.admin));
        raw.answer().text()
    };
    assert!(metrics().contains("flagstaff_admin_refused_total{reason=\"token\"} 2\n"), "{}", metrics());
    // It is no token for operators.
    let mut raw = Raw::connect(program.admin);
    raw.send(format!(
        "GET /api/v1/flags HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n",
        program.admin
    ));
    assert_eq!(raw.answer().status, 401);
    let without = Setup::default().flags(FLAGS).start();
    assert_eq!(ask(&without, "GET", "", "Authorization: \r\n", "").status, 401, "without tokens nobody is let in");
}

#[test]
fn what_is_sent_is_what_browsers_may_see() {
    let program = setup().start();
    let on = ["for_all", "colour", "limit", "layout"];
    let first = ask(&program, "GET", "?sessionId=s1", &with_token(""), "");
    assert_eq!(names(&first), on);
    let all = ask(&program, "GET", "/all?sessionId=s1", &with_token(""), "");
    assert_eq!(names(&all), ["for_all", "switched_off", "colour", "limit", "layout", "for_42", "for_pro"]);
    let of_42 = ask(&program, "POST", "", &with_token(""), r#"{"context":{"userId":42,"sessionId":"s1"}}"#);
    assert!(names(&of_42).contains(&"for_42".to_owned()));
    let tag = first.field("etag").unwrap();
    let again = ask(&program, "GET", "?sessionId=s2", &with_token(&format!("If-None-Match: {tag}\r\n")), "");
    assert_eq!((again.status, again.body.len()), (304, 0));

    let large = "x".repeat(70_000);
    for (method, rest, body, wanted) in [
        ("POST", "", "{", 400),
        ("POST", "", "{\"context\":{\"sessionId\":{}}}", 400),
        ("POST", "/client/metrics", large.as_str(), 413),
        ("GET", "/client/register", "", 405),
        ("DELETE", "", "", 405),
        ("GET", "/other", "", 404),
        ("GET", "/%ff", "", 404),
    ] {
        let answer = ask(&program, method, rest, &with_token(""), body);
        assert_eq!(answer.status, wanted, "{method} {rest}");
        assert!(serde_json::from_slice::<Value>(&answer.body).unwrap()["message"].is_string());
    }
    assert_eq!(ask(&program, "POST", "/client/register", &with_token(""), "{}").status, 202);
}

#[test]
fn pages_of_configured_sites_may_ask() {
    let program = setup()
        .env("FLAGSTAFF_ADMIN_TOKEN", "token-of-the-operators")
        .key("unleash", "origins = [\"https://shop.example\"]")
        .key("ofrep", "origins = [\"https://tools.example\"]")
        .start();
    let preflight = |path: &str, origin: &str| {
        let mut raw = Raw::connect(program.admin);
        raw.send(format!(
            "OPTIONS {path} HTTP/1.1\r\nHost: {}\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
             Access-Control-Request-Headers: authorization,if-none-match,unleash-sdk\r\n\r\n",
            program.admin
        ));
        let answer = raw.answer();
        (answer.status, answer.field("access-control-allow-origin"), answer.field("access-control-allow-headers"))
    };
    let allowed =
        |origin: &str| (204, Some(origin.to_owned()), Some("authorization,if-none-match,unleash-sdk".to_owned()));
    let (shop, tools, ofrep) = ("https://shop.example", "https://tools.example", "/ofrep/v1/evaluate/flags");
    assert_eq!(preflight("/api/frontend", shop), allowed(shop));
    assert_eq!(preflight(ofrep, tools), allowed(tools));
    for (path, origin) in
        [("/api/frontend", tools), (ofrep, shop), ("/api/frontend", "https://shop.example.evil.example")]
    {
        let (status, origin, _) = preflight(path, origin);
        assert!(status >= 400 && origin.is_none(), "{path}: {status} {origin:?}");
    }
    // The answer can be read by its page, 304 and errors too.
    let origin = format!("Origin: {shop}\r\nSec-Fetch-Site: cross-site\r\n");
    let answer = ask(&program, "GET", "", &with_token(&origin), "");
    let tag = answer.field("etag").unwrap();
    let none = ask(&program, "GET", "", &with_token(&format!("{origin}If-None-Match: {tag}\r\n")), "");
    let refused = ask(&program, "GET", "", &origin, "");
    assert_eq!([answer.status, none.status, refused.status], [200, 304, 401]);
    for answer in [answer, none, refused] {
        assert_eq!(answer.field("access-control-allow-origin").as_deref(), Some(shop));
        assert_eq!(answer.field("access-control-expose-headers").as_deref(), Some("etag, retry-after"));
        assert_eq!(answer.field("vary").as_deref(), Some("Origin"));
    }
}

#[test]
fn tokens_may_be_in_a_file() {
    let file = "# pages of the shop\nfrom-a-file\n\n";
    let program =
        Setup::default().flags(FLAGS).file("tokens", file).key("unleash", "tokens_file = \"tokens\"").start();
    assert_eq!(ask(&program, "GET", "", "Authorization: from-a-file\r\n", "").status, 200);
    assert_eq!(ask(&program, "GET", "", "Authorization: # pages of the shop\r\n", "").status, 401);
}

#[test]
fn waffles_views_answer_where_the_app_uses_it() {
    let program = setup().key("headers", "waffle = true").start();
    let mut browser = Browser::of(program.address, VISITOR).with_cookie("dwf_For-All", "False");
    let status = browser.get("/.flagstaff/waffle_status");
    let flags = &serde_json::from_slice::<Value>(&status.body).unwrap()["flags"];
    assert_eq!(
        flags["For-All"],
        json!({"is_active": true, "last_modified": null}),
        "a cookie of waffle's says nothing"
    );
    assert_eq!((&flags["switched_off"]["is_active"], flags.get("hidden")), (&json!(false), None));
    let script = browser.get("/.flagstaff/wafflejs");
    assert!(
        script.text().contains("window.waffle") && script.text().contains("\"For-All\":true"),
        "{}",
        script.text()
    );
    for answer in [status, script] {
        assert!(answer.all("set-cookie").iter().all(|cookie| !cookie.starts_with("dwf")), "no flag is drawn");
    }
    assert_eq!(setup().start().get("/.flagstaff/waffle_status").0, 404);
}
