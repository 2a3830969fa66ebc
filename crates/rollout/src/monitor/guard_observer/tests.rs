//! What guards are told of requests through a layer.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flagstaff_flags::{
    BucketBy, EventFrom, EventGoal, Flag, FlagId, Goal, Guard, Name, Percent, Publisher, Route, Snapshot, StatusSet,
    Trigger, publisher,
};
use flagstaff_layer::{FlagLayer, Tagger, TaggerSettings};
use flagstaff_ledger::{Keeper, Location, Recorder};
use flagstaff_tag::{AnsweredBy, BodyProgress, NoAnswer};
use http::{Request, Response};
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt, service_fn};

use super::GuardObserver;
use crate::monitor::{Answered, Conversion, Exposure, Outcome, Outcomes};

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

/// Writes down what it hears, a line each: `flag unit error|fine|fallback timed|untimed`, `flag unit goal`.
#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<String>>,
    exposed: Mutex<HashSet<(FlagId, String)>>,
}

impl Outcomes for Ear {
    type Known = ();

    fn known(&self) {}

    fn was_exposed(&self, (): &(), exposure: &Exposure<'_>) -> bool {
        self.exposed.lock().unwrap().contains(&(exposure.flag, exposure.unit.into()))
    }

    fn answered(&self, (): &(), outcome: &Outcome<'_>) {
        self.exposed.lock().unwrap().insert((outcome.exposure.flag, outcome.exposure.unit.into()));
        let Some(result) = outcome.result else { return };
        let what = match result {
            Answered::Error => "error untimed",
            Answered::Fine(None) => "fine untimed",
            Answered::Fine(Some(latency)) => {
                assert!(latency < Duration::from_secs(60));
                "fine timed"
            }
            Answered::Abandoned(_) => "abandoned",
            Answered::Fallback(_) => "fallback",
        };
        let by_upstream = if outcome.by_upstream { " by its upstream" } else { "" };
        self.write(outcome.exposure, &format!("{what}{by_upstream}"));
    }

    fn converted(&self, (): &(), conversion: &Conversion<'_>) {
        self.write(conversion.exposure, conversion.goal.as_str());
    }
}

impl Ear {
    fn write(&self, exposure: &Exposure<'_>, what: &str) {
        let flag = exposure.snapshot.flag(exposure.flag).unwrap();
        self.heard.lock().unwrap().push(format!("{} {} {what}", flag.name, exposure.unit));
    }
}

/// A body that can be made of bytes.
struct Text;

impl From<Bytes> for Text {
    fn from(_: Bytes) -> Self {
        Self
    }
}

/// A body that is not here yet.
#[derive(Default)]
struct Coming(String);

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, &'static str>>> {
        let text = std::mem::take(&mut self.0);
        std::task::Poll::Ready((!text.is_empty()).then(|| Ok(http_body::Frame::data(text.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

/// An app that answers as the query says: with `fault=NAME` as if that flag's upstream had failed, with `instead=NAME` as if the app
/// had answered for it, with `by=NAME` as if it had answered, with `fail=` not at all.
fn app(request: &Request<Coming>, snapshot: &Snapshot) -> Result<Response<Text>, &'static str> {
    let mut answer = Response::builder();
    for (name, value) in request.uri().query().unwrap_or_default().split('&').filter_map(|p| p.split_once('=')) {
        answer = match name {
            "status" => answer.status(value.parse::<u16>().unwrap()),
            "fault" => answer.extension(AnsweredBy::Proxy(NoAnswer::Canary(snapshot.find(value).unwrap()))),
            "instead" => answer.extension(AnsweredBy::Fallback(snapshot.find(value).unwrap())),
            "by" => answer.extension(AnsweredBy::Canary(snapshot.find(value).unwrap())),
            "made" => answer.extension(match value {
                "client" => AnsweredBy::Proxy(NoAnswer::Client),
                "proxy" => AnsweredBy::Proxy(NoAnswer::Machine),
                _ => AnsweredBy::Proxy(NoAnswer::App),
            }),
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
        let tagger = Arc::new(Tagger::new(&TaggerSettings::default()).unwrap());
        let layer = FlagLayer::new(reader, tagger).watched_by(Arc::new(GuardObserver::new(Arc::clone(&ear))));
        Self { layer, ear, snapshot, _publisher: publisher }
    }

    fn recording(mut self) -> (Self, TempDir, Keeper) {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::file(&folder.path().join("ledger.db")).unwrap();
        let (recorder, keeper) = Recorder::start(flagstaff_ledger::LedgerSettings::new(location)).unwrap();
        self.layer = self.layer.recording(recorder);
        (self, folder, keeper)
    }

    /// Sends a request, and returns what was heard of it.
    async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Vec<String> {
        self.ask_with(line, headers, body, None).await
    }

    async fn ask_with(
        &self,
        line: &str,
        headers: &[(&str, &str)],
        body: &str,
        progress: Option<BodyProgress>,
    ) -> Vec<String> {
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
        if let Some(progress) = progress {
            request = request.extension(progress);
        }
        let app = |request: Request<Coming>| std::future::ready(app(&request, &self.snapshot));
        let mut service = self.layer.clone().with_endpoints().layer(service_fn(app));
        let answer = service.ready().await.unwrap().call(request.body(Coming(body.to_owned())).unwrap()).await;
        assert!(
            answer.is_ok_and(|answer| answer.extensions().get::<AnsweredBy>().is_none()) || line.contains("fail")
        );
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
async fn every_counted_answer_is_told_with_and_without_pages() {
    let plain = Flag { guard: None, ..watched("plain") };
    let site = Site::new(vec![watched("form"), plain]);
    assert_eq!(site.get("/api").await, [line("form", "fine timed")]);
    assert_eq!(site.ask("POST /api", &[], "").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=404").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=503").await, [line("form", "error untimed")]);
    assert_eq!(site.get("/?fail=").await, [line("form", "error untimed")]);
}

#[tokio::test]
async fn endless_answers_have_no_latency() {
    let site = Site::new(vec![watched("form")]);
    assert_eq!(site.get("/live?content-type=text/event-stream").await, [line("form", "fine untimed")]);
    assert_eq!(site.get("/socket?status=101").await, [line("form", "fine untimed")]);
}

#[tokio::test]
async fn only_drawn_units_are_told() {
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
async fn bots_and_prefetches_are_not_told() {
    let site = Site::new(vec![watched("form")]);
    for header in [("user-agent", "Googlebot/2.1"), ("sec-purpose", "prefetch")] {
        assert_eq!(site.ask("GET /?status=500", &[header], "").await, [""; 0], "{header:?}");
    }
    assert_eq!(site.get("/.flagstaff/flags.json").await, [""; 0]);
}

#[tokio::test]
async fn a_unit_is_told_once_it_has_met_the_flag() {
    let form = || Flag { exposed_on: vec![Route::new("GET /form").unwrap()], ..watched("form") };
    let site = Site::new(vec![form()]);
    assert_eq!(site.get("/").await, [""; 0]);
    assert_eq!(site.get("/?x-flag-exposed=form").await, [line("form", "fine timed")], "the app says so");
    assert_eq!(site.get("/").await, [line("form", "fine timed")], "it is remembered");

    let site = Site::new(vec![form()]);
    assert_eq!(site.get("/").await, [""; 0]);
    assert_eq!(site.get("/form").await, [line("form", "fine timed")]);
    assert_eq!(site.get("/?status=500").await, [line("form", "error untimed")]);
    assert_eq!(site.get("/?fail=").await, [line("form", "error untimed")]);
    let other = [("cookie", "flagstaff_visitor=visitor-number-0000002")];
    assert_eq!(site.ask("GET /", &other, "").await, [""; 0], "somebody else");
}

/// What is recorded, and what is deleted of that, changes nothing of what the guard knows.
#[tokio::test]
async fn forgetting_in_the_ledger_does_not_reset_a_guard() {
    let form = Flag { exposed_on: vec![Route::new("GET /form").unwrap()], ..watched("form") };
    let (site, _folder, keeper) = Site::new(vec![form]).recording();
    site.get("/form").await;
    let same = [("sec-fetch-site", "same-origin")];
    assert_eq!(site.ask("POST /.flagstaff/forget", &same, "").await, [""; 0]);
    assert!(keeper.close(Duration::from_secs(20)));
    assert_eq!(site.get("/?status=500").await, [line("form", "error untimed")]);
}

#[tokio::test]
async fn time_and_errors_of_the_client_are_not_counted() {
    let site = Site::new(vec![watched("form")]);
    let post = |target: &str, progress| {
        let line = format!("POST {target}");
        let site = &site;
        async move { site.ask_with(&line, &[], "a=1", Some(progress)).await }
    };
    let (complete, coming) = (BodyProgress::default(), BodyProgress::default());
    complete.complete();
    assert_eq!(post("/api", complete.clone()).await, [line("form", "fine timed")]);
    assert_eq!(post("/api", coming.clone()).await, [line("form", "fine untimed")], "the client took that time");
    for target in ["/?status=408", "/?status=504", "/?fail=", "/?status=502&made=upstream", "/?fault=form"] {
        assert_eq!(post(target, coming.clone()).await, [""; 0], "{target}: the rest of the request never came");
    }
    assert_eq!(post("/?status=500", coming.clone()).await, [line("form", "error untimed")], "the app's own word");
    for target in ["/?status=504", "/?fail=", "/?status=502&made=upstream"] {
        assert_eq!(post(target, complete.clone()).await, [line("form", "error untimed")], "{target}");
    }
    for target in ["/?status=500&made=client", "/?status=503&made=proxy"] {
        assert_eq!(post(target, complete.clone()).await, [""; 0], "{target}");
    }
    assert_eq!(
        site.ask("POST /api", &[], "a=1").await,
        [line("form", "fine untimed")],
        "nobody says when it is whole"
    );
}

#[tokio::test]
async fn a_fallback_to_the_app_is_told_as_a_fallback() {
    let site = Site::new(vec![watched("form"), watched("shop")]);
    assert_eq!(site.get("/?instead=shop").await, [line("form", "fine untimed"), line("shop", "fallback")]);
    // only the flag whose upstream it is hears that it answers
    let both = [line("form", "fine timed"), line("shop", "fine timed by its upstream")];
    assert_eq!(site.get("/?by=shop").await, both);
    assert_eq!(
        site.get("/?instead=shop&status=500").await,
        [line("form", "error untimed"), line("shop", "error untimed")]
    );
}

#[tokio::test]
async fn only_the_flag_whose_upstream_failed_is_charged() {
    let site = Site::new(vec![watched("form"), watched("shop"), watched("third")]);
    assert_eq!(site.get("/?fault=shop&status=502").await, [line("shop", "error untimed")]);
}

#[tokio::test]
async fn goals_of_the_guard_are_told() {
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
        "who is new was exposed to nothing"
    );
}

#[tokio::test]
async fn goals_count_for_units_that_met_the_flag() {
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
async fn a_page_moves_no_guard_unless_the_goal_says_so() {
    let same = [("sec-fetch-site", "same-origin")];
    for (from, told) in [(EventFrom::App, false), (EventFrom::Page, true), (EventFrom::Both, true)] {
        let site = Site::of(snapshot_from(vec![watched("form")], from), Ear::default());
        site.get("/").await;
        let heard = site.ask("POST /.flagstaff/events", &same, r#"{"event":"paid"}"#).await;
        assert_eq!(heard == [line("form", "paid")], told, "{from:?}: {heard:?}");
    }
}
