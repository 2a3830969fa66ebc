//! Rules that leave those whom their share leaves out to the next rule.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::{
    BucketBy, Conditions, Decision, DecisionStep, Draw, Flag, Formula, Hash, HashSettings, Name, Otherwise, Percent,
    Rule, Serve, Snapshot, Subject, VariantId, Variants,
};
use jiff::Timestamp;

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn flag(rules: Vec<Rule>, share: f64) -> Flag {
    Flag { rules, percent: Some(percent(share)), ..Flag::new(Name::new("f").unwrap()) }
}

/// A rule for everybody.
fn rule(share: f64, otherwise: Otherwise) -> Rule {
    Rule { otherwise, ..Rule::new(Conditions(vec![]), Serve::Percent(percent(share))) }
}

fn by(formula: Formula) -> Option<Hash> {
    Hash::new(&HashSettings::new(formula), "f").ok()
}

fn snapshot(flag: Flag) -> Arc<Snapshot> {
    Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap())
}

fn visitor(id: &str) -> Subject<'_> {
    Subject::at(Timestamp::UNIX_EPOCH).visitor(id)
}

fn decisions(flag: Flag) -> Vec<(u32, Decision)> {
    let snapshot = snapshot(flag);
    let ids = (0..2000).map(|i| format!("v{i}"));
    ids.map(|id| (Draw::of("f", &id).position(), snapshot.decide(&visitor(&id)).get("f"))).collect()
}

#[test]
fn who_is_left_over_is_decided_by_what_comes_next() {
    let serve = Rule::new(Conditions(vec![]), Serve::Variant(VariantId::ON));
    for (position, decision) in decisions(flag(vec![rule(20.0, Otherwise::Next), serve], 0.0)) {
        assert_eq!((decision.variant(), decision.step()), (VariantId::ON, DecisionStep::Rule), "{position}");
    }
    for (position, decision) in decisions(flag(vec![rule(20.0, Otherwise::Next)], 50.0)) {
        let step = if position < 20_000 { DecisionStep::Rule } else { DecisionStep::Percent };
        assert_eq!((decision.variant() == VariantId::ON, decision.step()), (position < 50_000, step), "{position}");
    }
    for (position, decision) in decisions(flag(vec![rule(20.0, Otherwise::Control)], 50.0)) {
        assert_eq!((decision.variant() == VariantId::ON, decision.step()), (position < 20_000, DecisionStep::Rule));
    }
}

#[test]
fn without_a_unit_the_next_rule_is_asked() {
    let serve = Rule::new(Conditions(vec![]), Serve::Variant(VariantId::ON));
    let of = |otherwise| {
        let flag = flag(vec![rule(20.0, otherwise), serve.clone()], 0.0);
        snapshot(Flag { bucket_by: BucketBy::User, ..flag }).decide(&visitor("v")).get("f").variant()
    };
    assert_eq!((of(Otherwise::Next), of(Otherwise::Control)), (VariantId::ON, VariantId::OFF));
}

#[test]
fn whom_the_same_number_left_over_is_not_counted() {
    let counted = |flag: Flag| {
        let all = decisions(flag);
        let drawn = all.iter().filter(|(_, decision)| decision.step() == DecisionStep::Percent);
        let counted: Vec<_> = drawn.map(|(_, decision)| decision.is_counted()).collect();
        assert!(counted.len() > 1000 && counted.iter().all(|one| *one == counted[0]));
        counted[0]
    };
    let next = || rule(20.0, Otherwise::Next);
    let variants = || Variants::weighted([("a", 50.0), ("b", 50.0)]).unwrap();
    assert!(!counted(flag(vec![next()], 50.0)), "off and on by the number of the rule");
    assert!(counted(flag(vec![Rule { hash: by(Formula::Flipper), ..next() }], 50.0)), "another number");
    assert!(
        counted(Flag { variants: variants(), ..flag(vec![next()], 100.0) }),
        "variants have a number of their own"
    );
    let one_number = Flag { variants: variants(), hash: by(Formula::Flagd), ..flag(vec![next()], 100.0) };
    assert!(!counted(one_number), "variants by the number of the rule");
}

#[test]
fn explain_tells_whom_a_rule_leaves_over() {
    let serve = Rule::new(Conditions(vec![]), Serve::Variant(VariantId::ON));
    let all = snapshot(flag(vec![rule(20.0, Otherwise::Next), serve], 0.0));
    let out = (0..).map(|i| format!("v{i}")).find(|id| Draw::of("f", id).position() > 20_000).unwrap();
    let explained = all.explain("f", &visitor(&out));
    let told = &explained.trace.iter().find(|step| step.step == DecisionStep::Rule).unwrap().detail;
    let position = Draw::of("f", &out).position();
    let wanted = format!(
        "rule 1 takes 20 percent and leaves the others to the next: position {position} is not below 20000; rule 2 serves on"
    );
    assert_eq!(*told, wanted);
}
