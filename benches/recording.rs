//! What recording adds to a request, in the layer alone: side by side with a layer that records nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may fail loudly")]

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use flagstaff_benches::layer::{App, call, request};
use flagstaff_flags::{Flag, Goal, Name, Percent, Route, Snapshot, StatusSet, Trigger, publisher};
use flagstaff_layer::{FlagLayer, Tagger, TaggerSettings, Traffic, TrafficSettings};
use flagstaff_ledger::{Location, Recorder};
use tower::Layer;

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
