//! Operators on versions and numbers, as Unleash, flagd, GrowthBook and LaunchDarkly write them.

use flagstaff_flags::Version;

use crate::looked_at::{Compared, LookedAt};
use crate::model::{Condition, Matcher};

/// A version compared as semantic versions are. `^` is the same major number, `~` the same minor number too. None where the operator or the version is none.
pub(super) fn compared(key: &str, operator: &str, version: &str) -> Option<Condition> {
    let version = version.trim().trim_start_matches(['v', 'V']);
    Version::new(version)?;
    let [major, minor] = numbers(version)?;
    let within = |from: String, upto: String| {
        let test = |matcher| Condition::Test(key.to_owned(), matcher);
        Condition::All(vec![test(Matcher::AtLeast(from)), test(Matcher::Below(upto))])
    };
    let looked_at = LookedAt(key.to_owned());
    Some(match operator {
        "!=" => looked_at.version(Compared::Is, version).negated(),
        "^" => within(format!("{major}.0.0-0"), format!("{}.0.0-0", major.checked_add(1)?)),
        "~" => within(format!("{major}.{minor}.0-0"), format!("{major}.{}.0-0", minor.checked_add(1)?)),
        _ => looked_at.version(how(operator)?, version),
    })
}

/// A number compared. None where it is no number that the flag file can compare: below 0, or with a fraction.
pub(super) fn number(key: &str, operator: &str, number: f64) -> Option<Condition> {
    match LookedAt(key.to_owned()).number(how(operator)?, number) {
        Condition::Unknown(_) => None,
        condition => Some(condition),
    }
}

fn how(operator: &str) -> Option<Compared> {
    Some(match operator {
        "=" | "==" => Compared::Is,
        "<" => Compared::Below,
        "<=" => Compared::UpTo,
        ">" => Compared::Above,
        ">=" => Compared::AtLeast,
        _ => return None,
    })
}

/// Major and minor; missing ones are 0.
fn numbers(version: &str) -> Option<[u64; 2]> {
    let plain = version.split(['+', '-']).next().unwrap_or_default();
    let mut parts = plain.split('.');
    let numbers = [parts.next(), parts.next()].map(|part| part.map_or(Some(0), |part| part.parse().ok()));
    let [Some(major), Some(minor)] = numbers else { return None };
    Some([major, minor])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_versions() {
        let bounds = |operator, version| format!("{:?}", compared("v", operator, version).unwrap());
        assert!(bounds("^", "1.2.3").contains("Below(\"2.0.0-0\")"));
        assert!(
            bounds("~", "1.2").contains("AtLeast(\"1.2.0-0\")") && bounds("~", "1.2").contains("Below(\"1.3.0-0\")")
        );
        assert_eq!(compared("v", "!=", "1.2.3"), compared("v", "=", "1.2.3").map(Condition::negated));
        assert!(compared("v", "?", "1").is_none() && compared("v", "=", "x").is_none());
    }

    #[test]
    fn numbers_that_can_be_compared() {
        assert!(number("n", ">", 18.0).is_some());
        assert!(
            number("n", ">", 1.5).is_none()
                && number("n", "<", -1.0).is_none()
                && number("n", "<", f64::NAN).is_none()
        );
    }
}
