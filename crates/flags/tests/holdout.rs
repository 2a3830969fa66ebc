//! Who is held out gets the control of every experiment and counts in none; nobody else notices.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn percent(percent: f64) -> Percent {
    Percent::new(percent).unwrap()
}

/// An experiment at half of the visitors.
fn trial(text: &str) -> Flag {
    Flag { percent: Some(percent(50.0)), goals: vec![name("sent")], ..Flag::new(name(text)) }
}

fn named(text: &str, weights: &[(&str, f64)]) -> Flag {
    Flag { variants: Variants::weighted(weights.iter().copied()).unwrap(), percent: None, ..trial(text) }
}

fn snapshot(flags: Vec<Flag>, held: f64) -> Arc<Snapshot> {
    with_layers(flags, vec![], held)
}

fn with_layers(flags: Vec<Flag>, layers: Vec<ExclusionLayer>, held: f64) -> Arc<Snapshot> {
    let trigger = Trigger::Event(EventGoal::new("sent"));
    let goals = vec![Goal { name: name("sent"), trigger }];
    let snapshot = Snapshot::new("test", flags, goals, vec![], layers).unwrap();
    Arc::new(snapshot.with_holdout(Some(Holdout::new(percent(held), None))))
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn visitor(id: &str) -> Subject<'_> {
    Subject::at(now()).visitor(id)
}

/// A visitor whose place in the default holdout lies in these.
fn at(places: std::ops::Range<u32>) -> String {
    (0..).map(|i| format!("v{i}")).find(|id| places.contains(&Draw::of("holdout", id).position())).unwrap()
}

#[test]
fn the_held_get_the_control_uncounted() {
    let all = snapshot(vec![trial("form"), named("price", &[("classic", 0.0), ("simple", 100.0)])], 5.0);
    let all = Arc::new((*all).clone());
    let (held, other) = (at(0..5_000), at(5_000..100_000));
    let decided = all.decide(&visitor(&held));
    let form = decided.get("form");
    assert_eq!((form.step(), form.reason(), form.is_counted()), (DecisionStep::Holdout, Reason::Split, false));
    assert_eq!(decided.variant("form"), "off");
    assert_ne!(all.decide(&visitor(&other)).get("form").step(), DecisionStep::Holdout);
    let weights = [("classic", 50.0), ("simple", 50.0)];
    let price = snapshot(vec![named("price", &weights)], 5.0).decide(&visitor(&held));
    assert_eq!((price.variant("price"), price.get("price").step()), ("classic", DecisionStep::Holdout));
}

#[test]
fn what_is_no_experiment_is_nobodys_business() {
    let plain = Flag { goals: vec![], ..trial("plain") };
    let everybody = Flag { percent: Some(Percent::ALL), ..trial("everybody") };
    let nobody = Flag { percent: Some(Percent::ZERO), ..trial("nobody") };
    let per_request = Flag { bucket_by: BucketBy::Request, ..trial("per_request") };
    let settled = named("settled", &[("classic", 0.0), ("simple", 100.0)]);
    let steps = |share| {
        Rollout::new(
            None,
            vec![
                RolloutStep { percent: percent(share), hold: Hold::Approval, min_visitors: None },
                RolloutStep { percent: Percent::ALL, hold: Hold::End, min_visitors: None },
            ],
        )
    };
    let guarded = Flag { percent: None, rollout: steps(50.0).ok(), guard: Guard::new(0.001).ok(), ..plain.clone() };
    let guarded = Flag { name: name("guarded"), ..guarded };
    let gate = Gate { paths: vec![], when_off: GateAnswer::Redirect("/".into()) };
    let switch = Flag { gate: Some(gate), goals: vec![], percent: None, ..trial("switch") };
    let flags = vec![plain, everybody, nobody, per_request, settled, guarded, switch];
    let (with, without) = (snapshot(flags.clone(), 100.0), snapshot(flags, 0.0));
    for i in 0..2_000 {
        let id = format!("v{i}");
        let subject = Subject { request: Some("r"), ..visitor(&id) };
        let (a, b) = (with.decide(&subject), without.decide(&subject));
        for ((_, flag, a), (.., b)) in a.iter().zip(b.iter()) {
            assert_eq!((a.variant(), a.step(), a.reason()), (b.variant(), b.step(), b.reason()), "{}", flag.name);
        }
    }
}

#[test]
fn a_rollout_with_goals_is_an_experiment_until_everybody_has_it() {
    let step = |share, hold| RolloutStep { percent: percent(share), hold, min_visitors: None };
    let rollout = Rollout::new(None, vec![step(25.0, Hold::Approval), step(100.0, Hold::End)]).ok();
    let flag = Flag { percent: None, rollout, definition: Definition(1), ..trial("form") };
    let (snapshot, held) = (snapshot(vec![flag], 5.0), at(0..5_000));
    assert_eq!(snapshot.decide(&visitor(&held)).get("form").step(), DecisionStep::Holdout);
    let steps = vec![(name("form"), Definition(1), 1)];
    let last = Arc::new(snapshot.with_facts(&RecordedFacts { steps, ..RecordedFacts::default() }));
    assert!(last.decide(&visitor(&held)).is_on("form"));
}

#[test]
fn deliberate_acts_win_and_the_rest_does_not() {
    let held = at(0..5_000);
    let user = User { id: "42".into(), ..User::default() };
    let someone = visitor(&held).user(&user);
    let step = |flag: Flag, subject: Subject<'_>| {
        let snapshot = snapshot(vec![flag], 5.0);
        let explained = snapshot.explain("form", &subject);
        assert_eq!(explained.decision, snapshot.decide(&subject).get("form"));
        assert_eq!(explained.decision, snapshot.decide_one(snapshot.find("form").unwrap(), &subject));
        explained.decision.step()
    };
    let people = || Some(Audience { users: ["42".into()].into(), ..Audience::default() });
    assert_eq!(step(Flag { allow: people(), ..trial("form") }, someone), DecisionStep::Allow);
    assert_eq!(step(Flag { deny: people(), ..trial("form") }, someone), DecisionStep::Deny);
    let rule = Rule::new(Conditions(vec![]), Serve::Variant(VariantId::ON));
    assert_eq!(step(Flag { rules: vec![rule], ..trial("form") }, someone), DecisionStep::Rule);
    let pin = Pin { variant: VariantId::ON, variable: "FLAGSTAFF_FLAG_FORM".into() };
    assert_eq!(step(Flag { pin: Some(pin), ..trial("form") }, someone), DecisionStep::Pinned);
    let id = snapshot(vec![trial("form")], 5.0).find("form").unwrap();
    let forced = [ForcedVariant { flag: id, variant: VariantId::ON, signed: true }];
    assert_eq!(step(trial("form"), Subject { overrides: &forced, ..someone }), DecisionStep::Override);
    // what came of a draw earlier is no act
    let remembered = [StickyVariant { flag: id, variant: VariantId::ON, brought: false }];
    assert_eq!(step(trial("form"), Subject { sticky: &remembered, ..someone }), DecisionStep::Holdout);
}

#[test]
fn another_share_moves_only_those_between() {
    let held = |share: f64, id: &str| snapshot(vec![trial("form")], share).decide(&visitor(id)).get("form").step();
    for i in 0..3_000 {
        let id = format!("v{i}");
        let place = Draw::of("holdout", &id).position();
        for share in [5.0, 6.5, 1.0] {
            assert_eq!(
                held(share, &id) == DecisionStep::Holdout,
                f64::from(place) < share * 1000.0,
                "{id} at {share}"
            );
        }
    }
    let (one, other) = (Holdout::new(percent(5.0), None), Holdout::new(percent(7.0), None));
    assert_eq!(one.experiment_id(), other.experiment_id(), "the comparison goes on");
    let renewed = Holdout::new(percent(5.0), Some("holdout_2027"));
    assert_ne!(one.experiment_id(), renewed.experiment_id());
    let both = (0..20_000)
        .map(|i| format!("v{i}"))
        .filter(|id| one.holds(one.position(id)) && renewed.holds(renewed.position(id)));
    let both = both.count();
    assert!((30..=70).contains(&both), "{both} of 20,000 in both, where 50 are due");
}

/// Pearson's χ² of a table of two rows.
fn chi_square(table: &[[f64; 10]; 2]) -> f64 {
    let all: f64 = table.iter().flatten().sum();
    let column = |j: usize| table[0][j] + table[1][j];
    let cell = |(i, j): (usize, usize)| {
        let due = table[i].iter().sum::<f64>() * column(j) / all;
        (table[i][j] - due).powi(2) / due
    };
    (0..2).flat_map(|i| (0..10).map(move |j| (i, j))).map(cell).sum()
}

#[test]
fn being_held_out_tells_nothing_of_a_flags_draw() {
    // 27.88 is passed once in a thousand with nine degrees of freedom, 44.8 once in a million
    let holdout = Holdout::new(percent(10.0), None);
    let ids: Vec<_> = (0..100_000).map(|i| format!("visitor-{i}")).collect();
    for flag in ["form", "price", "checkout", "holdout_page", "a"] {
        for draw in [Draw::position as fn(Draw) -> u32, Draw::split] {
            let mut table = [[0.0; 10]; 2];
            for id in &ids {
                let held = usize::from(holdout.holds(holdout.position(id)));
                table[held][(draw(Draw::of(flag, id)) / 10_000) as usize] += 1.0;
            }
            let chi_square = chi_square(&table);
            assert!(chi_square < 44.8, "{flag}: {chi_square}");
        }
    }
    // and the test would see it, if the salts were the same
    let mut table = [[0.0; 10]; 2];
    for id in &ids {
        let held = usize::from(holdout.holds(holdout.position(id)));
        table[held][(Draw::of("holdout", id).position() / 10_000) as usize] += 1.0;
    }
    assert!(chi_square(&table) > 1e4);
}

#[test]
fn an_experiment_is_met_by_the_held_as_by_everybody_else() {
    let base = trial("base");
    let second = Flag {
        requires: vec![Requirement { flag: name("base"), variant: None }],
        exposed_on: vec![Route::new("GET /second").unwrap()],
        ..trial("second")
    };
    let allowed =
        Flag { allow: Some(Audience { users: ["42".into()].into(), ..Audience::default() }), ..trial("allowed") };
    let base = Flag { exposed_on: vec![Route::new("GET /base").unwrap()], ..base };
    let snapshot =
        snapshot(vec![base, second, Flag { exposed_on: vec![Route::new("GET /vip").unwrap()], ..allowed }], 20.0);
    let (base, user) = (snapshot.find("base").unwrap(), User { id: "42".into(), ..User::default() });
    for i in 0..500 {
        let id = format!("v{i}");
        let decisions = snapshot.decide(&visitor(&id));
        let meets =
            |path: &str, named: &[FlagId]| decisions.exposes_experiment(&snapshot.met("GET", path, true), named);
        let met = [meets("/base", &[]), meets("/second", &[]), meets("/other", &[]), meets("/other", &[base])];
        assert_eq!(met, [true, true, false, true], "{id}");
        let named = snapshot.decide(&visitor(&id).user(&user));
        assert!(!named.exposes_experiment(&snapshot.met("GET", "/vip", true), &[]), "named people are in no draw");
    }
}

/// What is said of the shares is what visitors get.
#[test]
fn variants_have_the_shares_that_are_expected() {
    let half = Flag { percent: Some(percent(50.0)), ..trial("half") };
    let colours = named("colours", &[("red", 20.0), ("green", 80.0)]);
    let colours = Flag { percent: Some(percent(25.0)), ..colours };
    let sliced = Flag { percent: Some(percent(100.0)), ..trial("sliced") };
    let slice = |from, to| Slice { flag: name("sliced"), from: percent(from), to: percent(to) };
    let layer = ExclusionLayer::new(name("both"), vec![slice(0.0, 10.0), slice(60.0, 80.0)]);
    let off = Flag { enabled: false, ..trial("off_now") };
    let snapshot = with_layers(vec![half, colours, sliced, off], vec![layer], 20.0);
    let tripped = RecordedFacts { tripped: vec![(name("half"), Definition(0))], ..RecordedFacts::default() };
    let snapshots = [Arc::clone(&snapshot), Arc::new(snapshot.with_facts(&tripped))];
    for snapshot in snapshots {
        let mut counts: Vec<Vec<f64>> =
            snapshot.flags().iter().map(|flag| vec![0.0; flag.variants.names().len()]).collect();
        for i in 0..20_000 {
            let decisions = snapshot.decide(&visitor(&format!("v{i}")));
            for (counts, (_, _, decision)) in counts.iter_mut().zip(decisions.iter()) {
                counts[decision.variant().index()] += 100.0 / 20_000.0;
            }
        }
        for (id, counts) in snapshot.ids().zip(counts) {
            let expected = snapshot.expected_shares(id, now());
            assert!((expected.iter().sum::<f64>() - 100.0).abs() < 1e-9, "{expected:?}");
            let is_near = expected.iter().zip(&counts).all(|(expected, counted)| (expected - counted).abs() < 1.5);
            assert!(
                is_near && expected.len() == counts.len(),
                "{}: {expected:?} {counts:?}",
                snapshot.flag(id).unwrap().name
            );
        }
    }
}

fn any_flag(text: &'static str) -> impl Strategy<Value = Flag> {
    let weights = prop_oneof![
        Just(None),
        Just(Some(vec![("a", 50.0), ("b", 50.0)])),
        Just(Some(vec![("a", 0.0), ("b", 100.0)])),
        Just(Some(vec![("off", 30.0), ("on", 70.0)])),
    ];
    let sticky = prop_oneof![Just(None), Just(Some(Sticky::None)), Just(Some(Sticky::Visitor))];
    let bucket_by = prop_oneof![Just(BucketBy::Visitor), Just(BucketBy::User), Just(BucketBy::Session)];
    (weights, proptest::option::of(0..=100u32), sticky, bucket_by, any::<bool>()).prop_map(
        move |(weights, share, sticky, bucket_by, ruled)| Flag {
            variants: weights.map_or_else(Variants::off_and_on, |weights| Variants::weighted(weights).unwrap()),
            percent: share.map(|share| percent(f64::from(share))),
            sticky,
            bucket_by,
            rules: if ruled {
                let country = Condition::Value(Key::Country, Matcher::Pattern(Glob::any_case("de")));
                vec![Rule::new(Conditions(vec![country]), Serve::Percent(percent(50.0)))]
            } else {
                vec![]
            },
            ..trial(text)
        },
    )
}

proptest! {
    #[test]
    fn nobody_held_out_is_ever_counted(
        one in any_flag("one"),
        two in any_flag("two"),
        share in 0..=100u32,
        unit in "[a-z0-9]{1,12}",
        country in proptest::option::of(Just("DE")),
        remembered in any::<bool>(),
        layered in any::<bool>(),
    ) {
        let slice = |flag: &str, from, to| Slice { flag: name(flag), from: percent(from), to: percent(to) };
        let two = Flag { bucket_by: if layered { one.bucket_by.clone() } else { two.bucket_by.clone() }, ..two };
        let layer = ExclusionLayer::new(name("shelf"), vec![slice("one", 0.0, 60.0), slice("two", 60.0, 100.0)]);
        let layers = if layered { vec![layer] } else { vec![] };
        let flags = vec![one, two];
        let with = with_layers(flags.clone(), layers.clone(), f64::from(share));
        let without = with_layers(flags, layers, 0.0);
        let user = User { id: format!("user-{unit}"), ..User::default() };
        let held: Vec<_> = with.ids().map(|flag| StickyVariant { flag, variant: VariantId::ON, brought: false }).collect();
        let subject = Subject {
            session: Some("session"),
            country,
            sticky: if remembered { &held } else { &[] },
            ..visitor(&unit).user(&user)
        };
        let is_held = Draw::of("holdout", &unit).position() < share * 1000;
        for ((_, flag, a), (.., b)) in with.decide(&subject).iter().zip(without.decide(&subject).iter()) {
            if is_held {
                prop_assert!(!a.is_counted());
                prop_assert!(a.variant() == b.variant() || a.step() == DecisionStep::Holdout && a.variant() == flag.variants.control());
            } else {
                prop_assert_eq!((a.variant(), a.step(), a.is_counted()), (b.variant(), b.step(), b.is_counted()));
            }
        }
    }
}
