//! The flags and visitors of the benches of deciding, the same for us and for others.
#![allow(unreachable_pub, reason = "two programs have this file as a module")]

use std::sync::Arc;

use flagstaff_flags::{
    Audience, Condition, Conditions, Flag, Key, Matcher, Name, Percent, Rule, Serve, Snapshot, VariantId, Variants,
    WordList,
};

/// What decides about a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Off for everybody.
    Off,
    /// On for everybody.
    On,
    /// On for this share, in percent.
    Percent(u32),
    /// Three variants.
    Variants,
}

/// The variants of a flag that has three, with their weights.
pub const VARIANTS: [(&str, u32); 3] = [("plain", 50), ("red", 30), ("blue", 20)];

/// Visitors, one after the other.
pub const VISITORS: usize = 10_000;

/// A flag of ten is of this kind: in fifty flags twenty are off, ten on, fifteen by percentage, and five have three variants. The
/// first is by percentage, so that one flag is one draw.
const OF_TEN: [Kind; 10] = [
    Kind::Percent(25),
    Kind::Off,
    Kind::Off,
    Kind::On,
    Kind::Percent(50),
    Kind::Off,
    Kind::Variants,
    Kind::Percent(5),
    Kind::On,
    Kind::Off,
];

/// So many flags, by name.
pub fn flags(count: usize) -> Vec<(String, Kind)> {
    let name = |kind: Kind, i| match kind {
        Kind::Off => format!("old_banner_{i:03}"),
        Kind::On => format!("new_header_{i:03}"),
        Kind::Percent(_) => format!("checkout_{i:03}"),
        Kind::Variants => format!("button_{i:03}"),
    };
    OF_TEN.into_iter().cycle().take(count).enumerate().map(|(i, kind)| (name(kind, i), kind)).collect()
}

/// Ids of visitors, as long as those that Flagstaff gives them.
pub fn visitors() -> Vec<String> {
    (0..VISITORS)
        .map(|i| format!("visitor-{:014x}", (i as u64 + 1).wrapping_mul(0x009e_3779_b97f_4a7d) >> 8))
        .collect()
}

/// Ids of users. Every fifth of them is in one of the lists.
pub fn users() -> Vec<String> {
    (0..VISITORS).map(|i| format!("user-{i:05}")).collect()
}

/// Twenty lists of a hundred users.
pub fn lists() -> Vec<Vec<String>> {
    (0..20).map(|list| (0..100).map(|i| format!("user-{:05}", (list * 100 + i) * 5)).collect()).collect()
}

/// A list of so many users, of which the first exists.
pub fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("user-{i:05}")).collect()
}

/// The flags as Flagstaff knows them.
pub fn snapshot(flags: &[(String, Kind)]) -> Arc<Snapshot> {
    let flag = |(name, kind): &(String, Kind)| {
        let flag = Flag::new(Name::new(name).unwrap());
        match kind {
            Kind::Off => Flag { enabled: false, ..flag },
            Kind::On => flag,
            Kind::Percent(percent) => Flag { percent: Some(Percent::from_thousandths(percent * 1000)), ..flag },
            Kind::Variants => {
                let weights = VARIANTS.map(|(name, weight)| (name, f64::from(weight)));
                Flag { variants: Variants::weighted(weights).unwrap(), ..flag }
            }
        }
    };
    checked(flags.iter().map(flag).collect())
}

/// A flag with a rule for each list.
pub fn snapshot_of_rules(lists: &[Vec<String>]) -> Arc<Snapshot> {
    let rule = |list: &Vec<String>| {
        let one_of = Matcher::OneOf(WordList::new(list.iter().map(String::as_str)));
        Rule::new(Conditions(vec![Condition::Value(Key::User, one_of)]), Serve::Variant(VariantId::ON))
    };
    let rules = lists.iter().map(rule).collect();
    checked(vec![Flag { percent: Some(Percent::ZERO), rules, ..Flag::new(Name::new("listed").unwrap()) }])
}

/// A flag that is on for named users.
pub fn snapshot_of_allowed(names: &[String]) -> Arc<Snapshot> {
    let allow = Audience { users: names.iter().cloned().collect(), ..Audience::default() };
    checked(vec![Flag {
        percent: Some(Percent::ZERO),
        allow: Some(allow),
        ..Flag::new(Name::new("allowed").unwrap())
    }])
}

fn checked(flags: Vec<Flag>) -> Arc<Snapshot> {
    Arc::new(Snapshot::new("bench", flags, vec![], vec![], vec![]).unwrap())
}
