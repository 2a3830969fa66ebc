//! Chains and the flags they become give the same, for every number and every set of conditions that hold.

use super::{Arm, Chain, Draw, Get, Pick, Step, on_and_off};
use crate::input::Node;
use crate::model::{Condition, Flag, Hash, HashValue, Outcome, Rule, Share};

const KEYS: [&str; 3] = ["a", "b", "c"];

fn draw() -> Draw {
    Draw { hash: Hash::new("configcat").text("key", "k"), unit: "user".into() }
}

/// Whether a condition holds for somebody who has these keys.
fn holds(condition: &Condition, has: &[&str]) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Test(key, _) => has.contains(&key.as_str()),
        // Everybody who is drawn here has the id.
        Condition::Authenticated(known) => *known,
        Condition::All(list) => list.iter().all(|one| holds(one, has)),
        other => panic!("{other:?}"),
    }
}

/// What the chain gives.
fn there(chain: &Chain, has: &[&str], number: u32) -> Node {
    let pick = chain.steps.iter().filter(|step| holds(&step.condition, has)).find_map(|step| match &step.get {
        Get::Pick(pick) => Some(*pick),
        Get::Draw(_, parts) => parts.iter().find(|part| number < part.upto).and_then(|part| part.pick),
    });
    let Pick::Arm(arm) = pick.unwrap_or(Pick::Arm(chain.control)) else { panic!() };
    chain.arms[arm].value.clone().unwrap()
}

/// What the flag gives.
fn here(flag: &Flag, has: &[&str], number: u32) -> Node {
    let named = !flag.variants.is_empty();
    let value = |name: &str| match flag.variants.iter().find(|variant| variant.name == name) {
        Some(variant) => variant.value.clone().unwrap_or_else(|| Node::Text(name.into())),
        None => Node::Bool(name == "on"),
    };
    let order = |hash: Option<&Hash>| match hash.and_then(|hash| hash.keys.iter().find(|(key, _)| *key == "order")) {
        Some((_, HashValue::List(order))) => order.clone(),
        _ => flag.variants.iter().map(|variant| variant.name.clone()).collect(),
    };
    let by_weight = |weights: &[(String, Share)], hash| {
        let mut sum = 0;
        let weight =
            |name: &str| weights.iter().find(|(other, _)| other == name).map_or(0, |(_, w)| w.as_thousandths());
        order(hash).into_iter().find(|name| {
            sum += weight(name);
            number < sum
        })
    };
    let share = |share: Share, hash: Option<&Hash>| {
        let off_first = order(hash).first().is_some_and(|first| first == "off");
        let position = if off_first { 99_999 - number } else { number };
        Node::Bool(position < share.as_thousandths())
    };
    let is_left_over = |rule: &Rule| match &rule.outcome {
        Outcome::Percent(share) | Outcome::PercentOfVariants(share, _) => {
            rule.goes_on && number >= share.as_thousandths()
        }
        _ => false,
    };
    if let Some(rule) = flag.rules.iter().find(|rule| holds(&rule.condition, has) && !is_left_over(rule)) {
        let hash = rule.hash.as_ref().or(flag.hash.as_ref());
        return match &rule.outcome {
            Outcome::PercentOfVariants(_, weights) if rule.goes_on => value(&weights[0].0),
            Outcome::Serve(name) => value(name),
            Outcome::Percent(percent) => share(*percent, hash),
            Outcome::Variants(weights) => {
                // With a formula of its own, or where the flag has no order, as they are listed.
                let listed: Vec<_> = weights.iter().map(|(name, _)| name.clone()).collect();
                let own = Hash::new("configcat").list("order", listed);
                let ordered = flag.hash.as_ref().is_some_and(|hash| hash.keys.iter().any(|(key, _)| *key == "order"));
                let hash = if rule.hash.is_some() || !ordered { Some(&own) } else { flag.hash.as_ref() };
                value(&by_weight(weights, hash).unwrap())
            }
            other => panic!("{other:?}"),
        };
    }
    let nobody = if flag.rules.is_empty() { Share::EVERYBODY } else { Share::NOBODY };
    let percent = flag.percent.unwrap_or(nobody);
    if !named {
        return share(percent, flag.hash.as_ref());
    }
    let weights: Vec<_> = flag.variants.iter().map(|variant| (variant.name.clone(), variant.weight)).collect();
    match percent {
        Share::NOBODY => value(&flag.variants[0].name),
        _ => value(&by_weight(&weights, flag.hash.as_ref()).unwrap()),
    }
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn place(&mut self, of: usize) -> usize {
        usize::try_from(self.below(of as u64)).unwrap()
    }

    fn get(&mut self, arms: usize) -> Get {
        if self.below(3) == 0 {
            return Get::arm(self.place(arms));
        }
        let mut ends: Vec<u32> =
            (0..=self.below(3)).map(|_| u32::try_from(self.below(11)).unwrap() * 10_000).collect();
        ends.sort_unstable();
        let pick = |random: &mut Self| (random.below(4) > 0).then(|| Pick::Arm(random.place(arms)));
        let parts: Vec<_> = ends.into_iter().chain([100_000]).map(|upto| (upto, pick(self))).collect();
        Get::parts(draw(), parts.into_iter())
    }

    fn chain(&mut self) -> Chain {
        let arms = match self.below(2) {
            0 => on_and_off(),
            _ => (0..2 + self.below(2))
                .map(|n| Arm { name: format!("v{n}"), value: Some(Node::Text(format!("value {n}"))) })
                .collect(),
        };
        let step = |random: &mut Self| {
            let keys = KEYS.iter().filter(|_| random.below(3) == 0).map(|key| Condition::words(*key, ["x"]));
            let keys: Vec<_> = keys.collect();
            let condition = if keys.is_empty() { Condition::Always } else { Condition::All(keys) };
            Step::new(condition, random.get(arms.len()))
        };
        let steps = (0..self.below(5)).map(|_| step(self)).collect();
        Chain { control: self.place(arms.len()), arms, drawn: Vec::new(), steps }
    }
}

#[test]
fn a_flag_gives_what_its_chain_gives() {
    let mut random = Random(7);
    let mut drawn = 0;
    for _ in 0..3000 {
        let chain = random.chain();
        let mut flag = Flag::new("f");
        chain.clone().into_flag(&mut flag);
        assert!(flag.notes.is_empty(), "{:?}", flag.notes);
        drawn += usize::from(flag.hash.is_some());
        for held in 0..8_u32 {
            let has: Vec<&str> =
                KEYS.iter().enumerate().filter(|(at, _)| held & (1 << at) > 0).map(|(_, key)| *key).collect();
            for number in (0..10).map(|part| part * 10_000 + 5_000) {
                assert_eq!(
                    here(&flag, &has, number),
                    there(&chain, &has, number),
                    "{has:?} {number}\n{chain:#?}\n{flag:#?}"
                );
            }
        }
    }
    assert!(drawn > 1000, "{drawn}");
}

#[test]
fn a_draw_goes_on_to_one_by_another_number() {
    let other = Draw { hash: Hash::new("configcat").text("key", "other"), unit: "user".into() };
    let share = Share::percent(50.0);
    let step = |draw| Step::new(Condition::Always, Get::below(draw, share, Pick::Arm(1)));
    let steps = vec![step(draw()), step(other.clone())];
    let chain = Chain { arms: on_and_off(), control: 0, drawn: Vec::new(), steps };
    let mut flag = Flag::new("f");
    chain.into_flag(&mut flag);
    let rule = &flag.rules[0];
    assert!(flag.notes.is_empty() && rule.goes_on && rule.hash == Some(draw().hash), "{flag:#?}");
    assert_eq!(
        (rule.outcome.clone(), flag.percent, flag.hash),
        (Outcome::Percent(share), Some(share), Some(other.hash))
    );
}

#[test]
fn several_variants_that_go_on_to_another_number_are_noted() {
    let other = Draw { hash: Hash::new("configcat").text("key", "other"), unit: "user".into() };
    let shares = [(1, Share::percent(20.0)), (0, Share::percent(30.0))];
    let steps = vec![
        Step::new(Condition::Always, Get::weighted(draw(), shares)),
        Step::new(Condition::Always, Get::below(other, Share::percent(50.0), Pick::Arm(1))),
    ];
    let chain = Chain { arms: on_and_off(), control: 0, drawn: Vec::new(), steps };
    let mut flag = Flag::new("f");
    chain.into_flag(&mut flag);
    assert_eq!(flag.notes.len(), 1);
}

#[test]
fn very_many_steps_stay_bounded() {
    let shares = || [(1, Share::percent(20.0)), (0, Share::percent(30.0))];
    let step = |n: usize| Step::new(Condition::words("a", [n.to_string()]), Get::weighted(draw(), shares()));
    let chain = Chain { arms: on_and_off(), control: 0, drawn: Vec::new(), steps: (0..2000).map(step).collect() };
    let mut flag = Flag::new("f");
    chain.into_flag(&mut flag);
    assert!(flag.rules.len() < 500 && !flag.notes.is_empty(), "{}", flag.rules.len());
}
