//! The layer inside a service and the proxy in front of an app decide alike: flag files and requests are made up by the
//! hundreds, and both must tell the app the same and set the same cookies.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use fastrand::Rng;
use flagstaff_flags::{Publisher, Reader, publisher};
use flagstaff_layer::{FlagLayer, Peer, Tagger, TaggerSettings, VisitorFlags};
use flagstaff_source::{ParseOptions, Text, parse};
use flagstaff_tag::{HeaderSettings, TrustSettings, UserSettings};

use crate::flags_spoofing::KEYS;
use crate::harness::app::App;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, Raw};

const FILES: usize = 200;
const REQUESTS: usize = 20;
/// A flag of this name is in every file, and the environment pins it.
const PIN: (&str, &str) = ("FLAGSTAFF_FLAG_F0", "on");

// ── made-up flag files ───────────────────────────────────────────────────────────────────────────────────────────

/// Writes one flag file.
struct Author {
    rng: Rng,
    /// Names of flags with their variants, so far.
    flags: Vec<(String, Vec<&'static str>)>,
}

impl Author {
    fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(0..100) < percent
    }

    fn one(&mut self, of: &[&'static str]) -> &'static str {
        of[self.rng.usize(0..of.len())]
    }

    fn share(&mut self) -> String {
        match self.rng.u32(0..6) {
            0 => "0".into(),
            1 => "100".into(),
            2 => format!("{:.3}", self.rng.f64() * 100.0),
            _ => self.rng.u32(1..100).to_string(),
        }
    }

    fn file(rng: Rng) -> String {
        let mut author = Self { rng, flags: Vec::new() };
        let count = author.rng.usize(4..14);
        let (left, right) = (author.rng.usize(1..count), author.rng.usize(1..count));
        let mut text = String::new();
        for n in 0..count {
            let layered = left != right && (n == left || n == right);
            text += &author.flag(n, layered);
            text += &author.rules(n);
        }
        if left != right {
            let cut = author.rng.u32(1..100);
            text += &format!("[layers.shared]\nslices = {{ f{left} = [0, {cut}], f{right} = [{cut}, 100] }}\n");
        }
        text += "[goals.sent]\nevent = \"sent\"\n";
        if author.chance(50) {
            text += &format!("[holdout]\npercent = {}\n", author.share());
        }
        let (one, two) = (author.conditions(false), author.conditions(false));
        text += &format!("[segments.some]\nany = [{one}, {two}]\n");
        text += &format!("[segments.others]\nany = [{}]\n", author.conditions(false));
        text
    }

    /// A flag but for its rules. Flags of a layer are drawn by the same unit.
    fn flag(&mut self, n: usize, layered: bool) -> String {
        let mut text = format!("[flags.f{n}]\n");
        let variants = if n > 0 && self.chance(35) {
            let cut = self.rng.u32(1..99);
            let middle = self.rng.u32(cut..100);
            text += &format!("variants = {{ red = {cut}, green = {}, blue-1 = {} }}\n", middle - cut, 100 - middle);
            vec!["red", "green", "blue-1"]
        } else {
            vec!["off", "on"]
        };
        if self.chance(7) {
            text += "enabled = false\n";
        }
        if self.chance(15) {
            text += &self.rollout();
        } else if self.chance(75) {
            text += &format!("percent = {}\n", self.share());
        }
        if self.chance(20) {
            text += &format!("salt = \"salt {}\"\n", self.rng.u32(0..5));
        }
        if layered {
            text += "layer = \"shared\"\n";
        } else if self.chance(40) {
            let unit = self.one(&["visitor", "user", "session", "header.X-Account", "cookie.account"]);
            text += &format!("bucket_by = \"{unit}\"\n");
        }
        if self.chance(40) {
            text += &format!("sticky = \"{}\"\n", self.one(&["none", "session", "visitor"]));
        }
        if self.chance(30) {
            text += "testing = true\n";
        }
        if self.chance(50) {
            text += "goals = [\"sent\"]\n";
        }
        if self.chance(25) {
            text += &self.requires();
        }
        for (key, often) in [("deny", 15), ("allow", 25)] {
            if self.chance(often) {
                text += &format!("{key} = {}\n", self.people());
            }
        }
        self.flags.push((format!("f{n}"), variants));
        text
    }

    fn rollout(&mut self) -> String {
        let start = self.one(&["", "start = 2020-01-01T00:00:00Z, ", "start = 2999-01-01T00:00:00Z, "]);
        let first = self.rng.u32(0..60);
        format!(
            "rollout = {{ {start}steps = [{{ percent = {first}, hold = \"1h\" }}, {{ percent = {} }}] }}\n",
            first + 40
        )
    }

    /// Flags written before, so that there is no circle.
    fn requires(&mut self) -> String {
        let Some((name, variants)) = self.rng.choice(&self.flags).cloned() else {
            return String::new();
        };
        let variant = variants[self.rng.usize(0..variants.len())];
        if self.chance(50) && variant != "off" {
            format!("requires = {{ {name} = \"{variant}\" }}\n")
        } else {
            format!("requires = [\"{name}\"]\n")
        }
    }

    fn people(&mut self) -> String {
        match self.rng.u32(0..6) {
            0 => "{ users = [\"7\", \"42\"] }",
            1 => "{ groups = [\"beta\"], users = [\"13\"] }",
            2 => "{ roles = [\"staff\"] }",
            3 => "{ languages = [\"de\", \"pt-BR\"] }",
            4 => "{ segments = [\"some\", \"others\"] }",
            _ => "{ authenticated = true }",
        }
        .into()
    }

    fn rules(&mut self, n: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.rng.usize(0..3) {
            text += &format!("[[flags.f{n}.rules]]\nif = {}\n", self.conditions(true));
            if self.chance(50) {
                text += &format!("percent = {}\n", self.share());
            } else {
                let variants = self.flags[n].1.clone();
                text += &format!("serve = \"{}\"\n", self.one(&variants));
            }
        }
        text
    }

    fn conditions(&mut self, segments: bool) -> String {
        const ALL: [&str; 24] = [
            "user = [\"7\", \"13\"]",
            "group = \"b*\"",
            "role = { not = \"staff\" }",
            "authenticated = true",
            "authenticated = false",
            "language = [\"de\", \"en\"]",
            "country = [\"DE\", \"AT\"]",
            "country = { not = \"US\" }",
            "ip = \"203.0.113.0/24\"",
            "ip = { not = \"2001:db8::/32\" }",
            "path = \"/shop/*\"",
            "path = { matches = \"^/(a|b)$\" }",
            "host = \"*.example\"",
            "method = \"POST\"",
            "user_agent = \"*Mobile*\"",
            "\"header.x-plan\" = \"pro\"",
            "\"header.x-plan\" = { not = [\"pro\", \"team\"] }",
            "\"cookie.account\" = \"*\"",
            "\"query.ref\" = [\"mail\", \"ad*\"]",
            "app_version = { at_least = \"2.4.0\" }",
            "app_version = { at_least = \"1.0\", below = \"2.0\" }",
            "after = 2020-01-01T00:00:00Z",
            "before = 2020-01-01T00:00:00Z",
            "segment = \"some\"",
        ];
        let choice = if segments { ALL.len() } else { ALL.len() - 1 };
        let mut chosen = BTreeMap::new();
        for _ in 0..self.rng.usize(1..3) {
            let one = ALL[self.rng.usize(0..choice)];
            chosen.insert(one.split(" = ").next().unwrap(), one);
        }
        format!("{{ {} }}", chosen.into_values().collect::<Vec<_>>().join(", "))
    }
}

// ── made-up requests ─────────────────────────────────────────────────────────────────────────────────────────────

/// How often, in percent, a request has which line, with one of which values.
const LINES: &str = "
    100 Host: shop.example | other.test:8080
    60 X-User-Id: 7 | 13 | 42 | žluť
    50 X-User-Groups: beta, vip | \"b, c\" | vip
    40 X-User-Roles: staff | admin, staff
    60 Accept-Language: de-AT, en;q=0.8 | en;q=0.1, pt-BR | *
    60 CF-IPCountry: DE | us | XX
    60 X-Forwarded-For: 203.0.113.9 | 2001:db8::1 | 198.51.100.1
    60 User-Agent: Mozilla/5.0 Mobile Safari | curl/8 | Firefox
    40 X-Plan: pro | team
    15 X-Plan: free
    40 X-App-Version: 2.4.1 | 1.5 | nonsense
    50 X-Account: 1001 | 1002
    25 X-Flag-Override: f1=on, f2=green | f3=off
    20 X_Flag_Override: f1=on
    20 X-Flag-F1: forged
    20 x_flags: f1=forged
    20 X-Visitor-Id: forged
    20 Cookie: account=77; flagstaff_sticky=1/f1:on//.forged | account=78";

const TARGETS: [&str; 10] = [
    "/",
    "/shop/",
    "/shop/cart?ref=mail",
    "/a?ref=adwords&x=1",
    "/b?x=%ff",
    "/c%20d",
    "/?flagstaff.f1=on",
    "/a?flagstaff.f2=blue-1&flagstaff.f3=",
    "/shop/?flagstaff.f4=off",
    "/b?flagstaff.f2=&flagstaff.f1=",
];

/// The head of one request, but for its cookies.
fn request(rng: &mut Rng) -> String {
    let method = ["GET", "GET", "POST", "PUT"][rng.usize(0..4)];
    let target = TARGETS[rng.usize(0..TARGETS.len())];
    let mut head = format!("{method} {target} HTTP/1.1\r\nContent-Length: 0\r\n");
    for line in LINES.lines().skip(1) {
        let (often, line) = line.trim().split_once(' ').unwrap();
        let (name, values) = line.split_once(": ").unwrap();
        let values: Vec<_> = values.split(" | ").collect();
        if rng.u32(0..100) < often.parse().unwrap() {
            head += &format!("{name}: {}\r\n", values[rng.usize(0..values.len())]);
        }
    }
    head
}

// ── the two of them ──────────────────────────────────────────────────────────────────────────────────────────────

/// What an app is told of flags and visitor, a line each, sorted.
fn told<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let ours = headers.filter(|(name, _)| {
        let name = name.to_lowercase().replace('_', "-");
        name.starts_with("x-flag") || name == "x-visitor-id"
    });
    let mut lines: Vec<_> =
        ours.map(|(name, value)| format!("{}: {}\n", name.to_lowercase(), String::from_utf8_lossy(value))).collect();
    lines.sort();
    lines.concat()
}

/// An app that answers with what it is told.
fn app() -> App {
    App::start(|exchange| {
        exchange.body();
        let head = exchange.head.clone();
        let fields = crate::harness::raw::fields(&head).map(|(name, value)| (name, value.as_bytes()));
        exchange.answer(200, "Content-Type: text/plain; charset=utf-8\r\n", told(fields))
    })
}

/// A service with the layer, which answers the same, and what its `Flags` say.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) publisher: Publisher,
    _runtime: tokio::runtime::Runtime,
}

impl Service {
    pub(crate) fn start(settings: &TaggerSettings) -> Self {
        let (publisher, reader) = publisher(snapshot("# no flags\n"));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let router = router(reader, settings);
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, publisher, _runtime: runtime }
    }
}

fn router(reader: Reader, settings: &TaggerSettings) -> Router {
    let tagger = Arc::new(Tagger::new(settings).unwrap());
    Router::new().fallback(page).layer(FlagLayer::new(reader, tagger)).layer(from_fn(with_peer))
}

async fn with_peer(mut request: Request, next: Next) -> Response {
    let forwarded = request.headers().get("x-forwarded-for");
    let client = forwarded.and_then(|value| value.to_str().ok()?.parse().ok());
    let client: IpAddr = client.unwrap_or(Ipv4Addr::LOCALHOST.into());
    request.extensions_mut().insert(Peer {
        address: (Ipv4Addr::LOCALHOST, 0).into(),
        client,
        trusted: true,
        tls: false,
    });
    next.run(request).await
}

async fn page(flags: VisitorFlags, request: Request) -> ([(&'static str, String); 1], String) {
    let headers = request.headers().iter();
    let told = told(headers.map(|(name, value)| (name.as_str(), value.as_bytes())));
    let steps = flags.decisions().iter().map(|(_, flag, decision)| {
        let variant = flag.variants.name(decision.variant());
        assert_eq!(flags.variant(flag.name.as_str()), variant);
        format!("{}={variant}={};", flag.name, decision.step().as_str())
    });
    ([("x-decisions", steps.collect())], told)
}

fn snapshot(text: &str) -> flagstaff_flags::Snapshot {
    let options = ParseOptions { pins: vec![(PIN.0.into(), PIN.1.into())], ..ParseOptions::default() };
    let source = Text { name: "flags.toml", bytes: text.as_bytes() };
    let loaded = parse(source, None, &options).unwrap_or_else(|report| panic!("{report}\n{text}"));
    loaded.snapshot
}

fn proxy(app: &App) -> Program {
    Setup::to(&[app.address])
        .env("FLAGSTAFF_KEYS", KEYS)
        .env(PIN.0, PIN.1)
        .key("headers", "off = true")
        .key("user", "header = \"X-User-Id\"")
        .key("trust", "addresses = [\"127.0.0.0/8\"]")
        .key("trust", "country_header = \"CF-IPCountry\"")
        .flags("[flags.f0]\n")
        .start()
}

fn the_same_settings() -> TaggerSettings {
    TaggerSettings {
        headers: HeaderSettings { off: true, ..HeaderSettings::default() },
        user: UserSettings { header: Some("X-User-Id".into()), identify: Some(true), ..UserSettings::default() },
        trust: TrustSettings { country_header: Some("CF-IPCountry".into()), ..TrustSettings::default() },
        keys: vec![KEYS.into()],
        ..TaggerSettings::default()
    }
}

/// What can be compared of an answer: what the app was told, and what visitor and caches are.
fn comparable(answer: &Answer) -> (u16, String, Vec<String>, Vec<String>, Vec<String>) {
    let mut cookies = answer.all("set-cookie");
    cookies.sort();
    (answer.status, answer.text(), cookies, answer.all("vary"), answer.all("cache-control"))
}

/// Visitors with the cookies they were given.
struct Crowd(Vec<crate::harness::browser::Browser>);

impl Crowd {
    fn new(address: SocketAddr) -> Self {
        let of = |n: usize| {
            crate::harness::browser::Browser::of(address, &format!("one-of-the-crowd-{n:05}"))
                .with_cookie("flagstaff_session", &format!("session-of-crowd-{n:05}"))
        };
        Self((0..12).map(of).collect())
    }
}

#[test]
fn the_layer_and_the_proxy_decide_alike() {
    let app = app();
    let program = proxy(&app);
    let service = Service::start(&the_same_settings());
    let mut rng = Rng::with_seed(20_261_120);
    let (mut through_proxy, mut through_layer) = (program.raw(), Raw::connect(service.address));
    let mut crowd = Crowd::new(program.address);
    let (mut steps, mut variants, mut compared) = (BTreeSet::new(), BTreeSet::new(), 0);
    for n in 0..FILES {
        let text = Author::file(rng.fork());
        service.publisher.publish(&snapshot(&text));
        program.save_flags(&text);
        for _ in 0..REQUESTS {
            let choice = rng.usize(0..crowd.0.len());
            let browser = &mut crowd.0[choice];
            let request = format!("{}{}\r\n", request(&mut rng), browser.cookie_line());
            through_proxy.send(&request);
            through_layer.send(&request);
            let (one, other) = (through_proxy.answer(), through_layer.answer());
            assert_eq!(one.status, 200, "file {n}:\n{text}\n{request}");
            assert_eq!(comparable(&one), comparable(&other), "file {n}:\n{text}\n{request}");
            browser.keep(&one);
            for decision in other.field("x-decisions").unwrap().split_terminator(';') {
                let mut parts = decision.split('=');
                let (name, variant) = (parts.next().unwrap(), parts.next().unwrap());
                let header = format!("x-flag-{name}: {variant}\n");
                assert!(one.text().contains(&header), "{header}: {}\n{request}", one.text());
                steps.insert(parts.next().unwrap().to_owned());
                variants.insert(variant.to_owned());
                compared += 1;
            }
        }
    }
    let every_step = [
        "allow", "deny", "disabled", "holdout", "layer", "override", "percent", "pinned", "requires", "rule",
        "sticky",
    ];
    assert_eq!(steps.iter().map(String::as_str).collect::<Vec<_>>(), every_step);
    assert_eq!(variants.len(), 5, "{variants:?}");
    assert!(compared > FILES * REQUESTS * 4, "{compared} decisions");
}
