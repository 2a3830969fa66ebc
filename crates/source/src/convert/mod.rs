//! From what was typed to what is true: the checks that take more than one value.

mod hashes;
mod others;
mod parts;

use flagstaff_flags::{Audience, BucketBy, Flag, Name, Problem, Sticky, VariantId, Variants, nearest};

use crate::document::{FlagTable, Meaning, Named, PeopleTable, Remembered};

/// django-waffle keeps names of at most so many characters.
const LONGEST_WAFFLE_NAME: usize = 100;

/// One table on its way: where it stands, what of it was lost while it was read, and what is wrong with the rest.
pub(crate) struct Conversion {
    section: &'static str,
    /// The name as written, which leads to the place.
    key: String,
    /// Paths inside the table that could not be read. What hangs on them is not judged.
    lost: Vec<Vec<String>>,
    pub(crate) problems: Vec<Problem>,
}

impl Conversion {
    pub(crate) const fn new(section: &'static str, key: String, lost: Vec<Vec<String>>) -> Self {
        Self { section, key, lost, problems: Vec::new() }
    }

    fn wrong(&mut self, at: &[&str], message: impl Into<String>, help: impl Into<String>) {
        let path = [self.section, self.key.as_str()].into_iter().chain(at.iter().copied());
        self.problems.push(Problem::new(path, message).help(help));
    }

    fn lost(&self, at: &[&str]) -> bool {
        self.lost.iter().any(|lost| lost.iter().zip(at).all(|(lost, at)| lost == *at))
    }

    pub(crate) fn flag(&mut self, name: Name, table: FlagTable) -> Flag {
        let variants = table.variants.map_or_else(Variants::off_and_on, |weights| weights.0);
        let salt = table.salt.as_deref().unwrap_or(name.as_str());
        let drawing = self.drawing(variants, salt, table.hash.as_ref());
        self.no_salt_beside(&drawing, table.salt.is_some());
        if table.percent.is_some() && table.rollout.is_some() {
            self.wrong(
                &["percent"],
                "`percent` and `rollout` exclude each other",
                "take out `percent`: the rollout's steps say the share",
            );
        }
        let flag = Flag {
            description: table.description,
            owner: table.owner,
            ticket: table.ticket,
            created: table.created.map(|day| day.0),
            expires: table.expires.map(|day| day.0),
            enabled: table.enabled.unwrap_or(true),
            percent: table.percent.map(|share| share.0),
            salt: table.salt,
            bucket_by: table.bucket_by.map(|unit| unit.0).unwrap_or_default(),
            sticky: table.sticky.map(sticky),
            layer: table.layer.map(|layer| layer.0),
            requires: table.requires.map(|needs| needs.0).unwrap_or_default(),
            allow: table.allow.map(people),
            deny: table.deny.map(people),
            rules: self.rules(table.rules, &drawing),
            rollout: table.rollout.and_then(|rollout| self.rollout(rollout)),
            guard: table.guard.and_then(|guard| self.guard(guard)),
            gate: table.gate.and_then(|gate| self.gate(gate)),
            upstream: self.by_variant(
                "upstream",
                table.upstream.into_iter().map(|(k, v)| (k, v.0)),
                &drawing.variants,
            ),
            goals: self.goals_of(table.goals),
            exposed_on: table.exposed_on.into_iter().map(|route| route.0).collect(),
            client: table.client.unwrap_or(false),
            testing: table.testing.unwrap_or(false),
            metadata: table.metadata.into_iter().map(|(key, Meaning(value))| (key, value)).collect(),
            waffle_name: table.waffle_name.and_then(|name| self.waffle_name(name)),
            values: self.by_variant(
                "values",
                table.values.into_iter().map(|(variant, Meaning(value))| (variant, value)),
                &drawing.variants,
            ),
            variants: drawing.variants,
            hash: drawing.hash,
            waffle_cookie_until: table.waffle_cookie_until.map(|day| day.0),
            ..Flag::new(name)
        };
        self.waffle_cookie(&flag);
        flag
    }

    /// Goals that a flag counts, each once.
    fn goals_of(&mut self, named: Vec<Named>) -> Vec<Name> {
        let mut goals: Vec<Name> = Vec::with_capacity(named.len());
        for (at, Named(goal)) in named.into_iter().enumerate() {
            if goals.contains(&goal) {
                self.wrong(&["goals", &at.to_string()], format!("the goal {goal} stands here twice"), "take one out");
            } else {
                goals.push(goal);
            }
        }
        goals
    }

    /// A name that can stand in the cookie `dwf_NAME`.
    fn waffle_name(&mut self, name: String) -> Option<String> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if (1..=LONGEST_WAFFLE_NAME).contains(&name.len()) && name.bytes().all(fits) {
            return Some(name);
        }
        let help = format!(
            "write 1 to {LONGEST_WAFFLE_NAME} letters, digits, `.`, `-` or `_`, such as waffle_name = \"courseware.search-v2\""
        );
        self.wrong(&["waffle_name"], "this cannot be part of a cookie's name", help);
        None
    }

    /// Anybody can write a cookie of django-waffle's, so it decides nothing that is measured or shared.
    fn waffle_cookie(&mut self, flag: &Flag) {
        if flag.waffle_cookie_until.is_none() || flag.may_keep_waffle_side() {
            return;
        }
        let keys = [
            ("variants", flag.variants.are_named()),
            ("goals", !flag.goals.is_empty()),
            ("guard", flag.guard.is_some()),
            ("rollout", flag.rollout.is_some()),
            ("layer", flag.layer.is_some()),
            ("gate", flag.gate.is_some()),
            ("bucket_by", flag.bucket_by != BucketBy::Visitor),
        ];
        let at = ["waffle_cookie_until"];
        match keys.iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) if !self.lost(&[key]) => self.wrong(
                &at,
                format!("a flag with `{key}` cannot take cookies of django-waffle: anybody can write one"),
                "take this key out: every visitor is drawn anew then",
            ),
            None if !self.lost(&["sticky"]) => self.wrong(
                &at,
                "what a cookie of django-waffle says is kept only where the flag is remembered",
                "add sticky = \"visitor\"",
            ),
            _ => {}
        }
    }

    /// The variant of a name, or a problem.
    fn variant(&mut self, at: &[&str], name: &str, variants: &Variants) -> Option<VariantId> {
        let found = variants.find(name);
        if found.is_none() && !self.lost(&["variants"]) {
            let names = || variants.names().iter().map(AsRef::as_ref);
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it can be: {}", names().collect::<Vec<_>>().join(", ")),
            };
            self.wrong(at, format!("the flag has no variant `{name}`"), help);
        }
        found
    }

    fn by_variant<T>(
        &mut self,
        key: &str,
        table: impl IntoIterator<Item = (String, T)>,
        variants: &Variants,
    ) -> Vec<(VariantId, T)> {
        let entries = table.into_iter();
        entries.filter_map(|(name, value)| Some((self.variant(&[key, &name], &name, variants)?, value))).collect()
    }
}

const fn sticky(remembered: Remembered) -> Sticky {
    match remembered {
        Remembered::None => Sticky::None,
        Remembered::Session => Sticky::Session,
        Remembered::Visitor => Sticky::Visitor,
    }
}

fn people(table: PeopleTable) -> Audience {
    Audience {
        users: table.users.into_iter().collect(),
        groups: table.groups.into_iter().collect(),
        roles: table.roles.into_iter().collect(),
        authenticated: table.authenticated,
        languages: table.languages,
        segments: table.segments.into_iter().map(|segment| segment.0).collect(),
    }
}
