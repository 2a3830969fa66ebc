//! What recording adds to a request, in the layer alone: side by side with a layer that records nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flagstaff_flags::{Flag, Goal, Name, Percent, Route, Snapshot, StatusSet, Trigger, publisher};
use flagstaff_layer::{FlagLayer, FlagService, Tagger, TaggerSettings, Traffic, TrafficSettings};
use flagstaff_ledger::{Location, Recorder};
use http::{Request, Response};
use tower::{Layer, Service};

/// Answers at once.
#[derive(Clone, Copy)]
struct App;

impl Service<Request<String>> for App {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<String>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

/// Ten experiments that share a goal.
fn snapshot() -> Snapshot {
    let flag = |i: usize| Flag {
        percent: Some(Percent::new(50.0).unwrap()),
        goals: vec![Name::new("sent").unwrap()],
        ..Flag::new(Name::new(&format!("f{i}")).unwrap())
    };
    let trigger = Trigger::Request { route: Route::new("POST /contact").unwrap(), status: StatusSet::accepted() };
    let goal = Goal { name: Name::new("sent").unwrap(), trigger };
    Snapshot::new("", (0..10).map(flag).collect(), vec![goal], vec![], vec![]).unwrap()
}

fn request(visitor: u64) -> Request<String> {
    Request::get("/contact")
        .header("host", "shop.example")
        .header("accept", "text/html,application/xhtml+xml")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("cookie", format!("flagstaff_visitor={visitor:022x}"))
        .body(String::new())
        .unwrap()
}

fn call(service: &mut FlagService<App>, request: Request<String>) -> Response<()> {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(service.call(request)).poll(&mut cx) {
        Poll::Ready(Ok(response)) => response,
        _ => unreachable!("the app answers at once"),
    }
}

fn recording(c: &mut Criterion) {
    let (_publisher, reader) = publisher(snapshot());
    let tagger = Arc::new(Tagger::new(&TaggerSettings::default()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let place = Location::file(&folder.path().join("ledger.db")).unwrap();
    let (recorder, keeper) = Recorder::start(flagstaff_ledger::LedgerSettings::new(place)).unwrap();
    let plain = FlagLayer::new(reader, tagger);
    let mut off = plain.clone().layer(App);
    let traffic = |recent_visitors| Traffic::start(TrafficSettings { recent_visitors }).unwrap();
    let mut counting = plain.clone().followed_by(traffic(0)).layer(App);
    let mut keeping = plain.clone().followed_by(traffic(5_000)).layer(App);
    let mut on = plain.recording(recorder).layer(App);
    let mut group = c.benchmark_group("a request with ten experiments");
    let next = Cell::new(0);
    let new = || {
        next.set(next.get() + 1);
        request(next.get())
    };
    let same = || request(1);
    group.bench_function("recording nothing", |b| {
        b.iter_batched(same, |request| call(&mut off, request), BatchSize::SmallInput);
    });
    group.bench_function("recording nothing, others in turn", |b| {
        b.iter_batched(new, |request| call(&mut off, request), BatchSize::SmallInput);
    });
    group.bench_function("recorded already", |b| {
        b.iter_batched(same, |request| call(&mut on, request), BatchSize::SmallInput);
    });
    // as many as the queue holds the exposures of, so that all are recorded before
    let known = |n: u64| request(u64::MAX - n % 2_000);
    (0..2_000).for_each(|n| drop(call(&mut on, known(n))));
    let turn = Cell::new(0);
    group.bench_function("recorded already, others in turn", |b| {
        let other = || {
            turn.set(turn.get() + 1);
            known(turn.get())
        };
        b.iter_batched(other, |request| call(&mut on, request), BatchSize::SmallInput);
    });
    group.bench_function("counting what is asked for", |b| {
        b.iter_batched(new, |request| call(&mut counting, request), BatchSize::SmallInput);
    });
    group.bench_function("keeping the last visitors too", |b| {
        b.iter_batched(new, |request| call(&mut keeping, request), BatchSize::SmallInput);
    });
    // more visitors than any site has: what the queue does not hold is dropped, which costs no less
    group.bench_function("a new visitor each", |b| {
        b.iter_batched(new, |request| call(&mut on, request), BatchSize::SmallInput);
    });
    group.finish();
    let _ = keeper.close(Duration::from_secs(60));
}

criterion_group!(benches, recording);
criterion_main!(benches);
