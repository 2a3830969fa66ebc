//! What a flag is.

use std::fmt;

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::{Audience, Conditions, Glob, Guard, Name, Percent, Rollout, Route, VariantId, Variants};

/// A flag, made of parts that are each valid. A [`Snapshot`](crate::Snapshot) checks what links it to others.
#[derive(Clone, Debug)]
pub struct Flag {
    /// Its name.
    pub name: Name,
    /// What it is for.
    pub description: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it was decided.
    pub ticket: Option<String>,
    /// When it was made.
    pub created: Option<Date>,
    /// When it should be gone. Changes no decision.
    pub expires: Option<Date>,
    /// False is off for everybody, at once.
    pub enabled: bool,
    /// The share of units that are in.
    pub percent: Option<Percent>,
    /// What it can be.
    pub variants: Variants,
    /// What is hashed with the unit; the name when there is none.
    pub salt: Option<String>,
    /// Which id is hashed.
    pub bucket_by: BucketBy,
    /// How long an assignment is remembered; when not said, a session where there are goals, else not at all.
    pub sticky: Option<Sticky>,
    /// The layer it shares with flags it excludes.
    pub layer: Option<Name>,
    /// Flags that must not be off, or must be a variant.
    pub requires: Vec<Requirement>,
    /// Who is on, whatever the share.
    pub allow: Option<Audience>,
    /// Who is off, whatever else.
    pub deny: Option<Audience>,
    /// Rules, the first match wins.
    pub rules: Vec<Rule>,
    /// A share that rises in steps.
    pub rollout: Option<Rollout>,
    /// What watches the rollout.
    pub guard: Option<Guard>,
    /// Paths that answer by themselves when the flag is off.
    pub gate: Option<Gate>,
    /// Upstream addresses of variants.
    pub upstream: Vec<(VariantId, String)>,
    /// What is counted; the first decides.
    pub goals: Vec<Name>,
    /// Requests on which a visitor really meets it; none: every page.
    pub exposed_on: Vec<Route>,
    /// Browsers may see it.
    pub client: bool,
    /// It may be forced per request.
    pub testing: bool,
    /// Anything else worth keeping with it.
    pub metadata: Map<String, Value>,
    /// What variants mean.
    pub values: Vec<(VariantId, Value)>,
    /// The variant this machine's environment insists on.
    pub pin: Option<Pin>,
    /// Where it was defined.
    pub origin: Origin,
    /// Which text it was made from.
    pub definition: Definition,
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
            values: Vec::new(),
            pin: None,
            origin: Origin::File,
            definition: Definition(0),
        }
    }

    /// What is hashed with the unit.
    #[must_use]
    pub fn salt(&self) -> &str {
        self.salt.as_deref().unwrap_or(self.name.as_str())
    }

    /// How long an assignment is remembered.
    #[must_use]
    pub fn stickiness(&self) -> Sticky {
        self.sticky.unwrap_or(if self.goals.is_empty() { Sticky::None } else { Sticky::Session })
    }

    /// The share of those whom neither `deny`, `allow` nor a rule named: `percent` where it is written; without it nobody
    /// when `allow` or a rule says who is on, else everybody.
    #[must_use]
    pub fn share_of_the_rest(&self) -> Percent {
        let someone_is_named = self.allow.is_some() || self.rules.iter().any(|rule| rule.serve != Serve::OFF);
        self.percent.unwrap_or(if someone_is_named { Percent::ZERO } else { Percent::ALL })
    }

    /// Whether it should be gone by this day.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|expires| expires < today)
    }

    /// Whether it has been off or on for everybody for 30 days, the number most tools use, as far as its file tells: by the day
    /// it was made. A kill switch is meant to stay, and is never stale.
    #[must_use]
    pub fn is_stale(&self, today: Date) -> bool {
        const DAYS: i32 = 30;
        let depends = self.enabled && !self.requires.is_empty();
        let settled = matches!(self.state(), State::Off | State::On) && !depends && self.gate.is_none();
        let age = self.created.and_then(|created| created.until(today).ok()).map(|span| span.get_days());
        settled && age.is_some_and(|days| days >= DAYS)
    }

    /// What it does, in one word.
    #[must_use]
    pub fn state(&self) -> State {
        let share = self.share_of_the_rest();
        let names_someone = self.allow.is_some() || self.rules.iter().any(|rule| rule.serve != Serve::OFF);
        match share {
            _ if !self.enabled => State::Off,
            _ if self.rollout.is_some() => State::Rollout,
            Percent::ZERO if names_someone => State::Targeted,
            Percent::ZERO => State::Off,
            Percent::ALL if self.is_the_same_for_all_who_are_in() => State::On,
            _ => State::Split,
        }
    }

    /// Whether nobody is named, drawn or kept out when the share is everybody.
    fn is_the_same_for_all_who_are_in(&self) -> bool {
        let drawn = self.variants.weights().filter(|(_, share)| *share > Percent::ZERO).count() > 1;
        !drawn && self.layer.is_none() && self.deny.is_none() && self.rules.is_empty()
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

/// What a flag does, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Off for everybody.
    Off,
    /// On for everybody.
    On,
    /// Visitors differ.
    Split,
    /// On for those who are named.
    Targeted,
    /// On for a share that rises in steps.
    Rollout,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::On => "on",
            Self::Split => "split",
            Self::Targeted => "targeted",
            Self::Rollout => "rollout",
        }
    }
}

/// Which id is hashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BucketBy {
    /// The browser.
    #[default]
    Visitor,
    /// The person.
    User,
    /// The browser session.
    Session,
    /// Each request anew.
    Request,
    /// A header, by its lower-case name.
    Header(String),
    /// A cookie.
    Cookie(String),
}

impl BucketBy {
    /// Reads `visitor`, `user`, `session`, `request`, `header.NAME` or `cookie.NAME`; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        match text {
            "visitor" => Some(Self::Visitor),
            "user" => Some(Self::User),
            "session" => Some(Self::Session),
            "request" => Some(Self::Request),
            _ => match crate::Key::new(text) {
                Ok(crate::Key::Header(name)) => Some(Self::Header(name)),
                Ok(crate::Key::Cookie(name)) => Some(Self::Cookie(name)),
                _ => None,
            },
        }
    }
}

impl fmt::Display for BucketBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visitor => f.write_str("visitor"),
            Self::User => f.write_str("user"),
            Self::Session => f.write_str("session"),
            Self::Request => f.write_str("request"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Cookie(name) => write!(f, "cookie.{name}"),
        }
    }
}

/// How long an assignment is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sticky {
    /// Not at all: the draw alone decides.
    None,
    /// As long as the browser session.
    Session,
    /// As long as the visitor's cookie.
    Visitor,
}

/// A flag that another needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The flag.
    pub flag: Name,
    /// The variant it must have; `None`: any but off.
    pub variant: Option<String>,
}

/// A rule: who, and what they get.
#[derive(Clone, Debug)]
pub struct Rule {
    /// All must hold.
    pub when: Conditions,
    /// What is served.
    pub serve: Serve,
}

/// What a rule serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serve {
    /// This variant.
    Variant(VariantId),
    /// A share of those who match, drawn as the flag draws.
    Percent(Percent),
}

impl Serve {
    /// Nothing.
    pub const OFF: Self = Self::Variant(VariantId::OFF);
}

/// A kill switch above the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Which paths.
    pub paths: Vec<Glob>,
    /// What they answer while the flag is off.
    pub when_off: GateAnswer,
}

/// What a closed gate answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateAnswer {
    /// A page.
    Page {
        /// 400 to 599, or 200.
        status: u16,
        /// Its text.
        body: String,
    },
    /// Somewhere else.
    Redirect(String),
}

/// A variant that this machine's environment insists on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// What.
    pub variant: VariantId,
    /// The variable that says so.
    pub variable: String,
}

/// Where a flag was defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// In the file of definitions.
    #[default]
    File,
    /// Also in the overlay of this environment.
    Overlay(String),
}

/// A fingerprint of the text a flag was made from: any edit of the flag changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Definition(pub u64);

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
