//! OFREP: what OpenFeature's clients ask, of the operators' address and of the visitor's.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::browser::Browser;
use crate::harness::eventually;
use crate::harness::node::NodeClient;
use crate::harness::program::{Program, Setup};
use crate::harness::python;
use crate::harness::raw::{Answer, Raw};

const FLAGS: &str = r#"
[flags.for_all]
client = true
metadata = { team = "pay", seats = 3, notes = ["a list is not for clients"] }

[flags.switched_off]
enabled = false
client = true

[flags.half]
percent = 50

[flags.colour]
variants = { blue = 100 }
client = true

[flags.limit]
values = { on = 25, off = 0 }

[flags.price]
variants = { classic = 0, high = 100 }
values = { classic = 9.5, high = 12.0 }

[flags.layout]
values = { on = { columns = 2, wide = true }, off = {} }

[flags.for_42]
allow = { users = ["42"] }
client = true

[flags.for_beta]
allow = { groups = ["beta"] }

[[flags.for_pro.rules]]
if = { plan = "pro" }
serve = "on"
"#;

const TOKEN: &str = "operators-token-of-the-tests";
const VISITOR: &str = "somebody-with-openfeat";

/// In front of the demo shop.
fn setup() -> Setup {
    Setup::default().env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(FLAGS)
}

/// A question to the operators' address.
#[track_caller]
fn ask(program: &Program, rest: &str, lines: &str, body: &str) -> Answer {
    let lines = format!("Authorization: Bearer {TOKEN}\r\n{lines}");
    Browser::new(program.admin).post_json(&format!("/ofrep/v1/evaluate/flags{rest}"), &lines, body)
}

#[track_caller]
fn read(answer: &Answer) -> Value {
    assert_eq!(answer.field("content-type").as_deref(), Some("application/json"), "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// The value and the variant of each flag in a list.
#[track_caller]
fn values(answer: &Answer) -> Vec<(String, Value)> {
    let body = read(answer);
    let all = body["flags"].as_array().unwrap().iter();
    all.map(|flag| (flag["key"].as_str().unwrap().to_owned(), flag["value"].clone())).collect()
}

#[test]
fn an_unchanged_python_client_gets_every_type() {
    let program = setup().start();
    let address = format!("http://{}", program.admin);
    let said: Value = serde_json::from_str(&python::output_of("ofrep_client.py", &[&address, TOKEN])).unwrap();
    let is = |name: &str, value: Value, variant: &str, reason: &str| {
        let got = &said[name];
        assert_eq!(got["value"], value, "{name}: {got}");
        assert_eq!((&got["variant"], &got["reason"]), (&json!(variant), &json!(reason)), "{name}: {got}");
        assert_eq!(got["error"], Value::Null, "{name}: {got}");
    };
    is("boolean", json!(true), "on", "STATIC");
    is("disabled", json!(false), "off", "DISABLED");
    is("string", json!("blue"), "blue", "SPLIT");
    is("integer", json!(25), "on", "STATIC");
    is("float", json!(12.0), "high", "SPLIT");
    is("object", json!({"columns": 2, "wide": true}), "on", "STATIC");
    is("user", json!(true), "on", "TARGETING_MATCH");
    is("group", json!(true), "on", "TARGETING_MATCH");
    is("nobody", json!(false), "off", "DEFAULT");
    is("attribute", json!(true), "on", "TARGETING_MATCH");
    assert_eq!(said["boolean"]["metadata"], json!({"team": "pay", "seats": 3}));
    let fails = |name: &str, code: &str| {
        assert_eq!((&said[name]["error"], &said[name]["reason"]), (&json!(code), &json!("ERROR")), "{name}");
    };
    fails("unknown", "FLAG_NOT_FOUND");
    fails("slash", "FLAG_NOT_FOUND");
    fails("no_key", "TARGETING_KEY_MISSING");
    fails("bad_context", "INVALID_CONTEXT");
    fails("wrong_type", "TYPE_MISMATCH");
}

#[test]
fn one_flag_has_a_name_however_it_is_written() {
    let program = setup().start();
    for rest in ["/for_all", "/for_all/", "/for%5Fall"] {
        let answer = ask(&program, rest, "", "");
        assert_eq!(read(&answer)["value"], true, "{rest}");
    }
    for (rest, key) in [("/no/such%20flag", "no/such flag"), ("/%ff", "\u{fffd}"), ("/%2e%2e/", "..")] {
        let answer = ask(&program, rest, "", "{}");
        let body = read(&answer);
        assert_eq!((answer.status, &body["key"], &body["errorCode"]), (404, &json!(key), &json!("FLAG_NOT_FOUND")));
        assert!(body["errorDetails"].is_string());
    }
    let drawn = ask(&program, "/half", "", r#"{"context":{"targetingKey":"u1"}}"#);
    assert_eq!(read(&drawn)["reason"], "SPLIT");
    let missing = ask(&program, "/half", "", "");
    assert_eq!((missing.status, &read(&missing)["errorCode"]), (400, &json!("TARGETING_KEY_MISSING")));
}

#[test]
fn a_list_is_sent_once() {
    let program = setup().start();
    let context = r#"{"context":{"targetingKey":"u1","user":42}}"#;
    let first = ask(&program, "", "", context);
    let body = read(&first);
    assert_eq!(body["flags"].as_array().unwrap().len(), 10);
    assert!(body.get("eventStreams").is_none(), "an EventSource can send no token");
    let tag = first.field("etag").unwrap();
    let status = |tags: &str, context: &str| ask(&program, "", &format!("If-None-Match: {tags}\r\n"), context).status;
    let strong = tag.trim_start_matches("W/");
    for tags in
        [tag.as_str(), strong, "*", &format!("\"other\", {tag}"), &format!("\"other\"\r\nIf-None-Match: {strong}")]
    {
        assert_eq!(status(tags, context), 304, "{tags}");
    }
    assert_eq!(status("\"other\"", context), 200);
    assert_eq!(status(&tag, r#"{"context":{"targetingKey":"u1","user":7}}"#), 200, "another user, other flags");
    let none = ask(&program, "/", &format!("If-None-Match: {tag}\r\n"), context);
    assert!(none.body.is_empty() && none.field("etag") == Some(tag) && none.field("content-type").is_none());
    // What a draw lacks is said of that flag alone.
    let without = read(&ask(&program, "", "", ""));
    let half = without["flags"].as_array().unwrap().iter().find(|flag| flag["key"] == "half").unwrap();
    assert_eq!(half["errorCode"], "TARGETING_KEY_MISSING");
}

#[test]
fn no_input_is_an_error_of_ours() {
    let program = setup().start();
    let large = format!("{{\"context\":{{\"targetingKey\":\"{}\"}}}}", "a".repeat(70_000));
    let deep = "[".repeat(20_000);
    for (body, status, code) in [
        ("{", 400, "PARSE_ERROR"),
        ("[1]", 400, "PARSE_ERROR"),
        (deep.as_str(), 400, "PARSE_ERROR"),
        ("{\"context\":7}", 400, "INVALID_CONTEXT"),
        ("{\"context\":{\"groups\":\"beta\"}}", 400, "INVALID_CONTEXT"),
        (large.as_str(), 413, "GENERAL"),
    ] {
        for (rest, key) in [("", Value::Null), ("/for_all", json!("for_all"))] {
            let answer = ask(&program, rest, "", body);
            let said = read(&answer);
            assert_eq!((answer.status, &said["errorCode"], &said["key"]), (status, &json!(code), &key));
            assert!(said["errorDetails"].as_str().is_some_and(|details| !details.is_empty()));
        }
    }
    let mut raw = Raw::connect(program.admin);
    raw.send(format!("GET /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {TOKEN}\r\n\r\n"));
    let answer = raw.answer();
    assert_eq!((answer.status, answer.field("allow").as_deref()), (405, Some("POST")));
}

#[test]
fn a_server_says_its_token_in_one_of_two_headers() {
    let program = setup().start();
    let status = |lines: &str| Browser::new(program.admin).post_json("/ofrep/v1/evaluate/flags", lines, "{}").status;
    assert_eq!(status(&format!("X-API-Key: {TOKEN}\r\n")), 200);
    assert_eq!(status(&format!("Authorization: Bearer {TOKEN}\r\n")), 200);
    assert_eq!(status(""), 401);
    assert_eq!(status("X-API-Key: wrong\r\n"), 401);
}

#[test]
fn a_visitor_gets_what_browsers_may_see_and_nothing_of_others() {
    let trusted = setup().key("user", "header = \"X-User-Id\"").key("trust", "addresses = [\"127.0.0.1\"]");
    let program = trusted.start();
    let mut browser = Browser::of(program.address, VISITOR);
    let path = "/.flagstaff/ofrep/v1/evaluate/flags";
    let asked = r#"{"context":{"targetingKey":"somebody else","user":"42"}}"#;
    let answer = browser.post_json(path, "", asked);
    let flags = |for_42: bool| {
        let all = [
            ("for_all", json!(true)),
            ("switched_off", json!(false)),
            ("colour", json!("blue")),
            ("for_42", json!(for_42)),
        ];
        all.map(|(name, value)| (name.to_owned(), value)).to_vec()
    };
    assert_eq!(values(&answer), flags(false), "a context in the body says nothing of who the visitor is");
    let of_42 = browser.post_json(path, "X-User-Id: 42\r\n", "");
    assert_eq!(values(&of_42), flags(true));
    assert!(!answer.text().contains("metadata"), "{}", answer.text());
    assert_eq!(answer.field("cache-control").as_deref(), Some("private, no-cache"));
    let tag = answer.field("etag").unwrap();
    assert_eq!(browser.post_json(path, &format!("If-None-Match: {tag}\r\n"), "").status, 304);

    let one = browser.post_json(&format!("{path}/colour"), "", "{}");
    assert_eq!(read(&one), json!({"key": "colour", "value": "blue", "reason": "SPLIT", "variant": "blue"}));
    for hidden in ["half", "no_such_flag"] {
        let answer = browser.post_json(&format!("{path}/{hidden}"), "", "{}");
        let body = read(&answer);
        assert_eq!(
            (answer.status, &body["errorCode"], &body["key"]),
            (404, &json!("FLAG_NOT_FOUND"), &json!(hidden))
        );
    }
    for (body, status) in [("{", 400), ("{\"context\":[]}", 400), (&*"x".repeat(17_000), 413)] {
        let answer = browser.post_json(&format!("{path}/colour"), "", body);
        let said = read(&answer);
        assert_eq!((answer.status, &said["key"], said["errorCode"].is_string()), (status, &json!("colour"), true));
    }
    assert_eq!(browser.get(path).status, 405);
    assert_eq!(browser.post_json("/.flagstaff/ofrep/v1/other", "", "").status, 404);
    assert_eq!(program.metric("flagstaff_unknown_flags_total", ""), 0.0, "nobody outside fills the log");
}

/// A stream of changes, open.
struct Stream(Raw);

impl Stream {
    #[track_caller]
    fn open(program: &Program, target: &str, lines: &str) -> Self {
        let mut raw = program.raw();
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: {}\r\n{lines}\r\n", program.address));
        let head = raw.answer_head();
        assert_eq!((head.status, head.field("content-type").as_deref()), (200, Some("text/event-stream")));
        Self(raw)
    }

    /// The next event or comment, a chunk of its own.
    #[track_caller]
    fn next(&mut self) -> String {
        let size = String::from_utf8(self.0.until(b"\r\n")).unwrap();
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let text = String::from_utf8(self.0.exactly(size + 2)).unwrap();
        text.trim_end().to_owned()
    }
}

/// The address of the stream that a list names, below the host.
#[track_caller]
fn stream_of(program: &Program, lines: &str) -> (String, String) {
    let answer = Browser::of(program.address, VISITOR).post_json("/.flagstaff/ofrep/v1/evaluate/flags", lines, "");
    let streams = read(&answer)["eventStreams"].clone();
    assert_eq!((&streams[0]["type"], &streams[0]["inactivityDelaySec"]), (&json!("sse"), &json!(120)));
    let url = streams[0]["url"].as_str().unwrap();
    let (origin, path) = url.split_once("/.flagstaff").unwrap();
    (origin.to_owned(), format!("/.flagstaff{path}"))
}

#[test]
fn a_page_is_told_of_changes() {
    let program = setup().start();
    let (origin, target) = stream_of(&program, "");
    assert_eq!(origin, format!("http://{}", program.address));
    let mut stream = Stream::open(&program, &target, "");
    let first = stream.next();
    assert!(first.contains("id: ") && !first.contains("data: "), "{first}");
    std::fs::write(program.path("flags.toml"), FLAGS.replace("[flags.for_all]", "[flags.for_all]\nenabled = false"))
        .unwrap();
    let event = stream.next();
    assert!(event.contains("event: message\ndata: {\"type\":\"refetchEvaluation\",\"etag\":\""), "{event}");
    let mut browser = Browser::of(program.address, VISITOR);
    let list = browser.post_json("/.flagstaff/ofrep/v1/evaluate/flags", "", "");
    assert_eq!(values(&list)[0], ("for_all".into(), json!(false)), "what it asks again for is in force");

    // A page that comes back from elsewhere, or that asked before the change, hears of it at once; one that knows does not.
    assert!(Stream::open(&program, &target, "").next().contains("refetchEvaluation"));
    let id = event.lines().find_map(|line| line.strip_prefix("id: ")).unwrap();
    let again = Stream::open(&program, &target, &format!("Last-Event-ID: {id}\r\n")).next();
    assert!(!again.contains("refetchEvaluation"), "{again}");
    assert!(!Stream::open(&program, &stream_of(&program, "").1, "").next().contains("refetchEvaluation"));
}

#[test]
fn a_page_is_told_where_its_browser_sees_the_site() {
    let program = setup().key("trust", "addresses = [\"127.0.0.1\"]").start();
    let (origin, _) = stream_of(&program, "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n");
    assert_eq!(origin, "https://shop.example");
    let untrusted = setup().start();
    let (origin, _) = stream_of(&untrusted, "X-Forwarded-Proto: https\r\nX-Forwarded-Host: shop.example\r\n");
    assert_eq!(origin, format!("http://{}", untrusted.address));
}

#[test]
fn streams_are_few_and_end_with_the_program() {
    let mut program = setup().key("ofrep", "streams = 4").start();
    let (_, target) = stream_of(&program, "");
    let mut first = Stream::open(&program, &target, "");
    first.next();
    let refused = program.get(&target);
    assert_eq!(refused.0, 503, "a quarter for one network: {}", refused.1);
    drop(first);
    eventually("its place is free", || {
        let mut raw = program.raw();
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        raw.answer_head().status == 200
    });
    let mut last = None;
    eventually("there is room again", || {
        let mut raw = program.raw();
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let is_open = raw.answer_head().status == 200;
        last = Some(raw);
        is_open
    });
    program.process.signal(rustix::process::Signal::TERM);
    let rest = String::from_utf8(last.unwrap().rest()).unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "a whole end: {rest}");
    assert!(program.process.wait().success());
}

#[test]
fn an_unchanged_web_client_hears_of_a_change() {
    let program = setup()
        .flags(
            &FLAGS
                .replace("[flags.limit]", "[flags.limit]\nclient = true")
                .replace("[flags.price]", "[flags.price]\nclient = true")
                .replace("[flags.layout]", "[flags.layout]\nclient = true"),
        )
        .start();
    let cookie = format!("flagstaff_visitor={VISITOR}");
    let mut client = NodeClient::start("ofrep_web.js", &[&format!("http://{}", program.address), &cookie]);
    let told = client.line();
    let value =
        |name: &str| (told[name]["value"].clone(), told[name]["variant"].clone(), told[name]["reason"].clone());
    assert_eq!(value("boolean"), (json!(true), json!("on"), json!("STATIC")));
    assert_eq!(value("disabled"), (json!(false), json!("off"), json!("DISABLED")));
    assert_eq!(value("string"), (json!("blue"), json!("blue"), json!("SPLIT")));
    assert_eq!(value("number"), (json!(25), json!("on"), json!("STATIC")));
    assert_eq!(value("fraction"), (json!(12), json!("high"), json!("SPLIT")));
    assert_eq!(value("object").0, json!({"columns": 2, "wide": true}));
    assert_eq!(told["hidden"]["errorCode"], "FLAG_NOT_FOUND");
    assert_eq!(
        (&told["wrong_type"]["errorCode"], &told["wrong_type"]["value"]),
        (&json!("TYPE_MISMATCH"), &json!(7))
    );
    let flags = std::fs::read_to_string(program.path("flags.toml")).unwrap();
    std::fs::write(program.path("flags.toml"), flags.replace("[flags.for_all]", "[flags.for_all]\nenabled = false"))
        .unwrap();
    let changed = client.line();
    assert_eq!((&changed["changed"], &changed["boolean"]["value"]), (&json!(["for_all"]), &json!(false)));
}

#[test]
#[ignore = "builds the client with its TLS library, for minutes: tests/long"]
fn an_unchanged_rust_client_gets_every_type() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/ofrep_rust/Cargo.toml");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests/ofrep_rust");
    let program = setup().start();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked", "--manifest-path"]).arg(package).arg("--target-dir").arg(target);
    let output = cargo.args(["--", &format!("http://{}", program.admin), TOKEN]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let got = |name: &str| {
        let details = &said[name];
        (details["value"].clone(), details["variant"].as_str().map(str::to_owned), details["error"].clone())
    };
    let is =
        |name: &str, value: Value, variant: &str| assert_eq!(got(name), (value, Some(variant.into()), Value::Null));
    is("boolean", json!(true), "on");
    is("disabled", json!(false), "off");
    is("string", json!("blue"), "blue");
    is("integer", json!(25), "on");
    is("float", json!(12.0), "high");
    is("object", json!({"columns": 2, "wide": true}), "on");
    is("user", json!(true), "on");
    is("attribute", json!(true), "on");
    // What this client makes of errors: every 400 is an invalid context, every wrong type an error of parsing.
    for (name, code) in [("unknown", "FLAG_NOT_FOUND"), ("no_key", "INVALID_CONTEXT"), ("wrong_type", "PARSE_ERROR")]
    {
        assert_eq!(got(name), (Value::Null, None, json!(code)), "{name}");
    }
}
