//! What one expects of any proxy.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::harness::app::{App, Then};
use crate::harness::program::Setup;
use crate::harness::raw::fields;
use crate::harness::{eventually, free_address};

#[test]
fn requests_and_answers_pass() {
    let app = App::start(|exchange| {
        let body = exchange.body();
        let fields = format!("X-Method: {}\r\nX-Target: {}\r\n", exchange.method, exchange.target);
        exchange.answer(201, &fields, body)
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    for (n, method) in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"].iter().enumerate() {
        let body = "b".repeat(n * 1000);
        client.send(format!("{method} /p?q={n} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len()));
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (201, body));
        assert_eq!(answer.field("x-method").as_deref(), Some(*method));
        assert_eq!(answer.field("x-target"), Some(format!("/p?q={n}")));
    }
    client
        .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    assert_eq!(client.answer().text(), "abcde");
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.head().to_lowercase().contains("content-length: 0"));
    assert_eq!(client.answer().field("x-target").as_deref(), Some("/next"));
    assert_eq!(app.connections(), 1, "one connection carries all");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let app = App::start(|exchange| {
        let target = exchange.target.clone();
        exchange.answer(200, "", target)
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assert_eq!([client.answer().text(), client.answer().text(), client.answer().text()], ["/1", "/2", "/3"]);
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let app = App::start(|exchange| {
        let host = exchange.field("host").unwrap_or_default();
        exchange.write(format!(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{host}\r\n0\r\n\r\n",
            host.len()
        ));
        Then::Keep
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let answer = String::from_utf8(client.rest()).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    assert!(!answer.to_lowercase().contains("transfer-encoding"), "{answer}");
    assert!(answer.ends_with(&format!("\r\n\r\n{}", app.address)), "{answer}");
}

#[test]
fn fields_about_the_connection_stay_on_it() {
    let app = App::start(|exchange| {
        let head = exchange.head.clone();
        let fields = "Connection: X-App-Hop, keep-alive\r\nX-App-Hop: 1\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\n\
             Proxy-Authenticate: Basic\r\nX-Kept: 1\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n";
        exchange.answer(200, fields, head)
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(
        "GET / HTTP/1.1\r\nHost: shop.example:81\r\nConnection: keep-alive, X-Hop\r\nConnection: x-other\r\nX-Hop: 1\r\n\
         X-Other: 1\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: x\r\nTE: gzip\r\n\
         Accept: */*\r\nX-Twice: 1\r\nX-Twice: 2\r\n\r\n",
    );
    let answer = client.answer();
    let seen: Vec<_> = fields(&answer.text()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    for gone in ["connection", "x-hop", "x-other", "keep-alive", "proxy-connection", "proxy-authorization", "te"] {
        assert!(!seen.iter().any(|(name, _)| name == gone), "{gone} passed: {seen:?}");
    }
    let values = |name: &str| seen.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str()).collect::<Vec<_>>();
    assert_eq!(values("host"), ["shop.example:81"]);
    assert_eq!(values("x-twice"), ["1", "2"]);
    for gone in ["x-app-hop", "keep-alive", "upgrade", "proxy-authenticate", "connection"] {
        assert_eq!(answer.field(gone), None, "{gone} came back");
    }
    assert_eq!(answer.all("set-cookie")[..2], ["a=1", "b=2"]);
    assert_eq!(answer.field("x-kept").as_deref(), Some("1"));
}

#[test]
fn the_app_learns_who_asks_and_nobody_can_pretend() {
    let app = App::mirror();
    let forged = "X-Forwarded-For: 9.9.9.9\r\nX_Forwarded_For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\n\
                  X-Forwarded-Host: evil\r\nX-Real-IP: 9.9.9.9\r\nForwarded: for=9.9.9.9\r\n";
    let ask = |trust: &str| {
        let program = Setup::to(&[app.address]).key("trust", trust).start();
        let mut client = program.raw();
        client.send(format!("GET / HTTP/1.1\r\nHost: shop\r\n{forged}\r\n"));
        client.answer().text().to_lowercase()
    };
    let seen = ask("addresses = []");
    assert!(!seen.contains("9.9.9.9") && !seen.contains("evil"), "{seen}");
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\r\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: http\r\n") && seen.contains("x-forwarded-host: shop\r\n"), "{seen}");
    let mapped = ask("addresses = [\"::ffff:127.0.0.1\"]");
    assert!(
        mapped.contains("x-forwarded-for: 9.9.9.9, 127.0.0.1\r\n"),
        "as sockets for both kinds print it: {mapped}"
    );
    let seen = ask("addresses = [\"127.0.0.0/8\"]");
    assert!(seen.contains("x-forwarded-for: 9.9.9.9, 127.0.0.1\r\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: https\r\n") && seen.contains("x-forwarded-host: evil\r\n"), "{seen}");
    assert!(seen.contains("forwarded: for=9.9.9.9, for=127.0.0.1"), "{seen}");
    assert!(!seen.contains("x_forwarded_for"), "{seen}");
}

#[test]
fn bodies_stream_both_ways() {
    let (to_test, from_app) = channel();
    let to_test = std::sync::Mutex::new(to_test);
    let app = App::start(move |exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let said = to_test.lock().unwrap().clone();
        exchange.body_pieces(|piece| said.send(piece.to_vec()).unwrap());
        exchange.write("5\r\nfirst\r\n");
        exchange.write("6\r\nsecond\r\n0\r\n\r\n");
        Then::Keep
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    // The answer's head comes before the request has ended, and each piece before the next is sent.
    assert_eq!(client.answer_head().status, 200);
    for piece in ["one", "two", "six"] {
        client.send(format!("3\r\n{piece}\r\n"));
        assert_eq!(from_app.recv_timeout(Duration::from_secs(20)).unwrap(), piece.as_bytes());
    }
    client.send("0\r\n\r\n");
    assert_eq!(client.until(b"0\r\n\r\n"), b"5\r\nfirst\r\n6\r\nsecond\r\n0\r\n\r\n");
}

#[test]
fn events_pass_at_once() {
    let (to_app, from_test) = channel::<&str>();
    let from_test = std::sync::Mutex::new(from_test);
    let app = App::start(move |exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        for event in from_test.lock().unwrap().iter() {
            exchange.write(format!("data: {event}\n\n"));
        }
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_head().field("content-type").as_deref(), Some("text/event-stream"));
    for event in ["one", "two", "three"] {
        to_app.send(event).unwrap();
        client.until(format!("data: {event}\n\n").as_bytes());
    }
    drop(to_app);
    client.until(b"0\r\n\r\n");
}

#[test]
fn websockets_pass_and_end_with_either_side() {
    let app = App::start(|exchange| {
        assert_eq!(exchange.field("upgrade").as_deref(), Some("websocket"));
        assert_eq!(exchange.field("connection").as_deref(), Some("upgrade"));
        exchange.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nhello");
        loop {
            let bytes = exchange.read_some();
            if bytes.is_empty() || bytes == b"bye" {
                return Then::Close;
            }
            exchange.write(bytes.to_ascii_uppercase());
        }
    });
    let program = Setup::to(&[app.address]).start();
    let open = || {
        let mut client = program.raw();
        client.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: k\r\n\r\n");
        let answer = client.answer_head();
        assert_eq!(answer.status, 101);
        assert_eq!(answer.field("upgrade").as_deref(), Some("websocket"));
        assert_eq!(answer.field("sec-websocket-accept").as_deref(), Some("x"));
        assert_eq!(client.exactly(5), b"hello");
        // Bytes that are no HTTP at all.
        client.send(b"a\nb\0c");
        assert_eq!(client.exactly(5), b"A\nB\0C");
        client
    };
    let mut client = open();
    assert_eq!(program.metric("flagstaff_tunnels", ""), 1.0);
    client.send("bye");
    assert!(client.is_closed());
    drop(client);
    let client = open();
    let before = app.open();
    drop(client);
    eventually("the app's side closes", || app.open() < before);
    eventually("the tunnels are closed", || program.metric("flagstaff_tunnels", "") == 0.0);
}

#[test]
fn an_upgrade_that_is_declined_ends_the_connection() {
    let app = App::start(|exchange| exchange.answer(403, "", "no"));
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    // What follows may be the other protocol or a request; nobody may guess.
    client.send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer();
    assert_eq!((answer.status, answer.field("connection").as_deref()), (403, Some("close")));
    assert!(client.is_closed());
    assert_eq!(app.heads().len(), 1);
}

#[test]
fn a_silent_tunnel_is_closed() {
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).key("timeouts", "tunnel = \"1s\"").start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.answer_head().status, 101);
    assert!(client.is_closed());
    eventually("the app's side closes", || app.open() == 0);
}

#[test]
fn an_app_that_is_not_there_is_a_502() {
    let program = Setup::to(&[free_address()]).start();
    let (status, body) = program.get("/");
    assert_eq!(status, 502);
    assert!(body.contains("502 Bad Gateway"), "{body}");
    assert_eq!(program.metric("flagstaff_upstream_failures_total", "reason=\"connect\""), 1.0);
}

#[test]
fn an_app_that_answers_nonsense_is_a_502() {
    let app = App::start(|exchange| {
        exchange.write("SMTP ready\r\n\r\n");
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    assert_eq!(program.get("/").0, 502);
    assert_eq!(program.metric("flagstaff_upstream_failures_total", "reason=\"malformed\""), 1.0);
}

#[test]
fn an_app_that_does_not_answer_in_time_is_a_504_and_freed() {
    let app = App::start(|exchange| {
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).key("timeouts", "upstream = \"300ms\"").start();
    let (status, body) = program.get("/");
    assert_eq!(status, 504);
    assert!(body.contains("504 Gateway Timeout"), "{body}");
    eventually("the app's connection is closed", || app.open() == 0);
}

#[test]
fn a_client_that_leaves_frees_the_app() {
    let app = App::start(|exchange| {
        if exchange.target == "/streams" {
            exchange.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata\n\n");
        }
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    for target in ["/waits", "/streams"] {
        let mut client = program.raw();
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        if target == "/streams" {
            client.until(b"data\n\n");
        }
        eventually("the app has the request", || app.open() == 1);
        let left = Instant::now();
        drop(client);
        eventually("the app is free again", || app.open() == 0);
        eprintln!("{target}: freed after {:?}", left.elapsed());
    }
}

#[test]
fn an_answer_that_is_cut_is_seen_as_cut() {
    let app = App::start(|exchange| {
        match exchange.target.as_str() {
            "/sized" => exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"),
            _ => exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"),
        };
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    for target in ["/sized", "/chunked"] {
        let mut client = program.raw();
        client.send(format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"));
        let answer = client.answer();
        assert_eq!(answer.text(), "half");
        assert!(!answer.whole, "{target} looks whole");
    }
    assert_eq!(program.metric("flagstaff_upstream_failures_total", "reason=\"cut\""), 2.0);
}

#[test]
fn an_app_that_falls_silent_in_its_answer_is_cut_off() {
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).key("timeouts", "stream = \"500ms\"").start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let answer = client.answer();
    assert!(!answer.whole && answer.text() == "half");
    eventually("the app is free again", || app.open() == 0);
}

#[test]
fn expectations_are_met_and_early_answers_pass() {
    let app = App::start(|exchange| {
        assert_eq!(exchange.field("expect"), None);
        if exchange.target == "/early" {
            exchange.answer(413, "Connection: close\r\n", "too much");
            exchange.wait_for_end();
            return Then::Close;
        }
        let body = exchange.body();
        exchange.answer(200, "", body)
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 100 "));
    client.send("body");
    assert_eq!(client.answer().text(), "body");
    // The answer arrives although the client is still sending.
    client.send("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n");
    for _ in 0..30 {
        client.try_send(vec![b'x'; 10_000]);
    }
    let answer = client.answer();
    assert_eq!((answer.status, answer.text().as_str()), (413, "too much"));
}

#[test]
fn bodies_beyond_the_limit_are_refused() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).key("limits", "body_bytes = 1000").start();
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n");
    assert_eq!(client.answer().status, 413);
    assert_eq!(app.heads().len(), 0);
    let mut client = program.raw();
    client.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n{}\r\n0\r\n\r\n",
        "x".repeat(1001)
    ));
    assert_eq!(client.answer().status, 413);
    assert_eq!(program.refused("body_too_large"), 2.0);
    let mut client = program.raw();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{}", "x".repeat(1000)));
    assert_eq!(client.answer().status, 200);
}

#[test]
fn the_access_log_says_who_asked_for_what() {
    let app = App::says("hello");
    let line = |format: &str| {
        let program = Setup::to(&[app.address])
            .key("log", "access = true")
            .key("log", &format!("format = \"{format}\""))
            .flags("[flags.banner]\n[flags.hidden]\nenabled = false\n[flags.prices]\nvariants = { a = 0, b = 100 }\n")
            .start();
        let visitor = "AAAAAAAAAAAAAAAAAAAAAA";
        let mut client = program.raw();
        client.send(format!(
            "GET /a?b=c HTTP/1.1\r\nHost: shop\r\nUser-Agent: \"x\"\r\nCookie: flagstaff_visitor={visitor}\r\n\r\n"
        ));
        assert_eq!(client.answer().text(), "hello");
        let mut line = String::new();
        eventually("a line is written", || {
            let log = program.process.log();
            let found = log.lines().find(|line| line.contains("/a?b=c"));
            line = found.unwrap_or_default().to_owned();
            found.is_some()
        });
        line
    };
    let text = line("text");
    let upstream = app.address;
    assert!(text.contains(&format!(" 127.0.0.1 shop {upstream} \"GET /a?b=c HTTP/1.1\" 200 5 ")), "{text}");
    assert!(text.ends_with("visitor=AAAAAAAAAAAAAAAAAAAAAA flags=banner=on,prices=b"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&line("json")).unwrap();
    for (key, value) in [
        ("client", "127.0.0.1".into()),
        ("host", "shop".into()),
        ("target", "/a?b=c".into()),
        ("user_agent", "\"x\"".into()),
        ("status", 200.into()),
        ("bytes", 5.into()),
        ("whole", true.into()),
        ("upstream", serde_json::Value::from(upstream.to_string())),
        ("visitor", "AAAAAAAAAAAAAAAAAAAAAA".into()),
        ("flags", "banner=on,prices=b".into()),
    ] {
        assert_eq!(json[key], value, "{key} of {json}");
    }
}

#[test]
fn forwarded_is_written_when_the_settings_say_so() {
    let app = App::mirror();
    let ask = |settings: &[&str], sent: &str| {
        let setup = Setup::to(&[app.address]);
        let program = settings.iter().fold(setup, |setup, line| setup.key("trust", line)).start();
        let mut client = program.raw();
        client.send(format!("GET / HTTP/1.1\r\nHost: shop\r\n{sent}\r\n"));
        let seen = client.answer().text();
        fields(&seen)
            .filter(|(name, _)| name.eq_ignore_ascii_case("forwarded"))
            .map(|(_, value)| value.to_lowercase())
            .collect::<Vec<_>>()
    };
    assert_eq!(ask(&[], ""), Vec::<String>::new());
    let own = ask(&["forwarded = true"], "Forwarded: for=9.9.9.9\r\n");
    assert_eq!(own.len(), 1, "{own:?}");
    assert!(
        own[0].contains("for=127.0.0.1") && own[0].contains("proto=http") && own[0].contains("host=\"shop\""),
        "{own:?}"
    );
    assert!(!own[0].contains("9.9.9.9"), "{own:?}");
    let extended = ask(&["forwarded = true", "addresses = [\"127.0.0.0/8\"]"], "Forwarded: for=9.9.9.9\r\n");
    assert!(extended.join(", ").starts_with("for=9.9.9.9, for=127.0.0.1"), "{extended:?}");
}
