//! Users by name: what `allow`, `deny` and rules say about each of them.

use std::sync::Arc;

use super::user_table::{Named, UserTable};
use crate::{
    Audience, Condition, Decision, DecisionStep, Flag, FlagId, Key, Matcher, Reason, Rule, Serve, VariantId,
};

/// All users whom flags name, so that a request looks once for its user, however many lists there are. Flags that ask for anything
/// else of their subjects are not among them.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    users: UserTable,
    /// Flags by their index: whether all that they ask is who the user is.
    covered: Vec<bool>,
}

impl Lists {
    pub(crate) fn new(flags: &[Arc<Flag>]) -> Self {
        let named: Vec<_> = flags.iter().map(|flag| users_of(flag)).collect();
        let mut users = UserTable::with_room(named.iter().flatten().map(Vec::len).sum());
        for (id, all) in (0..).map(FlagId).zip(&named) {
            for (user, decision) in all.iter().flatten() {
                users.add(user, (id, *decision));
            }
        }
        Self { users, covered: named.iter().map(Option::is_some).collect() }
    }

    /// Whether all that a flag asks of its subjects is who the user is.
    pub(crate) fn cover(&self, id: FlagId) -> bool {
        self.covered.get(id.index()).copied().unwrap_or_default()
    }

    pub(super) fn of(&self, user: &str) -> &[Named] {
        self.users.of(user)
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
