//! A chain becomes a flag of the flag file: off and on where that says it, else variants of its own.

use super::parts::WHOLE;
use super::unfold::{Rules, unfolded};
use super::{Arm, Chain, Draw, Get, Part, Pick, Step, is_plain};
use crate::input::Node;
use crate::model::{Flag, Hash, Outcome, Rule, Share, Variant};

impl Chain {
    /// Writes on a flag what the chain decides; what cannot be kept is noted there.
    pub(crate) fn into_flag(mut self, flag: &mut Flag) {
        self.give_without_id();
        let mut rules = unfolded(&self, flag);
        if is_off_and_on(&self, &rules) {
            return OffAndOn { arms: &self.arms }.write(&rules, flag);
        }
        for get in rules.steps.iter_mut().map(|step| &mut step.get).chain([&mut rules.rest]) {
            once_each(get, &mut self.arms, self.control);
        }
        Named { chain: &self }.write(&rules, flag);
    }
}

/// The draw of a flag: that of everybody else, or of the first rule that draws.
fn draw_of(rules: &Rules) -> Option<&Draw> {
    let gets = std::iter::once(&rules.rest).chain(rules.steps.iter().map(|step| &step.get));
    gets.filter_map(|get| match get {
        Get::Draw(draw, _) => Some(draw),
        Get::Pick(_) => None,
    })
    .next()
}

/// Whether true and false are all that the flag can be, one border parts them, and who has no id gets false: what a flag that draws
/// gives them here.
fn is_off_and_on(chain: &Chain, rules: &Rules) -> bool {
    let truth = |arm: usize| matches!(chain.arms.get(arm), Some(Arm { value: Some(Node::Bool(_)), .. }));
    let is_true = |part: &Part| match part.pick {
        Some(Pick::Arm(arm)) => matches!(chain.arms.get(arm), Some(Arm { value: Some(Node::Bool(true)), .. })),
        _ => false,
    };
    let parts = |get: &Get| match get {
        Get::Draw(_, parts) if get.goes_on() => parts.first().is_some_and(is_true),
        Get::Draw(_, parts) => matches!(parts.as_slice(), [one, other] if is_true(one) != is_true(other)),
        Get::Pick(_) => true,
    };
    let is_off = matches!(chain.arms.get(chain.control), Some(Arm { value: Some(Node::Bool(false)), .. }));
    (is_off || draw_of(rules).is_none())
        && chain.drawn.is_empty()
        && (0..chain.arms.len()).all(truth)
        && rules.steps.iter().map(|step| &step.get).chain([&rules.rest]).all(parts)
}

/// Notes a draw by another id than the flag's.
fn check_unit(draw: &Draw, of_flag: Option<&Draw>, flag: &mut Flag) {
    if let Some(of_flag) = of_flag.filter(|of_flag| of_flag.unit != draw.unit) {
        flag.lost(format!(
            "A rule draws by `{}`, and the flag by `{}`. Here a flag draws by one id, so people of that rule are drawn anew.",
            draw.unit, of_flag.unit
        ));
    }
}

/// A flag that is off or on.
struct OffAndOn<'a> {
    arms: &'a [Arm],
}

impl OffAndOn<'_> {
    fn write(&self, rules: &Rules, flag: &mut Flag) {
        let draw = draw_of(rules);
        flag.bucket_by = draw.map(|draw| draw.unit.clone());
        let (share, hash) = self.share(&rules.rest);
        flag.hash = hash.or_else(|| rules.steps.iter().find_map(|step| self.share(&step.get).1));
        let needs_no_word = rules.steps.is_empty() && share == Share::EVERYBODY;
        flag.percent = (!needs_no_word).then_some(share);
        for step in &rules.steps {
            if let Get::Draw(own, _) = &step.get {
                check_unit(own, draw, flag);
            }
            let rule = self.rule(step, flag.hash.as_ref());
            flag.rules.push(rule);
        }
    }

    fn rule(&self, step: &Step, of_flag: Option<&Hash>) -> Rule {
        let (share, hash) = self.share(&step.get);
        let outcome = match &step.get {
            Get::Pick(_) => Outcome::Serve(if share == Share::NOBODY { "off".into() } else { "on".into() }),
            Get::Draw(..) => Outcome::Percent(share),
        };
        let hash = hash.filter(|hash| Some(hash) != of_flag);
        let goes_on = step.get.goes_on();
        Rule { condition: step.condition.clone(), outcome, hash, goes_on, comment: step.comment.clone() }
    }

    /// The share that is on, and how it is drawn.
    fn share(&self, get: &Get) -> (Share, Option<Hash>) {
        match get {
            Get::Pick(pick) => (if self.is_on(Some(*pick)) { Share::EVERYBODY } else { Share::NOBODY }, None),
            Get::Draw(draw, parts) => {
                let upto = parts.first().map_or(0, |part| part.upto);
                if self.is_on(parts.first().and_then(|part| part.pick)) {
                    return (Share::thousandths(upto), Some(draw.hash.clone()));
                }
                let order = vec!["off".into(), "on".into()];
                (Share::thousandths(WHOLE - upto.min(WHOLE)), Some(draw.hash.clone().list("order", order)))
            }
        }
    }

    fn is_on(&self, pick: Option<Pick>) -> bool {
        let Some(Pick::Arm(arm)) = pick else { return false };
        matches!(self.arms.get(arm), Some(Arm { value: Some(Node::Bool(true)), .. }))
    }
}

/// An arm that lies in two places of a number becomes two variants that mean the same.
fn once_each(get: &mut Get, arms: &mut Vec<Arm>, control: usize) {
    if get.goes_on() {
        return;
    }
    let Get::Draw(_, parts) = get else { return };
    let mut seen: Vec<usize> = Vec::new();
    for part in parts {
        let Pick::Arm(arm) = part.pick.unwrap_or(Pick::Arm(control)) else { continue };
        let mut place = arm;
        if seen.contains(&arm) {
            place = twin(arms, arm, &seen);
        }
        seen.push(place);
        part.pick = Some(Pick::Arm(place));
    }
}

/// Another arm of the same meaning, which is not used yet.
fn twin(arms: &mut Vec<Arm>, arm: usize, used: &[usize]) -> usize {
    let Some(like) = arms.get(arm).cloned() else { return arm };
    let value = like.value.unwrap_or_else(|| Node::Text(like.name.clone()));
    let is_twin = |(place, other): (usize, &Arm)| {
        let means = other.value.as_ref() == Some(&value)
            || (other.value.is_none() && value == Node::Text(other.name.clone()));
        (means && !used.contains(&place)).then_some(place)
    };
    if let Some(place) = arms.iter().enumerate().find_map(is_twin) {
        return place;
    }
    let taken = |name: &str| arms.iter().any(|arm| arm.name == name);
    let name = (2..).map(|count| format!("{}-{count}", like.name)).find(|name| !taken(name)).unwrap_or(like.name);
    arms.push(Arm { name, value: Some(value) });
    arms.len() - 1
}

/// A flag with variants of its own.
struct Named<'a> {
    chain: &'a Chain,
}

impl Named<'_> {
    fn write(&self, rules: &Rules, flag: &mut Flag) {
        let draw = draw_of(rules);
        flag.bucket_by = draw.map(|draw| draw.unit.clone());
        let weights = self.weights(&rules.rest);
        self.write_variants(&weights, flag);
        let order = self.order(&weights);
        let is_as_in_file = self.file_order().eq(order.iter().copied());
        let names = || order.iter().map(|arm| self.name(*arm)).collect();
        let ordered = |hash: Hash| if is_as_in_file { hash } else { hash.list("order", names()) };
        flag.hash = draw.map(|draw| ordered(draw.hash.clone()));
        flag.percent = self.percent(rules);
        // In the file's order a rule's variants lie as they are listed.
        let of_flag = draw.map(|draw| (draw, if is_as_in_file { &[][..] } else { order.as_slice() }));
        for step in &rules.steps {
            if let Get::Draw(own, _) = &step.get {
                check_unit(own, draw, flag);
            }
            let rule = self.rule(step, of_flag, flag);
            flag.rules.push(rule);
        }
    }

    /// The share of everybody else; none where the flag file's default says the same.
    fn percent(&self, rules: &Rules) -> Option<Share> {
        let share = match &rules.rest {
            Get::Pick(Pick::Arm(arm)) if *arm == self.chain.control && self.chain.drawn.is_empty() => return None,
            Get::Pick(Pick::Arm(arm)) if *arm == self.chain.control => Share::NOBODY,
            rest => self.gate(rest).unwrap_or(Share::EVERYBODY),
        };
        (share != Share::EVERYBODY || !rules.steps.is_empty()).then_some(share)
    }

    /// How many take part in the second draw, where that is all that is said.
    fn gate(&self, get: &Get) -> Option<Share> {
        match get {
            Get::Draw(_, parts) => match parts.as_slice() {
                [Part { upto, pick: Some(Pick::Drawn) }, rest] if self.is_control(rest.pick) => {
                    Some(Share::thousandths(*upto))
                }
                _ => None,
            },
            Get::Pick(Pick::Drawn) => Some(Share::EVERYBODY),
            Get::Pick(Pick::Arm(_)) => None,
        }
    }

    fn is_control(&self, pick: Option<Pick>) -> bool {
        pick.is_none_or(|pick| pick == Pick::Arm(self.chain.control))
    }

    /// Arms by weight, in the order in which they lie along the number.
    fn weights(&self, get: &Get) -> Vec<(usize, Share)> {
        if !self.chain.drawn.is_empty() {
            return self.chain.drawn.clone();
        }
        match get {
            Get::Pick(Pick::Arm(arm)) => vec![(*arm, Share::EVERYBODY)],
            Get::Pick(Pick::Drawn) => Vec::new(),
            Get::Draw(_, parts) => weights_of(parts, self.chain.control),
        }
    }

    fn write_variants(&self, weights: &[(usize, Share)], flag: &mut Flag) {
        let weight = |arm| weights.iter().find(|(other, _)| *other == arm).map_or(Share::NOBODY, |(_, share)| *share);
        for arm in self.file_order() {
            let Some(Arm { name, value }) = self.chain.arms.get(arm) else { continue };
            // A name that cannot stay as it is would change what the variant means.
            let value = value.clone().filter(|value| !is_plain(name) || *value != Node::Text(name.clone()));
            flag.variants.push(Variant { name: name.clone(), weight: weight(arm), value });
        }
    }

    /// The control first, then the others as they came.
    fn file_order(&self) -> impl Iterator<Item = usize> {
        let control = self.chain.control;
        std::iter::once(control).chain((0..self.chain.arms.len()).filter(move |arm| *arm != control))
    }

    /// All arms in the order in which they lie along the number: those with a weight as they do, where the file's order is another one.
    fn order(&self, weights: &[(usize, Share)]) -> Vec<usize> {
        let used: Vec<usize> =
            weights.iter().filter(|(_, share)| *share != Share::NOBODY).map(|(arm, _)| *arm).collect();
        if self.file_order().filter(|arm| used.contains(arm)).eq(used.iter().copied()) {
            return self.file_order().collect();
        }
        used.iter().copied().chain(self.file_order().filter(|arm| !used.contains(arm))).collect()
    }

    fn name(&self, arm: usize) -> String {
        self.chain.arms.get(arm).map_or_else(|| "off".into(), |arm| arm.name.clone())
    }

    fn rule(&self, step: &Step, of_flag: Option<(&Draw, &[usize])>, flag: &mut Flag) -> Rule {
        let rule = Rule {
            comment: step.comment.clone(),
            goes_on: step.get.goes_on(),
            ..Rule::new(step.condition.clone(), Outcome::Percent(Share::NOBODY))
        };
        let of_arms =
            |list: Vec<(usize, Share)>| list.into_iter().map(|(arm, share)| (self.name(arm), share)).collect();
        match &step.get {
            Get::Pick(Pick::Arm(arm)) => Rule { outcome: Outcome::Serve(self.name(*arm)), ..rule },
            Get::Draw(_, parts) if !self.chain.drawn.is_empty() => self.gated(rule, parts, flag),
            Get::Pick(Pick::Drawn) => Rule { outcome: Outcome::Percent(Share::EVERYBODY), ..rule },
            Get::Draw(draw, parts) if step.get.goes_on() => {
                let is_flags = of_flag.is_some_and(|(of_flag, _)| of_flag.hash == draw.hash);
                Rule { hash: (!is_flags).then(|| draw.hash.clone()), ..self.share(rule, parts) }
            }
            Get::Draw(draw, parts) => {
                // Where a rule has a formula of its own, its variants lie as they are listed there; else as the flag says.
                let weights = weights_of(parts, self.chain.control);
                let hash = (!lies_as(&weights, of_flag, draw)).then(|| draw.hash.clone());
                Rule { outcome: Outcome::Variants(of_arms(weights)), hash, ..rule }
            }
        }
    }

    /// A rule in front of a second draw: a share of people, who all get one thing.
    fn gated(&self, rule: Rule, parts: &[Part], flag: &mut Flag) -> Rule {
        let others = parts.get(1..).unwrap_or_default();
        if !rule.goes_on && !others.iter().all(|part| self.is_control(part.pick)) {
            flag.lost(
                "People whom two of its conditions describe get one variant up to a percentage, and another one from there on. \
                 Here they get the first of them.",
            );
        }
        self.share(rule, parts)
    }

    /// A rule for the first part of a number.
    fn share(&self, rule: Rule, parts: &[Part]) -> Rule {
        let Some(Part { upto, pick }) = parts.first() else { return rule };
        let share = Share::thousandths(*upto);
        let outcome = match pick.unwrap_or(Pick::Arm(self.chain.control)) {
            Pick::Drawn => Outcome::Percent(share),
            Pick::Arm(arm) => Outcome::PercentOfVariants(share, vec![(self.name(arm), Share::EVERYBODY)]),
        };
        Rule { outcome, ..rule }
    }
}

/// Whether the variants of a rule lie as the flag's do: it draws with the same formula, and the flag's order, where it has one, is theirs.
fn lies_as(weights: &[(usize, Share)], of_flag: Option<(&Draw, &[usize])>, draw: &Draw) -> bool {
    let listed = weights.iter().map(|(arm, _)| *arm);
    let has = |arm: &&usize| weights.iter().any(|(other, _)| other == *arm);
    of_flag.is_some_and(|(of_flag, order)| {
        of_flag.hash == draw.hash && (order.is_empty() || order.iter().filter(has).copied().eq(listed))
    })
}

/// The lengths of parts.
fn weights_of(parts: &[Part], control: usize) -> Vec<(usize, Share)> {
    let mut from = 0;
    let mut weights = Vec::new();
    for part in parts {
        let share = Share::thousandths(part.upto.saturating_sub(from));
        from = part.upto;
        let arm = match part.pick {
            Some(Pick::Arm(arm)) => arm,
            _ => control,
        };
        weights.push((arm, share));
    }
    weights
}
