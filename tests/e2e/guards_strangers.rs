//! What strangers, slow clients and a store that is away can do to a guard: nothing. What the app does is seen as before.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use serde_json::Value;

use crate::guards::{flags, kinds, status};
use crate::harness::app::{App, Exchange, Then};
use crate::harness::frames::{Frames, GOAWAY, HEADERS, RST_STREAM};
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, Raw};
use crate::harness::{eventually, free_address};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

/// An app that tells visitors their variant. With the flag it fails at `/bad`, and takes half a second at `/slow`.
fn app() -> App {
    App::start(serve)
}

fn serve(exchange: &mut Exchange<'_>) -> Then {
    exchange.body();
    let variant = exchange.field("x-flag-checkout").unwrap_or_else(|| "off".into());
    let has_flag = variant == "on";
    if has_flag && exchange.target.starts_with("/slow") {
        std::thread::sleep(Duration::from_millis(500));
    }
    let status = if has_flag && exchange.target.starts_with("/bad") { 500 } else { 200 };
    exchange.answer(status, "Cache-Control: no-store\r\n", variant)
}

/// A program that believes us where visitors come from.
fn setup(app: SocketAddr) -> Setup {
    Setup::to(&[app]).key("trust", "addresses = [\"127.0.0.0/8\"]")
}

/// Visitors, by number: each from an address of its own network, or all from one.
struct Visitors {
    raw: Raw,
    name: &'static str,
    network: Option<&'static str>,
}

impl Visitors {
    fn to(program: &Program, name: &'static str) -> Self {
        Self { raw: program.raw(), name, network: None }
    }

    fn of_network(program: &Program, name: &'static str, network: &'static str) -> Self {
        Self { network: Some(network), ..Self::to(program, name) }
    }

    fn address(&self, number: usize) -> String {
        match self.network {
            Some(network) => format!("{network}.{}", number % 250 + 1),
            None => format!("10.{}.{}.7", number / 250, number % 250),
        }
    }

    fn cookie(&self, number: usize) -> String {
        format!("flagstaff_visitor={:-<15}{number:07}", self.name)
    }

    fn head(&self, line: &str, number: usize, length: usize) -> String {
        let (address, cookie) = (self.address(number), self.cookie(number));
        format!(
            "{line} HTTP/1.1\r\nHost: shop\r\nUser-Agent: {BROWSER}\r\nAccept: text/html\r\nX-Forwarded-For: {address}\r\n\
             Sec-Fetch-Site: same-origin\r\nCookie: {cookie}\r\nContent-Length: {length}\r\n\r\n"
        )
    }

    fn ask(&mut self, line: &str, number: usize) -> Answer {
        let head = self.head(line, number, 0);
        self.raw.send(head);
        self.raw.answer()
    }

    /// So many come to a page. Those of them who have the flag.
    fn come(&mut self, visitors: std::ops::Range<usize>) -> Vec<usize> {
        visitors.filter(|number| self.ask("GET /", *number).text() == "on").collect()
    }
}

/// Visitors with the flag whom the guard counted for a sign.
fn counted(program: &Program, sign: &str) -> Option<u64> {
    let status = status(program);
    let all = status["guard"].as_array()?;
    all.iter().find(|evidence| evidence["sign"] == sign)?["treatment_visitors"].as_u64()
}

fn is_tripped(program: &Program) -> bool {
    program.metric("flagstaff_guard_tripped", "flag=\"checkout\"") == 1.0
}

/// An honest visitor meets the sign too. Once that is counted, all that came before was heard of.
#[track_caller]
fn only_the_honest_one_counts(program: &Program, sign: &str, target: &str) {
    let mut honest = Visitors::to(program, "honest");
    let one = honest.come(1..20)[0];
    honest.ask(&format!("GET {target}"), one);
    eventually("the honest one is counted", || counted(program, sign).is_some_and(|counted| counted > 0));
    assert_eq!(counted(program, sign), Some(1), "{}", status(program));
    assert!(!is_tripped(program));
}

#[test]
fn slow_clients_do_not_count_as_slow_answers() {
    let app = app();
    let program = setup(app.address).flags(&flags(50, "slower_than = \"250ms\"")).start();
    let mut crowd = Visitors::to(&program, "crowd");
    let treated = crowd.come(100..160);
    let slow: Vec<_> = treated
        .iter()
        .map(|number| {
            let mut raw = program.raw();
            // larger than what is read before the app is asked
            raw.send(crowd.head("POST /form", *number, 100_000) + &"a".repeat(80_000));
            raw
        })
        .collect();
    let short: Vec<_> = treated
        .iter()
        .map(|number| {
            let mut raw = program.raw();
            raw.send(crowd.head("POST /form", *number, 3) + "a");
            raw
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    for (mut raw, rest) in slow.into_iter().map(|raw| (raw, 20_000)).chain(short.into_iter().map(|raw| (raw, 2))) {
        raw.send("b".repeat(rest));
        assert_eq!(raw.answer().status, 200);
    }
    only_the_honest_one_counts(&program, "slow", "/slow");
    for number in treated {
        crowd.ask("GET /slow", number);
    }
    eventually("an app that is slow is rolled back", || is_tripped(&program));
}

#[test]
fn unfinished_requests_do_not_count_as_errors() {
    let app = app();
    let limits = "body = \"500ms\"\nupstream = \"1s\"";
    let program = setup(app.address).key("timeouts", limits).flags(&flags(50, "errors = \"4xx,5xx\"")).start();
    let mut crowd = Visitors::to(&program, "crowd");
    let treated = crowd.come(100..160);
    let begun: Vec<_> = treated
        .iter()
        .zip([3, 100_000].into_iter().cycle())
        .map(|(number, length)| {
            let mut raw = program.raw();
            raw.send(crowd.head("POST /form", *number, length) + "a");
            raw
        })
        .collect();
    for mut raw in begun {
        let said = String::from_utf8_lossy(&raw.rest()).into_owned();
        assert!(["HTTP/1.1 4", "HTTP/1.1 5"].iter().any(|start| said.starts_with(start)), "{said}");
    }
    // over HTTP/2: heads that promise bodies, all on one connection, and nothing more
    let mut client = Frames::connect(program.address);
    for (number, stream) in treated.iter().take(16).zip((1..).step_by(2)) {
        let (address, cookie) = (crowd.address(*number), crowd.cookie(*number));
        let fields = [
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "shop"),
            (":path", "/form"),
            ("user-agent", BROWSER),
            ("x-forwarded-for", &address),
            ("cookie", &cookie),
        ];
        client.headers(stream, false, &fields);
    }
    for _ in 0..16 {
        let ended = client.find(|frame| matches!(frame.kind, HEADERS | RST_STREAM | GOAWAY));
        if ended.is_none_or(|frame| frame.kind == GOAWAY) {
            break;
        }
    }
    // some begin and go away
    for number in treated.iter().take(10) {
        let mut raw = program.raw();
        raw.send(crowd.head("POST /form", *number, 100_000) + "a");
    }
    only_the_honest_one_counts(&program, "errors", "/bad");
}

#[test]
fn a_forget_request_does_not_reset_a_guard() {
    let app = app();
    let text = flags(50, "errors = \"5xx\"")
        .replace("[flags.checkout.guard]", "exposed_on = [\"GET /\"]\n[flags.checkout.guard]");
    let program = setup(app.address).flags(&text).start();
    let mut crowd = Visitors::to(&program, "crowd");
    let mut stranger = Visitors::of_network(&program, "stranger", "203.0.113");
    let treated = crowd.come(0..120);
    for (number, treated) in treated.iter().enumerate() {
        stranger.ask("POST /.flagstaff/forget", number);
        crowd.ask("POST /.flagstaff/forget", *treated);
        crowd.ask("POST /bad", *treated);
    }
    eventually("it is rolled back", || is_tripped(&program));
}

#[test]
fn a_ledger_outage_does_not_reset_a_guard() {
    let app = app();
    let text = flags(50, "errors = \"5xx\"")
        .replace("[flags.checkout.guard]", "exposed_on = [\"GET /\"]\n[flags.checkout.guard]");
    for ledger in ["ledger = \"none\"", "ledger = \"away.db\""] {
        let program = setup(app.address).top(ledger).flags(&text).start();
        if ledger.contains("away") {
            eventually("a folder is where the ledger was", || {
                for file in ["away.db", "away.db-wal", "away.db-shm"] {
                    let _ = std::fs::remove_file(program.path(file));
                }
                // the program may make its file again meanwhile
                std::fs::create_dir(program.path("away.db")).is_ok()
            });
        }
        let mut crowd = Visitors::to(&program, "crowd");
        for treated in crowd.come(0..120) {
            crowd.ask("POST /bad", treated);
        }
        eventually("it is rolled back", || is_tripped(&program));
    }
}

#[test]
fn one_network_is_at_most_a_tenth_of_the_visitors() {
    let app = app();
    let guard = "errors = \"5xx\"\nfuse = 5";
    for (more, trips) in [("", false), ("\nnetwork_signs = 0", true)] {
        let program = setup(app.address).flags(&flags(50, &format!("{guard}{more}"))).start();
        let mut crowd = Visitors::to(&program, "crowd");
        crowd.come(0..600);
        let mut strangers = Visitors::of_network(&program, "strangers", "203.0.113");
        for stranger in strangers.come(0..50) {
            strangers.ask("GET /bad", stranger);
            crowd.ask("GET /", stranger);
        }
        if trips {
            eventually("without the limit it is rolled back", || is_tripped(&program));
            continue;
        }
        eventually("two are counted", || counted(&program, "errors") == Some(2));
        assert!(!is_tripped(&program));
        assert!(program.metric("flagstaff_guard_limited_total", "flag=\"checkout\"") > 10.0);
        eventually("it is said", || program.process.log().contains("one network brings more errors"));
        // the same from everywhere
        for treated in crowd.come(0..100) {
            crowd.ask("GET /bad", treated);
        }
        eventually("it is rolled back", || is_tripped(&program));
    }
}

/// A flag whose variant has an upstream, with a rollout that would advance.
fn with_upstream(upstream: SocketAddr, away: &str) -> String {
    let guard = format!("errors = \"5xx\"\nupstream_away = \"{away}\"");
    flags(50, &guard).replace("percent = 50\n", "")
        + &format!(
            "[flags.checkout.upstream]\non = \"{upstream}\"\n[flags.checkout.rollout]\n\
             steps = [{{ percent = 50, hold = \"1h\" }}, {{ percent = 100 }}]\n"
        )
}

fn says(status: &Value, word: &str) -> bool {
    status["why"].as_str().is_some_and(|why| why.contains(word))
}

#[test]
fn a_short_upstream_outage_holds_the_rollout() {
    let app = app();
    let address = free_address();
    let canary = || App::start_at(address, |exchange| exchange.answer(200, "", "canary"));
    let first = canary();
    let program = setup(app.address).flags(&with_upstream(address, "30s")).start();
    let mut crowd = Visitors::to(&program, "crowd");
    assert!((0..50).any(|number| crowd.ask("GET /", number).text() == "canary"));
    drop(first);
    for number in 0..200 {
        assert_eq!(crowd.ask("GET /", number).status, 200, "nobody is harmed");
    }
    eventually("it is held, and told", || {
        let now = status(&program);
        now["state"] == "holding" && says(&now, "upstream") && kinds(&now).contains(&"inconclusive".into())
    });
    assert!(program.metric("flagstaff_canary_fallbacks_total", "flag=\"checkout\"") > 10.0);
    let _second = canary();
    eventually("it answers again", || (0..50).any(|number| crowd.ask("GET /", number).text() == "canary"));
    // it goes on after a minute without trouble; until then the same trouble is told once
    assert_eq!(kinds(&status(&program)).iter().filter(|kind| *kind == "inconclusive").count(), 1);
    assert!(!is_tripped(&program) && !kinds(&status(&program)).contains(&"tripped".into()));
}

#[test]
fn a_long_upstream_outage_rolls_back() {
    let app = app();
    let program = setup(app.address).flags(&with_upstream(free_address(), "2s")).start();
    let mut crowd = Visitors::to(&program, "crowd");
    let mut number = 0;
    eventually("it is rolled back", || {
        number += 1;
        assert_eq!(crowd.ask("GET /", number).status, 200);
        is_tripped(&program)
    });
    eventually("the trip is on record", || status(&program)["state"] == "tripped");
    let status = status(&program);
    assert!(status["evidence"]["upstream"]["seconds"].as_u64() >= Some(2), "{status}");
    assert!(says(&status, "the app answered"), "{status}");
}

/// The visitors with the flag need connections of their own. When this machine has no descriptor left for them, they alone get errors.
#[test]
fn descriptors_that_this_machine_lacks_roll_nothing_back() {
    let (app, fails) = (app(), Arc::new(AtomicBool::new(false)));
    let canary = {
        let fails = Arc::clone(&fails);
        App::start(move |exchange| {
            let status = if fails.load(Relaxed) { 500 } else { 200 };
            exchange.answer(status, "Connection: close\r\n", "canary")
        })
    };
    let upstream = format!("[flags.checkout.upstream]\non = \"{}\"\n", canary.address);
    let text = flags(50, "errors = \"5xx\"\nfuse = 3") + &upstream;
    let limits = "connections = 1000";
    let program = setup(app.address).key("limits", limits).open_files(80).flags(&text).start();
    let mut crowd = Visitors::to(&program, "crowd");
    assert!((61..99).any(|number| crowd.ask("GET /", number).text() == "off"), "a connection to the app is kept");
    let clients: Vec<_> = (0..100).map(|_| program.raw()).collect();
    eventually("no descriptor is left", || program.process.log().contains("no file descriptor is free"));
    let refused = (1..=60).filter(|number| crowd.ask("GET /", *number).status == 503).count();
    assert!(refused > 10, "{refused}");
    drop(clients);
    let failed = |reason| program.metric("flagstaff_upstream_failures_total", reason);
    eventually("it says why", || failed("reason=\"descriptors\"") > 10.0);
    assert!(!is_tripped(&program), "{}", status(&program));
    // what the upstream itself answers does count
    fails.store(true, Relaxed);
    let mut number = 100;
    eventually("it is rolled back", || {
        number += 1;
        crowd.ask("GET /", number);
        is_tripped(&program)
    });
}
