//! A value that conditions look at, and the tests other systems have for it.

use flagstaff_flags::Key;

use crate::model::{Condition, Matcher};

/// A key of the flag file, such as `user` or `header.x-plan`.
#[derive(Clone, Debug)]
pub(crate) struct LookedAt(pub(crate) String);

/// Where in a value a text must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is the whole value.
    Whole,
    /// The value begins with it.
    Start,
    /// The value ends with it.
    End,
    /// It is somewhere in the value.
    Anywhere,
}

/// How a number or a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// It is this one.
    Is,
    /// It is below.
    Below,
    /// It is this one or below.
    UpTo,
    /// It is above.
    Above,
    /// It is this one or above.
    AtLeast,
}

impl LookedAt {
    fn test(&self, matcher: Matcher) -> Condition {
        Condition::Test(self.0.clone(), matcher)
    }

    /// Whether it is a list: only a user's groups and roles are.
    pub(crate) fn is_list(&self) -> bool {
        matches!(Key::new(&self.0), Ok(Key::Group | Key::Role))
    }

    /// There is a value.
    pub(crate) fn present(&self) -> Condition {
        self.test(Matcher::Expression(String::new()))
    }

    /// There is a value and this does not hold of it: what most systems mean by a negation.
    pub(crate) fn but_not(&self, condition: Condition) -> Condition {
        Condition::All(vec![self.present(), condition.negated()])
    }

    /// One of these texts stands there, letters as they are.
    pub(crate) fn has<T: Into<String>>(&self, place: Place, texts: impl IntoIterator<Item = T>) -> Condition {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        self.test(match place {
            Place::Whole => Matcher::Words(texts),
            Place::Start => Matcher::Starts(texts),
            Place::End => Matcher::Ends(texts),
            Place::Anywhere => Matcher::Contains(texts),
        })
    }

    /// One of these texts stands there, in any case of letters.
    pub(crate) fn has_any_case<T: Into<String>>(
        &self,
        place: Place,
        texts: impl IntoIterator<Item = T>,
    ) -> Condition {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        let has_letters = |text: &String| text.chars().any(|c| c.is_lowercase() || c.is_uppercase());
        if texts.iter().any(has_letters) { self.found("(?i)", place, &texts) } else { self.has(place, texts) }
    }

    fn found(&self, mode: &str, place: Place, texts: &[String]) -> Condition {
        let any = texts.iter().map(|text| Matcher::escaped(text)).collect::<Vec<_>>().join("|");
        self.test(Matcher::Expression(match place {
            Place::Whole => format!("{mode}^(?:{any})$"),
            Place::Start => format!("{mode}^(?:{any})"),
            Place::End => format!("{mode}(?:{any})$"),
            Place::Anywhere => format!("{mode}(?:{any})"),
        }))
    }

    /// A regular expression is found in it.
    pub(crate) fn matches(&self, regex: &str) -> Condition {
        self.test(Matcher::Expression(regex.into()))
    }

    /// A version compares so.
    pub(crate) fn version(&self, compared: Compared, version: &str) -> Condition {
        let version = version.trim();
        let at_least = |version: &str| self.test(Matcher::AtLeast(version.into()));
        let below = |version: &str| self.test(Matcher::Below(version.into()));
        match compared {
            Compared::Is => Condition::All(vec![at_least(version), below(&after(version))]),
            Compared::Below => below(version),
            Compared::UpTo => below(&after(version)),
            Compared::Above => at_least(&after(version)),
            Compared::AtLeast => at_least(version),
        }
    }

    /// A number compares so. The flag file compares versions, which order whole numbers from 0 up as numbers do; numbers below 0, and
    /// those that begin with a point, are no versions.
    pub(crate) fn number(&self, compared: Compared, number: f64) -> Condition {
        let is_whole = number.fract() == 0.0 && (0.0..1e15).contains(&number);
        if !is_whole {
            return Condition::Unknown(format!(
                "`{}` is compared with the number {number}, which is not whole",
                self.0
            ));
        }
        let as_version = self.version(compared, &format!("{number:.0}"));
        match beside_versions(compared, number == 0.0) {
            Some(numbers) => Condition::Any(vec![as_version, self.matches(numbers)]),
            None => as_version,
        }
    }
}

/// The numbers that compare so with a whole number from 0 up, and that are no versions, as an expression.
const fn beside_versions(compared: Compared, with_zero: bool) -> Option<&'static str> {
    Some(match (compared, with_zero) {
        (Compared::Below, true) => BELOW_ZERO,
        (Compared::UpTo, true) => r"^(?:-(?:\d+\.?\d*|\.\d+)|\.0+)$",
        (Compared::Below | Compared::UpTo, false) => r"^(?:-(?:\d+\.?\d*|\.\d+)|\.\d+)$",
        (Compared::Above, true) => r"^\.\d*[1-9]\d*$",
        (Compared::AtLeast, true) => r"^(?:\.\d+|-(?:0+\.?0*|\.0+))$",
        (Compared::Is, true) => r"^(?:\.0+|-(?:0+\.?0*|\.0+))$",
        (Compared::Above | Compared::AtLeast | Compared::Is, false) => return None,
    })
}

/// A number below 0.
const BELOW_ZERO: &str = r"^-(?:0*[1-9]\d*\.?\d*|\d*\.\d*[1-9]\d*)$";

/// The nearest version after this one: a pre-release is followed by itself with one part more, a release by itself with a last number.
fn after(version: &str) -> String {
    let version = version.split_once('+').map_or(version, |(version, _build)| version);
    if version.contains('-') {
        return format!("{version}.0");
    }
    let zeros = ".0".repeat(6usize.saturating_sub(version.split('.').count()));
    format!("{version}{zeros}.1")
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::Version;

    use super::*;

    #[test]
    fn a_version_is_followed_by_one_that_nobody_has() {
        for version in ["1", "1.2", "1.2.3", "2.0.0-rc.1", "1.2.3+build"] {
            assert!(Version::new(version).unwrap() < Version::new(&after(version)).unwrap(), "{version}");
        }
        assert!(Version::new("1.2.4").unwrap() > Version::new(&after("1.2.3")).unwrap());
        assert!(Version::new("18.5").unwrap() > Version::new(&after("18")).unwrap());
    }

    #[test]
    fn letters_count_only_where_there_are_some() {
        let plan = LookedAt("plan".into());
        assert_eq!(plan.has_any_case(Place::Whole, ["42"]), Condition::words("plan", ["42"]));
        let pro = plan.has_any_case(Place::Whole, ["Pro"]);
        assert_eq!(pro, Condition::Test("plan".into(), Matcher::Expression("(?i)^(?:Pro)$".into())));
        assert!(matches!(plan.number(Compared::Above, 1.5), Condition::Unknown(_)));
    }

    #[test]
    fn groups_and_roles_are_lists_however_they_are_written() {
        let is_list = |key: &str| LookedAt(key.into()).is_list();
        assert!(["group", "groups", "role", "roles"].into_iter().all(is_list));
        assert!(!["user", "language", "header.x-role", "grouping", "?"].into_iter().any(is_list));
    }
}
