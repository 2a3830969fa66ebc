//! Who may use the operators' address: tokens, links, sessions, and what other sites' pages send to it.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::app::App;
use crate::harness::command::flagstaff;
use crate::harness::operator::{bearer, cookie, send, session};
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Raw;
use crate::harness::{WAIT_LIMIT, eventually};

const FLAGS: &str = "# ours\n[flags.form]\npercent = 100 # all\n";
const TOKEN: &str = "a-token-that-operators-use";
const READ_TOKEN: &str = "a-token-that-only-reads";
const LIST: &str = "/api/v1/flags";
const OFF: &str = "/api/v1/flags/form/off";

/// A program whose tokens are set.
fn with_tokens() -> Setup {
    Setup::default().flags(FLAGS).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).env("FLAGSTAFF_ADMIN_READ_TOKEN", READ_TOKEN)
}

fn flags(program: &Program) -> String {
    fs::read_to_string(program.path("flags.toml")).unwrap()
}

#[test]
fn nothing_changes_without_the_right_token_host_and_page() {
    let program = with_tokens().start();
    let (full, read) = (session(&program, TOKEN), session(&program, READ_TOKEN));
    let ours = format!("Origin: http://{}", program.admin);
    let app = format!("Origin: http://{}", program.address);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let right = bearer(TOKEN);
    for (status, fields) in [
        (401, &[][..]),
        (401, &[&*ours]),
        (401, &["Authorization: Bearer a-token-that-operators-us"]),
        (401, &["X-API-Key: a-token-that-operators-use0"]),
        (401, &["Authorization: Bearer ", &ours]),
        (401, &["Cookie: flagstaff_operator=x", &ours]),
        (401, &[&full.replace("=v2.", "=v2.9"), &ours]),
        (403, &[&bearer(READ_TOKEN)]),
        (403, &[&read, &ours]),
        // sent by pages of other sites, which a browser adds the cookie to
        (403, &[&full]),
        (403, &[&full, "Origin: https://evil.example", form]),
        (403, &[&full, &app, form]),
        (403, &[&full, "Origin: null", form]),
        (403, &[&full, "Sec-Fetch-Site: same-site", form]),
        (403, &[&full, "Sec-Fetch-Site: cross-site", &ours]),
        (403, &[&full, "Sec-Fetch-Site: same-origin", "Origin: https://evil.example"]),
        // a name that leads here
        (421, &[&right, "Host: evil.example"]),
        (421, &[&full, "Host: evil.example", "Origin: http://evil.example", "Sec-Fetch-Site: same-origin"]),
    ] {
        let answer = send(&program, &format!("POST {OFF}"), fields, "");
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.text());
        let problem: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(problem["status"], status, "{problem}");
        assert!(problem["detail"].is_string() && problem["help"].is_string(), "{problem}");
        assert_eq!(flags(&program), FLAGS, "{fields:?}");
    }
    for reason in ["host", "origin", "read_only", "token"] {
        assert!(program.metric("flagstaff_admin_refused_total", reason) > 1.0, "{reason}");
    }
    assert_eq!(send(&program, &format!("GET {LIST}"), &[&bearer(READ_TOKEN)], "").status, 200);
    assert_eq!(send(&program, &format!("GET {LIST}"), &[&read], "").status, 200);
    // the proxy's own Authorization, passed on
    let jwt = "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.ZRrHA1JJJW8opsbCGfG_HACGpVUMN_a9IV7pAx_Zmeo";
    assert_eq!(send(&program, &format!("GET {LIST}"), &[&read, jwt], "").status, 200);
    let answer = send(&program, &format!("POST {OFF}"), &[&full, &ours, "Sec-Fetch-Site: same-origin"], "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(flags(&program), "# ours\n[flags.form]\npercent = 100 # all\nenabled = false\n");
}

#[test]
fn the_link_of_a_first_start_opens_a_session_that_outlives_a_restart() {
    let mut program = Setup::default().flags(FLAGS).start();
    let printed = format!("http://{}/?token=", program.admin);
    let log = program.process.log();
    let token = log.split_once(&printed).unwrap_or_else(|| panic!("no link: {log}")).1;
    let token = token.split_whitespace().next().unwrap().to_owned();
    let kept = program.path("flagstaff-state/admin-token");
    assert_eq!(fs::read_to_string(&kept).unwrap(), token);
    let answer = send(&program, &format!("GET /flags?state=on&token={token}&q=a"), &["Accept: text/html"], "");
    assert_eq!((answer.status, answer.field("location").as_deref()), (303, Some("/flags?state=on&q=a")));
    let set = answer.field("set-cookie").unwrap();
    for attribute in ["; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age="] {
        assert!(set.contains(attribute) && !set.contains(&token), "{set}");
    }
    let session = cookie(&answer);
    let list = |program: &Program| send(program, &format!("GET {LIST}"), &[&session], "").status;
    assert_eq!(list(&program), 200);
    assert!(program.stop().success());
    program.restart();
    assert_eq!(list(&program), 200, "it outlives a restart");
    let log = program.process.log();
    assert!(!log.contains(&token) && log.contains("flagstaff-state/admin-token"), "it is printed once: {log}");
    assert!(program.stop().success());
    fs::remove_file(kept).unwrap();
    program.restart();
    assert_eq!(list(&program), 401, "it ends with its token");
}

#[test]
fn a_browser_without_a_session_gets_a_form() {
    let program = with_tokens().key("trust", "addresses = [\"127.0.0.1\"]").start();
    let answer = send(&program, "GET /flags?q=%22%3E%3Cscript%3E", &["Accept: text/html"], "");
    let page = answer.text();
    assert_eq!(answer.status, 401);
    assert!(page.contains("<form method=\"post\" action=\"/session\">") && page.contains("admin-token"), "{page}");
    assert!(!page.contains("<script"), "{page}");
    let policy = answer.field("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("frame-ancestors 'none'")
            && !policy.contains("unsafe")
    );
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.field(name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(send(&program, "GET /session.css", &[], "").status, 200);
    // a click on another site's link brings no cookie; the page asks again by itself
    let click = ["Accept: text/html", "Sec-Fetch-Site: cross-site"];
    assert!(send(&program, "GET /flags", &click, "").text().contains("http-equiv=\"refresh\""));
    let form = "Content-Type: application/x-www-form-urlencoded";
    let ours = format!("Origin: http://{}", program.admin);
    let sign_in = |origin: &str, body: &str| send(&program, "POST /session", &[form, origin], body);
    assert_eq!(sign_in("Origin: https://evil.example", &format!("token={TOKEN}")).status, 403);
    assert_eq!(sign_in(&ours, "token=not-the-right-one-at-all").status, 401);
    for away in ["//evil.example", "/\\evil.example", "https://evil.example", "/a%0d%0aSet-Cookie:%20a=b", ""] {
        let answer = sign_in(&ours, &format!("token={TOKEN}&next={away}"));
        assert_eq!((answer.status, answer.field("location").as_deref()), (303, Some("/")), "{away}");
        assert!(!answer.field("set-cookie").unwrap().contains("Secure"));
    }
    let behind = [form, &ours, "X-Forwarded-Proto: https"];
    let answer = send(&program, "POST /session", &behind, &format!("token={TOKEN}"));
    assert!(answer.field("set-cookie").unwrap().ends_with("; Secure"));
}

#[test]
fn changes_are_by_the_name_that_a_trusted_proxy_says_or_a_person_gives() {
    let setup = with_tokens().top("admin_author_header = \"X-Forwarded-User\"");
    let program = setup.key("trust", "addresses = [\"127.0.0.0/8\"]").start();
    let ours = format!("Origin: http://{}", program.admin);
    let by = |fields: &[&str]| {
        let answer = send(&program, &format!("POST {OFF}"), fields, "");
        let edited: Value = serde_json::from_slice(&answer.body).unwrap();
        edited["by"].as_str().unwrap_or_else(|| panic!("{edited}")).to_owned()
    };
    let full = session(&program, TOKEN);
    assert_eq!(by(&[&full, &ours]), "operator");
    let form = "Content-Type: application/x-www-form-urlencoded";
    let named = send(&program, "POST /session/name", &[&full, &ours, form], "name=Ada%20L.%0a&next=/");
    let named = cookie(&named);
    assert_eq!(by(&[&named, &ours]), "Ada L.");
    assert_eq!(by(&[&named, &ours, "X-Forwarded-User: grace"]), "grace");
    assert_eq!(by(&[&bearer(TOKEN), "X-Flagstaff-Author: deploy"]), "deploy");
    let ended = send(&program, "POST /session/end", &[&named, &ours], "");
    assert!(ended.field("set-cookie").unwrap().contains("Max-Age=0"));
    let other = with_tokens().start();
    let fields = [&*bearer(TOKEN), "X-Forwarded-User: mallory"];
    let answer = send(&other, &format!("POST {OFF}"), &fields, "").text();
    assert!(answer.contains("\"by\":\"operator\""), "nobody vouches for it: {answer}");
}

#[test]
fn what_would_let_strangers_in_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    let run = |arguments: &str, environment: &[(&str, &str)]| {
        flagstaff(folder.path(), format!("run --dry-run {arguments}").split_whitespace(), environment)
    };
    for address in ["0.0.0.0:8081", "[::]:8081", "10.0.0.1:8081"] {
        let open = run(&format!("--admin {address}"), &[]);
        assert_eq!(open.code, 2, "{open:?}");
        assert!(open.err.contains("no token is set") && open.err.contains("FLAGSTAFF_ADMIN_TOKEN="), "{open:?}");
        assert_eq!(run(&format!("--admin {address}"), &[("FLAGSTAFF_ADMIN_TOKEN", TOKEN)]).code, 0);
    }
    assert_eq!(run("--admin [::1]:8081", &[]).code, 0);
    for (variables, want) in [
        (&[("FLAGSTAFF_ADMIN_TOKEN", "too-short")][..], "FLAGSTAFF_ADMIN_TOKEN: a token has at least 16 characters"),
        (
            &[("FLAGSTAFF_ADMIN_TOKEN", TOKEN), ("FLAGSTAFF_ADMIN_READ_TOKEN", TOKEN)],
            "the token that allows everything",
        ),
        (&[("FLAGSTAFF_ADMIN_TOKEN_FILE", "none")], "cannot read none"),
        (&[("FLAGSTAFF_ADMIN_HOSTS", "https://a.example")], "not the name of a host"),
        (&[("FLAGSTAFF_ADMIN_AUTHOR_HEADER", "X-Forwarded-User")], "no address is trusted"),
    ] {
        let said = run("", variables);
        assert!(said.code == 2 && said.err.contains(want), "{want}: {said:?}");
        assert!(!said.err.contains("too-short") && !said.err.contains(TOKEN), "{said:?}");
    }
    assert!(!folder.path().join("flagstaff-state").exists(), "a dry run makes no token");
}

#[test]
fn tokens_of_files_and_names_of_the_settings_let_in() {
    let setup =
        Setup::default().flags(FLAGS).top("admin_token_file = \"token\"\nadmin_hosts = [\"flags.example.com\"]");
    let program = setup.file("token", &format!("{TOKEN}\n")).start();
    let list = |host: &str| send(&program, &format!("GET {LIST}"), &[&bearer(TOKEN), host], "").status;
    assert_eq!(
        (list("Host: flags.example.com"), list("Host: localhost:1"), list("Host: other.example.com")),
        (200, 200, 421)
    );
    assert_eq!(send(&program, &format!("GET {LIST}?token={TOKEN}"), &[], "").status, 303);
    assert!(!program.process.log().contains(TOKEN), "a token that was set is not printed");
}

#[test]
fn probes_need_no_token_and_tell_no_secret() {
    let ledger = "ledger = \"postgres://flags:hunter22@127.0.0.1:1/facts?sslpassword=hunter22\"";
    let program = with_tokens().top(ledger).start();
    eventually("the ledger is away", || {
        send(&program, "GET /healthz", &["Host: 10.1.2.3"], "").text().contains("\"away\"")
    });
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = send(&program, &format!("GET {path}"), &["Host: any.example"], "");
        assert_eq!(answer.status, 200, "{path}");
        let text = answer.text();
        for secret in ["hunter22", TOKEN, READ_TOKEN] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
}

#[test]
fn wrong_tokens_keep_nobody_out() {
    let program = with_tokens().start();
    let mut guesses: Vec<_> = (0..200)
        .map(|guess| {
            let mut stream = TcpStream::connect(program.admin).unwrap();
            let fields = format!("Host: {}\r\n{}", program.admin, bearer(&format!("a-token-that-is-wrong-{guess}")));
            write!(stream, "GET {LIST} HTTP/1.1\r\n{fields}\r\n\r\n").unwrap();
            stream
        })
        .collect();
    assert_eq!(send(&program, &format!("GET {LIST}"), &[&bearer(TOKEN)], "").status, 200);
    let mut last = Raw::over(guesses.pop().unwrap());
    last.stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    assert_eq!(last.answer().status, 401);
}

#[test]
fn a_thousand_unfinished_connections_stop_neither_visitors_nor_operators() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(FLAGS).open_files(512).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).start();
    let open = |_| {
        let mut stream = TcpStream::connect(program.admin).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
        stream
    };
    let unfinished: Vec<_> = (0..1000).map(open).collect();
    for _ in 0..50 {
        assert_eq!(program.get("/").0, 200);
    }
    assert_eq!(send(&program, "GET /readyz", &[], "").status, 200);
    assert_eq!(send(&program, &format!("GET {LIST}"), &[&bearer(TOKEN)], "").status, 200);
    assert_eq!(program.get("/").0, 200);
    drop(unfinished);
}

#[test]
fn signing_out_ends_the_session_with_every_copy_of_its_cookie() {
    let program = with_tokens().start();
    let ours = format!("Origin: http://{}", program.admin);
    let form = "Content-Type: application/x-www-form-urlencoded";
    let list = |field: &str| send(&program, &format!("GET {LIST}"), &[field], "").status;
    let (first, other) = (session(&program, TOKEN), session(&program, TOKEN));
    assert_ne!(first, other, "each sign-in is a session of its own");
    let named = cookie(&send(&program, "POST /session/name", &[&first, &ours, form], "name=ada"));
    let mut listens = Raw::connect(program.admin);
    listens.send(format!("GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n{named}\r\n\r\n", program.admin));
    assert!(listens.head().starts_with("HTTP/1.1 200"));
    assert_eq!([&first, &named, &other].map(|field| list(field)), [200, 200, 200]);
    let out = send(&program, "POST /session/end", &[&named, &ours, form], "");
    assert!(out.status == 303 && out.field("set-cookie").unwrap().contains("Max-Age=0"), "{}", out.head);
    assert_eq!([&first, &named, &other].map(|field| list(field)), [401, 401, 200]);
    assert_eq!(send(&program, &format!("POST {OFF}"), &[&first, &ours], "").status, 401);
    listens.rest();
    assert_eq!(list(&session(&program, TOKEN)), 200, "one may come again");
}

#[test]
fn a_link_leaves_no_token_however_its_key_is_written() {
    let program = with_tokens().start();
    for key in ["token", "tok%65n", "%74oken"] {
        for (query, rest) in
            [("{}", ""), ("state=on&{}&q=a", "?state=on&q=a"), ("{}&token=other-token-of-nobody", "")]
        {
            let query = query.replace("{}", &format!("{key}={TOKEN}"));
            let answer = send(&program, &format!("GET /flags?{query}"), &["Accept: text/html"], "");
            assert_eq!((answer.status, answer.field("location").unwrap()), (303, format!("/flags{rest}")), "{query}");
        }
    }
}

#[test]
fn bodies_that_never_come_hold_up_no_operator() {
    let program = with_tokens().env("FLAGSTAFF_UNLEASH_TOKENS", "a-token-of-the-pages").start();
    for (path, fields) in [
        ("/session", "Content-Type: application/x-www-form-urlencoded\r\n".to_owned()),
        ("/api/frontend", "Authorization: a-token-of-the-pages\r\n".to_owned()),
        ("/ofrep/v1/evaluate/flags", format!("{}\r\n", bearer(READ_TOKEN))),
        ("/api/v1/explain", format!("Content-Type: application/json\r\n{}\r\n", bearer(READ_TOKEN))),
        ("/nothing", String::new()),
    ] {
        let open = |_| {
            let mut stream = TcpStream::connect(program.admin).unwrap();
            let host = program.admin;
            write!(stream, "POST {path} HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: 50\r\n\r\nto").unwrap();
            stream
        };
        let unfinished: Vec<_> = (0..150).map(open).collect();
        assert_eq!(send(&program, "GET /readyz", &[], "").status, 200, "{path}");
        drop(unfinished);
    }
}

#[test]
fn the_session_of_an_operator_never_reaches_the_app() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).flags(FLAGS).env("FLAGSTAFF_ADMIN_TOKEN", TOKEN).start();
    let session = session(&program, TOKEN);
    let mut raw = program.raw();
    raw.send(format!("GET / HTTP/1.1\r\nHost: test\r\n{session}; theme=dark\r\nConnection: close\r\n\r\n"));
    let seen = raw.answer().text();
    assert!(seen.contains("theme=dark") && !seen.contains("flagstaff_operator"), "{seen}");
}

#[test]
fn a_token_that_is_replaced_in_its_file_ends_what_it_began() {
    const NEW: &str = "another-token-that-operators-use";
    let files = "admin_token_file = \"token\"\nadmin_read_token_file = \"read-token\"";
    let setup = Setup::default().flags(FLAGS).top(files).file("token", TOKEN).file("read-token", READ_TOKEN);
    let program = setup.start();
    let list = |field: &str| send(&program, &format!("GET {LIST}"), &[field], "").status;
    let (full, read) = (session(&program, TOKEN), session(&program, READ_TOKEN));
    let listen = |field: &str| {
        let mut raw = Raw::connect(program.admin);
        raw.send(format!("GET /api/v1/events HTTP/1.1\r\nHost: {}\r\n{field}\r\n\r\n", program.admin));
        assert!(raw.head().starts_with("HTTP/1.1 200"));
        raw
    };
    let (mut of_full, mut of_read) = (listen(&full), listen(&read));
    let hangup = || program.process.signal(rustix::process::Signal::HUP);
    // what is no token changes nothing
    fs::write(program.path("token"), "short").unwrap();
    hangup();
    eventually("it is said", || program.process.log().contains("stay as they were"));
    assert!(!program.process.log().contains("short\n"));
    assert_eq!((list(&bearer(TOKEN)), list(&full)), (200, 200));
    fs::write(program.path("token"), format!("{NEW}\n")).unwrap();
    hangup();
    eventually("the new one lets in", || list(&bearer(NEW)) == 200);
    assert_eq!((list(&bearer(TOKEN)), list(&full)), (401, 401), "the old one does not");
    of_full.rest();
    assert_eq!((list(&bearer(READ_TOKEN)), list(&read)), (200, 200), "the other one is as it was");
    assert!(!of_read.until(b"\n\n").is_empty());
    let renewed = session(&program, NEW);
    hangup();
    hangup();
    fs::remove_file(program.path("read-token")).unwrap();
    hangup();
    eventually("it is said", || program.process.log().contains("cannot read"));
    assert_eq!((list(&renewed), list(&read)), (200, 200), "a file that is gone changes nothing");
}
