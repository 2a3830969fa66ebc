//! The steps of a decision in their order; the first answer wins.

use std::cell::OnceCell;
use std::ops::ControlFlow::{self, Break, Continue};

use crate::hashing::DrawnWith;
use crate::{
    Decision, DecisionStep, Draw, ExclusionLayer, Flag, FlagId, ForcedVariant, HashedNumber, Percent, Reason,
    Snapshot, Sticky, StickyVariant, Subject, VariantId,
};

/// Records how a decision is made. `()` records nothing, at no cost.
pub(crate) trait Trace {
    /// A step was asked: whether it decided, and what it found.
    fn note(&mut self, step: DecisionStep, decided: bool, detail: impl FnOnce() -> String);
}

impl Trace for () {
    #[inline]
    fn note(&mut self, _: DecisionStep, _: bool, _: impl FnOnce() -> String) {}
}

/// One flag for one subject.
pub(crate) struct Evaluation<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) subject: &'a Subject<'a>,
    pub(crate) flag: &'a Flag,
    /// Whether the visitor is one of those who are in no experiment.
    pub(crate) held_out: bool,
    id: FlagId,
    /// Decisions made so far; those of required flags are among them.
    made: &'a [Decision],
    draw: OnceCell<Option<Draw>>,
}

impl<'a> Evaluation<'a> {
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        id: FlagId,
        subject: &'a Subject<'a>,
        made: &'a [Decision],
        held_out: bool,
    ) -> Option<Self> {
        let flag = snapshot.flag(id)?;
        Some(Self { snapshot, subject, flag, held_out, id, made, draw: OnceCell::new() })
    }

    pub(crate) fn evaluate(&self, trace: &mut impl Trace) -> Decision {
        let decision = match self.steps(trace) {
            Break(decision) => decision,
            Continue(()) => self.share(self.percent(), DecisionStep::Percent, trace),
        };
        self.counted_beside_holdout(self.counted_behind_rules(decision))
    }

    fn steps(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        self.pinned(trace)?;
        self.disabled(trace)?;
        self.tripped(trace)?;
        self.requires(trace)?;
        self.override_(trace)?;
        self.deny(trace)?;
        self.allow(trace)?;
        self.rules(trace)?;
        self.holdout(trace)?;
        self.layer(trace)?;
        self.sticky(trace)
    }

    /// The id that is hashed for this flag.
    pub(crate) fn unit(&self) -> Option<&'a str> {
        self.flag.bucket_by.unit(self.subject)
    }

    /// Where the unit falls for this flag.
    pub(crate) fn draw(&self) -> Option<Draw> {
        *self.draw.get_or_init(|| self.draw_by(self.flag.drawn_with()))
    }

    /// Where the unit falls: where it fell under an earlier id, when that is kept.
    pub(crate) fn draw_by(&self, with: DrawnWith<'_>) -> Option<Draw> {
        let unit = self.unit()?;
        Some(self.former_draw(with).unwrap_or_else(|| with.draw(unit)))
    }

    fn former_draw(&self, with: DrawnWith<'_>) -> Option<Draw> {
        self.flag.former_draw(with, self.subject.former_draws)
    }

    /// What was drawn with for a decision: the rule's own, or that of a layer with a formula, or else the flag's.
    pub(crate) fn decided_with(&self, decision: Decision) -> DrawnWith<'a> {
        let of_flag = self.flag.drawn_with();
        match decision.step() {
            DecisionStep::Rule => self.deciding_rule().map_or(of_flag, |(_, rule)| self.flag.rule_drawn_with(rule)),
            DecisionStep::Layer => {
                let index = self.snapshot.link(self.id).and_then(|link| link.layer.as_ref()).map(|(index, _)| *index);
                let layer = index.and_then(|index| self.snapshot.layers.get(index));
                layer.filter(|layer| layer.hash.is_some()).map_or(of_flag, ExclusionLayer::drawn_with)
            }
            _ => of_flag,
        }
    }

    /// The numbers that the unit's draw is read off; none for a draw that was kept.
    pub(crate) fn numbers(&self, with: DrawnWith<'_>) -> Vec<HashedNumber> {
        let unit = self.unit().filter(|_| self.former_draw(with).is_none());
        unit.map(|unit| with.numbers(unit)).unwrap_or_default()
    }

    fn pinned(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let Some(pin) = &self.flag.pin else {
            trace.note(DecisionStep::Pinned, false, || "no environment variable pins it".into());
            return Continue(());
        };
        trace.note(DecisionStep::Pinned, true, || {
            format!("{} says {}", pin.variable, self.flag.variants.name(pin.variant))
        });
        Break(Decision::new(pin.variant, Reason::Static, DecisionStep::Pinned))
    }

    fn disabled(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let off = !self.flag.enabled;
        trace.note(DecisionStep::Disabled, off, || format!("enabled = {}", self.flag.enabled));
        stop_if(off, Decision::new(VariantId::OFF, Reason::Disabled, DecisionStep::Disabled))
    }

    fn tripped(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let Some(fact) = self.snapshot.fact(self.id) else {
            return Continue(());
        };
        let off = fact.holds_off();
        trace.note(DecisionStep::Tripped, off, || match (&fact.switched_off, fact.tripped, fact.unknown) {
            (Some(words), true, _) => format!("{words}; before that its guard rolled this definition back"),
            (Some(words), false, _) => format!("{words}; no guard rolled it back"),
            (None, true, _) => "its guard rolled this definition back".into(),
            (None, false, true) => "the ledger is not read yet, and it may say that its guard rolled it back".into(),
            (None, false, false) => "nobody switched it off, and no guard rolled it back".into(),
        });
        stop_if(off, Decision::new(VariantId::OFF, Reason::Disabled, DecisionStep::Tripped))
    }

    fn requires(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let Some(link) = self.snapshot.link(self.id) else {
            return Continue(());
        };
        let is = |id: FlagId| self.made.get(id.index()).map_or(VariantId::OFF, |decision| decision.variant());
        let unmet = link.requires.iter().find(|(id, wanted)| match wanted {
            Some(wanted) => is(*id) != *wanted,
            None => is(*id) == VariantId::OFF,
        });
        trace.note(DecisionStep::Requires, unmet.is_some(), || {
            match unmet.and_then(|(id, _)| Some((id, self.snapshot.flag(*id)?))) {
                Some((id, other)) => format!("{} is {}", other.name, other.variants.name(is(*id))),
                None if link.requires.is_empty() => "needs no other flag".into(),
                None => "the flags it needs are as they must be".into(),
            }
        });
        stop_if(unmet.is_some(), Decision::new(VariantId::OFF, Reason::Default, DecisionStep::Requires))
    }

    fn override_(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let of_this = |f: &&ForcedVariant| f.flag == self.id && (f.signed || self.flag.testing);
        let Some(forced) = self.subject.overrides.iter().find(of_this) else {
            trace.note(DecisionStep::Override, false, || "none that counts".into());
            return Continue(());
        };
        let how = if forced.signed { "a signed link" } else { "testing = true" };
        trace.note(DecisionStep::Override, true, || {
            format!("asked for {}, by {how}", self.flag.variants.name(forced.variant))
        });
        Break(Decision::new(forced.variant, Reason::TargetingMatch, DecisionStep::Override))
    }

    fn deny(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let matched = self.flag.deny.as_ref().and_then(|deny| deny.find(self.subject, &self.snapshot.segments));
        trace.note(DecisionStep::Deny, matched.is_some(), || found("denied", self.flag.deny.is_some(), matched));
        stop_if(matched.is_some(), Decision::new(VariantId::OFF, Reason::TargetingMatch, DecisionStep::Deny))
    }

    fn allow(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let matched = self.flag.allow.as_ref().and_then(|allow| allow.find(self.subject, &self.snapshot.segments));
        trace.note(DecisionStep::Allow, matched.is_some(), || found("allowed", self.flag.allow.is_some(), matched));
        if matched.is_none() {
            return Continue(());
        }
        Break(self.named_in(DecisionStep::Allow))
    }

    fn layer(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let layer = self.snapshot.link(self.id).and_then(|link| link.layer.as_ref());
        let Some((index, slices)) = layer else {
            trace.note(DecisionStep::Layer, false, || "in no layer".into());
            return Continue(());
        };
        let layer = self.snapshot.layers.get(*index);
        let Some(draw) = layer.and_then(|layer| self.draw_by(layer.drawn_with())) else {
            trace.note(DecisionStep::Layer, true, || self.missing());
            return Break(Decision::without_unit(DecisionStep::Layer));
        };
        let name = layer.map_or("", |layer| layer.name.as_str());
        let position = draw.position();
        let inside = slices.iter().any(|slice| slice.holds(position));
        let whether = if inside { "inside" } else { "outside" };
        trace.note(DecisionStep::Layer, !inside, || {
            format!("position {position} of layer {name} is {whether} its slices")
        });
        stop_if(!inside, Decision::new(self.flag.variants.control(), Reason::Split, DecisionStep::Layer))
    }

    fn sticky(&self, trace: &mut impl Trace) -> ControlFlow<Decision> {
        let held = self.subject.sticky.iter().find(|held| held.flag == self.id);
        let counts = self.flag.stickiness() != Sticky::None && self.percent() > Percent::ZERO;
        // What another program drew is of no use once everybody has the flag. Of off and on, nothing is: at 100 percent nobody is drawn or counted.
        let for_all = self.percent() == Percent::ALL;
        let is_void = |held: &StickyVariant| for_all && (held.brought || !self.flag.variants.are_named());
        let holds = |held: &&StickyVariant| counts && !is_void(held);
        let Some(held) = held.filter(holds) else {
            trace.note(DecisionStep::Sticky, false, || {
                if counts { "nothing remembered" } else { "nothing is remembered for it" }.into()
            });
            return Continue(());
        };
        trace.note(DecisionStep::Sticky, true, || {
            let from = if held.brought { ", as django-waffle drew it: not counted" } else { "" };
            format!("remembered as {}{from}", self.flag.variants.name(held.variant))
        });
        let decision = Decision::new(held.variant, Reason::Split, DecisionStep::Sticky);
        Break(if held.brought { decision } else { decision.counted() })
    }

    pub(crate) fn percent(&self) -> Percent {
        self.snapshot.share(self.id, self.subject.now)
    }

    fn share(&self, percent: Percent, step: DecisionStep, trace: &mut impl Trace) -> Decision {
        let decision = self.decided_by_share(percent, step);
        trace.note(step, true, || self.describe(percent, decision));
        decision
    }

    fn decided_by_share(&self, percent: Percent, step: DecisionStep) -> Decision {
        let written = self.flag.percent.is_some() || self.flag.rollout.is_some();
        if percent == Percent::ZERO {
            let reason = if written { Reason::Static } else { Reason::Default };
            return Decision::new(self.flag.variants.control(), reason, step);
        }
        let for_all = percent == Percent::ALL && !self.flag.variants.are_named();
        if self.unit().is_none() && !(for_all && self.flag.bucket_by.is_of_every_request()) {
            return Decision::without_unit(step);
        }
        if for_all {
            return Decision::new(VariantId::ON, Reason::Static, step);
        }
        self.draw().map_or(Decision::without_unit(step), |draw| self.drawn(percent, draw, step))
    }

    fn drawn(&self, percent: Percent, draw: Draw, step: DecisionStep) -> Decision {
        let variants = &self.flag.variants;
        // Like a variant that is remembered, it need not be what the unit of now would draw.
        let step = if self.former_draw(self.flag.drawn_with()).is_some() { DecisionStep::Sticky } else { step };
        if percent.holds(draw.position()) {
            return Decision::new(variants.at(draw.split()), Reason::Split, step).counted();
        }
        let outside = Decision::new(variants.control(), Reason::Split, step);
        // Of a flag of off and on those outside are the control of those inside; named variants have their own.
        if variants.are_named() { outside } else { outside.counted() }
    }

    /// The variant of a subject that was named, not drawn: on, or one by weight.
    fn named_in(&self, step: DecisionStep) -> Decision {
        if !self.flag.variants.are_named() {
            return Decision::new(VariantId::ON, Reason::TargetingMatch, step);
        }
        self.draw().map_or(Decision::without_unit(step), |draw| {
            Decision::new(self.flag.variants.at(draw.split()), Reason::TargetingMatch, step)
        })
    }

    pub(super) fn missing(&self) -> String {
        format!("unit_missing: no {} is known", self.flag.bucket_by)
    }

    fn describe(&self, percent: Percent, decision: Decision) -> String {
        let variant = self.flag.variants.name(decision.variant());
        match self.draw() {
            _ if decision.is_unit_missing() => self.missing(),
            Some(draw) if decision.reason() == Reason::Split => {
                let whether = if percent.holds(draw.position()) { "below" } else { "not below" };
                let share = percent.thousandths();
                format!("position {} is {whether} {share} ({percent} percent): {variant}", draw.position())
            }
            _ => format!("{percent} percent: {variant}"),
        }
    }
}

const fn stop_if(decided: bool, decision: Decision) -> ControlFlow<Decision> {
    if decided { Break(decision) } else { Continue(()) }
}

fn found(what: &str, any: bool, matched: Option<&str>) -> String {
    match (any, matched) {
        (_, Some(by)) => format!("{what} by {by}"),
        (true, None) => "does not include this visitor".into(),
        (false, None) => "names nobody".into(),
    }
}
