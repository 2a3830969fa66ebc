//! Steps of a flag of the old system, in the order they are tried, become rules, a percentage and weights.

use crate::input::Node;
use crate::known_id;
use crate::model::{Condition, Flag, Hash, Note, Outcome, Rule, Share, Variant};

/// What somebody gets.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    /// One variant.
    Serve(String),
    /// So many of them are drawn, and get one of these by weight, as they lie along the number.
    Draw(Draw),
}

impl Given {
    /// The variant that a rule must give those whose id is not known; none where they get it from the draw as well, which gives them
    /// `of_draw`. A note where no rule can.
    fn without_id(&self, of_draw: Option<&str>, notes: &mut Vec<Note>) -> Option<String> {
        let Self::Draw(draw) = self else { return None };
        match &draw.without_id {
            WithoutId::Off => (of_draw != Some("off")).then(|| "off".to_owned()),
            WithoutId::Next => None,
            WithoutId::Serve(name) => (of_draw != Some(name)).then(|| name.clone()),
            WithoutId::Other(what) => {
                Note::add(notes, Note::lost(what.clone()));
                None
            }
        }
    }
}

/// A draw.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draw {
    pub(super) share: Share,
    /// Names and weights, in the order in which they lie.
    pub(super) weights: Vec<(String, Share)>,
    /// The formula, without an order.
    pub(super) hash: Hash,
    pub(super) without_id: WithoutId,
}

/// What the old system gives somebody whose id is not known, where a draw would hash it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum WithoutId {
    /// The flag is off, or its code's own default counts.
    Off,
    /// What the next step says. The step must go on.
    Next,
    /// One variant.
    Serve(String),
    /// Something that the flag file cannot say: what that is.
    Other(String),
}

/// For whom, and what they get.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    pub(super) condition: Condition,
    pub(super) given: Given,
    /// Those whom its draw leaves out go on to the next step. Else they get the control.
    pub(super) goes_on: bool,
    pub(super) comment: Option<String>,
}

impl Step {
    pub(super) const fn new(condition: Condition, given: Given) -> Self {
        Self { condition, given, goes_on: false, comment: None }
    }
}

/// Values of a flag, each with a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Arms(Vec<(String, Node)>);

impl Arms {
    /// Arms that have names already.
    pub(super) fn named(arms: impl IntoIterator<Item = (String, Node)>) -> Self {
        Self(arms.into_iter().collect())
    }

    /// The name of a value; a new one where it has none yet.
    pub(super) fn of(&mut self, value: &Node) -> String {
        match self.0.iter().find(|(_, node)| node == value) {
            Some((name, _)) => name.clone(),
            None => self.another(value),
        }
    }

    /// Another arm with a value, where one arm has several parts of a draw.
    pub(super) fn another(&mut self, value: &Node) -> String {
        let word = match value {
            Node::Bool(truth) => Some(if *truth { "on" } else { "off" }.to_owned()),
            value => value.word().filter(|word| (1..=32).contains(&word.len()) && word != "off" && word != "on"),
        };
        let first = word.clone().unwrap_or_else(|| format!("value_{}", self.0.len() + 1));
        let others = (2..=self.0.len() + 2).map(|count| format!("{first}_{count}"));
        let mut names = std::iter::once(first.clone()).chain(others);
        let name = names.find(|name| !self.has(name)).unwrap_or(first);
        self.0.push((name.clone(), value.clone()));
        name
    }

    /// An arm with a name of its own; the first of a name stays.
    pub(super) fn add(&mut self, name: &str, value: &Node) {
        if !self.has(name) {
            self.0.push((name.to_owned(), value.clone()));
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Adds `off`, when no arm is called so.
    pub(super) fn with_off(&mut self, value: Node) {
        if !self.has("off") {
            self.0.insert(0, ("off".into(), value));
        }
    }

    fn is_off_and_on(&self) -> bool {
        let is = |name: &str, truth| self.0.iter().any(|(n, value)| n == name && value.truth() == Some(truth));
        let fits = |(name, value): &(String, Node)| match value {
            Node::Bool(truth) => name == if *truth { "on" } else { "off" },
            _ => false,
        };
        self.0.len() <= 2 && (is("on", true) || is("off", false)) && self.0.iter().all(fits)
    }
}

/// A flag as the old system has it.
pub(super) struct Plan {
    pub(super) arms: Arms,
    /// What those get who are not drawn. What those get whose id is not known says each draw.
    pub(super) control: String,
    pub(super) steps: Vec<Step>,
    /// What all others get.
    pub(super) rest: Given,
}

impl Plan {
    /// Puts it into a flag.
    pub(super) fn put(mut self, flag: &mut Flag) {
        let unknown = known_id::unknown(flag.bucket_by.as_deref().unwrap_or("visitor"));
        self.fold(unknown.is_some());
        if let Some(unknown) = unknown {
            self.give_without_id(&unknown, &mut flag.notes);
        }
        let plain = self.is_plain();
        if !plain {
            flag.variants = self.variants();
        }
        let steps = std::mem::take(&mut self.steps);
        let last = steps.len().saturating_sub(1);
        let ends_with_control = self.rest == Given::Serve(self.control.clone());
        for (place, Step { condition, given, goes_on, comment }) in steps.into_iter().enumerate() {
            let is_drawn = matches!(given, Given::Draw(_));
            let goes_on = goes_on && is_drawn && !(place == last && ends_with_control);
            let (outcome, hash) = self.outcome(given, plain);
            flag.rules.push(Rule { condition, outcome, hash, goes_on, comment });
        }
        match (self.rest.clone(), plain) {
            (Given::Serve(name), true) => {
                flag.percent = Some(if name == "on" { Share::EVERYBODY } else { Share::NOBODY });
            }
            (Given::Serve(name), false) => weigh(flag, &[(name, Share::EVERYBODY)]),
            (Given::Draw(draw), true) => {
                let (outcome, hash) = self.outcome(Given::Draw(draw), true);
                flag.hash = hash;
                flag.percent = match outcome {
                    Outcome::Percent(share) => Some(share),
                    _ => Some(Share::NOBODY),
                };
            }
            (Given::Draw(draw), false) => {
                weigh(flag, &draw.weights);
                flag.percent = (draw.share < Share::EVERYBODY).then_some(draw.share);
                flag.hash = Some(self.ordered(draw, &flag.variants));
            }
        }
        // Where rules say who is in, nobody else is, unless a percentage is written.
        if !flag.rules.is_empty() {
            flag.percent.get_or_insert(Share::EVERYBODY);
        }
    }

    /// The last step becomes the rest, when it is for everybody; what one variant gets is a step, when ids may not be known: the flag's
    /// own share is off for them.
    fn fold(&mut self, ids_may_be_unknown: bool) {
        while let Some(last) = self.steps.last()
            && last.condition == Condition::Always
            && self.rest == Given::Serve(self.control.clone())
        {
            if let Some(last) = self.steps.pop() {
                self.rest = last.given;
            }
            if !matches!(&self.rest, Given::Serve(name) if *name == self.control) {
                break;
            }
        }
        let is_drawn = self.steps.iter().any(|step| matches!(step.given, Given::Draw(_)));
        let rest = Given::Serve(self.control.clone());
        let is_for_all = |name: &String| *name != self.control || (ids_may_be_unknown && name != "off");
        if is_drawn && matches!(&self.rest, Given::Serve(name) if is_for_all(name)) {
            let given = std::mem::replace(&mut self.rest, rest);
            self.steps.push(Step::new(Condition::Always, given));
        }
    }

    /// Those whose id is not known get what the old system gives them: a draw here is off for them, or goes on to the next step.
    fn give_without_id(&mut self, unknown: &Condition, notes: &mut Vec<Note>) {
        let mut steps = Vec::new();
        for step in std::mem::take(&mut self.steps) {
            let next = if step.goes_on { None } else { Some("off") };
            let given = step.given.without_id(next, notes);
            let rule = |name| Step::new(step.condition.clone().and(unknown.clone()), Given::Serve(name));
            steps.extend(given.map(rule));
            steps.push(step);
        }
        let given = self.rest.without_id(Some("off"), notes).or_else(|| match &self.rest {
            Given::Draw(Draw { without_id: WithoutId::Next, .. }) => Some(self.control.clone()),
            _ => None,
        });
        let rule = |name| Step::new(unknown.clone(), Given::Serve(name));
        steps.extend(given.filter(|name| name != "off").map(rule));
        self.steps = steps;
    }

    /// Whether it is off and on, and off for those who are not drawn: such a flag needs no variants of its own.
    fn is_plain(&self) -> bool {
        let draws = self.steps.iter().map(|step| &step.given).chain([&self.rest]);
        let draws: Vec<_> =
            draws.filter_map(|given| if let Given::Draw(draw) = given { Some(draw) } else { None }).collect();
        let is_simple =
            |draw: &&Draw| draw.share == Share::EVERYBODY || draw.weights.iter().all(|(name, _)| name == "on");
        // Where off is drawn, those who get it are not left over.
        let is_clear = |step: &Step| match &step.given {
            Given::Draw(draw) => !step.goes_on || draw.weights.iter().all(|(name, _)| name == "on"),
            Given::Serve(_) => true,
        };
        self.arms.is_off_and_on()
            && (self.control == "off" || draws.is_empty())
            && draws.iter().all(is_simple)
            && self.steps.iter().all(is_clear)
    }

    /// The variants, the control first.
    fn variants(&self) -> Vec<Variant> {
        let first = self.arms.0.iter().filter(|(name, _)| *name == self.control);
        let others = self.arms.0.iter().filter(|(name, _)| *name != self.control);
        let variant = |(name, value): &(String, Node)| Variant {
            name: name.clone(),
            weight: Share::NOBODY,
            value: Some(value.clone()),
        };
        first.chain(others).map(variant).collect()
    }

    fn outcome(&self, given: Given, plain: bool) -> (Outcome, Option<Hash>) {
        match (given, plain) {
            (Given::Serve(name), _) => (Outcome::Serve(name), None),
            (Given::Draw(draw), true) => {
                let on =
                    draw.weights.iter().find(|(name, _)| name == "on").map_or(Share::NOBODY, |(_, share)| *share);
                let share = if draw.share < Share::EVERYBODY { draw.share } else { on };
                let off_first =
                    draw.weights.first().is_some_and(|(name, share)| name == "off" && *share > Share::NOBODY);
                let order = || vec!["off".to_owned(), "on".to_owned()];
                let hash = if off_first { draw.hash.list("order", order()) } else { draw.hash };
                (Outcome::Percent(share), Some(hash))
            }
            (Given::Draw(draw), false) if draw.share < Share::EVERYBODY => {
                (Outcome::PercentOfVariants(draw.share, draw.weights), Some(draw.hash))
            }
            (Given::Draw(draw), false) => (Outcome::Variants(draw.weights), Some(draw.hash)),
        }
    }

    /// The formula of the flag, with the order of the variants where it is not the written one.
    fn ordered(&self, draw: Draw, variants: &[Variant]) -> Hash {
        let written: Vec<_> = variants.iter().map(|variant| variant.name.clone()).collect();
        let mut order: Vec<_> =
            draw.weights.into_iter().map(|(name, _)| name).filter(|n| written.contains(n)).collect();
        let rest: Vec<_> = written.iter().filter(|name| !order.contains(name)).cloned().collect();
        order.extend(rest);
        if order == written { draw.hash } else { draw.hash.list("order", order) }
    }
}

fn weigh(flag: &mut Flag, weights: &[(String, Share)]) {
    for variant in &mut flag.variants {
        let found = weights.iter().find(|(name, _)| *name == variant.name);
        variant.weight = found.map_or(Share::NOBODY, |(_, share)| *share);
    }
}

/// Notes that two draws of a flag hash different ids.
pub(super) fn one_unit(unit: &mut Option<String>, attribute: &str, notes: &mut Vec<Note>) {
    match unit {
        None => *unit = Some(attribute.to_owned()),
        Some(first) if first == attribute => {}
        Some(first) => {
            let text = format!(
                "One draw hashes `{first}`, another one `{attribute}`. A flag hashes one id here: `{first}` counts for all."
            );
            Note::add(notes, Note::lost(text));
        }
    }
}
