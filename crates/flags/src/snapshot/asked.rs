//! What the conditions of a snapshot look at.

use crate::{AskedKeys, Audience, BucketBy, Condition, Conditions, Flag, Key, Name, Snapshot};

impl Snapshot {
    /// What the conditions of its flags and segments look at.
    #[must_use]
    pub fn asked_keys(&self) -> AskedKeys {
        let segments = self.segments.iter().flat_map(|segment| &segment.any).flat_map(Conditions::keys).cloned();
        AskedKeys::new(self.flags().iter().flat_map(|flag| keys(flag)).chain(segments))
    }

    /// What decides one of its flags, besides the flags it requires and ids of ours: what its conditions and those of its segments look at,
    /// [`Key::User`] where somebody who is logged in may get something else, and the unit it draws by.
    #[must_use]
    pub fn deciding_keys(&self, flag: &Flag) -> AskedKeys {
        let conditions = flag.rules.iter().flat_map(|rule| &rule.when.0).chain(self.segment_conditions(flag));
        let authenticated = audiences(flag).any(|audience| audience.authenticated).then_some(Key::User);
        let keys = keys(flag).chain(conditions.filter_map(Condition::deciding_key).cloned());
        AskedKeys::new(keys.chain(authenticated).chain(unit(&flag.bucket_by)))
    }

    /// The conditions of the segments that a flag names.
    fn segment_conditions<'a>(&'a self, flag: &'a Flag) -> impl Iterator<Item = &'a Condition> {
        let by_audience = audiences(flag).flat_map(|audience| &audience.segments);
        let named: Vec<&Name> = by_audience.chain(flag.rules.iter().flat_map(|rule| rule.when.segments())).collect();
        let segments = self.segments.iter().filter(move |segment| named.contains(&&segment.name));
        segments.flat_map(|segment| &segment.any).flat_map(|all| &all.0)
    }
}

/// The unit that flags draw by, where it is no id of ours.
fn unit(bucket_by: &BucketBy) -> Option<Key> {
    match bucket_by {
        BucketBy::User => Some(Key::User),
        BucketBy::Header(name) => Some(Key::Header(name.clone())),
        BucketBy::Cookie(name) => Some(Key::Cookie(name.clone())),
        BucketBy::Visitor | BucketBy::Session | BucketBy::Request => None,
    }
}

fn audiences(flag: &Flag) -> impl Iterator<Item = &Audience> {
    [&flag.allow, &flag.deny].into_iter().flatten()
}

fn keys(flag: &Flag) -> impl Iterator<Item = Key> {
    let named = audiences(flag).flat_map(Audience::keys);
    named.chain(flag.rules.iter().flat_map(|rule| rule.when.keys()).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Glob, Matcher, Rule, Segment, Serve};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn is(key: &str) -> Condition {
        Condition::Value(Key::new(key).unwrap(), Matcher::Pattern(Glob::new("x")))
    }

    #[test]
    fn all_that_decides_a_flag_is_found() {
        let segment = |text, condition| Segment { name: name(text), any: vec![Conditions(vec![condition])] };
        let segments = vec![segment("near", is("country")), segment("new", is("plan")), segment("other", is("ip"))];
        let audience = Audience { segments: vec![name("near")], authenticated: true, ..Audience::default() };
        let not_new = Condition::Not(Box::new(Condition::Segment(vec![name("new")])));
        let when = Conditions(vec![not_new, Condition::Language(vec!["de".into()]), is("path")]);
        let named =
            Flag { deny: Some(audience), rules: vec![Rule::new(when, Serve::OFF)], ..Flag::new(name("named")) };
        let drawn = Flag { bucket_by: BucketBy::Header("x-org".into()), ..Flag::new(name("drawn")) };
        let anonymous = Conditions(vec![Condition::Not(Box::new(Condition::Authenticated(true)))]);
        let logged_out = Flag { rules: vec![Rule::new(anonymous, Serve::OFF)], ..Flag::new(name("logged_out")) };
        let plain = Flag::new(name("plain"));
        let flags = vec![named, drawn, logged_out, plain];
        let snapshot = Snapshot::new("r", flags, vec![], segments, vec![]).unwrap();
        let of = |text| {
            let keys = snapshot.deciding_keys(snapshot.flag_named(text).unwrap());
            keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("named"), "user language country path plan");
        assert_eq!(
            (of("drawn"), of("logged_out"), of("plain")),
            ("header.x-org".into(), "user".into(), String::new())
        );
    }

    #[test]
    fn headers_tell_attributes() {
        let of = |key: &str| Key::new(key).unwrap().header().map(std::borrow::Cow::into_owned);
        assert_eq!(of("app_version").as_deref(), Some("x-app-version"));
        assert_eq!(of("header.X-Org").as_deref(), Some("x-org"));
        assert_eq!(of("language").as_deref(), Some("accept-language"));
        assert_eq!((of("country"), of("ip"), of("user"), of("query.a")), (None, None, None, None));
    }
}
