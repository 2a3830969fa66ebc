//! Users by name: what `allow`, `deny` and rules say about each of them.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::{
    Audience, Condition, Decision, DecisionStep, Flag, FlagId, Key, Matcher, Reason, Rule, Serve, VariantId,
};

/// A flag that names a user, and the decision where one is known without a draw.
type Named = (FlagId, Option<Decision>);

/// All users whom flags name, so that a request looks once for its user, however many lists there are. Flags that ask for anything
/// else of their subjects are not among them.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    users: HashMap<UserId, Entry>,
    /// Flags by their index: whether all that they ask is who the user is.
    covered: Vec<bool>,
}

/// The flags that name a user. For the only one no other memory is looked at.
#[derive(Debug)]
enum Entry {
    One(Named),
    // boxed, so that the entries of all others stay small
    #[allow(clippy::box_collection, reason = "a vector is three times as large as its box")]
    More(Box<Vec<Named>>),
}

impl Entry {
    fn as_slice(&self) -> &[Named] {
        match self {
            Self::One(named) => std::slice::from_ref(named),
            Self::More(all) => all,
        }
    }

    /// What comes first counts: the entries of one flag are added together.
    fn add(&mut self, named: Named) {
        if self.as_slice().last().is_some_and(|(last, _)| *last == named.0) {
            return;
        }
        match self {
            Self::One(first) => *self = Self::More(Box::new(vec![*first, named])),
            Self::More(all) => all.push(named),
        }
    }
}

/// A user's id. A short one lies in the map itself.
#[derive(Debug)]
enum UserId {
    Short(u8, [u8; SHORT]),
    Long(Box<[u8]>),
}

/// The most bytes of an id that take no memory of their own.
const SHORT: usize = 22;

impl UserId {
    fn new(id: &str) -> Self {
        let mut short = [0; SHORT];
        match (short.get_mut(..id.len()), u8::try_from(id.len())) {
            (Some(slot), Ok(length)) => {
                slot.copy_from_slice(id.as_bytes());
                Self::Short(length, short)
            }
            _ => Self::Long(id.as_bytes().into()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or(bytes),
            Self::Long(bytes) => bytes,
        }
    }
}

impl Borrow<[u8]> for UserId {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for UserId {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for UserId {}

impl Hash for UserId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Lists {
    pub(crate) fn new(flags: &[Arc<Flag>]) -> Self {
        let mut all = Self::default();
        for (id, flag) in (0..).map(FlagId).zip(flags) {
            let named = users_of(flag);
            all.covered.push(named.is_some());
            for (user, decision) in named.unwrap_or_default() {
                all.add(user, id, decision);
            }
        }
        all
    }

    fn add(&mut self, user: &str, id: FlagId, decision: Option<Decision>) {
        match self.users.get_mut(user.as_bytes()) {
            Some(entry) => entry.add((id, decision)),
            None => drop(self.users.insert(UserId::new(user), Entry::One((id, decision)))),
        }
    }

    /// Whether all that a flag asks of its subjects is who the user is.
    pub(crate) fn cover(&self, id: FlagId) -> bool {
        self.covered.get(id.index()).copied().unwrap_or_default()
    }

    pub(super) fn of(&self, user: &str) -> &[Named] {
        self.users.get(user.as_bytes()).map_or(&[], Entry::as_slice)
    }
}

/// The users whom a flag names, in the order in which it asks; none when it asks for anything else.
fn users_of(flag: &Flag) -> Option<Vec<(&str, Option<Decision>)>> {
    let denied = Decision::new(VariantId::OFF, Reason::TargetingMatch, DecisionStep::Deny);
    let allowed = Decision::new(VariantId::ON, Reason::TargetingMatch, DecisionStep::Allow);
    // named variants are drawn, also for those who are allowed
    let allowed = (!flag.variants.are_named()).then_some(allowed);
    let mut all = Vec::new();
    for (audience, decision) in [(&flag.deny, Some(denied)), (&flag.allow, allowed)] {
        let users = audience.iter().map(users_only).collect::<Option<Vec<_>>>()?;
        all.extend(users.into_iter().flatten().map(|user| (user.as_str(), decision)));
    }
    for rule in &flag.rules {
        all.extend(words_of(rule)?.into_iter().map(|user| (user, served(rule))));
    }
    Some(all)
}

/// What a rule serves, where it is not drawn.
fn served(rule: &Rule) -> Option<Decision> {
    match rule.serve {
        Serve::Variant(variant) => Some(Decision::new(variant, Reason::TargetingMatch, DecisionStep::Rule)),
        Serve::Percent(_) => None,
    }
}

fn users_only(audience: &Audience) -> Option<impl Iterator<Item = &String>> {
    let Audience { users, groups, roles, authenticated, languages, segments } = audience;
    let asks_for_more =
        *authenticated || !(groups.is_empty() && roles.is_empty() && languages.is_empty() && segments.is_empty());
    (!asks_for_more).then(|| users.iter())
}

/// The users for whom a rule holds, when it asks for nothing else.
fn words_of(rule: &Rule) -> Option<Vec<&str>> {
    match rule.when.0.as_slice() {
        [Condition::Value(Key::User, Matcher::OneOf(list))] => Some(list.plain_words()?.collect()),
        [Condition::Value(Key::User, Matcher::Pattern(word))] => Some(vec![word.plain_word()?]),
        _ => None,
    }
}
