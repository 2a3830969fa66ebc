//! Any bytes where a client of another system says for whom it asks: the rest of a path in the first line, a query in the second, then a body.
#![no_main]

use std::sync::{Arc, LazyLock};

use flagstaff_flags::{BucketBy, Condition, Conditions, Flag, Key, Matcher, Name, Percent, Rule, Serve, Snapshot, VariantId};
use flagstaff_tag::ofrep::{Question, evaluate};
use flagstaff_tag::unleash::{Context, Route, Which, toggles};
use http::{HeaderMap, Request};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static FLAGS: LazyLock<Arc<Snapshot>> = LazyLock::new(|| {
    let flag = |name: &str| Flag { client: true, ..Flag::new(Name::new(name).expect("a name")) };
    let half = || Percent::new(50.0).ok();
    let by = |bucket_by, name: &str| Flag { bucket_by, percent: half(), ..flag(name) };
    let version = Matcher::at_least("2").expect("a version");
    let when = Conditions(vec![Condition::Value(Key::Attribute("app_version".into()), version)]);
    let rule = Rule::new(when, Serve::Variant(VariantId::ON));
    let flags = vec![
        flag("all"),
        by(BucketBy::Visitor, "half"),
        by(BucketBy::User, "user"),
        by(BucketBy::Session, "session"),
        by(BucketBy::Header("x-org".into()), "org"),
        Flag { rules: vec![rule], ..flag("rule") },
    ];
    Arc::new(Snapshot::new("1", flags, vec![], vec![], vec![]).expect("valid flags"))
});

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let (path, query) = (text(), text());
    let body = parts.next().unwrap_or_default();
    let now = Timestamp::UNIX_EPOCH;
    if let Some(question) = Question::of(&path) {
        let (asked, ()) = Request::post("/").body(()).expect("a request").into_parts();
        let answer = evaluate(&FLAGS, &question, &asked, Ok(body), now);
        assert!(!answer.status().is_server_error(), "{answer:?}");
        assert!(answer.body().starts_with(b"{\"") && answer.body().ends_with(b"}"), "{answer:?}");
    }
    let _ = Route::of(&path);
    for context in [Ok(Context::of_query(&query)), Context::of_body(body)] {
        let Ok(Ok(context)) = context.map(Context::read) else { continue };
        let decisions = context.with_subject(now, |subject| FLAGS.decide(subject));
        assert!(toggles(&decisions, Which::All, &HeaderMap::new()).status().is_success());
    }
});
