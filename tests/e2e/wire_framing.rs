//! Requests that two servers could read differently are refused, and never reach the app.

use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::Setup;

const HOST: &str = "Host: a\r\n";

/// Sends the bytes, then another request: the first must be refused and the connection end with it.
#[track_caller]
fn refused(cases: &[(&str, Vec<u8>, u16, &str)]) {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    for (name, bytes, status, reason) in cases {
        let before = program.refused(reason);
        let mut client = program.raw();
        client.try_send(bytes);
        client.try_send("GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        let answer = client.answer();
        assert_eq!(answer.status, *status, "{name}: {}", answer.head);
        assert!(client.is_closed(), "{name}: the connection goes on");
        drop(client);
        eventually(&format!("{name} is counted under {reason}"), || program.refused(reason) == before + 1.0);
        assert_eq!(app.heads(), Vec::<String>::new(), "{name} reached the app");
    }
    assert_eq!(program.get("/still-here").0, 200);
}

fn get(fields: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\n{HOST}{fields}\r\n").into_bytes()
}

fn post(fields: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\n{HOST}{fields}\r\n{body}").into_bytes()
}

#[test]
fn two_lengths() {
    refused(&[
        ("two equal Content-Length", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400, "length_twice"),
        (
            "two different Content-Length",
            post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"),
            400,
            "length_twice",
        ),
        ("a list of lengths", post("Content-Length: 3, 3\r\n", "abc"), 400, "length_bad"),
        ("a signed length", post("Content-Length:+5\r\n", "abcde"), 400, "length_bad"),
        ("a negative length", post("Content-Length: -5\r\n", "abcde"), 400, "length_bad"),
        ("an empty length", post("Content-Length: \r\n", ""), 400, "length_bad"),
        ("a length beyond 64 bits", post("Content-Length: 18446744073709551616\r\n", ""), 400, "length_bad"),
    ]);
}

#[test]
fn lengths_and_encodings() {
    let chunks = "0\r\n\r\n";
    refused(&[
        (
            "CL then TE",
            post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks),
            400,
            "length_and_encoding",
        ),
        (
            "TE then CL",
            post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks),
            400,
            "length_and_encoding",
        ),
        ("TE chunked, identity", post("Transfer-Encoding: chunked, identity\r\n", chunks), 400, "transfer_encoding"),
        ("TE identity", post("Transfer-Encoding: identity\r\n", chunks), 400, "transfer_encoding"),
        ("TE gzip, chunked", post("Transfer-Encoding: gzip, chunked\r\n", chunks), 400, "transfer_encoding"),
        ("TE with a vertical tab", post("Transfer-Encoding: \u{b}chunked\r\n", chunks), 400, "transfer_encoding"),
        ("TE :", post("Transfer-Encoding : chunked\r\n", chunks), 400, "malformed"),
        (
            "two TE",
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks),
            400,
            "transfer_encoding",
        ),
        (
            "TE on HTTP/1.0",
            format!("POST / HTTP/1.0\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n{chunks}").into_bytes(),
            400,
            "malformed",
        ),
    ]);
}

#[test]
fn lines() {
    refused(&[
        ("a folded field", get("X-A: b\r\n c\r\n"), 400, "folded_field"),
        (
            "a field that begins with a space",
            format!("GET / HTTP/1.1\r\n {HOST}\r\n").into_bytes(),
            400,
            "folded_field",
        ),
        ("a bare LF after a field", get("X-A: b\n"), 400, "bare_line_feed"),
        ("bare LF everywhere", b"GET / HTTP/1.1\nHost: a\n\n".to_vec(), 400, "bare_line_feed"),
        ("a bare CR in a value", get("X-A: b\rX-C: d\r\n"), 400, "malformed"),
        ("a NUL in a value", get("X-A: b\0c\r\n"), 400, "malformed"),
        ("a NUL in a name", get("X\0A: b\r\n"), 400, "malformed"),
        ("a NUL in the target", format!("GET /\0 HTTP/1.1\r\n{HOST}\r\n").into_bytes(), 400, "target_bytes"),
        ("a space in a name", get("X A: b\r\n"), 400, "malformed"),
        ("a name that is empty", get(": b\r\n"), 400, "malformed"),
        ("no colon", get("nothing\r\n"), 400, "malformed"),
        ("a version that is none", format!("GET / HTTP/1.2\r\n{HOST}\r\n").into_bytes(), 400, "malformed"),
        ("two spaces in the first line", format!("GET  / HTTP/1.1\r\n{HOST}\r\n").into_bytes(), 400, "malformed"),
    ]);
}

#[test]
fn chunks() {
    let chunked = |body: &str| post("Transfer-Encoding: chunked\r\n", body);
    refused(&[
        ("a size beyond 64 bits", chunked("fffffffffffffffff\r\nabc"), 400, "chunk_size"),
        ("a size that is none", chunked("xyz\r\nabc"), 400, "chunk_size"),
        ("a signed size", chunked("+3\r\nabc\r\n0\r\n\r\n"), 400, "chunk_size"),
        ("a size in 0x", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400, "chunk_size"),
        ("no size", chunked("\r\nabc"), 400, "chunk_size"),
        ("a bare LF after a size", chunked("3\nabc\r\n0\r\n\r\n"), 400, "bare_line_feed"),
        ("a chunk that is too long", chunked("3\r\nabcdef\r\n0\r\n\r\n"), 400, "chunk_end"),
        (
            "extensions of 1 MB",
            chunked(&format!("3;{}\r\nabc\r\n0\r\n\r\n", "x".repeat(1 << 20))),
            400,
            "chunk_extension",
        ),
        ("a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), 400, "folded_field"),
    ]);
}

#[test]
fn hosts_and_targets() {
    let line = |first: &str, fields: &str| format!("{first}\r\n{fields}\r\n").into_bytes();
    refused(&[
        ("two Host", line("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"), 400, "host_twice"),
        ("no Host", line("GET / HTTP/1.1", ""), 400, "host_missing"),
        ("an empty Host", line("GET / HTTP/1.1", "Host:\r\n"), 400, "host_bad"),
        ("a list of hosts", line("GET / HTTP/1.1", "Host: a, b\r\n"), 400, "host_bad"),
        ("a Host with a path", line("GET / HTTP/1.1", "Host: a/b\r\n"), 400, "host_bad"),
        ("a Host with a user", line("GET / HTTP/1.1", "Host: a@b\r\n"), 400, "host_bad"),
        ("Host unlike the target", line("GET http://a/ HTTP/1.1", "Host: b\r\n"), 400, "host_mismatch"),
        ("no Host beside a target with one", line("GET http://a/ HTTP/1.1", ""), 400, "host_missing"),
        ("CONNECT", line("CONNECT a:1 HTTP/1.1", "Host: a:1\r\n"), 405, "connect"),
        ("* without OPTIONS", line("GET * HTTP/1.1", HOST), 400, "target"),
    ]);
}

#[test]
fn heads_beyond_the_limit() {
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let some: String = (0..150).map(|n| format!("X-{n}: y\r\n")).collect();
    refused(&[
        ("a head of 40 KB", get(&format!("X-A: {}\r\n", "x".repeat(40_000))), 431, "head_too_large"),
        ("a head of 4 MB", get(&format!("X-A: {}\r\n", "x".repeat(4 << 20))), 431, "head_too_large"),
        ("10,000 fields", get(&many), 431, "head_too_large"),
        ("150 fields", get(&some), 431, "head_too_large"),
        (
            "a target of 40 KB",
            format!("GET /{} HTTP/1.1\r\n{HOST}\r\n", "x".repeat(40_000)).into_bytes(),
            431,
            "head_too_large",
        ),
    ]);
}

#[test]
fn heads_within_the_limit_pass() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(get(&format!("X-A: {}\r\n", "x".repeat(30_000))));
    assert_eq!(client.answer().status, 200);
    let some: String = (0..95).map(|n| format!("X-{n}: y\r\n")).collect();
    client.send(get(&some));
    assert_eq!(client.answer().status, 200);
    client.send("GET http://A/x HTTP/1.1\r\nhost: a\r\n\r\n");
    assert!(client.answer().text().starts_with("GET /x HTTP/1.1\r\n"));
    client.send(format!("OPTIONS * HTTP/1.1\r\n{HOST}\r\n"));
    assert!(client.answer().text().starts_with("OPTIONS * HTTP/1.1\r\n"));
}

/// A refusal waits its turn: requests before it on the same connection are answered first.
#[test]
fn a_refusal_comes_after_the_answers_before_it() {
    let app = App::start(|exchange| {
        std::thread::sleep(std::time::Duration::from_millis(200));
        exchange.answer(200, "", "fine")
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(get(""));
    eventually("the first is under way", || app.heads().len() == 1);
    client.send(post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"));
    assert_eq!(client.answer().text(), "fine");
    assert_eq!(client.answer().status, 400);
    assert!(client.is_closed());
    assert_eq!(app.heads().len(), 1);
}

/// However the bytes arrive, the verdict is the same.
#[test]
fn a_smuggled_request_sent_byte_by_byte() {
    let app = App::mirror();
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    for byte in post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n") {
        if !client.try_send([byte]) {
            break;
        }
    }
    assert_eq!(client.answer().status, 400);
    assert_eq!(app.heads().len(), 0);
}

/// A chunk that turns out wrong when the head has gone on: the app sees no end of the request, the client a 400.
#[test]
fn a_chunk_that_goes_wrong_later() {
    let app = App::start(|exchange| {
        assert!(!exchange.body_pieces(|_| ()), "the app took a broken body for a whole one");
        crate::harness::app::Then::Close
    });
    let program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n"));
    eventually("the app has the head", || app.heads().len() == 1);
    client.send("zzz\r\n");
    assert_eq!(client.answer().status, 400);
    assert!(client.is_closed());
    eventually("the app's connection is closed", || app.open() == 0);
}

/// Programs that would rather speak HTTP/2 ask for it with each request, those with a body too: the wish is passed over.
#[test]
fn a_wish_to_switch_does_not_keep_a_body_from_the_app() {
    let app = App::start(|exchange| {
        let body = exchange.body();
        let head = exchange.head.to_lowercase();
        exchange.answer(200, "", [head.as_bytes(), &body].concat())
    });
    let program = Setup::to(&[app.address]).start();
    let wish = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAA\r\n";
    for (framing, body) in
        [("Content-Length: 3\r\n", "a=1"), ("Transfer-Encoding: chunked\r\n", "3\r\na=1\r\n0\r\n\r\n")]
    {
        for wish in [wish, "Upgrade: websocket\r\nConnection: upgrade\r\n", "Upgrade: websocket\r\n"] {
            let mut client = program.raw();
            client.send(post(&format!("{wish}{framing}"), body));
            let answer = client.answer();
            let seen = answer.text();
            assert_eq!(answer.status, 200, "{wish}{framing}");
            assert!(seen.ends_with("a=1") && !seen.contains("upgrade") && !seen.contains("http2"), "{seen}");
            assert!(client.is_closed(), "another protocol was meant to follow");
        }
    }
}
