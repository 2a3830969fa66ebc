//! What guards add to a request, in the layer alone: side by side with a layer that watches nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flagstaff_benches::layer::{App, call, request};
use flagstaff_flags::{Flag, Guard, Name, Percent, Snapshot, StatusSet, Sticky, publisher};
use flagstaff_layer::{Answers, FlagLayer, FlagService, Tagger, TaggerSettings};
use flagstaff_rollout::{RunningController, Start};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderValue, Request};
use tower::Layer;

/// Visitors whom guards know, each with the cookies of an earlier answer.
const VISITORS: u64 = 2_000;

/// Ten flags with a guard each, of which a browser session keeps the variants.
fn snapshot() -> Snapshot {
    let mut guard = Guard::new(Guard::FALSE_ALARM).unwrap();
    guard.errors = Some(StatusSet::new("5xx").unwrap());
    let flag = |i: usize| Flag {
        percent: Some(Percent::new(50.0).unwrap()),
        guard: Some(guard.clone()),
        sticky: Some(Sticky::Session),
        ..Flag::new(Name::new(&format!("f{i}")).unwrap())
    };
    Snapshot::new("", (0..10).map(flag).collect(), vec![], vec![], vec![]).unwrap()
}

/// What a visitor's browser sends as cookies after its first page.
fn cookies(service: &mut FlagService<App>, visitor: u64) -> HeaderValue {
    let first = request(visitor);
    let own = first.headers()[COOKIE].to_str().unwrap().to_owned();
    let answer = call(service, first);
    let given = answer.headers().get_all(SET_COOKIE).iter();
    let given = given.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
    HeaderValue::from_str(&[own.as_str()].into_iter().chain(given).collect::<Vec<_>>().join("; ")).unwrap()
}

fn guarding(c: &mut Criterion) {
    let (publisher, reader) = publisher(snapshot());
    let publisher = Arc::new(publisher);
    let tagger = Arc::new(Tagger::new(&TaggerSettings::default()).unwrap());
    let controller = RunningController::start(Arc::clone(&publisher), Start::default()).unwrap();
    // as in every program that measures its answers
    let plain = FlagLayer::new(reader, tagger).measuring(Answers::default());
    let mut unwatched = plain.clone().layer(App);
    let mut watched = plain.watched_by(controller.observer()).layer(App);
    let known: Vec<_> = (0..VISITORS).map(|visitor| cookies(&mut watched, visitor)).collect();
    let turn = Cell::new(0);
    let other = || {
        turn.set((turn.get() + 1) % known.len());
        with(&known[turn.get()])
    };
    let same = || with(&known[0]);
    let mut group = c.benchmark_group("a request with ten guarded flags");
    group.bench_function("watching nothing", |b| {
        b.iter_batched(same, |request| black_box(call(&mut unwatched, request)), BatchSize::SmallInput);
    });
    group.bench_function("watched", |b| {
        b.iter_batched(same, |request| black_box(call(&mut watched, request)), BatchSize::SmallInput);
    });
    group.bench_function("watching nothing, others in turn", |b| {
        b.iter_batched(other, |request| black_box(call(&mut unwatched, request)), BatchSize::SmallInput);
    });
    group.bench_function("watched, others in turn", |b| {
        b.iter_batched(other, |request| black_box(call(&mut watched, request)), BatchSize::SmallInput);
    });
    group.finish();
    let _ = controller.stop(Duration::from_secs(10));
}

fn with(cookies: &HeaderValue) -> Request<String> {
    let mut request = request(0);
    request.headers_mut().insert(COOKIE, cookies.clone());
    request
}

criterion_group!(benches, guarding);
criterion_main!(benches);
