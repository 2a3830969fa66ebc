//! A flag.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::hashing::DrawnWith;
use crate::{
    Audience, BucketBy, Definition, Gate, Guard, Hash, Name, Origin, Percent, Pin, Requirement, Rollout, Route, Rule,
    Serve, Sticky, VariantId, Variants,
};

/// A flag, made of parts that are each valid. A [`Snapshot`](crate::Snapshot) checks what links it to others.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name.
    pub name: Name,
    /// Its purpose.
    pub description: Option<String>,
    /// The flag's owner: a person or a team.
    pub owner: Option<String>,
    /// The issue or ticket in which it was decided.
    pub ticket: Option<String>,
    /// The day it was made.
    pub created: Option<Date>,
    /// The day it should be removed. It changes no decision.
    pub expires: Option<Date>,
    /// False: off for everybody, at once.
    pub enabled: bool,
    /// The share of units that get the flag.
    pub percent: Option<Percent>,
    /// The variants it can have.
    pub variants: Variants,
    /// The salt that is hashed with the unit; the flag's name when there is none.
    pub salt: Option<String>,
    /// The formula by which units are drawn, when it is another than SHA-256 of salt and unit.
    pub hash: Option<Hash>,
    /// The id that is hashed.
    pub bucket_by: BucketBy,
    /// How long an assignment is remembered. By default a session for a flag with goals, else not at all.
    pub sticky: Option<Sticky>,
    /// The layer it shares with the flags that it excludes.
    pub layer: Option<Name>,
    /// Flags that must not be off, or must have a certain variant.
    pub requires: Vec<Requirement>,
    /// People for whom it is on, whatever the share.
    pub allow: Option<Audience>,
    /// People for whom it is off, whatever else is written.
    pub deny: Option<Audience>,
    /// Rules, the first match wins.
    pub rules: Vec<Rule>,
    /// A share that rises in steps.
    pub rollout: Option<Rollout>,
    /// The guard that watches it.
    pub guard: Option<Guard>,
    /// Paths that the proxy itself answers while the flag is off.
    pub gate: Option<Gate>,
    /// Addresses of the upstreams of variants.
    pub upstream: Vec<(VariantId, String)>,
    /// Goals that are counted; the first one decides.
    pub goals: Vec<Name>,
    /// Requests on which a visitor is exposed to it; none: every page.
    pub exposed_on: Vec<Route>,
    /// Browsers may see it.
    pub client: bool,
    /// A request may force it.
    pub testing: bool,
    /// Anything else worth keeping with it.
    pub metadata: Map<String, Value>,
    /// Its name in django-waffle; the flag's name when there is none.
    pub waffle_name: Option<String>,
    /// The last day, in UTC, on which a visitor's cookie of django-waffle is honoured: see [`Flag::takes_waffle_cookie`].
    pub waffle_cookie_until: Option<Date>,
    /// The values of variants.
    pub values: Vec<(VariantId, Value)>,
    /// The variant that an environment variable of this machine sets.
    pub pin: Option<Pin>,
    /// The file it was defined in.
    pub origin: Origin,
    /// The fingerprint of the keys that decide: facts are about one of these.
    pub definition: Definition,
    /// The fingerprint that earlier versions gave it, over all keys. Facts that they recorded are about this definition.
    pub former_definition: Definition,
}

impl Flag {
    /// A flag of off and on, on for everybody.
    #[must_use]
    pub fn new(name: Name) -> Self {
        Self {
            name,
            description: None,
            owner: None,
            ticket: None,
            created: None,
            expires: None,
            enabled: true,
            percent: None,
            variants: Variants::off_and_on(),
            salt: None,
            hash: None,
            bucket_by: BucketBy::Visitor,
            sticky: None,
            layer: None,
            requires: Vec::new(),
            allow: None,
            deny: None,
            rules: Vec::new(),
            rollout: None,
            guard: None,
            gate: None,
            upstream: Vec::new(),
            goals: Vec::new(),
            exposed_on: Vec::new(),
            client: false,
            testing: false,
            metadata: Map::new(),
            waffle_name: None,
            waffle_cookie_until: None,
            values: Vec::new(),
            pin: None,
            origin: Origin::File,
            definition: Definition(0),
            former_definition: Definition(0),
        }
    }

    /// Whether recorded facts decide about it too: it may have been rolled back, or be at a step of its rollout.
    #[must_use]
    pub const fn needs_facts(&self) -> bool {
        self.rollout.is_some() || self.guard.is_some()
    }

    /// The salt that is hashed with the unit.
    #[must_use]
    pub fn salt(&self) -> &str {
        self.salt.as_deref().unwrap_or(self.name.as_str())
    }

    /// What it draws with.
    pub(crate) fn drawn_with(&self) -> DrawnWith<'_> {
        let ranges = self.variants.are_named().then(|| self.variants.ranges());
        DrawnWith { salt: self.salt(), hash: self.hash.as_ref(), ranges }
    }

    /// What a rule of it draws with.
    pub(crate) fn rule_drawn_with<'a>(&'a self, rule: &'a Rule) -> DrawnWith<'a> {
        let own = self.drawn_with();
        DrawnWith { hash: rule.hash.as_ref().or(own.hash), ranges: rule.ranges.as_deref().or(own.ranges), ..own }
    }

    /// Its name in django-waffle.
    #[must_use]
    pub fn waffle_name(&self) -> &str {
        self.waffle_name.as_deref().unwrap_or(self.name.as_str())
    }

    /// Whether a visitor may keep the side that django-waffle drew, by a cookie that anybody can write: nothing is measured of the flag,
    /// nothing watches it, and it shares its draw with no other.
    #[must_use]
    pub fn may_keep_waffle_side(&self) -> bool {
        let is_measured = !self.goals.is_empty() || self.guard.is_some() || self.rollout.is_some();
        let is_shared = self.layer.is_some() || self.gate.is_some();
        let is_remembered = self.bucket_by == BucketBy::Visitor && self.stickiness() == Sticky::Visitor;
        is_remembered && !is_measured && !is_shared && !self.variants.are_named()
    }

    /// Whether a visitor's cookie of django-waffle is honoured on a day: then the visitor keeps its side.
    #[must_use]
    pub fn takes_waffle_cookie(&self, day: Date) -> bool {
        self.waffle_cookie_until.is_some_and(|until| day <= until) && self.may_keep_waffle_side()
    }

    /// How long an assignment is remembered.
    #[must_use]
    pub fn stickiness(&self) -> Sticky {
        self.sticky.unwrap_or(if self.goals.is_empty() { Sticky::None } else { Sticky::Session })
    }

    /// The share of everybody whom neither `deny`, `allow` nor a rule names: `percent` where it is written. Without it, it is nobody
    /// when `allow` or a rule names someone, else everybody.
    #[must_use]
    pub fn share_of_the_rest(&self) -> Percent {
        let someone_is_named = self.allow.is_some() || self.rules.iter().any(|rule| rule.serve != Serve::OFF);
        self.percent.unwrap_or(if someone_is_named { Percent::ZERO } else { Percent::ALL })
    }

    /// What a variant means to code that asks for a value: the one written, else true or false for a flag of off and on, else
    /// the variant's name.
    #[must_use]
    pub fn value(&self, variant: VariantId) -> Value {
        if let Some((_, value)) = self.values.iter().find(|(id, _)| *id == variant) {
            return value.clone();
        }
        if self.variants.are_named() {
            Value::String(self.variants.name(variant).into())
        } else {
            Value::Bool(variant != VariantId::OFF)
        }
    }
}
