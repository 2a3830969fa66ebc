//! Who meets a flag, which experiment it is, which goals a request reaches.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn flag(text: &str, percent: f64) -> Flag {
    Flag { percent: Some(Percent::new(percent).unwrap()), ..Flag::new(name(text)) }
}

fn goal(text: &str, trigger: Trigger) -> Goal {
    Goal { name: name(text), trigger }
}

fn snapshot(flags: Vec<Flag>, goals: Vec<Goal>) -> Arc<Snapshot> {
    Arc::new(Snapshot::new("test", flags, goals, vec![], vec![]).unwrap())
}

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn experiment(flag: Flag) -> ExperimentId {
    let snapshot = snapshot(vec![flag], vec![]);
    snapshot.experiment_id(snapshot.ids().next().unwrap())
}

#[test]
fn an_experiment_goes_on_while_it_draws_alike() {
    let first = experiment(flag("form", 10.0));
    assert_eq!(first, experiment(flag("form", 50.0)));
    assert_eq!(
        first,
        experiment(Flag { owner: Some("growth".into()), definition: Definition(7), ..flag("form", 10.0) })
    );
    assert_ne!(first, experiment(flag("other", 10.0)));
    assert_ne!(first, experiment(Flag { salt: Some("again".into()), ..flag("form", 10.0) }));
    assert_ne!(first, experiment(Flag { bucket_by: BucketBy::User, ..flag("form", 10.0) }));
    let named =
        |weights: [(&str, f64); 2]| Flag { variants: Variants::weighted(weights).unwrap(), ..flag("form", 10.0) };
    assert_eq!(experiment(named([("a", 50.0), ("b", 50.0)])), experiment(named([("a", 90.0), ("b", 10.0)])));
    assert_ne!(experiment(named([("a", 50.0), ("b", 50.0)])), experiment(named([("b", 50.0), ("a", 50.0)])));
}

#[test]
fn a_visitor_meets_it_where_it_is_written() {
    let mut form = flag("form", 50.0);
    assert!(form.is_exposed_on("GET", "/any", true) && !form.is_exposed_on("GET", "/style.css", false));
    form.exposed_on = vec![Route::new("GET /contact*").unwrap()];
    assert!(form.is_exposed_on("GET", "/contact", false) && !form.is_exposed_on("GET", "/", true));
    assert!(!form.is_exposed_on("POST", "/contact", true));
    // who uses no pages must be guarded too
    let step = RolloutStep { percent: Percent::ALL, hold: Hold::End, min_visitors: None };
    let rising = Flag { rollout: Some(Rollout::new(None, vec![step]).unwrap()), ..flag("rising", 50.0) };
    let guarded = Flag { guard: Some(Guard::new(0.01).unwrap()), ..flag("guarded", 50.0) };
    assert!([rising, guarded].iter().all(|flag| flag.is_exposed_on("POST", "/api", false)));
}

#[test]
fn a_guard_cannot_watch_who_leaves() {
    let mut guard = Guard::new(0.01).unwrap();
    guard.goals = vec![name("left")];
    let left = goal("left", Trigger::Bounce { after: std::time::Duration::from_secs(60) });
    let form = Flag { guard: Some(guard), goals: vec![name("left")], ..flag("form", 50.0) };
    let problems = Snapshot::new("test", vec![form], vec![left], vec![], vec![]).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].to_string().contains("cannot watch"), "{}", problems[0]);
}

#[test]
fn only_those_drawn_are_exposed() {
    let forced = Flag { allow: None, percent: None, ..flag("all", 0.0) };
    let anew = Flag { bucket_by: BucketBy::Request, ..flag("anew", 50.0) };
    let off = Flag { enabled: false, ..flag("off_switch", 50.0) };
    let snapshot = snapshot(vec![flag("half", 50.0), forced, anew, off, flag("none", 0.0)], vec![]);
    let decisions = snapshot.decide(&Subject { request: Some("r"), ..Subject::at(now()).visitor("v") });
    let met: Vec<_> = decisions.exposed("GET", "/", true).map(|(_, flag, _)| flag.name.as_str()).collect();
    assert_eq!(met, ["half"]);
    assert_eq!(decisions.exposed("GET", "/", false).count(), 0);
}

#[test]
fn a_step_of_a_rollout_sets_the_arms() {
    let step = |percent, hold| RolloutStep { percent: Percent::new(percent).unwrap(), hold, min_visitors: None };
    let steps = vec![step(1.0, Hold::Approval), step(25.0, Hold::End)];
    let rollout = Flag { rollout: Some(Rollout::new(None, steps).unwrap()), ..Flag::new(name("checkout")) };
    let first = snapshot(vec![rollout], vec![]);
    let id = first.find("checkout").unwrap();
    let on =
        |snapshot: &Snapshot| snapshot.arms(id, now()).iter().find(|arm| arm.variant == VariantId::ON).unwrap().to;
    assert_eq!(on(&first), 1_000);
    let facts = RecordedFacts { steps: vec![(name("checkout"), Definition(0), 1)], ..RecordedFacts::default() };
    let second = first.with_facts(&facts);
    assert_eq!((on(&second), second.step(id)), (25_000, 1));
    let flag = first.flag(id).unwrap();
    assert_eq!([flag.shares(0), flag.shares(1)], [[99_000, 1_000], [75_000, 25_000]]);
    assert_eq!([VariantId::OFF, VariantId::ON].map(|variant| flag.arm(variant)), [Some(0), Some(1)]);
}

#[test]
fn goals_are_reached_by_requests_and_events() {
    let sent = Trigger::Request { route: Route::new("POST /contact").unwrap(), status: StatusSet::accepted() };
    let paid = |value| Trigger::Event(EventGoal { value, ..EventGoal::new("order_paid") });
    let bounced = Trigger::Bounce { after: std::time::Duration::from_secs(60) };
    let goals = vec![
        goal("sent", sent),
        goal("paid", paid(EventValue::Sum)),
        goal("paid_once", paid(EventValue::Count)),
        goal("bounced", bounced),
    ];
    let with = snapshot(vec![], goals);
    let reached = |method, path, status| -> Vec<&str> {
        with.goals_reached(method, path, status).map(|goal| goal.name.as_str()).collect()
    };
    assert_eq!(reached("POST", "/contact", 303), ["sent"]);
    assert!(reached("POST", "/contact", 422).is_empty() && reached("GET", "/contact", 200).is_empty());
    let of: Vec<_> = with
        .goals_of_event("order_paid")
        .map(|(goal, event)| (goal.name.as_str(), event.value == EventValue::Sum))
        .collect();
    assert_eq!(of, [("paid", true), ("paid_once", false)]);
    assert_eq!(with.goals_of_event("other").count(), 0);
}

#[test]
fn units_of_every_kind_have_names_of_their_own() {
    assert_eq!(BucketBy::Visitor.key("abc"), "abc");
    assert_eq!(BucketBy::User.key("42"), "user:42");
    assert_eq!(BucketBy::Header("x-org".into()).key("acme"), "header.x-org:acme");
}

proptest! {
    /// The arms say beforehand what the draw does: a unit that is drawn gets the variant at its place.
    #[test]
    fn arms_foretell_the_draw(unit in "[a-z0-9]{1,12}", percent in 1..100_000u32, weights in 1..100u32, own in any::<bool>()) {
        let share = Percent::from_thousandths(percent);
        let mut form = Flag { percent: Some(share), ..Flag::new(name("form")) };
        if own {
            let a = f64::from(weights);
            form.variants = Variants::weighted([("a", a), ("b", 100.0 - a)]).unwrap();
        }
        let snapshot = snapshot(vec![form.clone()], vec![]);
        let subject = Subject::at(now()).visitor(&unit);
        let decision = snapshot.decide(&subject).get("form");
        let place = form.position(&unit);
        let arms = snapshot.arms(snapshot.find("form").unwrap(), now());
        let holder = arms.iter().find(|arm| (arm.from..arm.to).contains(&place)).unwrap();
        if decision.is_counted() {
            prop_assert_eq!(holder.variant, decision.variant());
        }
        prop_assert_eq!(snapshot.drawn(snapshot.find("form").unwrap(), &subject), Some(holder.variant));
        let sum: u32 = arms.iter().map(|arm| arm.to - arm.from).sum();
        prop_assert_eq!(sum, Percent::WHOLE);
    }
}
