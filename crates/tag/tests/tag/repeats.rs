//! What is used again for the next request of a connection is what would be found anew, for any requests one after the other.

use std::net::SocketAddr;
use std::sync::Arc;

use flagstaff_flags::*;
use flagstaff_tag::{Directives, Flags, LastFlags, Peer, Tagger, TaggerSettings};
use http::{HeaderMap, HeaderValue, Request, Response};
use jiff::Timestamp;
use proptest::prelude::*;

/// Numbers that choose: from each, one of some things is read off.
struct Choices(u64);

impl Choices {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed >> 33) % most as u64).unwrap()
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

const DATES: [&str; 3] = ["2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn condition(choices: &mut Choices) -> Condition {
    let word = |key, word| Condition::Value(key, Matcher::Pattern(Glob::new(word)));
    match choices.below(10) {
        0 => word(Key::Path, "/a*"),
        1 => word(Key::Query("ref".into()), "1"),
        2 => word(Key::Method, "POST"),
        3 => word(Key::Header("referer".into()), "/a"),
        4 => word(Key::Attribute("request_id".into()), "1"),
        5 => word(Key::Cookie("plan".into()), "pro"),
        6 => Condition::Value(Key::Ip, Matcher::within("192.0.2.0/25").unwrap()),
        7 => Condition::Language(vec!["de".into()]),
        8 => word(Key::Host, "other.example"),
        _ => Condition::After(at(DATES[1])),
    }
}

fn flag(n: usize, choices: &mut Choices) -> Flag {
    let units = ["visitor", "visitor", "visitor", "user", "session", "header.range", "cookie.plan"];
    let step = RolloutStep { percent: Percent::from_thousandths(50_000), hold: Hold::End, min_visitors: None };
    let rollout = choices.one_in(8).then(|| Rollout::new(Some(at(DATES[1])), vec![step]).unwrap());
    let rules = (0..choices.pick(&[0, 0, 0, 1])).map(|_| {
        let conditions = Conditions(vec![condition(choices)]);
        Rule::new(conditions, choices.pick(&[Serve::OFF, Serve::Variant(VariantId::ON)]))
    });
    let rules = rules.collect();
    let routes: [&[&str]; 4] = [&[], &[], &["/a"], &["POST /b"]];
    Flag {
        percent: rollout.is_none().then(|| Percent::from_thousandths(choices.pick(&[0, 50_000, 50_000, 100_000]))),
        rollout,
        rules,
        bucket_by: BucketBy::new(choices.pick(&units)).unwrap(),
        sticky: choices.pick(&[None, None, Some(Sticky::Visitor), Some(Sticky::Session)]),
        exposed_on: choices.pick(&routes).iter().map(|route| Route::new(route).unwrap()).collect(),
        testing: choices.one_in(3),
        guard: choices.one_in(2).then(|| Guard::new(Guard::FALSE_ALARM).unwrap()),
        ..Flag::new(Name::new(&format!("f{n}")).unwrap())
    }
}

fn snapshot(choices: &mut Choices) -> Arc<Snapshot> {
    let flags = (0..choices.pick(&[0, 1, 3, 70])).map(|n| flag(n, choices)).collect();
    let all = Snapshot::new("r", flags, vec![], vec![], vec![]).unwrap();
    Arc::new(all.with_holdout(choices.one_in(4).then(|| Holdout::new(Percent::from_thousandths(40_000), None))))
}

/// The same flags with other shares: who was in may stay in.
fn with_other_shares(flags: &Snapshot, choices: &mut Choices) -> Arc<Snapshot> {
    let shares = [20_000, 50_000, 80_000].map(Percent::from_thousandths);
    let other = |flag: &Arc<Flag>| Flag { percent: flag.percent.map(|_| choices.pick(&shares)), ..(**flag).clone() };
    let all = Snapshot::new("r", flags.flags().iter().map(other).collect(), vec![], vec![], vec![]).unwrap();
    Arc::new(all.with_holdout(flags.holdout().cloned()))
}

fn settings(choices: &mut Choices) -> TaggerSettings {
    let mut all =
        TaggerSettings { keys: vec!["a-secret-of-at-least-thirty-two-bytes".into()], ..TaggerSettings::default() };
    all.headers.waffle = choices.one_in(4);
    all.headers.sign = choices.one_in(4);
    all.visitor.consent_cookie = choices.one_in(4).then(|| "consent=yes".into());
    all.user.header = choices.one_in(2).then(|| choices.pick(&["x-user", "x-request-id"]).into());
    all.user.identify = choices.one_in(3).then_some(true);
    all.trust.country_header = choices.one_in(3).then(|| "priority".into());
    if choices.one_in(4) {
        all.exclude.paths = vec!["/a*".into()];
    }
    if choices.one_in(4) {
        all.exclude.prefetch_headers = vec!["Pragma: ahead".into()];
    }
    all
}

/// The visitor that comes most often.
const VISITOR: &str = "flagstaff_visitor=JhoB6FefJzcxCplLENynrQ";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// A header or another of those that may say something, with a value; without one it is taken away.
fn field(choices: &mut Choices) -> (&'static str, String) {
    let other = "flagstaff_visitor=JhoB6FefJzcxCplLENynrR";
    let beside = [
        "plan=pro",
        "flagstaff_session=AAAAAAAAAAAAAAAAAAAAAA",
        "consent=yes",
        "flagstaff_override=x",
        "flagstaff_user=y",
        "dwf_f0=True",
        other,
    ];
    let all: [(&str, &[&str]); 17] = [
        ("user-agent", &[BROWSER, BROWSER, "curl/8"]),
        ("cookie", &[VISITOR, VISITOR, other, "theme=dark"]),
        ("cookie", &[VISITOR]),
        ("accept-language", &["de", "en"]),
        ("accept", &["text/html", "*/*", "text/css"]),
        ("referer", &["/a", "/b", ""]),
        ("range", &["bytes=1-2", "bytes=3-4", ""]),
        ("priority", &["AT", "DE", "u=1"]),
        ("pragma", &["ahead", "no-cache", ""]),
        ("purpose", &["prefetch", "", ""]),
        ("x-request-id", &["1", "2", "3"]),
        ("x-user", &["ann", "bob", ""]),
        ("x-flag-override", &["f0=on", "", "f1=on"]),
        ("x-flag-f0", &["forged", "", ""]),
        ("authorization", &["Basic YTpi", "", ""]),
        ("sec-fetch-dest", &["document", "image", "empty"]),
        ("if-none-match", &["\"1\"", "\"2\"", ""]),
    ];
    let (name, values) = choices.pick(&all);
    let value = choices.pick(values);
    if name == "cookie" && value == VISITOR && choices.one_in(2) {
        return (name, format!("{VISITOR}; {}", choices.pick(&beside)));
    }
    (name, value.into())
}

/// The next request of a connection: the one before, and now and then something else.
fn change(request: &mut Request<()>, choices: &mut Choices) {
    for _ in 0..choices.pick(&[0, 0, 1, 2]) {
        let (name, value) = field(choices);
        match (HeaderValue::from_str(&value).unwrap(), choices.one_in(8)) {
            (value, _) if value.is_empty() => drop(request.headers_mut().remove(name)),
            (value, true) => drop(request.headers_mut().append(name, value)),
            (value, false) => drop(request.headers_mut().insert(name, value)),
        }
    }
    if choices.one_in(3) {
        let uris = [
            "/",
            "/a",
            "/b?ref=1",
            "/a?ref=2",
            "/?flagstaff.f0=on",
            "/.flagstaff/flags.json",
            "http://other.example/a",
        ];
        *request.uri_mut() = choices.pick(&uris).parse().unwrap();
        *request.method_mut() = choices.pick(&["GET", "GET", "POST"]).parse().unwrap();
    }
    if choices.one_in(6) {
        let address: SocketAddr = choices.pick(&["192.0.2.1:1", "192.0.2.200:1"]).parse().unwrap();
        let (trusted, tls) = (choices.one_in(2), choices.one_in(2));
        request.extensions_mut().insert(Peer { address, client: address.ip(), trusted, tls });
    }
}

/// The headers of the answer to a request, and what the app said in it.
fn answered(tagger: &Tagger, flags: &Flags, now: Timestamp) -> (HeaderMap, Directives) {
    let mut answer = Response::new(());
    answer.headers_mut().insert("x-flag-identify", HeaderValue::from_static("zoe"));
    let directives = tagger.answer(flags, &mut answer, now);
    (answer.headers().clone(), directives)
}

/// What a browser sends back of an answer that remembers variants.
fn kept_cookies(answer: &HeaderMap) -> Option<String> {
    let pairs = answer.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok()?.split(';').next());
    let kept = |pair: &&str| pair.starts_with("flagstaff_sticky=") || pair.starts_with("flagstaff_session=");
    let all: Vec<_> = pairs.filter(kept).collect();
    all.iter().any(|pair| pair.starts_with("flagstaff_sticky=")).then(|| all.join("; "))
}

/// What the draw alone gives of flags that are monitored and count.
fn drawn(flags: &Flags) -> Vec<(FlagId, Option<VariantId>)> {
    let counts = |id: &&FlagId| flags.counted().is_ok() && flags.decisions().of(**id).is_counted();
    flags.compiled().monitored().iter().filter(counts).map(|id| (*id, flags.drawn(*id))).collect()
}

/// All that anybody can see of the flags of a request, and of its answer.
fn seen(flags: &Flags, headers: &HeaderMap, answer: &(HeaderMap, Directives)) -> String {
    let snapshot = flags.compiled().snapshot();
    let decisions: Vec<_> = flags.decisions().iter().map(|(.., decision)| decision).collect();
    let units: Vec<_> = snapshot.ids().map(|id| flags.unit(id)).collect();
    let remembered: Vec<_> = flags.remembered().collect();
    let of_visitor = (flags.visitor(), flags.lasting_visitor(), flags.session(), flags.user(), flags.network());
    let counted = (flags.counted(), flags.counted_visitor(), flags.are_for_own_endpoint(), flags.values());
    let drawn = drawn(flags);
    format!("{decisions:?} {units:?} {remembered:?} {drawn:?} {of_visitor:?} {counted:?} {headers:?} {answer:?}")
}

/// Tags requests of one connection, each alone and as the next one.
fn compare(choices: &mut Choices) {
    let settings = settings(choices);
    // to name a person revokes what was said before, so each side has its own
    let (alone, kept) = (Tagger::new(&settings).unwrap(), Tagger::new(&settings).unwrap());
    let compile = |flags: &Arc<Snapshot>| {
        [&alone, &kept].map(|tagger| Arc::new(tagger.compile(Arc::clone(flags)).keeping_values()))
    };
    let mut flags = snapshot(choices);
    let mut compiled = compile(&flags);
    let mut last = LastFlags::default();
    let usual =
        Request::get("/").header("host", "shop.example").header("user-agent", BROWSER).header("cookie", VISITOR);
    let mut request = usual.body(()).unwrap();
    let mut now = at(DATES[0]);
    for _ in 0..40 {
        if choices.one_in(10) {
            flags = if choices.one_in(2) { snapshot(choices) } else { with_other_shares(&flags, choices) };
            compiled = compile(&flags);
        }
        if choices.one_in(8) {
            now = at(choices.pick(&DATES));
        }
        change(&mut request, choices);
        let (mut one, mut other) = (request.clone(), request.clone());
        let anew = alone.tag(&compiled[0], &mut one, now);
        let again = kept.tag_next(&compiled[1], &mut last, &mut other, now);
        let remembered = |id: &FlagId| anew.decisions().of(*id).step() == DecisionStep::Sticky;
        for (id, variant) in drawn(&anew).into_iter().filter(|(id, _)| remembered(id)) {
            let by_place = |unit| {
                let place = flags.flag(id).unwrap().place(unit, anew.former_draws());
                flags.arms(id, now).into_iter().find(|arm| (arm.from..arm.to).contains(&place)).map(|arm| arm.variant)
            };
            if let Some(unit) = anew.unit(id) {
                assert_eq!(variant, by_place(unit), "{id:?} of {request:?}");
            }
        }
        let answers = [answered(&alone, &anew, now), answered(&kept, &again, now)];
        if let Some(cookies) = kept_cookies(&answers[0].0) {
            let all = format!("flagstaff_visitor={}; {cookies}", anew.visitor());
            request.headers_mut().insert("cookie", all.parse().unwrap());
        }
        let is_new = |flags: &Flags| (flags.is_new_visitor(), flags.is_new_session());
        assert_eq!(is_new(&anew), is_new(&again), "{request:?}");
        // ids that are made up differ
        if is_new(&anew) == (false, false) {
            let found_anew = seen(&anew, one.headers(), &answers[0]);
            assert_eq!(found_anew, seen(&again, other.headers(), &answers[1]), "{request:?} at {now}");
        }
    }
    assert_eq!(alone.left_out(), kept.left_out());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn the_next_request_of_a_connection_gets_what_it_would_get_alone(seed in any::<u64>()) {
        compare(&mut Choices(seed));
    }
}
