//! A flag, its rules and its people.

use super::{Condition, Hash, Note, Share};
use crate::input::Node;

/// A flag of the old system, in the shape of the flag file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Flag {
    /// Its name in the old system.
    pub origin: String,
    /// What it is for.
    pub description: Option<String>,
    /// The person or team.
    pub owner: Option<String>,
    /// The day it was made, `2026-11-01`.
    pub created: Option<String>,
    /// The day it should be gone.
    pub expires: Option<String>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// Who is in; none where the default of the flag file is meant.
    pub percent: Option<Share>,
    /// Variants; none for off and on. The first is what those get who are not in.
    pub variants: Vec<Variant>,
    /// By which formula it is drawn; none for the flag file's own.
    pub hash: Option<Hash>,
    /// Which id is hashed.
    pub bucket_by: Option<String>,
    /// Flags that must not be off, or must be a variant.
    pub requires: Vec<Requirement>,
    /// People for whom it is on.
    pub allow: Audience,
    /// People for whom it is off.
    pub deny: Audience,
    /// Rules; the first that matches decides.
    pub rules: Vec<Rule>,
    /// Whether browsers may see it.
    pub client: bool,
    /// Whether it may be forced per request.
    pub testing: bool,
    /// How long an assignment is remembered.
    pub sticky: Option<String>,
    /// Its name in django-waffle, where that is not the name here.
    pub waffle_name: Option<String>,
    /// The last day on which a visitor's cookie of django-waffle is honoured.
    pub waffle_cookie_until: Option<String>,
    /// Anything else worth keeping.
    pub metadata: Vec<(String, Node)>,
    /// What is not carried, and what is worth knowing.
    pub notes: Vec<Note>,
    /// Why the flag is not carried at all; then it is only a comment.
    pub refused: Option<String>,
}

impl Flag {
    /// An enabled flag of this name.
    #[must_use]
    pub fn new(origin: impl Into<String>) -> Self {
        Self { origin: origin.into(), enabled: true, ..Self::default() }
    }

    /// A flag that cannot be carried, and why.
    #[must_use]
    pub fn refused(origin: impl Into<String>, why: impl Into<String>) -> Self {
        Self { refused: Some(why.into()), ..Self::new(origin) }
    }

    /// Asks for another flag, which must be on and give this variant; a note where that cannot be asked for.
    pub fn needs_variant(&mut self, origin: &str, variant: &str) {
        match Requirement::of_variant(origin, variant) {
            Some(needed) => self.requires.push(needed),
            None => self.lost(format!(
                "It needs `{origin}` to be on and to give `{variant}`. Here a flag gives that also while it is not on, so it is not asked for."
            )),
        }
    }

    /// Notes what is not carried.
    pub fn lost(&mut self, text: impl Into<String>) {
        Note::add(&mut self.notes, Note::lost(text));
    }

    /// Notes what is worth knowing.
    pub fn remark(&mut self, text: impl Into<String>) {
        Note::add(&mut self.notes, Note::remark(text));
    }
}

/// A variant of a flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name in the old system.
    pub name: String,
    /// Its weight; all weights of a flag make 100 percent.
    pub weight: Share,
    /// What it means to code.
    pub value: Option<Node>,
}

/// People, named one by one or by what they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Ids of users.
    pub users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<String>,
    /// Everybody who is logged in.
    pub authenticated: bool,
    /// Languages.
    pub languages: Vec<String>,
    /// Segments, by the names of the old system.
    pub segments: Vec<String>,
}

/// A flag that another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Its name in the old system.
    pub origin: String,
    /// The variant it must be; none: it must not be off.
    pub variant: Option<String>,
}

impl Requirement {
    /// A flag that must be on and give this variant. None for `off`: a flag gives that also while it is disabled, rolled back or
    /// denied, so the flag that asks for it would be open then.
    #[must_use]
    pub fn of_variant(origin: impl Into<String>, variant: impl Into<String>) -> Option<Self> {
        let variant = variant.into();
        (variant != "off").then(|| Self { origin: origin.into(), variant: Some(variant) })
    }
}

/// A rule of a flag.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Whom it is for.
    pub condition: Condition,
    /// What they get.
    pub outcome: Outcome,
    /// By which formula they are drawn, where it is not the flag's.
    pub hash: Option<Hash>,
    /// Those whom its percentage leaves out go on to the next rule.
    pub goes_on: bool,
    /// A comment above it.
    pub comment: Option<String>,
}

impl Rule {
    /// Those for whom the condition holds get this.
    #[must_use]
    pub const fn new(condition: Condition, outcome: Outcome) -> Self {
        Self { condition, outcome, hash: None, goes_on: false, comment: None }
    }

    /// Drawn by this formula.
    #[must_use]
    pub fn drawn(self, hash: Hash) -> Self {
        Self { hash: Some(hash), ..self }
    }
}

/// What those get for whom a rule is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One variant.
    Serve(String),
    /// So many of them are in, by the flag's weights; the others get off or the first variant, or go on.
    Percent(Share),
    /// One of these by weight.
    Variants(Vec<(String, Share)>),
    /// So many of them are in, and get one of these by weight.
    PercentOfVariants(Share, Vec<(String, Share)>),
}
