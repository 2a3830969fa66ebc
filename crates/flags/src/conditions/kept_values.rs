//! What conditions look at, and those values of one subject, kept beyond its request.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::condition::Key;
use super::subject::{Subject, User};

/// Longer values are not kept (bytes). A subject that has one is not kept at all: without it, conditions would say something else.
const LONGEST_VALUE: usize = 1024;

/// What the conditions of a set of flags look at. Nothing else is kept of a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedKeys(BTreeSet<Key>);

impl AskedKeys {
    pub(crate) fn new(keys: impl IntoIterator<Item = Key>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The keys that these look at and `others` do not.
    pub fn beyond<'a>(&'a self, others: &'a Self) -> impl Iterator<Item = &'a Key> {
        self.0.difference(&others.0)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.0.iter()
    }

    fn asks(&self, key: &Key) -> bool {
        self.0.contains(key)
    }

    /// The values that a subject has for these keys; `None` when one of them is too long to be kept.
    #[must_use]
    pub fn read(self: &Arc<Self>, subject: &Subject<'_>) -> Option<KeptValues> {
        let values: Vec<_> = self.0.iter().map(|key| key.value(subject)).collect();
        let user = subject.user.map(|user| self.user(user));
        let is_short = |text: &String| text.len() <= LONGEST_VALUE;
        let words = user.iter().flat_map(|user| user.groups.iter().chain(&user.roles).chain([&user.id]));
        let fits = words.map(String::len).sum::<usize>() <= LONGEST_VALUE && values.iter().flatten().all(is_short);
        fits.then(|| KeptValues { asked: Arc::clone(self), values, user })
    }

    /// As much of a person as conditions look at.
    fn user(&self, user: &User) -> User {
        let list = |key, list: &Vec<String>| if self.asks(&key) { list.clone() } else { Vec::new() };
        User {
            id: if self.asks(&Key::User) { user.id.clone() } else { String::new() },
            groups: list(Key::Group, &user.groups),
            roles: list(Key::Role, &user.roles),
        }
    }
}

/// The values of one subject that conditions look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptValues {
    asked: Arc<AskedKeys>,
    /// In the order of the keys.
    values: Vec<Option<String>>,
    /// The id is empty where no condition looks at it.
    user: Option<User>,
}

impl KeptValues {
    /// What was looked at when they were kept.
    #[must_use]
    pub fn asked(&self) -> &AskedKeys {
        &self.asked
    }

    /// The value for a key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&str> {
        let place = self.asked.0.iter().position(|asked| asked == key)?;
        self.values.get(place)?.as_deref()
    }

    /// As much of the person as conditions look at. The id is empty where none does.
    #[must_use]
    pub const fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// How much memory they take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let text = |text: &String| text.len() + size_of::<String>();
        let user = self.user.iter().flat_map(|user| user.groups.iter().chain(&user.roles).chain([&user.id]));
        self.values.len() * size_of::<String>() + self.values.iter().flatten().chain(user).map(text).sum::<usize>()
    }
}
