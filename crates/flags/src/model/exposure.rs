//! Who meets a flag, and what experiment that belongs to.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::{BucketBy, Decision, Decisions, Draw, Flag, FlagId, Percent, Snapshot, Subject, Trigger, VariantId};
use crate::{EventGoal, Goal};

/// Which experiment a flag is: the same for all definitions that draw alike. A new share, text, goal or owner goes on with
/// it; another name, salt, unit or list of variants starts a new one, because it makes other groups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Trial(u64);

impl Trial {
    pub(crate) fn of(flag: &Flag) -> Self {
        let bucket_by = flag.bucket_by.to_string();
        let names = flag.variants.weights().map(|(id, _)| flag.variants.name(id));
        Self::of_parts([flag.name.as_str(), flag.salt(), &bucket_by].into_iter().chain(names))
    }

    pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            // no part contains a NUL, so no two lists of parts read the same
            hash.update(part);
            hash.update([0]);
        }
        let digest: [u8; 32] = hash.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }

    /// As a number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Trial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Which places (0 to 99,999) a variant has at some time, from `from` up to, and without, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arm {
    /// The variant.
    pub variant: VariantId,
    /// Where it begins.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
}

impl Flag {
    /// Where a unit falls among its arms, 0 to 99,999: the position for a flag of off and on, the split for one with
    /// variants of its own.
    #[must_use]
    pub fn place(&self, unit: &str) -> u32 {
        let draw = Draw::of(self.salt(), unit);
        if self.variants.are_named() { draw.split() } else { draw.position() }
    }

    /// Whether a visitor really meets it on this request: one of `exposed_on`; where none is written, any page, or with a
    /// rollout or a guard any request at all, because who uses no pages must be guarded too.
    #[must_use]
    pub fn is_met_on(&self, method: &str, path: &str, is_page: bool) -> bool {
        if self.exposed_on.is_empty() {
            is_page || self.rollout.is_some() || self.guard.is_some()
        } else {
            self.exposed_on.iter().any(|route| route.fits(method, path))
        }
    }
}

impl Flag {
    /// The number of a variant among what is drawn, the control being 0; `None` for one that is not drawn.
    #[must_use]
    pub fn arm(&self, variant: VariantId) -> Option<u8> {
        if self.variants.are_named() {
            let number = self.variants.weights().position(|(id, _)| id == variant)?;
            return u8::try_from(number).ok();
        }
        match variant {
            VariantId::OFF => Some(0),
            VariantId::ON => Some(1),
            _ => None,
        }
    }

    /// Shares of what is drawn at a step of its rollout (from 0), the control first, in thousandths of a percent; where there is
    /// no rollout every step has those that are written. They need not make a whole: a layer or a share of named variants
    /// may leave some out.
    #[must_use]
    pub fn shares(&self, step: usize) -> Vec<u32> {
        let percent = match &self.rollout {
            Some(rollout) => rollout.percent(Timestamp::MAX, step),
            None => self.share_of_the_rest(),
        };
        self.arms(percent).into_iter().map(|arm| arm.to - arm.from).collect()
    }

    /// Where the draw sends a unit that nothing else decides for.
    fn arms(&self, percent: Percent) -> Vec<Arm> {
        if self.variants.are_named() {
            return weighted(self);
        }
        let edge = percent.thousandths();
        let on = Arm { variant: VariantId::ON, from: 0, to: edge };
        vec![Arm { variant: VariantId::OFF, from: edge, to: Percent::WHOLE }, on]
    }
}

impl BucketBy {
    /// The id it hashes of a subject, when known.
    #[must_use]
    pub fn unit<'a>(&self, subject: &Subject<'a>) -> Option<&'a str> {
        match self {
            Self::Visitor => subject.visitor,
            Self::User => subject.user.map(|user| user.id.as_str()),
            Self::Session => subject.session,
            Self::Request => subject.request,
            Self::Header(name) => subject.attributes.header(name),
            Self::Cookie(name) => subject.attributes.cookie(name),
        }
    }

    /// What a unit is called where units of every kind stand side by side: a visitor's id as it is, others with what they
    /// are, as in `user:42`.
    #[must_use]
    pub fn key<'a>(&self, unit: &'a str) -> Cow<'a, str> {
        match self {
            Self::Visitor => unit.into(),
            other => format!("{other}:{unit}").into(),
        }
    }
}

impl Decisions {
    /// The flags a request exposes its visitor to, with their decisions: those drawn, now or earlier, that are met on it.
    /// Flags drawn anew for each request are left out: nobody meets one of their variants twice.
    pub fn met<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        is_page: bool,
    ) -> impl Iterator<Item = (FlagId, &'a Arc<Flag>, Decision)> {
        let met = move |flag: &Flag| flag.is_met_on(method, path, is_page);
        self.countable().filter(move |(_, flag, _)| met(flag))
    }

    /// Whether a visitor meets an experiment on this request, held out or not. It says the same for both, so that they can be
    /// compared. `named` are flags that the app says were met, wherever that was.
    #[must_use]
    pub fn meets_experiment(&self, method: &str, path: &str, is_page: bool, named: &[FlagId]) -> bool {
        let met = |id: &FlagId, flag: &Flag| named.contains(id) || flag.is_met_on(method, path, is_page);
        self.iter().any(|(id, flag, decision)| decision.is_tried() && met(&id, flag))
    }

    /// The flags a visitor can be exposed to at all, now: those drawn, for something that lasts.
    pub fn countable(&self) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        let lasts = |flag: &Flag| flag.bucket_by != BucketBy::Request;
        self.iter().filter(move |(_, flag, decision)| decision.is_counted() && lasts(flag))
    }
}

impl Snapshot {
    /// Which experiment a flag is.
    #[must_use]
    pub fn trial(&self, id: FlagId) -> Trial {
        self.links.of.get(id.index()).map_or(Trial::default(), |ties| ties.trial)
    }

    /// Whether a flag's guard rolled this definition of it back.
    #[must_use]
    pub fn is_tripped(&self, id: FlagId) -> bool {
        self.fact(id).is_some_and(|fact| fact.tripped)
    }

    /// The step of a flag's rollout that is recorded, from 0.
    #[must_use]
    pub fn step(&self, id: FlagId) -> usize {
        self.fact(id).map_or(0, |fact| fact.step)
    }

    /// The arms of a flag's experiment at a time: where the draw sends a unit that nothing else decides for.
    #[must_use]
    pub fn arms(&self, id: FlagId, now: Timestamp) -> Vec<Arm> {
        self.flag(id).map(|flag| flag.arms(self.share(id, now))).unwrap_or_default()
    }

    /// The variant that the draw alone gives a unit at a time, whatever is remembered of it; none for a place that no arm has.
    #[must_use]
    pub fn drawn(&self, id: FlagId, unit: &str, now: Timestamp) -> Option<VariantId> {
        let place = self.flag(id)?.place(unit);
        let arms = self.arms(id, now);
        arms.iter().find(|arm| (arm.from..arm.to).contains(&place)).map(|arm| arm.variant)
    }

    /// The goals that a request with this answer reaches.
    pub fn goals_reached<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        status: u16,
    ) -> impl Iterator<Item = &'a Goal> {
        self.goals().iter().filter(move |goal| match &goal.trigger {
            Trigger::Request { route, status: wanted } => route.fits(method, path) && wanted.contains(status),
            Trigger::Event(_) | Trigger::Bounce { .. } => false,
        })
    }

    /// The goals that an event of this name can reach, each with what it makes of it.
    pub fn goals_of_event<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a Goal, &'a EventGoal)> {
        self.goals().iter().filter_map(move |goal| match &goal.trigger {
            Trigger::Event(wanted) if wanted.event == name => Some((goal, wanted)),
            _ => None,
        })
    }

    /// Whether some flag counts visitors who leave at once, so that pages must be recorded.
    #[must_use]
    pub fn counts_bounces(&self) -> bool {
        self.goals().iter().any(|goal| matches!(goal.trigger, Trigger::Bounce { .. }))
    }
}

/// Weights one after the other, in written order.
fn weighted(flag: &Flag) -> Vec<Arm> {
    let mut from = 0;
    let arm = |(variant, share): (VariantId, Percent)| {
        let to = from + share.thousandths();
        Arm { variant, from: std::mem::replace(&mut from, to), to }
    };
    flag.variants.weights().map(arm).collect()
}
