//! What can be changed of a flag, and which keys that sets.

use super::chunk;
use super::error::EditError;
use super::set::set;

/// A change of a flag.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Keys and their values.
    Set(&'a [(&'a str, &'a str)]),
    /// Keys and their values; a key without one is taken out.
    Put(&'a [(&'a str, Option<&'a str>)]),
    /// Off for everybody, at once.
    Off,
    /// On again, for those for whom it was on.
    On,
    /// On for everybody it may be on for.
    OnForEveryone,
    /// A new flag, at the end of the file of definitions.
    Create {
        /// The flag that it is a copy of; without its salt, layer and name for waffle.
        like: Option<&'a str>,
        /// Keys and their values.
        keys: &'a [(&'a str, &'a str)],
    },
}

impl<'a> Change<'a> {
    /// The keys it sets, given which of them the flag has; those without a value are taken out.
    pub(super) fn keys(&self, has: impl Fn(&str) -> bool) -> Vec<(&'a str, Option<&'a str>)> {
        let enabled = has("enabled").then_some(("enabled", Some("true")));
        match self {
            Self::Set(keys) | Self::Create { keys, .. } => {
                keys.iter().map(|(key, value)| (*key, Some(*value))).collect()
            }
            Self::Put(keys) => keys.to_vec(),
            Self::Off => vec![("enabled", Some("false"))],
            Self::On => enabled.into_iter().collect(),
            Self::OnForEveryone => {
                let limited = has("percent") || has("allow") || has("rules");
                enabled.into_iter().chain(limited.then_some(("percent", Some("100")))).collect()
            }
        }
    }

    /// Refuses an edit of which the end would depend on the order of its keys, and which nothing could undo.
    ///
    /// # Errors
    /// [`EditError::Twice`], when a key is there twice, or beside one that it is a part of.
    pub(super) fn names_each_key_once(&self) -> Result<(), EditError> {
        let mut keys: Vec<&str> = match self {
            Self::Set(keys) | Self::Create { keys, .. } => keys.iter().map(|(key, _)| *key).collect(),
            Self::Put(keys) => keys.iter().map(|(key, _)| *key).collect(),
            Self::Off | Self::On | Self::OnForEveryone => Vec::new(),
        };
        // what is within a key follows it
        keys.sort_unstable_by(|a, b| a.split('.').cmp(b.split('.')));
        let is_within = |key: &str, again: &str| {
            again.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        match keys.iter().zip(keys.iter().skip(1)).find(|(key, again)| is_within(key, again)) {
            Some((key, again)) => Err(EditError::Twice { key: (*key).into(), again: (*again).into() }),
            None => Ok(()),
        }
    }

    /// Whether it switches a flag off or on, and no more: that is possible in a file in which something else is wrong.
    pub(super) const fn is_switch(&self) -> bool {
        matches!(self, Self::Off | Self::On)
    }

    /// A text with these keys set. A switch edits the table of its flag alone where the rest is not TOML.
    pub(super) fn apply(&self, text: &str, flag: &str, keys: &[(&str, &str)]) -> Result<String, EditError> {
        match set(text, flag, keys) {
            Err(EditError::NotToml(why)) if self.is_switch() => {
                let range = chunk::find(text, flag).ok_or(EditError::NotToml(why))?;
                let edited = set(text.get(range.clone()).unwrap_or_default(), flag, keys)?;
                let mut text = text.to_owned();
                text.replace_range(range, &edited);
                Ok(text)
            }
            other => other,
        }
    }
}
