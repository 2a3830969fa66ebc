//! What the conditions of a snapshot look at.

use crate::{AskedKeys, Audience, Conditions, Flag, Key, Snapshot};

impl Snapshot {
    /// What the conditions of its flags and segments look at.
    #[must_use]
    pub fn asked_keys(&self) -> AskedKeys {
        let segments = self.segments.iter().flat_map(|segment| &segment.any).flat_map(Conditions::keys).cloned();
        AskedKeys::new(self.flags().iter().flat_map(|flag| keys(flag)).chain(segments))
    }
}

fn keys(flag: &Flag) -> impl Iterator<Item = Key> {
    let named = [&flag.allow, &flag.deny].into_iter().flatten().flat_map(Audience::keys);
    named.chain(flag.rules.iter().flat_map(|rule| rule.when.keys()).cloned())
}
