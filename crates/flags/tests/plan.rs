//! The plan of a snapshot decides what the steps decide, for any flags and any subject.
#![allow(clippy::unwrap_used, reason = "tests may fail loudly")]

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::*;
use jiff::Timestamp;
use proptest::prelude::*;

const FLAGS: usize = 8;
const USERS: [&str; 6] = ["ann", "bob", "cleo", "dan", "eve", ""];
const LONG: &str = "a_salt_that_is_so_long_that_no_message_with_it_fits_one_block_and_hardly_one_fits_two";

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Numbers that choose: from each, one of some things is read off.
#[derive(Clone, Debug)]
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

    fn some<T>(&mut self, one_in: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(one_in).then(|| make(self))
    }

    fn users(&mut self) -> Vec<&'static str> {
        (0..=self.below(3)).map(|_| self.pick(&USERS)).collect()
    }
}

fn percent(choices: &mut Choices) -> Percent {
    Percent::from_thousandths(choices.pick(&[0, 1, 20_000, 50_000, 99_999, 100_000]))
}

fn variants(choices: &mut Choices) -> Variants {
    let lists: [&[(&str, f64)]; 4] = [
        &[("a", 50.0), ("b", 30.0), ("c", 20.0)],
        &[("a", 0.0), ("b", 100.0)],
        &[("off", 40.0), ("x", 60.0)],
        &[("a", 100.0)],
    ];
    match choices.below(7) {
        list @ 0..4 => Variants::weighted(lists[list].iter().copied()).unwrap(),
        _ => Variants::off_and_on(),
    }
}

fn owned(list: Vec<&'static str>) -> impl Iterator<Item = String> {
    list.into_iter().map(ToOwned::to_owned)
}

fn audience(choices: &mut Choices) -> Audience {
    let users = owned(choices.users()).collect();
    match choices.below(6) {
        0 => Audience { groups: owned(vec!["staff"]).collect(), users, ..Audience::default() },
        1 => Audience { authenticated: true, ..Audience::default() },
        2 => Audience { languages: owned(vec!["de"]).collect(), ..Audience::default() },
        3 => Audience { segments: vec![name("near")], users, ..Audience::default() },
        _ => Audience { users, ..Audience::default() },
    }
}

fn condition(choices: &mut Choices) -> Condition {
    let word = choices.pick(&USERS);
    match choices.below(8) {
        0 => Condition::Value(Key::User, Matcher::Pattern(Glob::new(word))),
        1 => Condition::Value(Key::User, Matcher::Pattern(Glob::new("*e*"))),
        2 => Condition::Value(Key::User, Matcher::OneOf(WordList::any_case(choices.users()))),
        3 => Condition::Value(Key::Country, Matcher::OneOf(WordList::any_case(["AT", "DE"]))),
        4 => Condition::Not(Box::new(Condition::Value(Key::User, Matcher::Pattern(Glob::new(word))))),
        5 => Condition::After(start()),
        _ => Condition::Value(Key::User, Matcher::OneOf(WordList::new(choices.users()))),
    }
}

fn rule(choices: &mut Choices, variants: &Variants) -> Rule {
    let when = Conditions((0..choices.pick(&[0, 1, 1, 1, 1, 2])).map(|_| condition(choices)).collect());
    let last = variants.names().last().unwrap();
    let serve = match choices.below(4) {
        0 => Serve::Percent(percent(choices)),
        1 => Serve::OFF,
        _ => Serve::Variant(variants.find(last).unwrap()),
    };
    let otherwise = if choices.one_in(2) { Otherwise::Next } else { Otherwise::Control };
    let hash = choices.some(4, |_| Hash::new(&HashSettings::new(Formula::GrowthBook), "f").unwrap());
    let ranges = hash.as_ref().filter(|_| variants.are_named()).map(|_| variants.ranges().to_vec());
    Rule { otherwise, hash, ranges, ..Rule::new(when, serve) }
}

fn start() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn rollout(choices: &mut Choices) -> Rollout {
    let step =
        |thousandths, hold| RolloutStep { percent: Percent::from_thousandths(thousandths), hold, min_visitors: None };
    let hold = Hold::For(Duration::from_secs(60));
    let last = if choices.one_in(2) { Hold::End } else { hold };
    let steps = vec![step(choices.pick(&[0, 10_000]), hold), step(50_000, Hold::Approval), step(100_000, last)];
    Rollout::new(choices.some(2, |_| start()), steps).unwrap()
}

fn flag(i: usize, choices: &mut Choices) -> Flag {
    let variants = variants(choices);
    let requirement = |choices: &mut Choices| {
        let variant = choices.some(2, |choices| choices.pick(&["off", "on", "a"]).to_owned());
        Requirement { flag: name(&format!("f{}", choices.below(i))), variant }
    };
    let units =
        ["visitor", "visitor", "visitor", "visitor", "user", "session", "request", "header.x-unit", "cookie.unit"];
    let rollout = choices.some(4, rollout);
    Flag {
        enabled: !choices.one_in(12),
        percent: if rollout.is_some() {
            None
        } else {
            choices.some(2, percent).or(Some(Percent::from_thousandths(50_000)))
        },
        rollout,
        hash: choices.some(8, |_| Hash::new(&HashSettings::new(Formula::Unleash), "f").unwrap()),
        salt: choices.some(4, |choices| choices.pick(&["same", "s", LONG]).to_owned()),
        bucket_by: BucketBy::new(choices.pick(&units)).unwrap(),
        sticky: choices.pick(&[None, Some(Sticky::None), Some(Sticky::Session), Some(Sticky::Visitor)]),
        requires: if i > 0 && choices.one_in(6) { vec![requirement(choices)] } else { vec![] },
        allow: choices.some(4, audience),
        deny: choices.some(6, audience),
        rules: (0..choices.pick(&[0, 0, 0, 1, 3])).map(|_| rule(choices, &variants)).collect(),
        goals: if choices.one_in(3) { vec![name("sent")] } else { vec![] },
        testing: choices.one_in(2),
        pin: choices.some(16, |_| Pin { variant: VariantId::ON, variable: "PIN".into() }),
        definition: Definition(u64::try_from(i).unwrap()),
        variants,
        ..Flag::new(name(&format!("f{i}")))
    }
}

fn snapshot(choices: &mut Choices) -> Arc<Snapshot> {
    let mut flags: Vec<_> = (0..FLAGS).map(|i| flag(i, choices)).collect();
    for flag in &mut flags {
        // what a variant is called differs from flag to flag
        flag.requires
            .iter_mut()
            .for_each(|requirement| requirement.variant = requirement.variant.take().filter(|v| v == "off"));
    }
    let slice = |flag: &str, from, to| Slice {
        flag: name(flag),
        from: Percent::from_thousandths(from),
        to: Percent::from_thousandths(to),
    };
    let slices = vec![slice("f0", 0, 30_000), slice("f1", 30_000, 80_000), slice("f0", 80_000, 90_000)];
    let layers = vec![ExclusionLayer::new(name("shelf"), slices)];
    if choices.one_in(2) {
        // flags of one layer draw by one unit
        flags[1].bucket_by = flags[0].bucket_by.clone();
    }
    let near = Segment { name: name("near"), any: vec![Conditions(vec![condition(choices)])] };
    let goals = vec![Goal { name: name("sent"), trigger: Trigger::Event(EventGoal::new("sent")) }];
    let same_unit = flags[0].bucket_by == flags[1].bucket_by;
    let layers = if same_unit && choices.one_in(2) { layers } else { vec![] };
    let all = Snapshot::new("test", flags, goals, vec![near], layers).unwrap();
    let all = all.with_holdout(choices.some(2, |_| Holdout::new(Percent::from_thousandths(40_000), None)));
    let mut facts = RecordedFacts { unknown: choices.one_in(8), ..RecordedFacts::default() };
    for i in 0..FLAGS {
        let (name, definition) = (name(&format!("f{i}")), Definition(u64::try_from(i).unwrap()));
        facts.tripped.extend(choices.some(12, |_| (name.clone(), definition)));
        facts.switched_off.extend(choices.some(16, |_| (name.clone(), "somebody".into())));
        facts.steps.push((name, definition, choices.below(4)));
    }
    Arc::new(if choices.one_in(3) { all } else { all.with_facts(&facts) })
}

/// A header and a cookie by which flags draw.
struct Units(Option<&'static str>);

impl Attributes for Units {
    fn header(&self, name: &str) -> Option<&str> {
        self.0.filter(|_| name == "x-unit")
    }
    fn cookie(&self, name: &str) -> Option<&str> {
        self.0.filter(|_| name == "unit")
    }
    fn query(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
    fn attribute(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// Has the plan and the steps decide for one subject.
fn compare(snapshot: &Arc<Snapshot>, choices: &mut Choices, made: &mut Decisions) {
    let ids = ["v1", "JhoB6FefJzcxCplLENynrQ", LONG, "ä-visitor-with-a-name-of-forty-eight-bytes-in-all"];
    let id = |choices: &mut Choices| choices.pick(&ids);
    let flags: Vec<_> = snapshot.ids().collect();
    let any = |choices: &mut Choices| {
        let flag = choices.pick(&flags);
        let names = snapshot.flag(flag).unwrap().variants.names().to_vec();
        (flag, snapshot.flag(flag).unwrap().variants.find(&choices.pick(&names)).unwrap())
    };
    let user = choices.some(2, |choices| User {
        id: choices.pick(&USERS).into(),
        groups: choices.some(2, |_| "staff".to_owned()).into_iter().collect(),
        roles: vec![],
    });
    let sticky: Vec<_> = (0..choices.pick(&[0, 0, 3]))
        .map(|_| (any(choices), choices.one_in(4)))
        .map(|((flag, variant), brought)| StickyVariant { flag, variant, brought })
        .collect();
    let overrides: Vec<_> = (0..choices.pick(&[0, 0, 3]))
        .map(|_| (any(choices), choices.one_in(2)))
        .map(|((flag, variant), signed)| ForcedVariant { flag, variant, signed })
        .collect();
    let former_draws = choices.some(6, |_| snapshot.draws("earlier", Some("earlier"))).unwrap_or_default();
    let units = Units(choices.some(2, |_| "unit-1"));
    let day = choices.pick(&["2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z", "2027-01-01T00:00:00Z"]);
    let subject = Subject {
        visitor: (!choices.one_in(5)).then(|| id(choices)),
        session: choices.some(2, id),
        request: choices.some(2, id),
        user: user.as_ref(),
        country: choices.some(2, |_| "AT"),
        language: choices.some(2, |_| "de-AT"),
        attributes: &units,
        sticky: &sticky,
        former_draws: &former_draws,
        overrides: &overrides,
        ..Subject::at(day.parse().unwrap())
    };
    let decisions = snapshot.decide(&subject);
    made.decide_again(&subject);
    for (id, flag, decision) in decisions.iter() {
        let explanation = snapshot.explain(flag.name.as_str(), &subject);
        assert_eq!(decision, explanation.decision, "{}: {:#?}\n{flag:#?}", flag.name, explanation.trace);
        assert_eq!(snapshot.decide_one(id, &subject), decision, "{} alone", flag.name);
        assert_eq!(made.of(id), decision, "{} after another subject", flag.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn the_plan_decides_what_the_steps_decide(seed in any::<u64>()) {
        let mut choices = Choices(seed);
        let snapshot = snapshot(&mut choices);
        let mut made = snapshot.undecided();
        for _ in 0..10 {
            compare(&snapshot, &mut choices, &mut made);
        }
    }
}

#[test]
fn many_flags_of_one_unit() {
    let half = |i| Flag { percent: Some(Percent::from_thousandths(50_000)), ..Flag::new(name(&format!("f{i}"))) };
    for count in [1, 7, 8, 9, 64, 65, 200] {
        let all = Arc::new(Snapshot::new("test", (0..count).map(half).collect(), vec![], vec![], vec![]).unwrap());
        for visitor in ["a", "b", "JhoB6FefJzcxCplLENynrQ"] {
            let decisions = all.decide(&Subject::at(start()).visitor(visitor));
            for (_, flag, decision) in decisions.iter() {
                let is_on = Draw::of(flag.salt(), visitor).position() < 50_000;
                assert_eq!(decision.variant() == VariantId::ON, is_on, "{} for {visitor}", flag.name);
            }
        }
    }
}
