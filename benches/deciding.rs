//! What one request costs: deciding every flag, and tagging with headers and cookies. `peers` decides beside the engines of others.
#![allow(missing_docs, clippy::unwrap_used, reason = "a bench may fail loudly")]

mod population;

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use flagstaff_flags::{Draw, Formula, Snapshot, Subject, User};
use flagstaff_source::{ParseOptions, Text, parse};
use flagstaff_tag::{HeaderSettings, LastFlags, Peer, SendFlags, Tagger, TaggerSettings};
use http::Request;
use jiff::Timestamp;

/// This many flags with spread percentages, every fifth with a rule.
fn document(flags: usize) -> String {
    let flag = |i: usize| {
        let rule = format!("[[flags.f{i}.rules]]\nif = {{ country = [\"DE\", \"AT\"] }}\nserve = \"on\"\n");
        let rule = if i.is_multiple_of(5) { rule } else { String::new() };
        format!("[flags.f{i}]\nowner = \"bench\"\npercent = {}\n{rule}", i * 37 % 100)
    };
    (0..flags).map(flag).collect::<String>() + "# end\n"
}

fn snapshot(flags: usize) -> Arc<Snapshot> {
    let text = document(flags);
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    Arc::new(parse(text, None, &ParseOptions::default()).unwrap().snapshot)
}

/// One flag that is drawn by a formula.
fn drawn_by(formula: Formula) -> Arc<Snapshot> {
    let needs = match formula {
        Formula::LaunchDarkly | Formula::Statsig => ", salt = \"f\"",
        Formula::Vercel => ", seed = 7",
        _ => "",
    };
    let text = format!("[flags.new_checkout]\npercent = 50\nhash = {{ as = \"{formula}\"{needs} }}\n");
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    Arc::new(parse(text, None, &ParseOptions::default()).unwrap().snapshot)
}

fn request() -> Request<()> {
    let mut request = Request::get("/contact?from=home")
        .header("host", "shop.example")
        .header("accept", "text/html,application/xhtml+xml")
        .header("accept-language", "de-AT,de;q=0.8,en;q=0.5")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
        .header("cookie", "theme=dark; flagstaff_visitor=JhoB6FefJzcxCplLENynrQ; session=abc")
        .body(())
        .unwrap();
    let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 40_000);
    request.extensions_mut().insert(Peer { address, client: address.ip(), trusted: false, tls: false });
    request
}

fn deciding(c: &mut Criterion) {
    c.bench_function("draw", |b| {
        b.iter(|| Draw::of(black_box("show_new_contact_form"), black_box("JhoB6FefJzcxCplLENynrQ")));
    });
    println!("hashing: {}", flagstaff_flags::hash_kernel());
    let mut group = c.benchmark_group("formula");
    for formula in Formula::ALL {
        let snapshot = drawn_by(formula);
        let subject = Subject::at(Timestamp::UNIX_EPOCH).visitor("JhoB6FefJzcxCplLENynrQ");
        group.bench_with_input(BenchmarkId::from_parameter(formula), &snapshot, |b, s| {
            b.iter(|| s.decide(black_box(&subject)));
        });
    }
    group.finish();
    let mut group = c.benchmark_group("decide");
    let mut visitors = population::visitors().into_iter().cycle();
    for flags in [1, 10, 50, 500] {
        let snapshot = population::snapshot(&population::flags(flags));
        group.bench_with_input(BenchmarkId::from_parameter(flags), &snapshot, |b, snapshot| {
            let visitor = || visitors.next().unwrap();
            let decide = |id: &mut String| snapshot.decide(&Subject::at(Timestamp::UNIX_EPOCH).visitor(id));
            b.iter_batched_ref(visitor, decide, BatchSize::SmallInput);
        });
    }
    group.finish();
    let mut group = c.benchmark_group("decide for users");
    let user = |id| User { id, ..User::default() };
    let mut users = population::users().into_iter().map(user).cycle();
    let snapshots = [
        ("20 rules over lists of 100", population::snapshot_of_rules(&population::lists())),
        ("1 is allowed", population::snapshot_of_allowed(&population::names(1))),
        ("10000 are allowed", population::snapshot_of_allowed(&population::names(10_000))),
    ];
    for (name, snapshot) in snapshots {
        group.bench_with_input(BenchmarkId::from_parameter(name), &snapshot, |b, snapshot| {
            let visitor = || users.next().unwrap();
            let decide = |user: &mut User| {
                snapshot.decide(&Subject::at(Timestamp::UNIX_EPOCH).visitor("visitor-00000000000001").user(user))
            };
            b.iter_batched_ref(visitor, decide, BatchSize::SmallInput);
        });
    }
}

fn tagging(c: &mut Criterion) {
    let mut group = c.benchmark_group("tag");
    for (send, name) in [(SendFlags::Both, "both"), (SendFlags::Compact, "compact")] {
        let headers = HeaderSettings { send, ..HeaderSettings::default() };
        let tagger = Tagger::new(&TaggerSettings { headers, ..TaggerSettings::default() }).unwrap();
        for flags in [0, 10, 50] {
            let compiled = Arc::new(tagger.compile(snapshot(flags)));
            group.bench_with_input(BenchmarkId::new(name, flags), &compiled, |b, compiled| {
                let tag = |mut r: Request<()>| (tagger.tag(compiled, &mut r, Timestamp::UNIX_EPOCH), r);
                b.iter_batched(request, tag, BatchSize::SmallInput);
            });
            let name = format!("{name}, the next request of a connection");
            group.bench_with_input(BenchmarkId::new(name, flags), &compiled, |b, compiled| {
                let mut last = LastFlags::default();
                let tag =
                    |mut r: Request<()>| (tagger.tag_next(compiled, &mut last, &mut r, Timestamp::UNIX_EPOCH), r);
                b.iter_batched(request, tag, BatchSize::SmallInput);
            });
        }
    }
}

fn loading(c: &mut Criterion) {
    let text = document(500);
    let options = ParseOptions::default();
    let text = Text { name: "flags.toml", bytes: text.as_bytes() };
    c.bench_function("load 500 flags", |b| b.iter(|| parse(black_box(text), None, &options).unwrap()));
}

criterion_group!(benches, deciding, tagging, loading);
criterion_main!(benches);
