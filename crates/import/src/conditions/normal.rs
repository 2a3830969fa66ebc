//! A tree of conditions as alternatives of plain tests.

use crate::model::{Condition, Matcher};

/// More alternatives are not written.
const MOST_ALTERNATIVES: usize = 64;
/// More tests in one alternative are not written.
const MOST_TESTS: usize = 200;

/// A test that holds, or must not.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Literal {
    pub(crate) tested: Tested,
    pub(crate) negated: bool,
}

/// What is tested.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tested {
    Value(String, Matcher),
    Segment(String),
    After(String),
    Before(String),
    Authenticated(bool),
}

type Alternatives = Vec<Vec<Literal>>;

/// The alternatives of a tree: it holds where all tests of one of them hold. None at all: it never holds.
///
/// # Errors
/// With the reason, when part of it cannot be said in a flag file, or it is too large.
pub(crate) fn normal(condition: &Condition) -> Result<Alternatives, String> {
    spread(condition, false)
}

fn spread(condition: &Condition, negated: bool) -> Result<Alternatives, String> {
    let literal = |tested| Ok(vec![vec![Literal { tested, negated }]]);
    match condition {
        Condition::Always => Ok(whole(!negated)),
        Condition::Never => Ok(whole(negated)),
        Condition::Test(_, matcher) if is_empty(matcher) => Ok(whole(negated)),
        Condition::Test(key, matcher) => literal(Tested::Value(key.clone(), matcher.clone())),
        Condition::Segment(name) => literal(Tested::Segment(name.clone())),
        // Time has no missing values: until is the opposite of from.
        Condition::After(time) if negated => Ok(plain(Tested::Before(time.clone()))),
        Condition::Before(time) if negated => Ok(plain(Tested::After(time.clone()))),
        Condition::After(time) => Ok(plain(Tested::After(time.clone()))),
        Condition::Before(time) => Ok(plain(Tested::Before(time.clone()))),
        Condition::Authenticated(wanted) => Ok(plain(Tested::Authenticated(*wanted != negated))),
        Condition::Not(inner) => spread(inner, !negated),
        Condition::All(parts) if negated => any(parts, true),
        Condition::Any(parts) if negated => all(parts, true),
        Condition::All(parts) => all(parts, false),
        Condition::Any(parts) => any(parts, false),
        Condition::Unknown(what) => Err(what.clone()),
    }
}

fn plain(tested: Tested) -> Alternatives {
    vec![vec![Literal { tested, negated: false }]]
}

/// Always or never.
fn whole(holds: bool) -> Alternatives {
    if holds { vec![Vec::new()] } else { Vec::new() }
}

fn is_empty(matcher: &Matcher) -> bool {
    match matcher {
        Matcher::Words(list)
        | Matcher::Starts(list)
        | Matcher::Ends(list)
        | Matcher::Contains(list)
        | Matcher::Networks(list) => list.is_empty(),
        Matcher::Expression(_) | Matcher::AtLeast(_) | Matcher::Below(_) => false,
    }
}

fn any(parts: &[Condition], negated: bool) -> Result<Alternatives, String> {
    let mut found: Alternatives = Vec::new();
    for part in parts {
        for alternative in spread(part, negated)? {
            if !join(&mut found, &alternative) {
                found.push(alternative);
            }
            if found.len() > MOST_ALTERNATIVES {
                return Err(too_large());
            }
        }
    }
    // An alternative without tests always holds, whatever the others say.
    Ok(if found.iter().any(Vec::is_empty) { whole(true) } else { found })
}

/// Puts words of the same key together: `a or b` is one list.
fn join(found: &mut Alternatives, alternative: &[Literal]) -> bool {
    let [Literal { tested: Tested::Value(key, Matcher::Words(words)), negated: false }] = alternative else {
        return false;
    };
    for other in found.iter_mut() {
        if let [Literal { tested: Tested::Value(same, Matcher::Words(list)), negated: false }] = other.as_mut_slice()
            && same == key
        {
            list.extend(words.iter().cloned());
            return true;
        }
    }
    false
}

fn all(parts: &[Condition], negated: bool) -> Result<Alternatives, String> {
    let mut found = whole(true);
    for part in parts {
        let more = spread(part, negated)?;
        if found.len() * more.len() > MOST_ALTERNATIVES {
            return Err(too_large());
        }
        found = found.iter().flat_map(|one| more.iter().map(move |other| with(one, other))).collect();
        if found.iter().any(|alternative| alternative.len() > MOST_TESTS) {
            return Err(too_large());
        }
    }
    Ok(found)
}

fn with(one: &[Literal], other: &[Literal]) -> Vec<Literal> {
    let mut both = one.to_vec();
    both.extend(other.iter().filter(|literal| !one.contains(literal)).cloned());
    both
}

fn too_large() -> String {
    format!("its conditions have more than {MOST_ALTERNATIVES} alternatives")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(key: &str, word: &str) -> Condition {
        Condition::words(key, [word])
    }

    #[test]
    fn trees_are_spread() {
        let either = Condition::Any(vec![word("a", "1"), word("b", "2")]);
        let both = Condition::All(vec![either.clone(), word("c", "3")]);
        assert_eq!(normal(&both).unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        let neither = normal(&either.negated()).unwrap();
        assert_eq!(neither.len(), 1);
        assert!(neither[0].iter().all(|literal| literal.negated));
    }

    #[test]
    fn words_of_a_key_are_one_list() {
        let many = Condition::Any((0..500).map(|i| word("a", &i.to_string())).collect());
        assert_eq!(normal(&many).unwrap().len(), 1);
    }

    #[test]
    fn always_and_never() {
        assert_eq!(normal(&Condition::Any(vec![word("a", "1"), Condition::Always])), Ok(vec![Vec::new()]));
        assert_eq!(normal(&Condition::All(vec![word("a", "1"), Condition::Never])), Ok(Vec::new()));
        assert_eq!(normal(&Condition::words("a", Vec::<String>::new())), Ok(Vec::new()));
    }

    #[test]
    fn what_explodes_is_refused() {
        let pair = |i: usize| Condition::Any(vec![word(&format!("a{i}"), "1"), word(&format!("b{i}"), "2")]);
        assert!(normal(&Condition::All((0..40).map(pair).collect())).is_err());
        assert!(normal(&Condition::Unknown("x".into())).is_err());
    }
}
