//! The step of rules: the first one that is for a subject decides, unless its share leaves the subject to the next one.

use std::ops::ControlFlow::{self, Break, Continue};

use super::decide::{Evaluation, Trace};
use crate::{Allocation, Decision, DecisionStep, Draw, Otherwise, Percent, Reason, Rule, Serve, VariantId};

impl<'a> Evaluation<'a> {
    pub(super) fn rules(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let deciding = self.deciding_rule();
        trace.note(DecisionStep::Rule, deciding.is_some(), || self.told_of_rules(deciding));
        let Some((_, rule)) = deciding else {
            return Continue(());
        };
        Break(match rule.serve {
            Serve::Variant(variant) => Decision::new(variant, Reason::TargetingMatch, DecisionStep::Rule),
            Serve::Percent(percent) => self.share_of_named(percent, rule),
        })
    }

    /// The rule that decides, with its number from 0.
    pub(super) fn deciding_rule(&self) -> Option<(usize, &'a Rule)> {
        self.met_rules().find(|(_, rule)| self.decides(rule))
    }

    /// Rules that are for the subject, each with its number from 0.
    fn met_rules(&self) -> impl Iterator<Item = (usize, &'a Rule)> {
        let (subject, segments) = (self.subject, &self.snapshot.segments);
        self.flag.rules.iter().enumerate().filter(move |(_, rule)| rule.when.hold(subject, segments))
    }

    /// Whether a rule that is for the subject decides. One that goes on to the next rule decides for its share alone.
    fn decides(&self, rule: &Rule) -> bool {
        match (rule.serve, rule.otherwise) {
            (Serve::Percent(percent), Otherwise::Next) => {
                self.rule_draw(rule).is_some_and(|draw| percent.holds(draw.position()))
            }
            _ => true,
        }
    }

    /// Where the unit falls for a rule.
    fn rule_draw(&self, rule: &Rule) -> Option<Draw> {
        let as_the_flag = rule.hash.is_none() && rule.ranges.is_none();
        if as_the_flag { self.draw() } else { self.draw_by(self.flag.rule_drawn_with(rule)) }
    }

    /// The variant of a subject that a rule gives a share.
    fn share_of_named(&self, percent: Percent, rule: &Rule) -> Decision {
        let Some(draw) = self.rule_draw(rule) else {
            return Decision::without_unit(DecisionStep::Rule);
        };
        let variant = match self.flag.rule_drawn_with(rule).ranges {
            _ if !percent.holds(draw.position()) => self.flag.variants.control(),
            Some(ranges) => Allocation::at(ranges, draw.split()),
            None => VariantId::ON,
        };
        Decision::new(variant, Reason::TargetingMatch, DecisionStep::Rule)
    }

    /// Whom a rule left over by the number that decides now is not counted: of those whom the rule was for, only one end of that number
    /// came so far, so they are not spread over the variants as all others are.
    pub(super) fn counted_behind_rules(&self, decision: Decision) -> Decision {
        let of_flag = self.flag.drawn_with();
        let skews = |rule: &Rule| {
            let goes_on = rule.otherwise == Otherwise::Next && matches!(rule.serve, Serve::Percent(_));
            goes_on && self.flag.rule_drawn_with(rule).foretells(of_flag)
        };
        let is_skewed = decision.is_counted()
            && self
                .flag
                .rules
                .iter()
                .any(|rule| skews(rule) && rule.when.hold(self.subject, &self.snapshot.segments));
        if is_skewed { decision.uncounted() } else { decision }
    }

    /// What the rules did, in words.
    fn told_of_rules(&self, deciding: Option<(usize, &Rule)>) -> String {
        let before = |i: usize| deciding.is_none_or(|(at, _)| i < at);
        let left = self.met_rules().filter(|(i, _)| before(*i)).map(|(i, rule)| self.told_of_left(i, rule));
        let last = deciding.map(|(i, rule)| match rule.serve {
            Serve::Variant(variant) => format!("rule {} serves {}", i + 1, self.flag.variants.name(variant)),
            Serve::Percent(percent) => format!("rule {} takes {percent} percent", i + 1),
        });
        let told: Vec<_> = left.chain(last).collect();
        match (told.is_empty(), self.flag.rules.len()) {
            (false, _) => told.join("; "),
            (true, 0) => "has no rules".into(),
            (true, 1) => "its one rule does not fit".into(),
            (true, n) => format!("none of its {n} rules fits"),
        }
    }

    /// A rule that goes on to the next one.
    fn told_of_left(&self, i: usize, rule: &Rule) -> String {
        let percent = match rule.serve {
            Serve::Percent(percent) => percent,
            Serve::Variant(_) => Percent::ALL,
        };
        let why = match self.rule_draw(rule) {
            Some(draw) => format!("position {} is not below {}", draw.position(), percent.thousandths()),
            None => self.missing(),
        };
        format!("rule {} takes {percent} percent and leaves the others to the next: {why}", i + 1)
    }
}
