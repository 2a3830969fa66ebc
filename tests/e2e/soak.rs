//! Half an hour with everything on, over and over: no request fails that need not fail, and memory stays flat. The variable
//! `SOAK_MINUTES` says how long.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{any, get};
use http::Request;

use crate::harness::postgres::Server;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::Raw;
use crate::harness::receiver::Receiver;
use crate::harness::{crowd, h2c, tls};

const FLAGS: &str = r#"
[flags.form]
variants = { plain = 50, short = 50 }
client = true

[flags.checkout]
owner = "team"
expires = 2099-01-01
[flags.checkout.rollout]
steps = [{ percent = 10, hold = "5s", min_visitors = 50 }, { percent = 50, hold = "20s" }, { percent = 100, hold = "approval" }]
[flags.checkout.guard]
errors = "5xx"
slower_than = "2s"
goals = ["paid"]

[flags.for_readers]
percent = 50
[[flags.for_readers.rules]]
if = { path = "/page/*" }
percent = 80

[flags.edited]
percent = 10
client = true

[goals.paid]
on = "POST /pay"
[goals.read]
event = "read"
"#;

/// What is asked of the program at once, by so many clients each.
const PAGES: usize = 3;
const SLOW: usize = 50;
const IDLE: usize = 200;
/// Visitors of one client.
const VISITORS: u64 = 5_000;
/// Between the requests of one client: the machine has other work.
const PAUSE: Duration = Duration::from_millis(5);
/// What memory may grow by between the middle and the end: caches of connections that came and went, in KiB.
const GROWTH: u64 = 16 << 10;

/// A service that keeps nothing: pages, payments, slow and failing answers.
fn app(runtime: &tokio::runtime::Runtime) -> SocketAddr {
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "late"
    };
    let status = |Path(code): Path<u16>| async move { StatusCode::from_u16(code).unwrap_or_default() };
    let router = Router::new()
        .route("/slow", get(slow))
        .route("/status/{code}", any(status))
        .fallback(|body: Bytes| async move { format!("{} bytes came\n{}", body.len(), "x".repeat(1024)) });
    let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await });
    address
}

/// How long it goes on, and what was done so far.
struct Soak {
    program: Program,
    end: Instant,
    answers: AtomicU64,
}

impl Soak {
    fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }

    /// Counts an answer, which must have this status.
    #[track_caller]
    fn counts(&self, status: u16, expected: u16, what: &str) {
        assert_eq!(status, expected, "{what}");
        self.answers.fetch_add(1, Relaxed);
    }

    /// Visitors who come every five pages, and sometimes pay. They come again: what is known of visitors may take memory, and all are
    /// known after a while.
    fn visits(&self, client: usize) {
        let mut raw = self.program.raw();
        for page in 0_u64.. {
            if !self.goes_on() {
                return;
            }
            if page % 1000 == 999 {
                raw = self.program.raw();
            }
            let visitor = format!("soaked{client:02}{:014}", page / 5 % VISITORS);
            let (method, path) = if page % 5 == 4 { ("POST", "/pay") } else { ("GET", "/page/1") };
            let browser = "User-Agent: Mozilla/5.0 Firefox/140.0\r\nAccept: text/html\r\n";
            raw.send(format!(
                "{method} {path} HTTP/1.1\r\nHost: shop\r\n{browser}Cookie: flagstaff_visitor={visitor}\r\nContent-Length: 0\r\n\r\n"
            ));
            let answer = raw.answer();
            assert!(answer.whole);
            self.counts(answer.status, 200, path);
            std::thread::sleep(PAUSE);
        }
    }

    /// Streams of HTTP/2 over TLS, a hundred on each connection.
    fn streams(&self, pair: &tls::Pair) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        while self.goes_on() {
            runtime.block_on(async {
                let stream = tls::connect(self.program.tls_address, &[pair], &["h2"]).await.unwrap();
                let mut client = h2c::over(stream).await;
                for path in ["/", "/slow", "/status/204", "/page/2"].iter().cycle().take(100) {
                    let request = Request::get(format!("https://localhost{path}")).body(()).unwrap();
                    let status = h2c::ask(&mut client, request).await.0.status().as_u16();
                    let expected = [200, 204][usize::from(path.ends_with("204"))];
                    self.counts(status, expected, path);
                }
            });
        }
    }

    /// Events of pages, and flags for their scripts.
    fn scripts(&self) {
        let mut raw = self.program.raw();
        for turn in 0_u64.. {
            if !self.goes_on() {
                return;
            }
            let visitor = format!("scripted{:014}", turn % VISITORS);
            let body = r#"{"event": "read"}"#;
            let json = "Content-Type: application/json\r\nOrigin: http://shop\r\n";
            let told = crowd::tell(&mut raw, "/.flagstaff/events", &visitor, json, body);
            self.counts(told.status, 204, &told.text());
            let asked = crowd::tell(&mut raw, "/.flagstaff/ofrep/v1/evaluate/flags", &visitor, json, "{}");
            self.counts(asked.status, 200, &asked.text());
            std::thread::sleep(PAUSE);
        }
    }

    /// An operator who edits, switches, looks at pages and asks for results, which only the ledger can answer.
    fn operates(&self) {
        for turn in 0_u64.. {
            if !self.goes_on() {
                return;
            }
            let percent = format!(r#"{{"set": {{"percent": {}}}}}"#, turn % 100);
            let edited = self.program.asks("PATCH", "/api/v1/flags/edited", &percent);
            self.counts(edited.status, 200, &edited.text());
            for (every, method, target) in [
                (10, "POST", "/api/v1/flags/for_readers/off"),
                (10, "POST", "/api/v1/flags/for_readers/on"),
                (5, "GET", "/metrics"),
                (3, "GET", "/"),
                (7, "GET", "/flags/form"),
                (20, "GET", "/api/v1/flags/form/results"),
                (11, "GET", "/api/v1/history"),
            ] {
                if turn % every == 0 {
                    let answer = self.program.asks(method, target, "");
                    let needs_ledger = target.contains("history") || target.contains("results");
                    let status = if needs_ledger && answer.status == 503 { 200 } else { answer.status };
                    self.counts(status, 200, &format!("{target}: {}", answer.text()));
                }
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    /// Clients that do not do what they should: heads that never end, bodies that stop, connections that are cut. What becomes
    /// of their own requests is theirs.
    fn strangers(&self) {
        let idle: Vec<_> = (0..IDLE).map(|_| self.program.raw()).collect();
        let mut slow: Vec<Raw> = Vec::new();
        while self.goes_on() {
            slow.retain_mut(|raw| raw.try_send("x"));
            while slow.len() < SLOW {
                let mut raw = self.program.raw();
                raw.try_send("GET / HTTP/1.1\r\nHost: shop\r\nX-Slow: ");
                slow.push(raw);
            }
            self.program.raw().try_send("POST /pay HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\nhalf");
            self.program.raw().try_send(b"\x16\x03\x01\0\xff garbage \xff\r\n\r\n");
            std::thread::sleep(Duration::from_millis(200));
        }
        drop(idle);
    }

    /// The ledger goes away for a while, and comes back.
    fn outages(&self, server: &Server) {
        let pause = (self.end - Instant::now()) / 8;
        while self.end.saturating_duration_since(Instant::now()) > pause * 3 {
            std::thread::sleep(pause);
            server.down();
            std::thread::sleep(pause / 4);
            server.up();
        }
    }

    /// The most memory, in KiB, in each tenth of the time.
    fn watches(&self) -> Vec<u64> {
        let tenth = (self.end - Instant::now()) / 10;
        let most_in_a_tenth = |_| {
            let until = Instant::now() + tenth;
            let mut most = 0;
            while Instant::now() < until {
                most = most.max(self.program.process.memory());
                std::thread::sleep(Duration::from_millis(200));
            }
            most
        };
        (0..10).map(most_in_a_tenth).collect()
    }
}

#[test]
#[ignore = "half an hour: tests/long soak"]
fn with_everything_on_no_request_fails_and_memory_stays_flat() {
    let Some(server) = Server::start() else { return };
    let minutes = std::env::var("SOAK_MINUTES").map_or(30.0, |minutes| minutes.parse::<f64>().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (pair, receiver) = (tls::Pair::new(), Receiver::takes());
    let program = Setup::to(&[app(&runtime)])
        .with_token()
        .top(&format!("ledger = \"{}\"", server.database()))
        .key("tls", "certificate = \"cert.pem\"")
        .key("tls", "key = \"key.pem\"")
        .key("webhooks", &receiver.url())
        .file("cert.pem", &pair.certificate)
        .file("key.pem", &pair.key)
        .flags(FLAGS)
        .start();
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let soak = Soak { program, end, answers: AtomicU64::new(0) };
    let memory = std::thread::scope(|clients| {
        for client in 0..PAGES {
            let soak = &soak;
            clients.spawn(move || soak.visits(client));
        }
        clients.spawn(|| soak.streams(&pair));
        clients.spawn(|| soak.scripts());
        clients.spawn(|| soak.operates());
        clients.spawn(|| soak.strangers());
        clients.spawn(|| soak.outages(&server));
        soak.watches()
    });
    let answers = soak.answers.load(Relaxed);
    eprintln!("{answers} answers; memory in KiB, the most in each tenth: {memory:?}");
    let (middle, last) = (memory[4].max(memory[5]), memory[8].max(memory[9]));
    assert!(last < middle + GROWTH, "memory grew from {middle} to {last} KiB");
    assert!(soak.program.metric("flagstaff_requests_total", "") > 0.0 && answers > 100);
    assert!(!soak.program.process.log().contains("panic"));
}
