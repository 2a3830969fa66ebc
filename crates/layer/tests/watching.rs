//! What a layer tells those who watch guarded flags.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flagstaff_flags::{
    BucketBy, EventFrom, EventGoal, Flag, FlagId, Goal, Guard, Name, Percent, Publisher, Route, Snapshot, StatusSet,
    Trigger, publisher,
};
use flagstaff_layer::{Conversion, FlagLayer, Outcome, Outcomes, Settings, Tagger};
use flagstaff_ledger::{Keeper, Place, record};
use flagstaff_tag::Blame;
use http::{Request, Response};
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt, service_fn};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
const VISITOR: &str = "visitor-number-0000001";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn guard() -> Option<Guard> {
    let mut guard = Guard::new(0.001).unwrap();
    guard.errors = Some(StatusSet::new("5xx").unwrap());
    guard.goals = vec![name("sent"), name("paid")];
    Some(guard)
}

/// A flag at half, watched.
fn watched(text: &str) -> Flag {
    Flag { percent: Some(Percent::new(50.0).unwrap()), guard: guard(), ..Flag::new(name(text)) }
}

fn snapshot(flags: Vec<Flag>) -> Snapshot {
    snapshot_from(flags, EventFrom::Both)
}

/// With goals that count the word of these.
fn snapshot_from(flags: Vec<Flag>, from: EventFrom) -> Snapshot {
    let goal = |text, trigger| Goal { name: name(text), trigger };
    let event = |event: &str| Trigger::Event(EventGoal { from, ..EventGoal::new(event) });
    let goals = vec![
        goal("sent", Trigger::Request { route: Route::new("POST /form").unwrap(), status: StatusSet::accepted() }),
        goal("paid", event("paid")),
        goal("other", event("other")),
    ];
    Snapshot::new("test", flags, goals, Vec::new(), Vec::new()).unwrap()
}

/// Writes down what it hears, a line each: `flag unit error|fine timed|untimed`, `flag unit goal`.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<String>>,
    deaf_for: Option<&'static str>,
}

impl Outcomes for Ear {
    fn wants(&self, snapshot: &Snapshot, flag: FlagId) -> bool {
        snapshot.flag(flag).is_some_and(|flag| Some(flag.name.as_str()) != self.deaf_for)
    }

    fn answered(&self, outcome: &Outcome<'_>) {
        let flag = outcome.snapshot.flag(outcome.flag).unwrap();
        let error = if outcome.error { "error" } else { "fine" };
        let timed = if outcome.latency.is_some() { "timed" } else { "untimed" };
        assert!(outcome.latency.is_none_or(|latency| latency < Duration::from_secs(60)));
        self.heard.lock().unwrap().push(format!("{} {} {error} {timed}", flag.name, outcome.unit));
    }

    fn converted(&self, conversion: &Conversion<'_>) {
        let flag = conversion.snapshot.flag(conversion.flag).unwrap();
        self.heard.lock().unwrap().push(format!("{} {} {}", flag.name, conversion.unit, conversion.goal));
    }
}

/// A body that can be made of bytes.
struct Text;

impl From<Bytes> for Text {
    fn from(_: Bytes) -> Self {
        Self
    }
}

/// An app that answers as the query says: with `blame=NAME` as if that flag's upstream had failed, with `fail=` not at all.
fn app(request: &Request<String>, snapshot: &Snapshot) -> Result<Response<Text>, &'static str> {
    let mut answer = Response::builder();
    for (name, value) in request.uri().query().unwrap_or_default().split('&').filter_map(|p| p.split_once('=')) {
        answer = match name {
            "status" => answer.status(value.parse::<u16>().unwrap()),
            "blame" => answer.extension(Blame::Canary(snapshot.find(value).unwrap())),
            "fail" => return Err("no answer"),
            name => answer.header(name, value.replace('+', " ")),
        };
    }
    Ok(answer.body(Text).unwrap())
}

struct Site {
    layer: FlagLayer,
    ear: Arc<Ear>,
    snapshot: Snapshot,
    _publisher: Publisher,
}

impl Site {
    fn new(flags: Vec<Flag>) -> Self {
        Self::with(flags, Ear::default())
    }

    fn with(flags: Vec<Flag>, ear: Ear) -> Self {
        Self::of(snapshot(flags), ear)
    }

    fn of(snapshot: Snapshot, ear: Ear) -> Self {
        let ear = Arc::new(ear);
        let (publisher, reader) = publisher(snapshot.clone());
        let tagger = Arc::new(Tagger::new(&Settings::default()).unwrap());
        let layer = FlagLayer::new(reader, tagger).watched_by(Arc::clone(&ear) as Arc<dyn Outcomes>);
        Self { layer, ear, snapshot, _publisher: publisher }
    }

    fn recording(mut self) -> (Self, TempDir, Keeper) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::file(&folder.path().join("ledger.db")).unwrap();
        let (recorder, keeper) = record(flagstaff_ledger::Settings::new(place)).unwrap();
        self.layer = self.layer.recording(recorder);
        (self, folder, keeper)
    }

    /// Sends a request, and returns what was heard of it.
    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Vec<String> {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(target).header("host", "shop.example");
        if !headers.iter().any(|(name, _)| *name == "user-agent") {
            request = request.header("user-agent", BROWSER);
        }
        if !headers.iter().any(|(name, _)| *name == "cookie") {
            request = request.header("cookie", format!("flagstaff_visitor={VISITOR}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let app = |request: Request<String>| std::future::ready(app(&request, &self.snapshot));
        let mut service = self.layer.clone().with_endpoints().layer(service_fn(app));
        let answer = service.ready().await.unwrap().call(request.body(body.to_owned()).unwrap()).await;
        assert!(answer.is_ok_and(|answer| answer.extensions().get::<Blame>().is_none()) || line.contains("fail"));
        std::mem::take(&mut *self.ear.heard.lock().unwrap())
    }

    async fn get(&self, target: &str) -> Vec<String> {
        self.ask(&format!("GET {target}"), &[], "").await
    }
}

fn line(flag: &str, rest: &str) -> String {
    format!("{flag} {VISITOR} {rest}")
}

#[tokio::test]
async fn every_counted_answer_is_heard_also_of_who_uses_no_pages() {
    let plain = Flag { guard: None, ..watched("plain") };
    let site = Site::new(vec![watched("form"), plain]);
    assert_eq!(site.get("/api").await, [line("form", "fine timed")]);
    assert_eq!(site.ask("POST /api", &[], "").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=404").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=503").await, [line("form", "error untimed")]);
    assert_eq!(site.get("/?fail=").await, [line("form", "error untimed")]);
}

#[tokio::test]
async fn what_does_not_end_has_no_time() {
    let site = Site::new(vec![watched("form")]);
    assert_eq!(site.get("/live?content-type=text/event-stream").await, [line("form", "fine untimed")]);
    assert_eq!(site.get("/socket?status=101").await, [line("form", "fine untimed")]);
}

#[tokio::test]
async fn only_who_was_drawn_is_heard_of() {
    let whole = Flag { percent: None, ..watched("whole") };
    let off = Flag { enabled: false, ..watched("off_switch") };
    let anew = Flag { bucket_by: BucketBy::Request, ..watched("anew") };
    let user = Flag { bucket_by: BucketBy::User, ..watched("user") };
    let org = Flag { bucket_by: BucketBy::Header("x-org".into()), ..watched("org") };
    let site = Site::new(vec![whole, off, anew, user, org]);
    let drawn = site.ask("GET /", &[("x-org", "acme")], "").await;
    assert_eq!(drawn, ["org header.x-org:acme fine timed"]);
    assert_eq!(site.get("/").await, [""; 0], "without the header there is no unit");
}

#[tokio::test]
async fn who_must_not_count_is_not_heard_of() {
    let site = Site::new(vec![watched("form")]);
    for header in [("user-agent", "Googlebot/2.1"), ("sec-purpose", "prefetch")] {
        assert_eq!(site.ask("GET /?status=500", &[header], "").await, [""; 0], "{header:?}");
    }
    assert_eq!(site.get("/.flagstaff/flags.json").await, [""; 0]);
}

#[tokio::test]
async fn who_has_not_met_a_flag_is_heard_of_once_that_is_known() {
    let form = || Flag { exposed_on: vec![Route::new("GET /form").unwrap()], ..watched("form") };
    let site = Site::new(vec![form()]);
    assert_eq!(site.get("/").await, [""; 0]);
    assert_eq!(site.get("/form").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/").await, [""; 0], "nobody remembers");
    assert_eq!(site.get("/?x-flag-exposed=form").await, [line("form", "fine timed")], "the app says so");

    let (site, _folder, keeper) = Site::new(vec![form()]).recording();
    assert_eq!(site.get("/").await, [""; 0]);
    assert_eq!(site.get("/form").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=500").await, [line("form", "error untimed")]);
    assert_eq!(site.get("/?fail=").await, [line("form", "error untimed")]);
    let other = [("cookie", "flagstaff_visitor=visitor-number-0000002")];
    assert_eq!(site.ask("GET /", &other, "").await, [""; 0], "somebody else");
    assert!(keeper.close(Duration::from_secs(20)));
}

#[tokio::test]
async fn only_the_flag_whose_upstream_failed_is_charged() {
    let site = Site::new(vec![watched("form"), watched("shop"), watched("third")]);
    // the app answered in its place, or nobody did
    for target in ["/?blame=shop", "/?blame=shop&status=502"] {
        assert_eq!(site.get(target).await, [line("shop", "error untimed")]);
    }
}

#[tokio::test]
async fn goals_of_the_guard_are_heard() {
    let site = Site::new(vec![watched("form"), Flag { guard: None, ..watched("plain") }]);
    let fine = line("form", "fine timed");
    assert_eq!(site.ask("POST /form", &[], "").await, [fine.clone(), line("form", "sent")]);
    assert_eq!(
        site.ask("POST /form?status=422", &[], "").await,
        [line("form", "fine timed")],
        "refused: not reached"
    );
    assert_eq!(site.get("/?x-flag-event=paid,+other").await, [fine, line("form", "paid")]);
    let same = [("sec-fetch-site", "same-origin")];
    let told = site.ask("POST /.flagstaff/events", &same, r#"[{"event":"other"},{"event":"paid"}]"#).await;
    assert_eq!(told, [line("form", "paid")]);
    let new = [("sec-fetch-site", "same-origin"), ("cookie", "a=b")];
    assert_eq!(
        site.ask("POST /.flagstaff/events", &new, r#"{"event":"paid"}"#).await,
        [""; 0],
        "who is new met nothing"
    );
}

#[tokio::test]
async fn goals_count_for_who_met_the_flag_where_that_is_remembered() {
    let form = Flag { exposed_on: vec![Route::new("GET /form").unwrap()], ..watched("form") };
    let (site, _folder, keeper) = Site::new(vec![form]).recording();
    assert_eq!(site.ask("POST /form", &[], "").await, [""; 0]);
    site.get("/form").await;
    assert_eq!(site.ask("POST /form", &[], "").await, [line("form", "fine timed"), line("form", "sent")]);
    let same = [("sec-fetch-site", "same-origin")];
    assert_eq!(site.ask("POST /.flagstaff/events", &same, r#"{"event":"paid"}"#).await, [line("form", "paid")]);
    assert!(keeper.close(Duration::from_secs(20)));
}

#[tokio::test]
async fn what_is_not_wanted_is_not_told() {
    let ear = Ear { deaf_for: Some("form"), ..Ear::default() };
    let site = Site::with(vec![watched("form"), watched("shop")], ear);
    let told = site.ask("POST /form?x-flag-event=paid", &[], "").await;
    assert_eq!(told, [line("shop", "fine timed"), line("shop", "sent"), line("shop", "paid")]);
}

#[tokio::test]
async fn a_page_moves_no_guard_unless_the_goal_says_so() {
    let same = [("sec-fetch-site", "same-origin")];
    for (from, told) in [(EventFrom::App, false), (EventFrom::Page, true), (EventFrom::Both, true)] {
        let site = Site::of(snapshot_from(vec![watched("form")], from), Ear::default());
        let heard = site.ask("POST /.flagstaff/events", &same, r#"{"event":"paid"}"#).await;
        assert_eq!(heard == [line("form", "paid")], told, "{from:?}: {heard:?}");
    }
}
