//! The JSON API: what programs of operators ask and order.

use std::fs;

use serde_json::{Value, json};

use crate::experiment_flow::said;
use crate::harness::api::TOKEN;
use crate::harness::app::App;
use crate::harness::crowd::look;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Answer;
use crate::harness::stores::Store;

const FLAGS: &str = "# ours\n[flags.form]            # the new form\npercent = 100           # of visitors\ngoals = [\"sent\"]\n
[flags.price]\nvariants = { classic = 50, simple = 50 }\npercent = 20\nowner = \"growth\"\n
[flags.checkout]\n[flags.checkout.rollout]\nsteps = [{ percent = 5, hold = \"1h\" }, { percent = 25, hold = \"1h\" }, { percent = 100 }]\n
[goals.sent]\non = \"POST /form\"\n";

fn started() -> (App, Program) {
    started_in(&Store::File)
}

fn started_in(store: &Store) -> (App, Program) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).kept_in(store).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).flags(FLAGS).start();
    (app, program)
}

/// What is edited is edited in every place where flags are kept.
fn in_each_store(edit: impl Fn(&Program)) {
    for store in Store::all() {
        let (_app, program) = started_in(&store);
        edit(&program);
    }
}

fn text(program: &Program) -> String {
    program.document(None).unwrap()
}

fn is_on(program: &Program, flag: &str) -> bool {
    program.get("/").1.to_lowercase().contains(&format!("x-flag-{flag}: on"))
}

/// Waits until a running program has read the flag.
#[track_caller]
fn known(program: &Program, flag: &str) {
    let path = format!("/api/v1/flags/{flag}/rollout");
    eventually("the ledger knows it", || program.api_get(&path)["history"][0]["kind"] == "defined");
}

/// A problem with this status.
#[track_caller]
fn problem(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.field("content-type").as_deref(), Some("application/problem+json"), "{answer:?}");
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
    problem
}

#[test]
fn an_edit_is_written_in_place_and_in_force_when_it_is_answered() {
    in_each_store(an_edit_is_written_in_place_and_in_force_when_it_is_answered_in);
}

fn an_edit_is_written_in_place_and_in_force_when_it_is_answered_in(program: &Program) {
    let list = program.api("GET /api/v1/flags", "", "");
    assert_eq!(list.json(), said(program, "list --json").json());
    let form = program.api("GET /api/v1/flags/form", "", "");
    assert_eq!((form.json()["name"].as_str(), form.etag()), (Some("form"), list.etag()));
    assert!(is_on(program, "form"));

    let head = format!("If-Match: {}\r\nX-Flagstaff-Author: ada\r\n", form.etag());
    let body = r#"{"set": {"percent": 0, "owner": "shop"}}"#;
    let edited = program.api("PATCH /api/v1/flags/form", &head, body);
    assert_eq!(edited.status, 200, "{edited:?}");
    assert_eq!((&edited.json()["in_force"], &edited.json()["by"]), (&true.into(), &"ada".into()));
    assert!(!is_on(program, "form"), "from the next answer on");
    let line = "percent = 0           # of visitors\ngoals = [\"sent\"]\nowner = \"shop\"\n";
    assert_eq!(text(program), FLAGS.replace("percent = 100           # of visitors\ngoals = [\"sent\"]\n", line));
    assert_eq!(program.api("GET /api/v1/flags", "", "").etag(), edited.etag());

    let stale = program.api("PATCH /api/v1/flags/form", &head, r#"{"set": {"percent": 50}}"#);
    let refused = problem(&stale, 412);
    assert_eq!(refused["expected"], form.etag().trim_matches('"'));
    assert_eq!(refused["revision"], edited.etag().trim_matches('"'));
    assert!(text(program).contains("percent = 0  "));
}

#[test]
fn a_hand_edit_in_between_is_a_conflict_and_nothing_is_lost() {
    in_each_store(a_hand_edit_in_between_is_a_conflict_and_nothing_is_lost_in);
}

fn a_hand_edit_in_between_is_a_conflict_and_nothing_is_lost_in(program: &Program) {
    let head = format!("If-Match: {}\r\n", program.api("GET /api/v1/flags", "", "").etag());
    program.save_flags(&FLAGS.replace("owner = \"growth\"", "owner = \"by hand\""));
    let before = text(program);
    for (request, body) in [
        ("PATCH /api/v1/flags/price", r#"{"set": {"percent": 50}}"#),
        ("POST /api/v1/flags/price/off", ""),
        ("POST /api/v1/flags/price/everyone", ""),
        ("POST /api/v1/flags/price/end", r#"{"force": true, "winner": "on"}"#),
    ] {
        let refused = problem(&program.api(request, &head, body), 412);
        assert!(refused["help"].as_str().unwrap().contains("ETag"), "{refused}");
        assert_eq!(text(program), before);
    }
    let head = format!("If-Match: {}\r\n", program.api("GET /api/v1/flags", "", "").etag());
    assert_eq!(program.api("POST /api/v1/flags/price/off", &head, "").status, 200);
    assert_eq!(text(program), before.replace("owner = \"by hand\"\n", "owner = \"by hand\"\nenabled = false\n"));
}

#[test]
fn a_command_is_for_the_state_of_a_rollout_that_was_seen() {
    in_each_store(a_command_is_for_the_state_of_a_rollout_that_was_seen_in);
}

fn a_command_is_for_the_state_of_a_rollout_that_was_seen_in(program: &Program) {
    known(program, "checkout");
    let seen = program.api("GET /api/v1/flags/checkout/rollout", "", "");
    assert_eq!(seen.etag(), format!("\"{}\"", seen.json()["number"]));
    let order = |command: &str, tag: &str| {
        let request = format!("POST /api/v1/flags/checkout/rollout/{command}");
        program.api(&request, &format!("If-Match: {tag}\r\n"), "")
    };
    let advanced = order("advance", &seen.etag());
    assert_eq!((advanced.status, &advanced.json()["step"]), (200, &2.into()), "{advanced:?}");
    let refused = problem(&order("advance", &seen.etag()), 412);
    assert_eq!((&refused["answer"]["step"], &refused["answer"]["number"]), (&2.into(), &advanced.json()["number"]));
    // it went on, and a person stops it wherever it is
    assert_eq!(order("pause", &seen.etag()).status, 200);
    problem(&order("pause", &seen.etag()), 412);
    problem(&order("reset", &seen.etag()), 412);
    problem(&order("advance", &program.api("GET /api/v1/flags", "", "").etag()), 400);
    assert_eq!(order("resume", "*").status, 200);
    assert_eq!(program.api_get("/api/v1/flags/checkout/rollout")["step"], 2);
}

#[test]
fn an_edit_that_undoes_something_says_so_first() {
    in_each_store(an_edit_that_undoes_something_says_so_first_in);
}

fn an_edit_that_undoes_something_says_so_first_in(program: &Program) {
    known(program, "checkout");
    let advanced = program.api("POST /api/v1/flags/checkout/rollout/advance", "X-Flagstaff-Author: ada\r\n", "");
    assert_eq!((advanced.status, &advanced.json()["step"]), (200, &2.into()), "{advanced:?}");
    assert_eq!(advanced.json()["history"][1]["by"], "ada");
    let body = r#"{"set": {"rollout.steps.0.percent": 10}}"#;
    let refused = problem(&program.api("PATCH /api/v1/flags/checkout", "", body), 409);
    assert!(refused["undoes"].is_string() && text(program) == FLAGS, "{refused}");
    let revision = refused["revision"].as_str().unwrap();
    let other = program.api(&format!("PATCH /api/v1/flags/checkout?confirm={revision}0"), "", body);
    problem(&other, 412);
    let done = program.api(&format!("PATCH /api/v1/flags/checkout?confirm={revision}"), "", body);
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(text(program), FLAGS.replace("percent = 5,", "percent = 10,"));
    let history = program.api_get("/api/v1/flags/checkout/rollout")["history"].clone();
    let edited = history.as_array().unwrap().last().unwrap()["why"].as_str().unwrap();
    assert!(edited.starts_with("edited over the API: "), "{history}");
}

#[test]
fn switches_are_as_the_commands() {
    in_each_store(switches_are_as_the_commands_in);
}

fn switches_are_as_the_commands_in(program: &Program) {
    let price = |text: &str| FLAGS.replace("owner = \"growth\"\n", text);
    for (order, wanted) in [
        ("off", price("owner = \"growth\"\nenabled = false\n")),
        ("on", price("owner = \"growth\"\nenabled = true\n")),
        ("everyone", price("owner = \"growth\"\nenabled = true\n").replace("percent = 20", "percent = 100")),
    ] {
        let done = program.api(&format!("POST /api/v1/flags/price/{order}"), "", "");
        assert_eq!((done.status, &done.json()["in_force"]), (200, &true.into()), "{order}: {done:?}");
        assert_eq!(text(program), wanted, "{order}");
    }
    program.write_document(None, FLAGS.replace("percent = 20", "percent = 200"));
    eventually("the file is refused", || program.health()["flags"]["problem"].is_string());
    known(program, "form");
    let off = program.api("POST /api/v1/flags/form/off", "", "");
    assert_eq!((off.status, &off.json()["way"]["in"]), (200, &"ledger".into()), "{off:?}");
    eventually("it is off all the same", || !is_on(program, "form"));
}

#[test]
fn an_order_with_a_key_is_carried_out_once() {
    in_each_store(an_order_with_a_key_is_carried_out_once_in);
}

fn an_order_with_a_key_is_carried_out_once_in(program: &Program) {
    let (key, body) = ("Idempotency-Key: one\r\n", r#"{"set": {"percent": 30}}"#);
    let first = program.api("PATCH /api/v1/flags/price", key, body);
    assert_eq!(first.status, 200, "{first:?}");
    program.save_flags(FLAGS);
    let again = program.api("PATCH /api/v1/flags/price", key, body);
    assert_eq!((again.status, &again.body, again.etag()), (200, &first.body, first.etag()));
    assert_eq!(again.field("idempotency-replayed").as_deref(), Some("true"));
    assert_eq!(text(program), FLAGS, "nothing was done");
    let other = program.api("PATCH /api/v1/flags/price", key, r#"{"set": {"percent": 40}}"#);
    assert!(problem(&other, 422)["help"].as_str().unwrap().contains("new key"));
    problem(&program.api("POST /api/v1/flags/price/off", key, ""), 422);
    assert_eq!(program.api("PATCH /api/v1/flags/price", "Idempotency-Key: two\r\n", body).status, 200);
    assert!(text(program).contains("percent = 30"));
    problem(&program.api("PATCH /api/v1/flags/price", "Idempotency-Key: \r\n", body), 400);
}

#[test]
fn bad_requests_are_refused_with_where_and_how_to_mend() {
    let (_app, program) = started();
    let long = format!("{{\"set\": {{\"description\": \"{}\"}}}}", "x".repeat(70_000));
    let set = "PATCH /api/v1/flags/price";
    for (request, head, body, status, word) in [
        (set, "", "{", 400, "line 1 column 1"),
        (set, "", r#"{"sett": {}}"#, 400, "unknown field `sett`"),
        (set, "", r#"{"set": {}}"#, 422, "name a key"),
        (set, "", r#"{"set": {"percent": null}}"#, 422, "null"),
        (set, "", r#"{"set": {"percent": 130}}"#, 422, "0 to 100"),
        (set, "", r#"{"set": {"percnt": 13}}"#, 422, "percent"),
        (set, "", &long, 413, "64 KiB"),
        (set, "Content-Type: text/plain\r\n", r#"{"set": {"percent": 13}}"#, 415, "application/json"),
        (set, "If-Match: \"a\", \"b\"\r\n", r#"{"set": {"percent": 13}}"#, 400, "If-Match"),
        ("PATCH /api/v1/flags/prise", "", r#"{"set": {"percent": 13}}"#, 404, "price"),
        ("POST /api/v1/preview", "", r#"{"flag": "price", "set": {"percent": 130}}"#, 422, "0 to 100"),
        ("POST /api/v1/preview", "", r#"{"flag": "prise", "set": {"percent": 13}}"#, 404, "price"),
        ("POST /api/v1/preview", "", r#"{"set": {"percent": 13}}"#, 400, "flag"),
        ("POST /api/v1/flags/prise/off", "", "", 404, "price"),
        ("GET /api/v1/flags/prise", "", "", 404, "did you mean `price`?"),
        ("GET /api/v1/flags/%ff", "", "", 400, "UTF-8"),
        ("GET /api/v1/flags/price/simulation?percent=many", "", "", 400, "percent"),
        ("GET /api/v1/flags/price/simulation?visitors=2000000", "", "", 422, "1000000"),
        ("GET /api/v1/flags/price/results?alpha=2", "", "", 422, "alpha"),
        ("POST /api/v1/forget", "", "{}", 422, "nobody is named"),
        ("GET /api/v1/events?flag=prise", "", "", 404, "price"),
        ("GET /api/v1/events?flags=price", "", "", 400, "flags"),
        ("GET /api/v1/tail?flag=prise", "", "", 404, "price"),
        ("GET /api/v1/nothing", "", "", 404, "/openapi.json"),
        ("GET /api", "", "", 404, "/openapi.json"),
        ("DELETE /api/v1/results", "", "", 405, "Allow"),
        ("POST /api/v1/flags/form/rollout/advance", "", "", 409, "has no rollout"),
        ("POST /api/v1/links", "", r#"{"url": "/", "variants": {"form": "on"}}"#, 422, "FLAGSTAFF_KEYS"),
    ] {
        let answer = program.api(request, head, body);
        let problem = problem(&answer, status);
        assert!(problem.to_string().contains(word), "{request} {body:.60}: {problem}");
    }
    assert!(program.api("DELETE /api/v1/results", "", "").field("allow").unwrap().contains("GET"));
    assert_eq!(text(&program), FLAGS);
    problem(&program.api_as("another-token", "GET /api/v1/flags", "", ""), 401);
}

#[test]
fn questions_are_answered_as_the_commands_answer_them() {
    let (_app, program) = started();
    known(&program, "checkout");
    for (path, command) in [
        (
            "/api/v1/flags/price/simulation?visitors=500&percent=40",
            "simulate price --visitors 500 --percent 40 --json",
        ),
        ("/api/v1/flags/form/results", "results form --json"),
        ("/api/v1/results", "results --json"),
        ("/api/v1/holdout/results?alpha=0.1", "results --holdout --alpha 10% --json"),
        ("/api/v1/power?baseline=0.05&lift=0.1&per_day=1000", "power --baseline 5% --lift 10% --per-day 1000 --json"),
        (
            "/api/v1/compare?control_conversions=500&control_visitors=10000&treatment_conversions=615&treatment_visitors=10000",
            "compare 500/10000 615/10000 --json",
        ),
    ] {
        assert_eq!(program.api_get(path), command_says(&program, command), "{path}");
    }
    let body = r#"{"visitor": "v-1", "headers": [{"name": "Accept-Language", "value": "de"}], "at": "2026-11-20T09:00:00Z"}"#;
    let explained = program.api("POST /api/v1/flags/price/explain", "", body).json();
    let command = "explain price --visitor v-1 --header Accept-Language=de --at 2026-11-20T09:00:00Z --json";
    assert_eq!(explained, command_says(&program, command));
    let all = program.api("POST /api/v1/explain", "", r#"{"visitor": "v-1"}"#).json();
    assert_eq!(all, command_says(&program, "explain --visitor v-1 --json"));
    let tripped = program.api("POST /api/v1/flags/form/explain", "", r#"{"tripped": ["form"]}"#).json();
    assert_eq!((&tripped["variant"], &tripped["step"]), (&"off".into(), &"tripped".into()));
    let draft = "[flags.a]\npercent = 130\n";
    let toml = "Content-Type: application/toml\r\n";
    let checked = program.api("POST /api/v1/check?name=draft.toml", toml, draft).json();
    let found = &checked["problems"][0];
    assert_eq!(
        (&found["line"], &found["file"], &checked["usable"]),
        (&2.into(), &"draft.toml".into(), &false.into())
    );
    assert_eq!(program.api("POST /api/v1/check", toml, FLAGS).json()["flags"], 3);
}

#[track_caller]
fn command_says(program: &Program, line: &str) -> Value {
    let config = if line.starts_with("power") || line.starts_with("compare") {
        vec![]
    } else {
        vec!["--config", "flagstaff.toml"]
    };
    let words = line.split(' ').chain(config);
    crate::harness::command::flagstaff(program.folder.path(), words, &[]).json()
}

#[test]
fn flags_are_added_copied_and_deleted() {
    in_each_store(flags_are_added_copied_and_deleted_in);
}

fn flags_are_added_copied_and_deleted_in(program: &Program) {
    let added =
        program.api("POST /api/v1/flags", "", r#"{"name": "banner", "set": {"percent": 100, "owner": "ada"}}"#);
    assert_eq!((added.status, &added.json()["in_force"]), (200, &true.into()), "{added:?}");
    assert!(text(program).starts_with(FLAGS) && is_on(program, "banner"), "{}", text(program));
    problem(&program.api("POST /api/v1/flags", "", r#"{"name": "banner"}"#), 422);
    problem(&program.api("POST /api/v1/flags", "", r#"{"name": "other", "like": "nowhere"}"#), 404);
    let copied = program.api("POST /api/v1/flags", "", r#"{"name": "copy", "like": "banner"}"#);
    assert_eq!((copied.status, &copied.json()["state"]), (200, &"off".into()), "{copied:?}");
    let refused = problem(&program.api("DELETE /api/v1/flags/banner", "", ""), 409);
    problem(&program.api("DELETE /api/v1/flags/banner", "If-Match: \"0\"\r\n", ""), 412);
    let confirm = format!("DELETE /api/v1/flags/banner?confirm={}", refused["revision"].as_str().unwrap());
    assert_eq!(program.api(&confirm, "", "").status, 200);
    assert!(!is_on(program, "banner"), "it is gone when it is answered");
    assert_eq!(program.api("DELETE /api/v1/flags/copy?yes=true", "", "").status, 200);
    assert_eq!(text(program).trim_end(), FLAGS.trim_end());
}

#[test]
fn what_was_recorded_is_exported_and_forgotten() {
    let (_app, program) = started();
    problem(&program.api("GET /api/v1/export?flag=price", "", ""), 404);
    // of 20 % of visitors something is recorded
    let (mut raw, mut visitors) = (program.raw(), 0..);
    eventually("it is recorded", || {
        look(&mut raw, &format!("api{:0>19}", visitors.next().unwrap_or(0)));
        program.api("GET /api/v1/export?flag=price&format=jsonl", "", "").status == 200
    });
    eventually("all of it is written", || program.health()["ledger"]["queued"] == 0);
    let exported = program.api("GET /api/v1/export?flag=price&format=jsonl", "", "");
    let row: Value = serde_json::from_str(exported.text().lines().next().unwrap()).unwrap();
    let visitor = row["visitor"].as_str().or_else(|| row["unit"].as_str()).unwrap_or_else(|| panic!("{row}"));
    let csv = program.api("GET /api/v1/export?flag=price", "", "");
    assert_eq!(csv.text(), said(&program, "export --flag price").out);
    let body = json!({ "visitor": visitor }).to_string();
    let forgotten = program.api("POST /api/v1/forget", "", &body).json();
    assert!(forgotten["rows"].as_u64().unwrap() > 0, "{forgotten}");
    assert!(!program.api("GET /api/v1/export?flag=price", "", "").text().contains(visitor));
}

/// Of each operation so many requests are made up.
const EXAMPLES: &str = "15";

#[test]
fn the_description_holds_whatever_is_sent() {
    let (_app, program) = started();
    known(&program, "checkout");
    let described = program.api_get("/openapi.json");
    assert_eq!(described["openapi"], "3.1.0");
    for (path, parameters) in [("/api/v1/events", "flag"), ("/api/v1/tail", "Last-Event-ID after flag last visitor")]
    {
        let get = &described["paths"][path]["get"];
        assert!(get["responses"]["200"]["content"]["text/event-stream"].is_object(), "{path}: {get}");
        let named = get["parameters"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap());
        let mut named: Vec<_> = named.collect();
        named.sort_unstable();
        assert_eq!(named.join(" "), parameters, "{path}");
    }
    // half of the requests are about a flag that is there
    let config = "[parameters]\n\"path.flag\" = \"price\"\n";
    fs::write(program.path("schemathesis.toml"), config).unwrap();
    for of_a_flag in [true, false] {
        let mut command = crate::harness::python::schemathesis();
        command.current_dir(program.folder.path());
        if of_a_flag {
            command.args(["--config-file", "schemathesis.toml"]);
        }
        command.arg("run").arg(format!("http://{}/openapi.json", program.admin));
        command.args(["-H", &format!("Authorization: Bearer {TOKEN}")]);
        command.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
        command.args(["--checks", "response_headers_conformance,response_schema_conformance"]);
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", EXAMPLES, "--seed", "7"]);
        // they go on for as long as somebody listens
        command.args(["--exclude-path", "/api/v1/events", "--exclude-path", "/api/v1/tail"]);
        command.args(["--no-shrink", "--suppress-health-check", "all", "--warnings", "off", "--max-time", "90"]);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(program.health()["flags"]["problem"], Value::Null, "whatever was edited is sound");
}
