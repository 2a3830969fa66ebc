//! The people whom `allow` and `deny` name.

use std::collections::HashSet;

use super::subject::Subject;
use crate::{Key, Name, Segment};

/// People named one by one or by what they are; one match is enough.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// Ids of users.
    pub users: HashSet<String>,
    /// Groups of users.
    pub groups: HashSet<String>,
    /// Roles of users.
    pub roles: HashSet<String>,
    /// Every known user.
    pub authenticated: bool,
    /// Preferred languages; `de` takes `de-AT` too.
    pub languages: Vec<String>,
    /// Segments.
    pub segments: Vec<Name>,
}

impl Audience {
    /// The keys it looks at.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        let of = |is_named: bool, key| is_named.then_some(key);
        let user = of(!self.users.is_empty(), Key::User);
        let group = of(!self.groups.is_empty(), Key::Group);
        let role = of(!self.roles.is_empty(), Key::Role);
        let language = of(!self.languages.is_empty(), Key::Language);
        [user, group, role, language].into_iter().flatten()
    }

    /// What matched, or `None`.
    pub(crate) fn find(&self, subject: &Subject<'_>, segments: &[Segment]) -> Option<&'static str> {
        if let Some(user) = subject.user {
            let one_of = |wanted: &HashSet<String>, of: &[String]| of.iter().any(|one| wanted.contains(one));
            if self.users.contains(&user.id) {
                return Some("user");
            }
            if one_of(&self.groups, &user.groups) {
                return Some("group");
            }
            if one_of(&self.roles, &user.roles) {
                return Some("role");
            }
            if self.authenticated {
                return Some("authenticated");
            }
        }
        if language_fits(&self.languages, subject.language) {
            return Some("language");
        }
        Segment::any_holds(&self.segments, subject, segments).then_some("segment")
    }
}

/// Whether a language is one of the wanted or a regional form of one, in any case (RFC 4647, basic filtering).
pub(crate) fn language_fits(wanted: &[String], language: Option<&str>) -> bool {
    let fits = |range: &str, tag: &str| {
        let head = tag.as_bytes().get(..range.len());
        head.is_some_and(|h| h.eq_ignore_ascii_case(range.as_bytes()))
            && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
    };
    language.is_some_and(|tag| wanted.iter().any(|range| range == "*" || fits(range, tag)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_takes_its_regions() {
        let fits = |wanted: &str, tag| language_fits(&[wanted.into()], Some(tag));
        assert!(fits("de", "de") && fits("de", "de-AT") && fits("DE", "de-at") && fits("*", "fr"));
        assert!(!fits("de", "den") && !fits("de-AT", "de") && !fits("de", "d"));
        assert!(!language_fits(&["de".into()], None));
    }
}
