//! A flag as other systems see it: steps of which the first that fits decides, and a share for the rest. What none of them has is noted.

use flagstaff_flags::{Allocation, BucketBy, Flag, FlagId, Hash, Otherwise, Percent, Serve, Snapshot, Sticky};
use jiff::Timestamp;
use serde_json::Value;

use super::Target;
use super::test::{Test, audience, conditions};

/// A flag that is to be written.
pub(super) struct Plan<'a> {
    pub(super) flag: &'a Flag,
    target: Target,
    /// Somebody is drawn.
    draws: bool,
    /// They lie elsewhere there.
    pub(super) redrawn: bool,
    /// The first whose test holds decides; without any, everybody is off.
    pub(super) steps: Vec<Step>,
    /// The attribute of the context that is hashed; none: drawn anew each time.
    pub(super) unit: Option<String>,
    /// What is not said.
    pub(super) lost: Vec<String>,
}

/// What those get whose context passes a test.
pub(super) struct Step {
    pub(super) test: Test,
    pub(super) gives: Gives,
}

/// How the other system draws as this flag does.
pub(super) struct Kept {
    /// The text before the unit.
    pub(super) key: String,
    /// The sum of the weights.
    pub(super) total: u32,
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Gives {
    /// This variant, by its name.
    Variant(String),
    /// A variant each, by a number that a formula makes of the unit.
    Drawn(Drawn),
}

/// Who gets which variant, in thousandths of a percent.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Drawn {
    /// How many are in.
    pub(super) share: u32,
    /// The variants of those, in the order in which they lie along the number; none for on.
    pub(super) lies: Vec<(String, u32)>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(snapshot: &Snapshot, id: FlagId, flag: &'a Flag, target: Target, now: Timestamp) -> Self {
        let unit = match &flag.bucket_by {
            BucketBy::Visitor => Some("targetingKey".into()),
            BucketBy::User => Some("user".into()),
            BucketBy::Session => Some("session".into()),
            BucketBy::Request => None,
            BucketBy::Header(name) => Some(format!("header.{name}")),
            BucketBy::Cookie(name) => Some(format!("cookie.{name}")),
        };
        let mut plan = Self { flag, target, draws: false, redrawn: false, steps: Vec::new(), unit, lost: lost(flag) };
        if flag.enabled {
            plan.fill(snapshot, snapshot.share(id, now));
        }
        plan.draws = plan.steps.iter().any(|step| matches!(step.gives, Gives::Drawn(_)));
        if plan.draws && plan.kept().is_none() {
            let title = target.title();
            plan.lost
                .push(format!("its visitors are drawn anew: {title} has another formula than this flag (`hash`)"));
        }
        plan
    }

    /// The name of the variant that stands for off.
    pub(super) fn off(&self) -> String {
        "off".into()
    }

    /// What the other system must hash so that visitors keep what they have; none where it has another formula.
    pub(super) fn kept(&self) -> Option<Kept> {
        let hash = self.flag.hash.as_ref()?;
        let settings = hash.settings();
        let turned = hash.has_on_last() && self.target != Target::Flagd;
        let name = self.flag.name.to_string();
        // flagd's version 3 keeps key and unit apart, which a draw says that names neither.
        let is_newer = self.target == Target::Flagd && settings.version == Some(3);
        let fits_newer =
            self.flag.bucket_by == BucketBy::Visitor && settings.key.as_deref().unwrap_or(self.flag.salt()) == name;
        let is_plain = hash.formula() == self.target.formula()
            && settings.prefix.is_none()
            && !turned
            && (!is_newer || fits_newer);
        let key = match self.target {
            Target::Unleash => settings.group.clone(),
            Target::Flagd | Target::Goff => settings.key.clone(),
        };
        let key = key.unwrap_or_else(|| self.flag.salt().to_owned());
        // its own key is all that GO Feature Flag hashes
        let fits = self.target != Target::Goff || key == name;
        let total = match self.target {
            Target::Flagd => 100,
            Target::Unleash => 1000,
            Target::Goff => 100_000,
        };
        (is_plain && fits).then_some(Kept { key, total: settings.total.unwrap_or(total) })
    }

    /// Whether visitors keep what they have; none where nobody is drawn.
    pub(super) fn keeps_visitors(&self) -> Option<bool> {
        self.draws.then(|| self.kept().is_some() && !self.redrawn)
    }

    /// Weights in so many cells: a cell belongs to the variant in whose part it begins.
    pub(super) fn cells(&self, weights: &[(String, u32)], total: u32) -> Vec<(String, u32)> {
        let (mut sum, mut below) = (0_u64, 0_u64);
        let cells = weights.iter().map(|(name, weight)| {
            sum += u64::from(*weight);
            let upto = (sum * u64::from(total)).div_ceil(100_000);
            let cells = upto - std::mem::replace(&mut below, upto);
            (name.clone(), u32::try_from(cells).unwrap_or(u32::MAX))
        });
        cells.collect()
    }

    /// All variants with what they mean to code, off among them.
    pub(super) fn values(&self) -> Vec<(String, Value)> {
        let flag = self.flag;
        let names = flag.variants.names().iter();
        names.filter_map(|name| Some((name.to_string(), flag.value(flag.variants.find(name)?)))).collect()
    }

    fn fill(&mut self, snapshot: &Snapshot, share: Percent) {
        let (flag, segments) = (self.flag, snapshot.segments());
        if let Some(deny) = &flag.deny {
            self.step("deny", audience(deny, segments), Gives::Variant(self.off()));
        }
        if let Some(allow) = &flag.allow {
            self.step("allow", audience(allow, segments), self.drawn(Percent::ALL, None));
        }
        for rule in &flag.rules {
            let gives = match rule.serve {
                Serve::Variant(id) => Gives::Variant(flag.variants.name(id).into()),
                Serve::Percent(share) => self.drawn(share, rule.ranges.as_deref()),
            };
            if rule.hash.is_some() {
                self.lost.push("a rule has a formula of its own (`hash`)".into());
            }
            if rule.otherwise == Otherwise::Next {
                self.lost.push(format!(
                    "a rule leaves those whom its share leaves out to the next one (`otherwise`): they are {} there",
                    self.control()
                ));
            }
            self.step("a rule", conditions(&rule.when, segments), gives);
        }
        let gives = self.drawn(share, None);
        self.steps.push(Step { test: Test::Always, gives });
    }

    fn step(&mut self, what: &str, test: Test, gives: Gives) {
        match test.cannot() {
            Some(why) => {
                let instead =
                    if gives == Gives::Variant(self.off()) { ": who is meant is not off by it" } else { "" };
                self.lost.push(format!("{what} needs {why}{instead}"));
            }
            None => {
                for case in test.case_lost(self.target).into_iter().map(|case| format!("{what}: {case}")) {
                    if !self.lost.contains(&case) {
                        self.lost.push(case);
                    }
                }
                self.steps.push(Step { test, gives });
            }
        }
    }

    /// What a share of the units gets, by the flag's variants, or those of a rule.
    fn drawn(&self, share: Percent, ranges: Option<&[Allocation]>) -> Gives {
        let variants = &self.flag.variants;
        if share == Percent::ZERO {
            return Gives::Variant(self.control());
        }
        if !variants.are_named() && share == Percent::ALL {
            return Gives::Variant("on".into());
        }
        let named = variants.are_named().then(|| variants.ranges());
        let mut ranges = ranges.or(named).unwrap_or_default().to_vec();
        ranges.sort_by_key(|range| range.from);
        let lies =
            ranges.iter().map(|range| (variants.name(range.variant).to_owned(), range.to.saturating_sub(range.from)));
        Gives::Drawn(Drawn { share: share.thousandths(), lies: lies.collect() })
    }

    /// What those get who are not in.
    fn control(&self) -> String {
        let variants = &self.flag.variants;
        variants.name(variants.control()).to_owned()
    }

    /// What lies where along one number. Where visitors are to keep what they have, the share takes the first part of each variant's own
    /// range, as it does here; else the order is free.
    pub(super) fn parts(&self, drawn: &Drawn) -> Vec<(String, u32)> {
        let rest = 100_000_u32.saturating_sub(drawn.share);
        if drawn.lies.is_empty() {
            let mut parts = vec![("on".to_owned(), drawn.share), ("off".to_owned(), rest)];
            if self.flag.hash.as_ref().is_some_and(Hash::has_on_last) {
                parts.reverse();
            }
            return parts;
        }
        let share =
            |weight: u32| u32::try_from(u64::from(weight) * u64::from(drawn.share) / 100_000).unwrap_or_default();
        let mut parts = Vec::new();
        let mut outside = 0;
        for (name, weight) in &drawn.lies {
            let inside = share(*weight);
            parts.push((name.clone(), inside));
            outside += weight - inside;
            if self.kept().is_some() {
                parts.push((self.control(), std::mem::take(&mut outside)));
            }
        }
        parts.push((self.control(), outside));
        parts.retain(|(_, weight)| *weight > 0);
        parts
    }
}

/// Keys that none of the systems has.
fn lost(flag: &Flag) -> Vec<String> {
    let keys = [
        (!flag.requires.is_empty(), "`requires`: it is on whatever other flags are"),
        (flag.rollout.is_some(), "`rollout`: its share stays as it is now"),
        (flag.guard.is_some(), "`guard`: nothing rolls it back"),
        (flag.layer.is_some(), "`layer`: flags do not exclude each other"),
        (!flag.goals.is_empty(), "`goals`: nothing is counted"),
        (flag.gate.is_some(), "`gate`: no path is closed"),
        (!flag.upstream.is_empty(), "`upstream`: nobody is sent elsewhere"),
        (flag.testing, "`testing`: nobody can ask for a variant"),
        (
            flag.stickiness() != Sticky::None && flag.goals.is_empty(),
            "`sticky`: nobody keeps a variant while the share falls",
        ),
        (flag.pin.is_some(), "its pin by an environment variable"),
    ];
    keys.into_iter().filter(|(is_there, _)| *is_there).map(|(_, what)| what.to_owned()).collect()
}
