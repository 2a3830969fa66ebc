//! Limits that hold on every protocol alike, and requests in spellings of their own.

use std::net::Shutdown;

use bytes::Bytes;
use http::Request;

use crate::harness::app::{App, Then};
use crate::harness::frames::{self, DATA, Frames, HEADERS, RST_STREAM};
use crate::harness::program::Setup;
use crate::harness::{eventually, h2c, run};

/// The status of an answer over HTTP/2: the first field, from the static table.
fn status(frames: &mut Frames, stream: u32) -> Option<u16> {
    let frame = frames.find(|f| f.stream == stream && (f.kind == HEADERS || f.kind == RST_STREAM))?;
    let indexed =
        |first| [(0x88, 200), (0x8c, 400), (0x8d, 404)].iter().find(|(code, _)| *code == first).map(|(_, s)| *s);
    match frame.payload.first()? {
        _ if frame.kind == RST_STREAM => None,
        // A literal with the name of the table: 08 or 48, length, three digits, Huffman or not.
        0x08 | 0x48 => Some(0),
        first => indexed(*first),
    }
}

#[test]
fn http_2_has_the_limits_of_http_1() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).key("limits", "headers = 20").start();
    run(async {
        let ask = async |extra: usize, cookies: usize| {
            let mut client = h2c::connect(program.address).await;
            let mut request = Request::get("http://a/").body(()).unwrap();
            for n in 0..extra {
                request
                    .headers_mut()
                    .append(http::HeaderName::try_from(format!("x{n}")).unwrap(), "v".parse().unwrap());
            }
            for n in 0..cookies {
                request.headers_mut().append("cookie", format!("c{n}=1").parse().unwrap());
            }
            h2c::ask(&mut client, request).await.0.status().as_u16()
        };
        assert_eq!((ask(10, 30).await, ask(21, 0).await, ask(500, 0).await), (200, 431, 431));
    });
    for lengths in [["1", "1"], ["1", "01"], ["0", "0"]] {
        let mut client = Frames::connect(program.address);
        let fields = lengths.map(|length| ("content-length", length));
        client.headers(1, lengths[0] == "0", &[&frames::POST[..], &fields].concat());
        client.0.try_send(frames::frame(DATA, 1, 1, b"x"));
        assert_ne!(status(&mut client, 1), Some(200), "{lengths:?}");
    }
    for method in ["GET", "POST"] {
        let mut client = Frames::connect(program.address);
        client.headers(1, true, &[(":method", method), (":scheme", "http"), (":authority", "a"), (":path", "*")]);
        assert_eq!(status(&mut client, 1), Some(400));
    }
    assert_eq!(app.heads().len(), 1, "{:?}", app.heads());
}

#[test]
fn missing_bodies_hold_no_worker_of_the_app() {
    let app = App::says("fine");
    let program = Setup::to(&[app.address]).key("timeouts", "body = \"700ms\"").start();
    run(async {
        for length in [Some("5"), Some("500000"), None] {
            let mut client = h2c::connect(program.address).await;
            let mut request = Request::post("http://a/");
            if let Some(length) = length {
                request = request.header("content-length", length);
            }
            let (answer, mut body) = h2c::begin(&mut client, request.body(()).unwrap(), false);
            body.send_data(Bytes::from_static(b"abc"), false).unwrap();
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), 408, "{length:?}");
        }
        // Frames of nothing are no body either.
        let mut client = h2c::connect(program.address).await;
        let (answer, mut body) = h2c::begin(&mut client, Request::post("http://a/").body(()).unwrap(), false);
        let nothing = async {
            while body.send_data(Bytes::new(), false).is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = answer => assert_eq!(answer.unwrap().status(), 408),
            () = nothing => {}
        }
    });
    eventually("the app is free", || app.open() == 0);
    assert_eq!(program.refused("body_timeout"), 4.0);
}

#[test]
fn bidirectional_streams_may_be_silent_one_way() {
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..20 {
            exchange.write("1\r\n.\r\n");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let whole = exchange.body();
        exchange.write(format!("{:x}\r\n{}\r\n0\r\n\r\n", whole.len(), String::from_utf8_lossy(&whole)));
        Then::Close
    });
    let program = Setup::to(&[app.address]).key("timeouts", "body = \"500ms\"").start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, mut body) = h2c::begin(&mut client, Request::post("http://a/").body(()).unwrap(), false);
        let mut coming = answer.await.unwrap().into_body();
        for _ in 0..15 {
            assert_eq!(coming.data().await.unwrap().unwrap(), ".");
        }
        body.send_data(Bytes::from_static(b"at last"), true).unwrap();
        let (rest, _) = h2c::collect(coming).await.unwrap();
        assert!(rest.ends_with(b"at last"), "{rest:?}");
    });
}

#[test]
fn small_bodies_have_a_limit_of_their_own() {
    let app = App::start(|exchange| {
        exchange.body();
        std::thread::sleep(std::time::Duration::from_millis(600));
        exchange.answer(200, "", "slow")
    });
    let program = Setup::to(&[app.address]).key("timeouts", "buffer_body = \"300ms\"").start();
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n1");
    assert_eq!(client.answer().status, 408);
    assert_eq!(app.heads().len(), 0);
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n12");
    assert_eq!(client.answer().status, 200, "the app has the time of `upstream`");
}

#[test]
fn small_bodies_are_read_before_the_app_is_asked() {
    let app = App::start(|exchange| {
        let body = exchange.body();
        exchange.answer(200, "", body)
    });
    let program = Setup::to(&[app.address]).start();
    let mut slow: Vec<_> = (0..20).map(|_| program.raw()).collect();
    for client in &mut slow {
        client.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n");
        client.until(b"100 Continue\r\n\r\n");
        client.send("01234");
    }
    for _ in 0..5 {
        assert_eq!(program.get("/").0, 200);
    }
    assert_eq!(app.connections(), 1, "slow clients took workers of the app");
    for client in &mut slow {
        client.send("56789");
        assert_eq!(client.answer().text(), "0123456789");
    }
    // What is larger, or of no known size, goes on as it comes.
    let mut large = program.raw();
    large.send("POST /large HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\nx");
    eventually("the app is asked", || app.heads().iter().any(|head| head.starts_with("POST /large ")));
    let mut chunked = program.raw();
    chunked.send("POST /chunked HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    eventually("the app is asked", || app.heads().iter().any(|head| head.starts_with("POST /chunked ")));
    large.send("x".repeat(65536));
    chunked.send("0\r\n\r\n");
    assert_eq!((large.answer().body.len(), chunked.answer().text().as_str()), (65537, "x"));
}

#[test]
fn bodies_of_methods_that_mostly_have_none_pass() {
    let app = App::start(|exchange| {
        let body = exchange.body();
        let method = format!("X-Got: {} {}\r\n", exchange.method, String::from_utf8_lossy(&body));
        exchange.answer(204, &method, "")
    });
    let program = Setup::to(&[app.address]).start();
    for method in ["GET", "HEAD", "OPTIONS", "DELETE"] {
        let mut client = program.raw();
        for body in ["Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Content-Length: 5\r\n\r\nhello"] {
            client.send(format!("{method} /search HTTP/1.1\r\nHost: a\r\n{body}"));
            assert_eq!(client.answer_head().field("x-got"), Some(format!("{method} hello")));
        }
    }
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, mut body) = h2c::begin(&mut client, Request::get("http://a/").body(()).unwrap(), false);
        body.send_data(Bytes::from_static(b"hello"), true).unwrap();
        assert_eq!(answer.await.unwrap().headers()["x-got"], "GET hello");
    });
}

#[test]
fn a_target_with_raw_bytes_is_refused_with_its_reason() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    for (n, target) in (1..).zip([&b"/caf\xe9"[..], b"/a<b", b"/a>b", b"/a?b=\"c\"", b"/\xff\xfe?x"]) {
        let mut client = program.raw();
        client.send("GET /before HTTP/1.1\r\nHost: a\r\n\r\n");
        client
            .send([b"GET ", target, b" HTTP/1.1\r\nHost: a\r\n\r\nGET /after HTTP/1.1\r\nHost: a\r\n\r\n"].concat());
        assert_eq!(client.answer().status, 200);
        let answer = client.answer();
        assert_eq!((answer.status, answer.field("connection").as_deref()), (400, Some("close")));
        assert!(answer.text().contains("must be written as escapes"), "{}", answer.text());
        assert!(client.is_closed());
        assert_eq!(program.refused("target_bytes"), f64::from(n));
    }
    assert!(app.heads().iter().all(|head| head.starts_with("GET /before ")));
    let mut client = program.raw();
    client.send(
        [b"GET /a/long/way/to/a/caf\xe9/and/on/and/on", &b"/and/on".repeat(90)[..], b" HTTP/1.1\r\nHost: a\r\n\r\n"]
            .concat(),
    );
    assert!(client.answer().text().contains("must be written as escapes"));
    let mut client = program.raw();
    client.send("GET /straße?q=ü HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(client.answer().text().starts_with("GET /straße?q=ü HTTP/1.1\r\n"));
}

#[test]
fn ambiguous_header_names_are_removed() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(
        "GET / HTTP/1.1\r\nHost: a\r\nProxy: evil\r\nX.Forwarded.For: evil\r\nX+Real~IP: evil\r\nx-forwarded!host: evil\r\n\
         HTTP2-Settings: evil\r\nX-Fine: 1\r\n\r\n",
    );
    let head = client.answer().text();
    assert!(!head.contains("evil") && head.to_lowercase().contains("\r\nx-fine: 1\r\n"), "{head}");
    for method in ["TRACE", "TRACK"] {
        let mut client = program.raw();
        client.send(format!("{method} / HTTP/1.1\r\nHost: a\r\nCookie: sid=secret\r\n\r\n"));
        let answer = client.answer();
        assert!(answer.status == 405 && !answer.text().contains("secret"));
    }
    for upgrade in ["h2c", "h2c, foo", ", H2C"] {
        let mut client = program.raw();
        client.send(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: {upgrade}\r\n\r\n"));
        assert!(!client.answer().text().to_lowercase().contains("upgrade"));
    }
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c, WebSocket\r\n\r\n");
    assert!(client.answer().text().to_lowercase().contains("\r\nupgrade: websocket\r\n"));
}

#[test]
fn a_connection_header_does_not_remove_headers_of_a_trusted_proxy() {
    let app = App::mirror();
    let setup = Setup::to(&[app.address]).key("trust", "addresses = [\"127.0.0.1\"]");
    let program = setup.key("user", "header = \"X-User-Id\"").start();
    let wrote =
        ["x-forwarded-for", "x-forwarded-proto", "x-user-id", "x-user-groups", "x-request-id", "authorization"];
    let fields: String = wrote.iter().map(|name| format!("{name}: 192.0.2.7\r\n")).collect();
    let mut client = program.raw();
    client.send(format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}Connection: {}\r\n\r\n", wrote.join(", ")));
    let head = client.answer().text().to_lowercase();
    for name in wrote {
        assert!(head.contains(&format!("\r\n{name}: 192.0.2.7")), "{name} is gone from {head}");
    }
    assert!(!head.contains("\r\nconnection:"), "{head}");
}

#[test]
fn gates_and_the_reserved_prefix_match_every_spelling() {
    let app = App::says("app");
    let gate = "[flags.pay]\nenabled = false\n[flags.pay.gate]\npaths = [\"/pay/*\"]\nwhen_off = { status = 503, body = \"gate\" }\n";
    let program = Setup::to(&[app.address]).flags(gate).start();
    for own in [
        "/.flagstaff/x",
        "/%2eflagstaff/flags.js",
        "/./.flagstaff/x",
        "//.FLAGSTAFF/x",
        "/.flagstaff%2fx",
        "/\\.flagstaff",
    ] {
        assert_eq!(program.get(own).0, 404, "{own}");
    }
    for shut in ["/pay/card", "/pay\\card", "/pay%5ccard", "/%5Cpay/card", "/x%5c..%5cpay/card", "/p%61y//card"] {
        assert_eq!(program.get(shut), (503, "gate".into()), "{shut}");
    }
    assert_eq!(app.heads(), Vec::<String>::new());
    for open in ["/", "/repay/x", "/x%5cy", "/x?next=%5cpay%5c", "/flagstaff/x"] {
        assert_eq!(program.get(open), (200, "app".into()), "{open}");
    }
    let mut client = program.raw();
    client.send("GET /.flagstaff/flags.js HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer().field("cross-origin-resource-policy").as_deref(), Some("same-origin"));
}

#[test]
fn a_client_that_has_closed_its_side_gets_its_answer() {
    let app = App::start(|exchange| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        exchange.answer(200, "", "whole")
    });
    let program = Setup::to(&[app.address]).start();
    for version in ["1.0", "1.1"] {
        let mut client = program.raw();
        client.send(format!("GET / HTTP/{version}\r\nHost: a\r\n\r\n"));
        client.stream.shutdown(Shutdown::Write).unwrap();
        let answer = String::from_utf8(client.rest()).unwrap();
        assert!(answer.contains(" 200 ") && answer.ends_with("whole"), "{answer}");
    }
}
