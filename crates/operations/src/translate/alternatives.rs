//! A test as alternatives, of which one must hold, each of single tests that must all hold or fail.

use super::test::Test;

/// A single test, and whether it must hold.
pub(super) type Atom = (Test, bool);

/// The alternatives of a test.
///
/// # Errors
/// When there are more than so many, or something has no words.
pub(super) fn alternatives(test: &Test, most: usize) -> Result<Vec<Vec<Atom>>, String> {
    let all = of(test, true, most)?;
    if all.len() > most { Err(too_many(most)) } else { Ok(all) }
}

fn too_many(most: usize) -> String {
    format!("more than {most} strategies for its conditions")
}

fn of(test: &Test, holds: bool, most: usize) -> Result<Vec<Vec<Atom>>, String> {
    match (test, holds) {
        (Test::Cannot(what), _) => Err(what.clone()),
        (Test::Always, true) => Ok(vec![Vec::new()]),
        (Test::Always, false) => Ok(Vec::new()),
        (Test::Not(inner), _) => of(inner, !holds, most),
        (Test::All(list), true) | (Test::Any(list), false) => {
            let mut all = vec![Vec::new()];
            for one in list {
                let more = of(one, holds, most)?;
                let joined = all
                    .iter()
                    .flat_map(|left: &Vec<Atom>| more.iter().map(move |right| [&left[..], &right[..]].concat()));
                all = joined.take(most + 1).collect();
                if all.len() > most {
                    return Err(too_many(most));
                }
            }
            Ok(all)
        }
        (Test::Any(list), true) | (Test::All(list), false) => {
            let mut all = Vec::new();
            for one in list {
                all.extend(of(one, holds, most)?);
                if all.len() > most {
                    return Err(too_many(most));
                }
            }
            Ok(all)
        }
        (single, _) => Ok(vec![vec![(single.clone(), holds)]]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contraries_turn_and_into_or() {
        let known = |name: &str| Test::Known(name.into());
        let both = Test::All(vec![known("a"), known("b")]);
        assert_eq!(alternatives(&both, 9).unwrap(), [[(known("a"), true), (known("b"), true)]]);
        let neither = Test::Not(Box::new(both.clone()));
        assert_eq!(alternatives(&neither, 9).unwrap(), [[(known("a"), false)], [(known("b"), false)]]);
        assert!(alternatives(&neither, 1).is_err());
        assert!(alternatives(&Test::Cannot("x".into()), 9).is_err());
        assert!(alternatives(&Test::Not(Box::new(Test::Always)), 9).unwrap().is_empty());
    }
}
