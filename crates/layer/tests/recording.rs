//! What a layer tells the ledger, read back from it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flagstaff_experiment::Observed;
use flagstaff_flags::{
    BucketBy, Draw, EventFrom, EventGoal, EventValue, Flag, Goal, Holdout, Name, Percent, Publisher, Route, Snapshot,
    StatusSet, Trigger, publisher,
};
use flagstaff_layer::{FlagLayer, Tagger, TaggerSettings};
use flagstaff_ledger::{Keeper, Ledger, Location, Question, Recorder};
use flagstaff_tag::VisitorSettings;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use tempfile::TempDir;
use tower::{Layer, Service, ServiceExt, service_fn};

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";
const KEY: &str = "a key that everybody here knows well";
const HOUR: Duration = Duration::from_secs(3600);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn snapshot() -> Snapshot {
    let goal = |text, trigger| Goal { name: name(text), trigger };
    let event = |value| Trigger::Event(EventGoal { value, from: EventFrom::Both, ..EventGoal::new("paid") });
    let goals = vec![
        goal("sent", Trigger::Request { route: Route::new("POST /form").unwrap(), status: StatusSet::accepted() }),
        goal("paid", event(EventValue::Count)),
        goal("revenue", event(EventValue::Sum)),
        goal("left", Trigger::Bounce { after: HOUR }),
    ];
    let flag = |text: &str, bucket_by| Flag {
        percent: Some(Percent::new(50.0).unwrap()),
        goals: goals.iter().map(|goal| goal.name.clone()).collect(),
        bucket_by,
        ..Flag::new(name(text))
    };
    let by_plan = Flag {
        exposed_on: vec![Route::new("GET /form").unwrap()],
        ..flag("by_plan", BucketBy::Header("x-org".into()))
    };
    let told = Flag { exposed_on: vec![Route::new("GET /nowhere").unwrap()], ..flag("told", BucketBy::Visitor) };
    let flags = vec![flag("form", BucketBy::Visitor), by_plan, told];
    Snapshot::new("test", flags, goals, Vec::new(), Vec::new()).unwrap()
}

/// A body that can be made of bytes.
struct Text(Bytes);

impl From<Bytes> for Text {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

/// An app that answers as the query says.
fn app(request: &Request<String>) -> Ready<Result<Response<Text>, Infallible>> {
    let mut answer = Response::builder();
    for (name, value) in request.uri().query().unwrap_or_default().split('&').filter_map(|p| p.split_once('=')) {
        answer = match name {
            "status" => answer.status(value.parse::<u16>().unwrap()),
            name => answer.header(name, value.replace('+', " ")),
        };
    }
    ready(Ok(answer.body(Text(Bytes::new())).unwrap()))
}

struct Site {
    folder: TempDir,
    layer: FlagLayer,
    keeper: Option<Keeper>,
    _publisher: Publisher,
}

impl Site {
    fn new(consent: bool) -> Self {
        Self::with(snapshot(), consent)
    }

    fn with(snapshot: Snapshot, consent: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = Location::file(&folder.path().join("ledger.db")).unwrap();
        let (recorder, keeper) = Recorder::start(flagstaff_ledger::LedgerSettings::new(place)).unwrap();
        let (publisher, reader) = publisher(snapshot);
        let visitor =
            VisitorSettings { consent_cookie: consent.then(|| "consent=yes".into()), ..VisitorSettings::default() };
        let settings = TaggerSettings { visitor, keys: vec![KEY.into()], ..TaggerSettings::default() };
        let tagger = Arc::new(Tagger::new(&settings).unwrap());
        Self {
            folder,
            layer: FlagLayer::new(reader, tagger).recording(recorder),
            keeper: Some(keeper),
            _publisher: publisher,
        }
    }

    async fn ask(&self, visitor: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Response<Text> {
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "shop.example")
            .header("cookie", format!("flagstaff_visitor={visitor}"));
        if !headers.iter().any(|(name, _)| *name == "user-agent") {
            request = request.header("user-agent", BROWSER);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut service =
            self.layer.clone().with_endpoints().layer(service_fn(|request: Request<String>| app(&request)));
        let Ok(answer) = service.ready().await.unwrap().call(request.body(body.to_owned()).unwrap()).await;
        answer
    }

    /// A look at a page.
    async fn page(&self, visitor: &str, target: &str) -> Response<Text> {
        self.ask(visitor, &format!("GET {target}"), &[("accept", "text/html")], "").await
    }

    async fn post(&self, visitor: &str, target: &str, headers: &[(&str, &str)], body: &str) -> StatusCode {
        self.ask(visitor, &format!("POST {target}"), headers, body).await.status()
    }

    /// Everything is written; what was counted of a flag.
    async fn tally(&mut self, flag: &str) -> Observed {
        if let Some(keeper) = self.keeper.take() {
            assert!(keeper.close(Duration::from_secs(20)));
        }
        let place = Location::file(&self.folder.path().join("ledger.db")).unwrap();
        let mut ledger = Ledger::open(&place).await.unwrap();
        let goals = snapshot().goals().to_vec();
        let question = Question { flag: flag.into(), trial: None, goals, now: Timestamp::now() + 2 * HOUR };
        let tally = ledger.count(&question).await.unwrap().observed;
        ledger.close().await;
        tally
    }
}

fn visitor(number: usize) -> String {
    format!("visitor-number-{number:07}")
}

fn visitors(tally: &Observed) -> u64 {
    tally.variants.iter().map(|one| one.visitors).sum()
}

/// Units that reached a goal, and the sum of values.
fn reached(tally: &Observed, goal: usize) -> (u64, f64) {
    let arms = &tally.goals[goal].totals;
    (arms.iter().map(|arm| arm.conversions).sum(), arms.iter().map(|arm| arm.sum).sum())
}

#[tokio::test]
async fn exposures_and_goals_come_from_traffic() {
    let mut site = Site::new(false);
    for i in 0..20 {
        site.page(&visitor(i), "/form").await;
    }
    assert_eq!(site.post(&visitor(0), "/form?status=303", &[], "").await, StatusCode::SEE_OTHER);
    site.post(&visitor(1), "/form?status=422", &[], "").await; // refused: no goal
    site.post(&visitor(99), "/form", &[], "").await; // never exposed
    site.ask(&visitor(50), "GET /form", &[("accept", "image/png")], "").await; // no page
    site.page(&visitor(2), "/done?x-flag-event=paid;value=2,+paid;value=3").await;
    for _ in 0..2 {
        site.page(&visitor(3), "/done?x-flag-event=paid;value=5;key=A1").await;
    }
    let tally = site.tally("form").await;
    assert_eq!(visitors(&tally), 20);
    assert_eq!(tally.variants.iter().map(|one| one.confirmed).sum::<u64>(), 20);
    assert!(tally.variants.iter().all(|one| one.visitors > 0), "both arms are exposed");
    assert_eq!(reached(&tally, 0), (1, 0.0));
    assert_eq!(reached(&tally, 1), (2, 0.0));
    assert_eq!(reached(&tally, 2), (2, 10.0));
    assert_eq!(reached(&tally, 3).0, 18, "two came back");
}

#[tokio::test]
async fn a_holdout_is_met_by_all_and_counts_every_goal() {
    let held = |i: usize| Draw::of("holdout", &visitor(i)).position() < 30_000;
    let holdout = Holdout::new(Percent::new(30.0).unwrap(), None);
    // no flag that draws by visitor has the goal `revenue`
    let by_session =
        snapshot().flags().iter().map(|flag| Flag { bucket_by: BucketBy::Session, ..Flag::clone(flag) }).collect();
    let by_session =
        Snapshot::new("sessions", by_session, snapshot().goals().to_vec(), Vec::new(), Vec::new()).unwrap();
    for snapshot in [snapshot(), by_session] {
        let mut site = Site::with(snapshot.with_holdout(Some(holdout.clone())), false);
        for i in 0..60 {
            site.page(&visitor(i), "/form").await;
        }
        for i in 0..10 {
            site.page(&visitor(i), "/done?x-flag-event=paid;value=5").await;
        }
        site.ask(&visitor(77), "GET /icon", &[("accept", "image/png")], "").await; // no page: nothing was met
        site.page(&visitor(78), "/?x-flag-exposed=told").await;
        let tally = site.tally(Holdout::NAME).await;
        let names: Vec<_> = tally.variants.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["held", "in"]);
        let count = |of: &dyn Fn(usize) -> bool| (0..60).chain([78]).filter(|i| of(*i)).count() as u64;
        let expected = [count(&|i| held(i)), count(&|i| !held(i))];
        assert_eq!([tally.variants[0].visitors, tally.variants[1].visitors], expected);
        let paid = |arm: usize| tally.goals[2].totals[arm].sum;
        let payers = (0..10).filter(|i| held(*i)).count() as f64;
        assert!(payers > 0.0, "some of the ten are held out");
        assert_eq!((paid(0), paid(1)), (5.0 * payers, 5.0 * (10.0 - payers)));
        assert_eq!(reached(&tally, 3).0, 51, "all but those who came back");
    }
    let mut site = Site::with(snapshot().with_holdout(Some(holdout)), false);
    for i in 0..60 {
        site.page(&visitor(i), "/form").await;
    }
    let tally = site.tally("form").await;
    assert_eq!(visitors(&tally), (0..60).filter(|i| !held(*i)).count() as u64, "nobody held out is in an experiment");
}

#[tokio::test]
async fn pages_that_fail_are_no_second_page() {
    let mut site = Site::new(false);
    for target in ["/", "/broken?status=500"] {
        site.page(&visitor(1), target).await;
    }
    assert_eq!(reached(&site.tally("form").await, 3).0, 1);
}

#[tokio::test]
async fn the_app_says_exactly_who_met_what() {
    let mut site = Site::new(false);
    site.page(&visitor(1), "/").await;
    site.page(&visitor(2), "/?x-flag-exposed=told,+unknown").await;
    site.post(&visitor(3), "/hidden?x-flag-exposed=told&x-flag-event=paid;value=7", &[], "").await;
    let tally = site.tally("told").await;
    assert_eq!((visitors(&tally), reached(&tally, 2)), (2, (1, 7.0)));
}

#[tokio::test]
async fn a_unit_may_be_a_header() {
    let mut site = Site::new(false);
    for (i, org) in ["acme", "acme", "umbrella", ""].into_iter().enumerate() {
        let page = [("accept", "text/html"), ("x-org", org)];
        let headers = if org.is_empty() { &page[..1] } else { &page[..] };
        site.ask(&visitor(i), "GET /form", headers, "").await;
    }
    site.post(&visitor(9), "/form", &[("x-org", "acme")], "").await;
    let tally = site.tally("by_plan").await;
    assert_eq!((visitors(&tally), reached(&tally, 0).0), (2, 1));
}

#[tokio::test]
async fn who_must_not_count_is_not_recorded() {
    let mut site = Site::new(true);
    let page = ("accept", "text/html");
    let agreed = ("cookie", "consent=yes");
    site.ask(&visitor(1), "GET /", &[page], "").await;
    site.ask(&visitor(2), "GET /", &[page, agreed, ("user-agent", "Googlebot/2.1")], "").await;
    site.ask(&visitor(3), "GET /", &[page, agreed, ("sec-purpose", "prefetch")], "").await;
    site.ask(&visitor(4), "GET /.flagstaff/flags.json", &[page, agreed], "").await;
    site.ask(&visitor(5), "GET /", &[page, agreed], "").await;
    let same = ("sec-fetch-site", "same-origin");
    let paid = r#"{"event":"paid"}"#;
    for (headers, visitor) in [
        (&[same][..], visitor(5)), // no consent
        (&[same, agreed, ("user-agent", "curl/8")][..], visitor(5)),
    ] {
        assert_eq!(site.post(&visitor, "/.flagstaff/events", headers, paid).await, StatusCode::NO_CONTENT);
    }
    let tally = site.tally("form").await;
    assert_eq!((visitors(&tally), reached(&tally, 1).0), (1, 0));
}

#[tokio::test]
async fn pages_tell_events() {
    let mut site = Site::new(false);
    let same = [("origin", "https://shop.example")];
    for i in 0..3 {
        site.page(&visitor(i), "/").await;
    }
    let events = "/.flagstaff/events";
    let one = r#"{"event":"paid","value":4.5,"key":"A1"}"#;
    for _ in 0..2 {
        assert_eq!(site.post(&visitor(0), events, &same, one).await, StatusCode::NO_CONTENT);
    }
    let two = r#"[{"event":"paid","value":1},{"event":"paid","value":2},{"event":"other"}]"#;
    assert_eq!(site.post(&visitor(1), events, &same, two).await, StatusCode::NO_CONTENT);
    assert_eq!(
        site.post(&visitor(2), events, &[("origin", "https://evil.example")], one).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(site.post(&visitor(2), events, &same, "{").await, StatusCode::BAD_REQUEST);
    let long = format!("\"{}\"", "x".repeat(16 * 1024));
    assert_eq!(site.post(&visitor(2), events, &same, &long).await, StatusCode::PAYLOAD_TOO_LARGE);
    let got = site.ask(&visitor(2), "GET /.flagstaff/events", &same, "").await;
    assert_eq!((got.status(), &got.headers()["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    let tally = site.tally("form").await;
    assert_eq!(reached(&tally, 2), (2, 7.5));
}

#[tokio::test]
async fn who_wants_to_be_forgotten_is() {
    let mut site = Site::new(false);
    for i in 0..3 {
        site.page(&visitor(i), "/?x-flag-event=paid").await;
    }
    let same = ("sec-fetch-site", "same-origin");
    assert_eq!(site.post(&visitor(0), "/.flagstaff/forget", &[], "").await, StatusCode::FORBIDDEN);
    let answer = site.ask(&visitor(1), "POST /.flagstaff/forget", &[same], "").await;
    assert_eq!((answer.status(), answer.body().0.len()), (StatusCode::NO_CONTENT, 0));
    let set: Vec<_> = answer.headers().get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    assert!(set.iter().all(|cookie| cookie.contains("Max-Age=0")), "{set:?}");
    let with_domain = set.iter().filter(|cookie| cookie.ends_with("; Domain=shop.example")).count();
    assert_eq!(
        (set.len(), with_domain),
        (10, 5),
        "each of five cookies, also where an earlier domain keeps it: {set:?}"
    );
    let tally = site.tally("form").await;
    assert_eq!((visitors(&tally), reached(&tally, 1).0), (2, 2));
}
