//! TLS on both sides.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::app::App;
use crate::harness::program::{Program, Setup};
use crate::harness::tls::{self, Pair};
use crate::harness::{eventually, h2c, run};

fn start(app: &App, pair: &Pair) -> Program {
    Setup::to(&[app.address])
        .key("tls", "certificate = \"cert.pem\"")
        .key("tls", "key = \"key.pem\"")
        .file("cert.pem", &pair.certificate)
        .file("key.pem", &pair.key)
        .start()
}

/// One request on one connection; whether the handshake and the answer were fine.
async fn ask(program: &Program, trusted: &Pair) -> bool {
    let Ok(mut io) = tls::connect(program.tls_address, &[trusted], &["http/1.1"]).await else {
        return false;
    };
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    io.read_to_string(&mut answer).await.is_ok() && answer.starts_with("HTTP/1.1 200")
}

#[test]
fn both_protocols_are_spoken() {
    let (app, pair) = (App::mirror(), Pair::new());
    let program = start(&app, &pair);
    run(async {
        assert!(ask(&program, &pair).await);
        let io = tls::connect(program.tls_address, &[&pair], &["h2", "http/1.1"]).await.unwrap();
        assert_eq!(io.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let mut client = h2c::over(io).await;
        let request = http::Request::get("https://localhost/").body(()).unwrap();
        let (answer, body, _) = h2c::ask(&mut client, request).await;
        assert_eq!(answer.status(), 200);
        let head = String::from_utf8(body).unwrap().to_lowercase();
        assert!(head.contains("x-forwarded-proto: https\r\n") && head.contains("host: localhost\r\n"), "{head}");
    });
    assert_eq!(program.get("/").0, 200, "without TLS, on the other address");
}

#[test]
fn certificates_are_replaced_while_it_runs() {
    let (app, old, new) = (App::mirror(), Pair::new(), Pair::new());
    let program = start(&app, &old);
    run(async {
        assert!(ask(&program, &old).await && !ask(&program, &new).await);
        let mut kept = tls::connect(program.tls_address, &[&old], &["http/1.1"]).await.unwrap();
        // Half replaced: the key fits no certificate, so the old pair stays.
        std::fs::write(program.path("cert.pem"), &new.certificate).unwrap();
        while program.metric("flagstaff_certificate_failures_total", "") == 0.0 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(ask(&program, &old).await);
        std::fs::write(program.path("key.pem"), &new.key).unwrap();
        while !ask(&program, &new).await {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(!ask(&program, &old).await);
        // Connections made before go on.
        kept.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        kept.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
}

#[test]
fn a_handshake_that_fails_is_counted() {
    let (app, pair) = (App::mirror(), Pair::new());
    let program = start(&app, &pair);
    let mut client = crate::harness::raw::Raw::connect(program.tls_address);
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.rest();
    eventually("it is counted", || program.refused("tls_handshake") == 1.0);
}

#[test]
fn upstreams_are_only_trusted_with_their_certificate() {
    let (pair, other) = (Pair::new(), Pair::new());
    let acceptor = pair.acceptor("http/1.1");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        run(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            for _ in 0..2 {
                let (io, _) = listener.accept().await.unwrap();
                let Ok(mut io) = acceptor.accept(io).await else {
                    continue;
                };
                let mut head = [0; 4096];
                let _ = io.read(&mut head).await;
                let _ = io.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret").await;
            }
        });
    });
    let ask = |ca: &Pair| {
        let program = Setup::default()
            .top(&format!("upstream = [\"https://localhost:{port}\"]"))
            .top("upstream_ca = \"ca.pem\"")
            .file("ca.pem", &ca.certificate)
            .start();
        program.get("/")
    };
    assert_eq!(ask(&other).0, 502);
    assert_eq!(ask(&pair), (200, "secret".to_owned()));
}
