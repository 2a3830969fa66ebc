//! The heart held against its vectors and its laws.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn flag(text: &str) -> Flag {
    Flag::new(name(text))
}

fn at_percent(text: &str, percent: f64) -> Flag {
    Flag { percent: Some(Percent::new(percent).unwrap()), ..flag(text) }
}

fn snapshot(flags: Vec<Flag>) -> Arc<Snapshot> {
    Arc::new(Snapshot::new("test", flags, vec![], vec![], vec![]).unwrap())
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn visitor(id: &str) -> Subject<'_> {
    Subject::at(now()).visitor(id)
}

#[test]
fn draws_agree_with_the_vectors() {
    let rows = include_str!("buckets.csv").lines().skip(1);
    let mut seen = 0;
    for row in rows {
        let [key, unit, bucket, position, split] = row.split(',').collect::<Vec<_>>().try_into().unwrap();
        let draw = Draw::of(key, unit);
        let got = [draw.bucket(), draw.position(), draw.split()].map(|n| n.to_string());
        assert_eq!(got, [bucket, position, split], "{row}");
        seen += 1;
    }
    assert!(seen > 400);
}

#[test]
fn every_step_is_asked_in_the_order_in_which_it_is_named() {
    let snapshot = Arc::new(snapshot(vec![at_percent("f", 50.0)]).with_facts(&RecordedFacts::default()));
    let asked: Vec<_> = snapshot.explain("f", &visitor("v")).trace.iter().map(|one| one.step as usize).collect();
    assert_eq!(asked, (0..=DecisionStep::Percent as usize).collect::<Vec<_>>());
}

#[test]
fn an_explanation_says_whether_a_guard_or_a_person_switched_it_off() {
    let snapshot = snapshot(vec![Flag { definition: Definition(7), ..flag("f") }]);
    let told = |tripped: bool, by_person: bool| {
        let facts = RecordedFacts {
            tripped: tripped.then(|| (name("f"), Definition(7))).into_iter().collect(),
            switched_off: by_person.then(|| (name("f"), "switched off by ada".into())).into_iter().collect(),
            ..RecordedFacts::default()
        };
        let explained = Arc::new(snapshot.with_facts(&facts)).explain("f", &visitor("v"));
        let last = explained.trace.last().unwrap().clone();
        assert_eq!((last.step, explained.decision.variant()), (DecisionStep::Tripped, VariantId::OFF));
        last.detail
    };
    assert_eq!(told(true, false), "its guard rolled this definition back");
    assert_eq!(told(false, true), "switched off by ada; no guard rolled it back");
    assert_eq!(told(true, true), "switched off by ada; before that its guard rolled this definition back");
}

#[test]
fn ramping_up_moves_each_visitor_once_and_down_reverses_it() {
    let visitors: Vec<_> = (0..10_000).map(|i| format!("visitor-{i}")).collect();
    let on_at = |tenths: u32| -> Vec<bool> {
        let snapshot = snapshot(vec![at_percent("ramp", f64::from(tenths) / 10.0)]);
        visitors.iter().map(|v| snapshot.decide(&visitor(v)).is_on("ramp")).collect()
    };
    let up: Vec<_> = (0..=1000).map(on_at).collect();
    for pair in up.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(before, after)| *after || !before), "someone fell out");
    }
    assert!(up[0].iter().all(|on| !on) && up[1000].iter().all(|on| *on));
    // Down again: each step is a pure function of the share, so it undoes the way up exactly.
    for tenths in (0..=1000).rev().step_by(50) {
        assert_eq!(on_at(tenths), up[tenths as usize]);
    }
}

#[test]
fn whole_percents_are_the_classic_bucket() {
    let snapshot = snapshot(vec![at_percent("classic", 37.0)]);
    for i in 0..5_000 {
        let id = format!("{i}");
        assert_eq!(snapshot.decide(&visitor(&id)).is_on("classic"), Draw::of("classic", &id).bucket() < 37);
    }
}

#[test]
fn raising_the_share_never_reshuffles_variants() {
    let of = |percent| {
        let weights = [("classic", 50.0), ("simple", 25.0), ("annual_first", 25.0)];
        let variants = Variants::weighted(weights).unwrap();
        snapshot(vec![Flag { variants, ..at_percent("pricing", percent) }])
    };
    let (low, high) = (of(30.0), of(60.0));
    for i in 0..5_000 {
        let id = format!("v{i}");
        let (before, after) = (low.decide(&visitor(&id)), high.decide(&visitor(&id)));
        if before.get("pricing").is_counted() {
            assert_eq!(before.variant("pricing"), after.variant("pricing"));
        } else {
            assert_eq!(before.variant("pricing"), "classic");
        }
    }
}

/// A world in which every step of the order can be made to decide.
fn every_step() -> Flag {
    let users = |id: &str| Audience { users: [id.into()].into(), ..Audience::default() };
    let pro = Condition::Value(Key::Country, Matcher::Pattern(Glob::any_case("de")));
    Flag {
        requires: vec![Requirement { flag: name("base"), variant: None }],
        testing: true,
        deny: Some(users("denied")),
        allow: Some(users("allowed")),
        rules: vec![Rule::new(Conditions(vec![pro]), Serve::Percent(Percent::ALL))],
        layer: Some(name("shelf")),
        sticky: Some(Sticky::Visitor),
        definition: Definition(7),
        ..at_percent("f", 50.0)
    }
}

fn world(f: Flag, base_on: bool) -> Arc<Snapshot> {
    let slice = |flag: &str, from, to| Slice {
        flag: name(flag),
        from: Percent::new(from).unwrap(),
        to: Percent::new(to).unwrap(),
    };
    let shelf = ExclusionLayer::new(name("shelf"), vec![slice("f", 0.0, 50.0), slice("g", 50.0, 100.0)]);
    let base = Flag { enabled: base_on, ..flag("base") };
    let g = Flag { layer: Some(name("shelf")), ..flag("g") };
    Arc::new(Snapshot::new("r", vec![f, base, g], vec![], vec![], vec![shelf]).unwrap())
}

/// A visitor inside (or outside) f's slice of the layer.
fn in_slice(inside: bool) -> String {
    (0..).map(|i| format!("v{i}")).find(|id| (Draw::of("shelf", id).position() < 50_000) == inside).unwrap()
}

#[test]
fn each_step_decides_in_its_turn_and_beats_those_after_it() {
    let world_on = world(every_step(), true);
    let id = world_on.find("f").unwrap();
    let on = world_on.flag(id).unwrap().variants.find("on").unwrap();
    let user = |id: &str| User { id: id.into(), ..User::default() };
    let (denied, allowed) = (user("denied"), user("allowed"));
    let forced = [ForcedVariant { flag: id, variant: on, signed: false }];
    let held = [StickyVariant { flag: id, variant: on, brought: false }];
    let (inside, outside) = (in_slice(true), in_slice(false));
    // From the last step to the first: each adds what lets an earlier step decide.
    let base = visitor(&inside);
    let sticky = Subject { sticky: &held, ..base };
    let layer = Subject { visitor: Some(&outside), ..sticky };
    let rule = Subject { country: Some("DE"), ..layer };
    let allow = Subject { user: Some(&allowed), ..rule };
    let deny = Subject { user: Some(&denied), ..rule };
    let force = Subject { overrides: &forced, ..deny };
    let step = |snapshot: &Arc<Snapshot>, subject: &Subject<'_>| {
        let explained = snapshot.explain("f", subject);
        assert_eq!(explained.trace.last().unwrap().step, explained.decision.step());
        assert_eq!(explained.decision, snapshot.decide(subject).get("f"));
        explained.decision.step()
    };
    let got = [&base, &sticky, &layer, &rule, &allow, &deny, &force].map(|subject| step(&world_on, subject));
    assert_eq!(
        got,
        [
            DecisionStep::Percent,
            DecisionStep::Sticky,
            DecisionStep::Layer,
            DecisionStep::Rule,
            DecisionStep::Allow,
            DecisionStep::Deny,
            DecisionStep::Override
        ]
    );

    let unmet = world(every_step(), false);
    assert_eq!(step(&unmet, &force), DecisionStep::Requires);
    let tripped = |snapshot: &Snapshot| {
        Arc::new(snapshot.with_facts(&RecordedFacts {
            tripped: vec![(name("f"), Definition(7))],
            steps: vec![],
            ..RecordedFacts::default()
        }))
    };
    assert_eq!(step(&tripped(&unmet), &force), DecisionStep::Tripped);
    let disabled = world(Flag { enabled: false, ..every_step() }, false);
    assert_eq!(step(&tripped(&disabled), &force), DecisionStep::Disabled);
    let pin = Pin { variant: on, variable: "FLAGSTAFF_FLAG_F".into() };
    let pinned = world(Flag { enabled: false, pin: Some(pin), ..every_step() }, false);
    assert_eq!(step(&tripped(&pinned), &force), DecisionStep::Pinned);
    assert_eq!(pinned.explain("nope", &force).decision.step(), DecisionStep::Unknown);
}

#[test]
fn an_edit_clears_a_trip() {
    let facts =
        RecordedFacts { tripped: vec![(name("f"), Definition(7))], steps: vec![], ..RecordedFacts::default() };
    let of = |definition| Arc::new(snapshot(vec![Flag { definition, ..flag("f") }]).with_facts(&facts));
    assert!(!of(Definition(7)).decide(&visitor("v")).is_on("f"));
    assert!(of(Definition(8)).decide(&visitor("v")).is_on("f"));
}

#[test]
fn reasons_are_openfeatures() {
    let reason = |flag: Flag| snapshot(vec![flag]).decide(&visitor("v")).get("f").reason();
    assert_eq!(reason(flag("f")), Reason::Static);
    assert_eq!(reason(at_percent("f", 100.0)), Reason::Static);
    assert_eq!(reason(at_percent("f", 50.0)), Reason::Split);
    assert_eq!(reason(Flag { enabled: false, ..flag("f") }), Reason::Disabled);
    assert_eq!(reason(Flag { allow: Some(Audience::default()), ..flag("f") }), Reason::Default);
    assert_eq!(snapshot(vec![]).decide(&visitor("v")).get("f"), Decision::UNKNOWN);
}

#[test]
fn a_missing_unit_is_off_and_says_so() {
    let by_user = snapshot(vec![Flag { bucket_by: BucketBy::User, ..at_percent("f", 99.0) }]);
    let decision = by_user.decide(&visitor("v")).get("f");
    assert_eq!((decision.variant(), decision.reason()), (VariantId::OFF, Reason::Default));
    assert!(decision.is_unit_missing());
    assert!(by_user.explain("f", &visitor("v")).trace.last().unwrap().detail.contains("unit_missing"));
}

#[test]
fn without_a_percent_the_rest_are_on_unless_someone_is_named() {
    let is_on = |f: Flag| snapshot(vec![f]).decide(&visitor("v")).is_on("f");
    let rule = |serve| Rule::new(Conditions(vec![Condition::Authenticated(true)]), serve);
    assert!(is_on(flag("f")));
    assert!(!is_on(Flag { allow: Some(Audience::default()), ..flag("f") }));
    assert!(!is_on(Flag { rules: vec![rule(Serve::Variant(VariantId::ON))], ..flag("f") }));
    assert!(is_on(Flag { rules: vec![rule(Serve::OFF)], ..flag("f") }));
    assert!(is_on(Flag { deny: Some(Audience::default()), ..flag("f") }));
}

#[test]
fn an_override_counts_with_testing_or_a_signature_only() {
    let forced = |signed| {
        let f = Flag { testing: false, ..at_percent("f", 0.0) };
        let s = snapshot(vec![f]);
        let forced = [ForcedVariant { flag: s.find("f").unwrap(), variant: VariantId::ON, signed }];
        s.decide(&Subject { overrides: &forced, ..visitor("v") }).is_on("f")
    };
    assert!(forced(true) && !forced(false));
}

#[test]
fn a_remembered_variant_ends_when_nobody_is_in() {
    let is_on = |percent| {
        let s = snapshot(vec![Flag { sticky: Some(Sticky::Visitor), ..at_percent("f", percent) }]);
        let held = [StickyVariant { flag: s.find("f").unwrap(), variant: VariantId::ON, brought: false }];
        let out = (0..).map(|i| format!("v{i}")).find(|id| Draw::of("f", id).position() > 90_000).unwrap();
        s.decide(&Subject { sticky: &held, ..visitor(&out) }).is_on("f")
    };
    assert!(is_on(1.0) && !is_on(0.0));
}

#[test]
fn a_visitor_meets_at_most_one_flag_of_a_layer() {
    let everyone = Flag { layer: Some(name("shelf")), ..flag("f") };
    let world = world(everyone, true);
    let mut met = [0, 0];
    for i in 0..2_000 {
        let id = format!("v{i}");
        let decisions = world.decide(&visitor(&id));
        let (f, g) = (decisions.is_on("f"), decisions.is_on("g"));
        assert!(f != g, "exactly one, as both take everybody of their half");
        met[usize::from(g)] += 1;
    }
    assert!(met.iter().all(|n| *n > 850), "{met:?}");
}

#[test]
fn a_slice_makes_a_flag_one_of_the_layer() {
    let slice = |flag: &str| Slice { flag: name(flag), from: Percent::ZERO, to: Percent::new(50.0).unwrap() };
    let layer = |text: &str| ExclusionLayer::new(name(text), vec![slice("f")]);
    let silent = Snapshot::new("r", vec![flag("f")], vec![], vec![], vec![layer("shelf")]).unwrap();
    let ons = (0..1_000).filter(|i| Arc::new(silent.clone()).decide(&visitor(&i.to_string())).is_on("f")).count();
    assert!((400..600).contains(&ons), "{ons}");
    let twice = Snapshot::new("r", vec![flag("f")], vec![], vec![], vec![layer("shelf"), layer("other")]);
    assert!(twice.unwrap_err()[0].message.contains("in the layer `shelf` already"));
}

#[test]
fn a_flag_and_its_layer_never_share_a_draw() {
    let slice = Slice { flag: name("shelf"), from: Percent::ZERO, to: Percent::new(50.0).unwrap() };
    let layer = || ExclusionLayer::new(name("shelf"), vec![slice.clone()]);
    let same = Snapshot::new("r", vec![flag("shelf")], vec![], vec![], vec![layer()]).unwrap_err();
    assert!(same[0].message.contains("one draw"), "{same:?}");
    let salted = Flag { salt: Some("other".into()), ..flag("shelf") };
    assert!(Snapshot::new("r", vec![salted], vec![], vec![], vec![layer()]).is_ok());
}

#[test]
fn rollouts_start_in_time_and_follow_the_recorded_step() {
    let percent = |p| Percent::new(p).unwrap();
    let step = |p, hold| RolloutStep { percent: percent(p), hold, min_visitors: None };
    let steps = vec![step(0.0, Hold::Approval), step(100.0, Hold::End)];
    let rollout = Rollout::new(Some("2026-11-20T13:00:00Z".parse().unwrap()), steps).unwrap();
    let world = snapshot(vec![Flag { rollout: Some(rollout), ..flag("f") }]);
    let facts = |step| RecordedFacts {
        tripped: vec![],
        steps: vec![(name("f"), Definition(0), step)],
        ..RecordedFacts::default()
    };
    let is_on = |world: &Snapshot, now: &str| {
        Arc::new(world.clone()).decide(&Subject::at(now.parse().unwrap()).visitor("v")).is_on("f")
    };
    assert!(!is_on(&world, "2026-11-20T14:00:00Z"));
    assert!(is_on(&world.with_facts(&facts(1)), "2026-11-20T14:00:00Z"));
    assert!(!is_on(&world.with_facts(&facts(1)), "2026-11-20T12:59:59Z"));
    assert!(is_on(&world.with_facts(&facts(9)), "2026-11-20T14:00:00Z"));
    let falls = Rollout::new(None, vec![step(5.0, Hold::Approval), step(5.0, Hold::End)]);
    assert_eq!(falls, Err(RolloutError::Falls { step: 1 }));
}

#[test]
fn a_last_step_that_is_held_keeps_a_control_back() {
    let percent = |p| Percent::new(p).unwrap();
    let step = |p, hold| RolloutStep { percent: percent(p), hold, min_visitors: None };
    let hour = Hold::For(std::time::Duration::from_secs(3600));
    let now = "2026-11-20T14:00:00Z".parse().unwrap();
    let shares = |before: f64, last: Hold| {
        let rollout = Rollout::new(None, vec![step(before, hour), step(100.0, last)]).unwrap();
        [0, 1, 2].map(|step| rollout.percent(now, step).as_f64())
    };
    assert_eq!(shares(50.0, hour), [50.0, 95.0, 100.0]);
    assert_eq!(shares(50.0, Hold::Approval), [50.0, 95.0, 100.0]);
    assert_eq!(shares(50.0, Hold::End), [50.0, 100.0, 100.0]);
    assert_eq!(shares(97.0, hour), [97.0, 97.0, 100.0], "it never falls");
}

#[test]
fn every_wrong_tie_is_reported_at_once() {
    let needs = |text: &str, other: &str| Flag {
        requires: vec![Requirement { flag: name(other), variant: None }],
        ..flag(text)
    };
    let flags = vec![
        needs("a", "b"),
        needs("b", "a"),
        needs("c", "chekout"),
        flag("checkout"),
        Flag { layer: Some(name("nowhere")), goals: vec![name("gone")], ..flag("d") },
        Flag { requires: vec![Requirement { flag: name("a"), variant: Some("blue".into()) }], ..flag("e") },
        needs("self_loop", "self_loop"),
    ];
    let problems = Snapshot::new("r", flags, vec![], vec![], vec![]).unwrap_err();
    let messages: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let has = |text: &str| {
        assert!(messages.iter().any(|m| m.contains(text)), "{text} in {messages:#?}");
    };
    has("circle: a → b → a");
    has("circle: self_loop → self_loop");
    has("did you mean `checkout`");
    has("no layer `nowhere`");
    has("no goal `gone`");
    has("no variant `blue`");
    assert_eq!(problems.len(), 6, "{messages:#?}");
}

#[test]
fn a_long_chain_of_requirements_is_no_stack_overflow() {
    let link = |i: u32| Flag {
        requires: (i > 0)
            .then(|| Requirement { flag: name(&format!("f{}", i - 1)), variant: None })
            .into_iter()
            .collect(),
        ..flag(&format!("f{i}"))
    };
    let chain = snapshot((0..20_000).rev().map(link).collect());
    assert!(chain.decide(&visitor("v")).is_on("f19999"));
}

#[test]
fn conditions_look_at_what_they_name() {
    struct Request;
    impl Attributes for Request {
        fn header(&self, name: &str) -> Option<&str> {
            (name == "x-plan").then_some("pro")
        }
        fn cookie(&self, name: &str) -> Option<&str> {
            (name == "theme").then_some("dark")
        }
        fn query(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
            (name == "q").then_some("shoes".into())
        }
        fn attribute(&self, name: &str) -> Option<std::borrow::Cow<'_, str>> {
            (name == "app_version").then_some("2.5.1".into())
        }
    }
    let user = User { id: "42".into(), groups: vec!["beta".into()], roles: vec!["staff".into()] };
    let subject = Subject {
        ip: Some("10.1.2.3".parse().unwrap()),
        country: Some("AT"),
        language: Some("de-AT"),
        method: Some("GET"),
        host: Some("Shop.example.com"),
        path: Some("/contact/new"),
        attributes: &Request,
        ..visitor("v").user(&user)
    };
    let word = |key: &str, text: &str| {
        let key = Key::new(key).unwrap();
        let glob = if key.is_any_case() { Glob::any_case(text) } else { Glob::new(text) };
        Condition::Value(key, Matcher::Pattern(glob))
    };
    let value = |key: &str, matcher| Condition::Value(Key::new(key).unwrap(), matcher);
    let segment = Segment { name: name("beta"), any: vec![Conditions(vec![word("group", "beta")])] };
    let holds = |condition: Condition| {
        let rule = Rule::new(Conditions(vec![condition]), Serve::Variant(VariantId::ON));
        let f = Flag { rules: vec![rule], ..flag("f") };
        Arc::new(Snapshot::new("r", vec![f], vec![], vec![segment.clone()], vec![]).unwrap())
            .decide(&subject)
            .is_on("f")
    };
    let yes = [
        word("user", "42"),
        word("group", "be*"),
        word("role", "staff"),
        word("country", "at"),
        word("host", "*.example.com"),
        word("path", "/contact*"),
        word("method", "get"),
        word("header.X-Plan", "pro"),
        word("cookie.theme", "dark"),
        word("query.q", "shoes"),
        value("ip", Matcher::within("10.0.0.0/8").unwrap()),
        value("app_version", Matcher::at_least("2.4.0").unwrap()),
        Condition::Language(vec!["de".into()]),
        Condition::Authenticated(true),
        Condition::Segment(vec![name("beta")]),
        Condition::After("2026-11-20T12:00:00Z".parse().unwrap()),
        Condition::Before("2026-11-20T12:00:01Z".parse().unwrap()),
        Condition::Not(Box::new(word("user", "43"))),
    ];
    for condition in yes {
        assert!(holds(condition.clone()), "{condition:?}");
        assert!(!holds(Condition::Not(Box::new(condition.clone()))), "not {condition:?}");
    }
    for text in ["Header.x", "header.", "header.a b", "a.b", "", "Weird"] {
        assert_eq!(Key::new(text), Err(KeyError), "{text}");
    }
}

#[test]
fn paths_and_hosts_are_read_as_the_app_reads_them() {
    let serves = |key: &str, pattern: &str, subject: Subject<'_>| {
        let key = Key::new(key).unwrap();
        let glob = if key.is_any_case() { Glob::any_case(pattern) } else { Glob::new(pattern) };
        let when = Conditions(vec![Condition::Value(key, Matcher::Pattern(glob))]);
        let rules = vec![Rule::new(when, Serve::Variant(VariantId::ON))];
        snapshot(vec![Flag { rules, ..flag("f") }]).decide(&subject).is_on("f")
    };
    for path in
        ["/beta/x", "//beta/x", "/b%65ta/x", "/./beta/x", "/a/../beta/x", "/beta;v=1/x", "/beta\\x", "/%5cbeta%5cx"]
    {
        assert!(serves("path", "/beta/*", Subject { path: Some(path), ..visitor("v") }), "{path}");
    }
    for path in ["/beta/../other", "/beta/%2e%2e/other", "/other?/beta/"] {
        assert!(!serves("path", "/beta/*", Subject { path: Some(path), ..visitor("v") }), "{path}");
    }
    for host in ["shop.example", "Shop.Example", "shop.example.", "shop.example:8080", "shop.example.:80"] {
        assert!(serves("host", "shop.example", Subject { host: Some(host), ..visitor("v") }), "{host}");
    }
}

#[test]
fn readers_see_the_new_snapshot_and_keep_the_old() {
    let (publisher, reader) = publisher(Snapshot::empty());
    let before = reader.load();
    publisher.publish(&Snapshot::new("next", vec![flag("f")], vec![], vec![], vec![]).unwrap());
    assert_eq!((before.revision(), reader.load().revision()), ("", "next"));
}

proptest! {
    #[test]
    fn a_draw_is_within_its_bounds(salt in ".*", unit in ".*") {
        let draw = Draw::of(&salt, &unit);
        prop_assert!(draw.position() < 100_000 && draw.split() < 100_000);
        prop_assert_eq!(draw.bucket(), draw.position() / 1000);
    }

    #[test]
    fn a_glob_agrees_with_the_same_expression(pattern in "[ab*]{0,8}", text in "[ab]{0,12}") {
        let expression = format!("^(?s:{})$", pattern.replace('*', ".*"));
        let expected = regex::Regex::new(&expression).unwrap().is_match(&text);
        prop_assert_eq!(Glob::new(&pattern).fits(&text), expected);
    }

    #[test]
    fn a_larger_share_holds_all_of_a_smaller(a in 0u32..=100_000, b in 0u32..=100_000, unit in "[a-z0-9]{1,20}") {
        let (low, high) = (Percent::from_thousandths(a.min(b)), Percent::from_thousandths(a.max(b)));
        let position = Draw::of("f", &unit).position();
        prop_assert!(!low.holds(position) || high.holds(position));
    }
}
