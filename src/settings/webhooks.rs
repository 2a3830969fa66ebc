//! The receivers of webhooks.

use std::fmt;

use flagstaff_flags::Problem;
use flagstaff_webhook::{Hook, HookSettings, twice};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

/// `[webhooks]`, or `[[webhooks]]` for each of several.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(untagged)]
pub(crate) enum Webhooks {
    /// Nobody.
    #[default]
    None,
    /// One.
    One(HookSettings),
    /// Several.
    Many(Vec<HookSettings>),
}

impl<'de> Deserialize<'de> for Webhooks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Webhooks;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table [webhooks], or several [[webhooks]]")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Webhooks, A::Error> {
                HookSettings::deserialize(MapAccessDeserializer::new(map)).map(Webhooks::One)
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, list: A) -> Result<Webhooks, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(Webhooks::Many)
            }
            fn visit_unit<E: serde::de::Error>(self) -> Result<Webhooks, E> {
                Ok(Webhooks::None)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// The receivers, checked.
///
/// # Errors
/// With every problem.
pub(crate) fn hooks(typed: &Webhooks) -> Result<Vec<Hook>, Vec<Problem>> {
    let (all, is_list) = match typed {
        Webhooks::None => return Ok(Vec::new()),
        Webhooks::One(one) => (std::slice::from_ref(one), false),
        Webhooks::Many(all) => (all.as_slice(), true),
    };
    let at = |i: usize, mut problem: Problem| {
        let prefix = if is_list { vec!["webhooks".into(), i.to_string()] } else { vec!["webhooks".into()] };
        problem.at.splice(0..0, prefix);
        problem
    };
    let mut problems = Vec::new();
    let mut hooks = Vec::new();
    for (i, one) in all.iter().enumerate() {
        match Hook::new(one) {
            Ok(hook) => hooks.push(hook),
            Err(wrong) => problems.extend(wrong.into_iter().map(|problem| at(i, problem))),
        }
    }
    if let Some((first, second, event)) = twice(&hooks).filter(|_| problems.is_empty()) {
        let message = format!("webhook {} and this one tell the same address of `{event}`", first + 1);
        problems.push(at(second, Problem::new(["url"], message).help("give each its own events, or keep one")));
    }
    if problems.is_empty() { Ok(hooks) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Vec<Hook>, Vec<String>> {
        let typed: Webhooks = serde_json::from_str(json).unwrap();
        hooks(&typed).map_err(|problems| problems.iter().map(|problem| problem.at.join(".")).collect())
    }

    #[test]
    fn one_several_or_none() {
        assert_eq!(read("null").unwrap().len(), 0);
        assert_eq!(read(r#"{ "url": "http://a/" }"#).unwrap().len(), 1);
        let several =
            r#"[{ "url": "http://a/", "events": "trip, step" }, { "url": "http://a/", "events": ["reset"] }]"#;
        let several = read(several).unwrap();
        assert_eq!(several.iter().map(|hook| hook.events().count()).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn mistakes_are_told_at_their_places() {
        assert_eq!(read("{}").unwrap_err(), ["webhooks.url"]);
        assert_eq!(
            read(r#"{ "url": "a", "events": ["trip", "b"] }"#).unwrap_err(),
            ["webhooks.url", "webhooks.events.1"]
        );
        let second = r#"[{ "url": "http://a/" }, { "url": "http://b/", "template": "{c}" }]"#;
        assert_eq!(read(second).unwrap_err(), ["webhooks.1.template"]);
        let same = r#"[{ "url": "http://a/" }, { "url": "http://b/" }, { "url": "http://a/", "events": "trip" }]"#;
        assert_eq!(read(same).unwrap_err(), ["webhooks.2.url"]);
    }
}
