//! Apps as they are: rude, chatty, behind a socket in the file system, on the move.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

use http::Request;

use crate::harness::app::{App, Then};
use crate::harness::h2c;
use crate::harness::program::Setup;
use crate::harness::{eventually, run};

#[test]
fn answers_have_limits_of_their_own() {
    let app = App::start(|exchange| {
        let count: usize = exchange.target[1..].parse().unwrap();
        let fields: String = (1..count).map(|n| format!("X-H{n}: v\r\n")).collect();
        exchange.answer(200, &format!("{fields}X-Long: {}\r\n", "x".repeat(90_000)), "ok")
    });
    let program = Setup::to(&[app.address]).key("limits", "headers = 20").start();
    for count in ["/20", "/120", "/250"] {
        assert_eq!(program.get(count), (200, "ok".into()), "{count}");
    }
    let (status, text) = program.get("/300");
    assert!(status == 502 && text.contains("more header fields"), "{status} {text}");
    assert_eq!(program.metric("flagstaff_upstream_failures_total", "reason=\"answer_head\""), 1.0);
    let why = "more than 256 fields or 131072 bytes; raise limits.answer_headers";
    eventually("the log says which limit", || program.process.log().contains(why));
    let raised = Setup::to(&[app.address]).key("limits", "answer_headers = 400").start();
    assert_eq!(raised.get("/300"), (200, "ok".into()));
}

/// Answers 413 when it has the head, and closes on whatever else comes. Its system throws away what it has not sent by then, so the
/// answer is one piece that is sent at once.
fn rude() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let (mut head, mut piece) = (Vec::new(), [0; 1024]);
                while !head.windows(4).any(|w| w == b"\r\n\r\n") {
                    match stream.read(&mut piece) {
                        Ok(count @ 1..) => head.extend_from_slice(&piece[..count]),
                        _ => return,
                    }
                }
                let body = "x".repeat(5_000);
                let head =
                    format!("HTTP/1.1 413 Too Big\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes());
            });
        }
    });
    address
}

#[test]
fn an_answer_that_comes_before_its_request_has_ended_arrives() {
    let program = Setup::to(&[rude()]).start();
    let upload = vec![b'y'; 8_000_000];
    for n in 0..20 {
        let mut client = program.raw();
        client.send(format!("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", upload.len()));
        client.try_send(&upload);
        let answer = client.answer();
        assert_eq!((answer.status, answer.body.len(), answer.whole), (413, 5_000, true), "upload {n}");
    }
}

fn behind_a_socket(path: &Path, text: &'static str) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut head = vec![0; 4096];
            let count = stream.read(&mut head).unwrap_or(0);
            let host = String::from_utf8_lossy(&head[..count]).to_lowercase().contains("\r\nhost: ");
            let body = format!("{text} {host}");
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
}

#[test]
fn apps_behind_unix_sockets_are_asked() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    behind_a_socket(&at("app.sock"), "app");
    behind_a_socket(&at("canary.sock"), "canary");
    let flags = |name: &str| {
        format!(
            "[flags.shop_v2]\nupstream = {{ on = \"unix:{}\" }}\n[[flags.shop_v2.rules]]\nif = {{ path = \"/new\" }}\nserve = \"on\"\n",
            at(name).display()
        )
    };
    let upstream = format!("upstream = \"unix:{}\"", at("app.sock").display());
    let program = Setup::default().top(&upstream).flags(&flags("canary.sock")).start();
    assert_eq!(program.get("/old"), (200, "app true".into()));
    assert_eq!(program.get("/new"), (200, "canary true".into()));
    let mut old = program.raw();
    old.send("GET /old HTTP/1.0\r\n\r\n");
    assert!(String::from_utf8_lossy(&old.rest()).ends_with("app true"), "no host is as good as one");
    program.save_flags(&flags("nobody.sock"));
    eventually("the app answers in its place", || program.get("/new") == (200, "app true".into()));
    assert!(program.process.log().contains("nobody.sock: No such file"), "{}", program.process.log());
}

#[test]
fn no_connection_is_used_for_ever() {
    let app = App::says("fine");
    let program = Setup::to(&[app.address]).key("timeouts", "pool_age = \"1s\"").start();
    let mut client = program.raw();
    eventually("steady traffic moves to a new connection", || {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(client.answer().status, 200);
        app.connections() == 3
    });
}

#[test]
fn a_connection_that_says_close_teaches_nothing() {
    let app = App::start(|exchange| {
        exchange.body();
        let fields = if exchange.target == "/close" { "Connection: close\r\n" } else { "" };
        exchange.answer(200, fields, "");
        if fields.is_empty() { Then::Keep } else { Then::Close }
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    for target in ["/close", "/", "/", "/"] {
        client.send(format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(app.connections(), 2);
}

#[test]
fn flag_upstreams_must_be_allowed_and_not_the_proxy_itself() {
    let app = App::says("the app");
    let canary = App::says("canary");
    let flags = |upstream: &str| format!("[flags.c]\nupstream = {{ on = \"{upstream}\" }}\n");
    let program = Setup::to(&[app.address]).flags("[flags.c]\n").start();
    let named = format!("localhost:{}", program.admin.port());
    for own in [program.admin.to_string(), program.address.to_string(), named] {
        program.save_flags(&flags(&own));
        for path in ["/healthz", "/readyz", "/metrics"] {
            assert_eq!(program.get(path), (200, "the app".into()), "{own}{path}");
        }
    }
    let log = program.process.log();
    assert!(log.contains("it is an address of this program itself"), "{log}");
    program.save_flags(&flags("169.254.169.254:80"));
    assert_eq!(program.get("/latest/meta-data"), (200, "the app".into()));
    program.save_flags(&flags(&canary.address.to_string()));
    assert_eq!(program.get("/"), (200, "canary".into()));
    let listed = |list: &str| {
        let setup = Setup::to(&[app.address]).key("trust", &format!("upstreams = [\"{list}\"]"));
        setup.flags(&flags(&canary.address.to_string())).start().get("/").1
    };
    assert_eq!((listed("10.0.0.0/8").as_str(), listed("127.0.0.0/8").as_str()), ("the app", "canary"));
}

/// An app whose middleware changes a body, and leaves the length that it had before.
#[test]
fn the_length_that_counts_is_the_one_that_passes() {
    let app = App::start(|exchange| {
        exchange.body();
        let (fields, body) = match exchange.target.as_str() {
            "/chunked" => ("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "a\r\n0123456789\r\n0\r\n\r\n"),
            "/twice" => ("Content-Length: 3\r\nContent-Length: 3\r\n", "012"),
            "/list" => ("Content-Length: 3, 3\r\n", "012"),
            _ => ("Content-Length: 3\r\nContent-Length: 5\r\n", "01234"),
        };
        let body = if exchange.head.starts_with("HEAD") { "" } else { body };
        exchange.write(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}"));
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    let ask = |method: &str, path: &str| {
        let mut client = program.raw();
        client.send(format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        client.answer_head()
    };
    assert_eq!(program.get("/chunked"), (200, "0123456789".into()));
    assert_eq!(program.get("/twice"), (200, "012".into()));
    for path in ["/twice", "/list"] {
        let answer = ask("HEAD", path);
        assert_eq!((answer.status, answer.all("content-length")), (200, vec!["3".to_owned()]), "{path}");
    }
    assert_eq!(ask("HEAD", "/chunked").all("content-length"), Vec::<String>::new());
    for method in ["GET", "HEAD"] {
        assert_eq!(ask(method, "/different").status, 502, "{method}");
    }
    eventually("the log says why", || program.process.log().contains("length"));
}

/// Clients of HTTP/2 take a length that no body follows for a broken stream.
#[test]
fn an_answer_without_body_says_no_length() {
    let app = App::start(|exchange| {
        exchange.body();
        exchange.write("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
        Then::Keep
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    for method in ["GET", "HEAD", "GET"] {
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = client.answer_head();
        assert_eq!((answer.status, answer.all("content-length")), (204, Vec::new()), "{method}");
    }
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, body, _) = h2c::ask(&mut client, Request::get("http://a/").body(()).unwrap()).await;
        assert_eq!((answer.status().as_u16(), answer.headers().get("content-length"), body), (204, None, Vec::new()));
    });
    assert_eq!(app.connections(), 1);
}

/// A proxy adds the time where an app does not say it (RFC 9110, 6.6.1), and leaves it where it does.
#[test]
fn every_answer_has_a_date() {
    let said = "Thu, 01 Jan 2026 00:00:00 GMT";
    let app = App::start(move |exchange| {
        exchange.body();
        let fields = if exchange.target == "/said" { format!("Date: {said}\r\n") } else { String::new() };
        exchange.answer(200, &fields, "ok")
    });
    let program = Setup::to(&[app.address]).start();
    let dates = |path: &str| {
        let mut client = program.raw();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        client.answer().all("date")
    };
    assert_eq!(dates("/said"), [said]);
    for path in ["/", "/.flagstaff/flags.json"] {
        assert!(matches!(&dates(path)[..], [date] if date.ends_with(" GMT") && date != said), "{path}");
    }
}
