//! HTTP/2 in, with and without TLS; HTTP/1.1 or HTTP/2 out.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};

use crate::harness::app::{App, Then};
use crate::harness::frames::{self, CONTINUATION, DATA, Frames, GOAWAY, HEADERS, RST_STREAM};
use crate::harness::grpc::Grpc;
use crate::harness::h2c;
use crate::harness::program::Setup;
use crate::harness::raw::fields;
use crate::harness::tls::Pair;
use crate::harness::{eventually, run};

fn get(path: &str) -> Request<()> {
    Request::get(format!("http://shop.example:81{path}")).body(()).unwrap()
}

#[test]
fn requests_become_plain_http_1() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let mut request = get("/p?q=1");
        for (name, value) in [("cookie", "a=1"), ("cookie", "b=2"), ("x-twice", "1"), ("x-twice", "2")] {
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let (answer, body, _) = h2c::ask(&mut client, request).await;
        assert_eq!(answer.status(), 200);
        let head = String::from_utf8(body).unwrap();
        assert!(head.starts_with("GET /p?q=1 HTTP/1.1\r\n"), "{head}");
        let values = |name: &str| {
            fields(&head).filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v).collect::<Vec<_>>()
        };
        assert_eq!(values("host"), ["shop.example:81"]);
        assert_eq!(values("cookie"), ["a=1; b=2"]);
        assert_eq!(values("x-twice"), ["1", "2"]);
        assert_eq!(values("x-forwarded-host"), ["shop.example:81"]);
    });
}

#[test]
fn what_the_app_says_about_its_connection_does_not_come_back() {
    let app = App::start(|exchange| {
        exchange.answer(
            200,
            "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\nX-Kept: 1\r\n",
            "body",
        )
    });
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, body, _) = h2c::ask(&mut client, get("/")).await;
        assert_eq!((answer.status().as_u16(), body.as_slice()), (200, &b"body"[..]));
        assert_eq!(answer.headers()["x-kept"], "1");
        for gone in ["connection", "keep-alive", "x-hop"] {
            assert!(!answer.headers().contains_key(gone), "{gone} came back");
        }
    });
}

#[test]
fn requests_on_one_connection_do_not_wait_for_each_other() {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let app = App::start(move |exchange| {
        if exchange.target == "/held" {
            let _ = held.lock().unwrap().recv();
        }
        exchange.answer(200, "", "done")
    });
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (waiting, _) = h2c::begin(&mut client, get("/held"), true);
        for _ in 0..20 {
            assert_eq!(h2c::ask(&mut client, get("/")).await.1, b"done");
        }
        release.send(()).unwrap();
        assert_eq!(waiting.await.unwrap().status(), 200);
    });
}

#[test]
fn bodies_and_trailers_pass_from_http_1() {
    let app = App::start(|exchange| {
        let body = exchange.body();
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
        exchange.write(format!("{head}{:x}\r\n", body.len()));
        exchange.write([&body[..], b"\r\n0\r\nX-Sum: 7\r\n\r\n"].concat());
        Then::Keep
    });
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, mut body) = h2c::begin(&mut client, Request::post("http://a/").body(()).unwrap(), false);
        body.send_data(Bytes::from_static(b"hello "), false).unwrap();
        body.send_data(Bytes::from_static(b"world"), true).unwrap();
        let (bytes, trailers) = h2c::collect(answer.await.unwrap().into_body()).await.unwrap();
        assert_eq!(bytes, b"hello world");
        assert_eq!(trailers.unwrap()["x-sum"], "7");
    });
    // HTTP/1.1 carries them to those who say they read them.
    let mut client = program.raw();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: TE\r\nContent-Length: 2\r\n\r\nhi");
    let answer = client.until(b"x-sum: 7\r\n\r\n");
    assert!(answer.starts_with(b"HTTP/1.1 200"));
}

#[test]
fn an_answer_that_is_cut_is_reset() {
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, _) = h2c::begin(&mut client, get("/"), true);
        let end = h2c::collect(answer.await.unwrap().into_body()).await;
        assert!(end.is_err_and(|e| e.is_reset()));
    });
}

#[test]
fn a_request_that_is_reset_frees_the_app() {
    let app = App::start(|exchange| {
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    run(async {
        let mut client = h2c::connect(program.address).await;
        let (answer, mut sending) = h2c::begin(&mut client, get("/"), false);
        while app.open() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        sending.send_reset(h2::Reason::CANCEL);
        drop(answer);
        while app.open() > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

/// Sends a request by hand: it must be reset or refused with 400, and the connection must go on for others.
#[track_caller]
fn refused(name: &str, fields: &[(&str, &str)], end: bool, data: Option<&[u8]>) {
    let app = App::start(|exchange| {
        let fine = exchange.target == "/next" || !exchange.body_pieces(|_| ());
        assert!(fine, "a request against the rules came whole: {}", exchange.head);
        exchange.answer(200, "", "")
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = Frames::connect(program.address);
    client.headers(1, end, fields);
    if let Some(data) = data {
        client.0.send(frames::frame(DATA, frames::END_STREAM, 1, data));
    }
    let verdict = client.find(|f| f.kind == GOAWAY || (f.stream == 1 && [HEADERS, RST_STREAM].contains(&f.kind)));
    match verdict {
        None => {}
        Some(frame) if frame.kind == HEADERS => {
            // A status of 400 is the literal of index 12 in HPACK's static table.
            assert_eq!(frame.payload.first(), Some(&0x8c), "{name}: {frame:?}");
        }
        Some(frame) => assert_ne!(frame.code(), 0, "{name}: {frame:?}"),
    }
    if data.is_none() {
        assert_eq!(app.heads(), Vec::<String>::new(), "{name} reached the app");
    }
    let mut other = Frames::connect(program.address);
    let mut next = frames::GET;
    next[3].1 = "/next";
    other.headers(1, true, &next);
    assert!(other.find(|f| f.kind == HEADERS && f.stream == 1).is_some(), "{name}: others are not served");
}

#[test]
fn fields_that_http_2_forbids() {
    let with = |field: (&'static str, &'static str)| [&frames::GET[..], &[field]].concat();
    refused("connection", &with(("connection", "close")), true, None);
    refused("keep-alive", &with(("keep-alive", "5")), true, None);
    refused("transfer-encoding", &with(("transfer-encoding", "chunked")), true, None);
    refused("upgrade", &with(("upgrade", "websocket")), true, None);
    refused("te", &with(("te", "gzip")), true, None);
    refused("upper case", &with(("X-Upper", "1")), true, None);
    refused("a line end in a value", &with(("x-a", "b\r\nx-flag-a: on")), true, None);
    refused("a late pseudo-field", &with((":path", "/other")), true, None);
    refused("another host", &with(("host", "b")), true, None);
    refused("no path", &frames::GET[..3], true, None);
    refused("an unknown pseudo-field", &with((":status", "200")), true, None);
}

#[test]
fn lengths_that_are_not_kept() {
    let with = |length: &'static str| [&frames::POST[..], &[("content-length", length)]].concat();
    refused("no body where one was said", &with("5"), true, None);
    refused("a body that is too short", &with("5"), false, Some(b"abc"));
    refused("a body that is too long", &with("2"), false, Some(b"abc"));
    refused("a length that is none", &with("+3"), false, Some(b"abc"));
}

#[test]
fn a_head_without_end_is_cut_off() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    let mut client = Frames::connect(program.address);
    client.0.send(frames::frame(HEADERS, 0, 1, &frames::block(&frames::GET)));
    let piece = frames::frame(CONTINUATION, 0, 1, &frames::block(&[("x-flood", &"x".repeat(100))]).repeat(100));
    let mut sent = 0;
    while sent < 100 << 20 && client.0.try_send(&piece) {
        sent += piece.len();
    }
    assert!(sent < 50 << 20, "the flood was taken");
    assert_eq!(app.heads().len(), 0);
    assert_eq!(program.get("/").0, 200);
    eventually("it is counted", || program.refused("http2_protocol") >= 1.0);
}

#[test]
fn rapid_resets_end_the_connection() {
    let app = App::start(|exchange| {
        exchange.wait_for_end();
        Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = Frames::connect(program.address);
    let mut sent = 0;
    for stream in (1..200_000).step_by(2) {
        client.headers(stream, true, &frames::GET);
        if !client.0.try_send(frames::frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])) {
            break;
        }
        sent += 1;
    }
    assert!(sent < 99_000, "{sent} resets were taken");
    eventually("it is counted", || program.refused("http2_protocol") >= 1.0);
    eventually("the app is free", || app.open() == 0);
}

#[test]
fn grpc_passes_to_an_http_2_upstream() {
    grpc(&Grpc::start(None), |app| Setup::to(&[app.address]).top("upstream_http2 = true"));
}

#[test]
fn grpc_passes_to_an_upstream_behind_tls() {
    let pair = Pair::new();
    let app = Grpc::start(Some(pair.acceptor("h2")));
    grpc(&app, |app| {
        Setup::default()
            .top(&format!("upstream = [\"https://localhost:{}\"]", app.address.port()))
            .top("upstream_http2 = true")
            .top("upstream_ca = \"ca.pem\"")
            .file("ca.pem", &pair.certificate)
    });
}

fn grpc(app: &Grpc, setup: impl Fn(&Grpc) -> Setup) {
    let program = setup(app).start();
    let call = |path: &str| {
        let request = Request::post(format!("http://shop{path}")).header("te", "trailers");
        request.header("content-type", "application/grpc").body(()).unwrap()
    };
    run(async {
        let mut client = h2c::connect(program.address).await;
        // Unary.
        let (answer, mut body) = h2c::begin(&mut client, call("/unary"), false);
        body.send_data(Bytes::from_static(b"\0\0\0\0\x02hi"), true).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/grpc");
        let (bytes, trailers) = h2c::collect(answer.into_body()).await.unwrap();
        assert_eq!(
            (bytes.as_slice(), &trailers.unwrap()["grpc-status"]),
            (&b"\0\0\0\0\x02hi"[..], &"0".parse().unwrap())
        );
        // A status alone.
        let (answer, _) = h2c::begin(&mut client, call("/fail"), true);
        assert_eq!(answer.await.unwrap().headers()["grpc-status"], "7");
        // Both directions at once: each message is answered before the next is sent.
        let (answer, mut body) = h2c::begin(&mut client, call("/stream"), false);
        let mut answers = answer.await.unwrap().into_body();
        for n in 0..50_u8 {
            body.send_data(Bytes::copy_from_slice(&[0, 0, 0, 0, 1, n]), false).unwrap();
            let piece = answers.data().await.unwrap().unwrap();
            answers.flow_control().release_capacity(piece.len()).unwrap();
            assert_eq!(piece.as_ref(), [0, 0, 0, 0, 1, n]);
        }
        let mut last = HeaderMap::new();
        last.insert("x-client", "done".parse().unwrap());
        body.send_trailers(last).unwrap();
        let (_, trailers) = h2c::collect(answers).await.unwrap();
        let trailers = trailers.unwrap();
        assert_eq!(
            (&trailers["grpc-status"], &trailers["x-client"]),
            (&"0".parse().unwrap(), &"done".parse().unwrap())
        );
    });
    let requests = app.requests.lock().unwrap();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|r| r.headers()["te"] == "trailers" && r.uri().authority().unwrap() == "shop"));
}
