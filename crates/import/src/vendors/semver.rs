//! Comparisons of versions and numbers, as the flag file has them: from one on, and below one.

use flagstaff_flags::Version;

use crate::model::{Condition, Matcher};

/// A version compared as semantic versions are. `^` is the same major number, `~` the same minor number too. None where the operator or the version is none.
pub(super) fn compared(key: &str, operator: &str, version: &str) -> Option<Condition> {
    let version = version.trim().trim_start_matches(['v', 'V']);
    Version::new(version)?;
    let test = |matcher| Condition::Test(key.to_owned(), matcher);
    let from = |text: String| test(Matcher::AtLeast(text));
    let below = |text: String| test(Matcher::Below(text));
    let [major, minor, patch] = numbers(version)?;
    // The first version of all that are later than this one: `0` is the lowest pre-release.
    let next = || match has_pre(version) {
        true => format!("{}.0", without_build(version)),
        false => format!("{major}.{minor}.{}-0", patch.saturating_add(1)),
    };
    Some(match operator {
        "=" | "==" => Condition::All(vec![from(without_build(version)), below(next())]),
        "!=" => Condition::All(vec![from(without_build(version)), below(next())]).negated(),
        "<" => below(without_build(version)),
        "<=" => below(next()),
        ">" => from(next()),
        ">=" => from(without_build(version)),
        "^" => {
            Condition::All(vec![from(format!("{major}.0.0-0")), below(format!("{}.0.0-0", major.checked_add(1)?))])
        }
        "~" => {
            let upto = format!("{major}.{}.0-0", minor.checked_add(1)?);
            Condition::All(vec![from(format!("{major}.{minor}.0-0")), below(upto)])
        }
        _ => return None,
    })
}

/// A number compared. None where it is no number that the flag file can compare: below 0, or with a fraction.
pub(super) fn number(key: &str, operator: &str, number: f64) -> Option<Condition> {
    let is_plain = number >= 0.0 && number.fract() == 0.0 && number < 1e15;
    let whole = is_plain.then(|| format!("{number:.0}"))?;
    let test = |matcher| Condition::Test(key.to_owned(), matcher);
    let from = || test(Matcher::AtLeast(whole.clone()));
    let below = || test(Matcher::Below(whole.clone()));
    let same = || Condition::words(key, [whole.clone(), format!("{whole}.0")]);
    Some(match operator {
        "<" => below(),
        ">=" => from(),
        "<=" => Condition::Any(vec![below(), same()]),
        ">" => Condition::All(vec![from(), same().negated()]),
        "=" | "==" => same(),
        _ => return None,
    })
}

fn without_build(version: &str) -> String {
    version.split('+').next().unwrap_or_default().to_owned()
}

fn has_pre(version: &str) -> bool {
    without_build(version).contains('-')
}

/// Major, minor and patch; missing ones are 0.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let plain = without_build(version);
    let plain = plain.split('-').next().unwrap_or_default();
    let mut numbers = [0_u64; 3];
    let parts: Vec<&str> = plain.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_versions() {
        let bounds = |operator, version| format!("{:?}", compared("v", operator, version).unwrap());
        assert!(bounds("<=", "1.2.3").contains("Below(\"1.2.4-0\")"));
        assert!(bounds("^", "1.2.3").contains("Below(\"2.0.0-0\")"));
        assert!(bounds("=", "1.2.3-rc.1").contains("Below(\"1.2.3-rc.1.0\")"));
        assert!(compared("v", "?", "1").is_none() && compared("v", "=", "x").is_none());
        assert!(
            Version::new("1.2.4-0") > Version::new("1.2.3") && Version::new("1.2.4-0") < Version::new("1.2.4-alpha")
        );
        assert!(Version::new("1.2.3-rc.1.0") > Version::new("1.2.3-rc.1"));
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
