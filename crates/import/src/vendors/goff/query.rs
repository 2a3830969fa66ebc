//! The query language of GO Feature Flag: `email ew "@example.com" and not (plan in ["free"])`.
//!
//! Texts are the same in any case of letters, but for `in`. What is missing makes a query false.

use super::words::{Word, words};
use crate::looked_at::{Compared, LookedAt, Place};
use crate::model::{Condition, Note};
use crate::options::Options;

/// Queries are nested so far.
const DEEPEST: usize = 50;

/// Reads a query.
pub(super) fn read(query: &str, options: &Options, notes: &mut Vec<Note>) -> Condition {
    let shown: String = query.chars().take(200).collect();
    let unknown = || Condition::Unknown(format!("the query `{shown}` is not understood"));
    if query.trim().is_empty() {
        return Condition::Always;
    }
    let Some(words) = words(query) else { return unknown() };
    let mut reading = Reading { words: &words, options, notes };
    match reading.either(0) {
        Some(condition) if reading.words.is_empty() => condition,
        _ => unknown(),
    }
}

struct Reading<'a> {
    words: &'a [Word],
    options: &'a Options,
    notes: &'a mut Vec<Note>,
}

impl<'a> Reading<'a> {
    fn next(&mut self) -> Option<&'a Word> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }

    /// Takes one of these words, in any case of letters.
    fn take(&mut self, wanted: &[&str]) -> bool {
        let is = matches!(self.words.first(), Some(Word::Plain(word)) if wanted.iter().any(|w| word.eq_ignore_ascii_case(w)));
        if is {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        is
    }

    fn mark(&mut self, wanted: char) -> bool {
        let is = self.words.first() == Some(&Word::Mark(wanted));
        if is {
            self.words = self.words.get(1..).unwrap_or_default();
        }
        is
    }

    fn either(&mut self, depth: usize) -> Option<Condition> {
        let mut any = vec![self.both(depth)?];
        while self.take(&["or", "||"]) {
            any.push(self.both(depth)?);
        }
        if any.len() == 1 { any.pop() } else { Some(Condition::Any(any)) }
    }

    fn both(&mut self, depth: usize) -> Option<Condition> {
        let mut all = vec![self.one(depth)?];
        while self.take(&["and", "&&"]) {
            all.push(self.one(depth)?);
        }
        if all.len() == 1 { all.pop() } else { Some(Condition::All(all)) }
    }

    fn one(&mut self, depth: usize) -> Option<Condition> {
        if depth > DEEPEST {
            return None;
        }
        if self.take(&["not"]) {
            return self.one(depth + 1).map(opposite);
        }
        if self.mark('(') {
            let inner = self.either(depth + 1)?;
            return self.mark(')').then_some(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Condition> {
        let Word::Plain(attribute) = self.next()? else { return None };
        let Word::Plain(operator) = self.next()? else { return None };
        let operator = operator.to_ascii_lowercase();
        let looked_at = LookedAt(self.options.key(attribute, self.notes));
        if operator == "pr" {
            return Some(looked_at.present());
        }
        if operator == "in" {
            return self.list().map(|list| looked_at.has(Place::Whole, list));
        }
        let value = self.next()?;
        compared(&looked_at, &operator, value)
    }

    fn list(&mut self) -> Option<Vec<String>> {
        if !self.mark('[') {
            return None;
        }
        let mut list = Vec::new();
        while !self.mark(']') {
            match self.next()? {
                Word::Text(text) | Word::Plain(text) => list.push(text.clone()),
                Word::Mark(',') => {}
                Word::Mark(_) => return None,
            }
        }
        Some(list)
    }
}

/// The opposite, for those who have the values that it looks at.
fn opposite(condition: Condition) -> Condition {
    let mut keys = Vec::new();
    collect(&condition, &mut keys);
    let present = keys.into_iter().map(|key| LookedAt(key).present());
    Condition::All(present.chain([condition.negated()]).collect())
}

fn collect(condition: &Condition, keys: &mut Vec<String>) {
    match condition {
        Condition::Test(key, _) if !keys.contains(key) => keys.push(key.clone()),
        Condition::All(list) | Condition::Any(list) => list.iter().for_each(|one| collect(one, keys)),
        Condition::Not(inner) => collect(inner, keys),
        _ => {}
    }
}

fn compared(looked_at: &LookedAt, operator: &str, value: &Word) -> Option<Condition> {
    let (text, is_text) = match value {
        Word::Text(text) => (text, true),
        Word::Plain(text) => (text, false),
        Word::Mark(_) => return None,
    };
    let has = |place| looked_at.has_any_case(place, [text.as_str()]);
    let is = |compared| match text.parse::<f64>() {
        Ok(number) => looked_at.number(compared, number),
        Err(_) => looked_at.version(compared, text),
    };
    Some(match operator {
        "eq" | "==" => has(Place::Whole),
        "ne" | "!=" => looked_at.but_not(has(Place::Whole)),
        "co" => has(Place::Anywhere),
        "sw" => has(Place::Start),
        "ew" => has(Place::End),
        _ if is_text => Condition::Unknown(format!("`{}` is compared with `{text}` by the alphabet", looked_at.0)),
        "lt" | "<" => is(Compared::Below),
        "le" | "<=" => is(Compared::UpTo),
        "gt" | ">" => is(Compared::Above),
        "ge" | ">=" => is(Compared::AtLeast),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Condition {
        super::read(query, &Options::default(), &mut Vec::new())
    }

    #[test]
    fn queries_are_trees() {
        let either = read(r#"key eq "42" or (country eq "de" and userAgent co "x")"#);
        let Condition::Any(parts) = either else { panic!("{either:?}") };
        assert_eq!(parts[0], Condition::words("user", ["42"]));
        assert!(matches!(&parts[1], Condition::All(parts) if parts.len() == 2));
        assert_eq!(read(r#"key in ["a", "b"]"#), Condition::words("user", ["a", "b"]));
        assert!(matches!(read("not (key pr)"), Condition::All(_)));
        assert!(matches!(read("age >= 18 and v lt 2.1.0"), Condition::All(parts) if parts.len() == 2));
        assert_eq!(read(" "), Condition::Always);
    }

    #[test]
    fn what_is_no_query_is_said() {
        for bad in [
            "x",
            "x eq",
            "x eq \"",
            "(x pr",
            "x pr)",
            "x in [",
            "eq eq eq eq",
            "\"\"",
            &"(".repeat(10_000),
            &"not ".repeat(10_000),
        ] {
            assert!(matches!(read(bad), Condition::Unknown(_)), "{bad:.20}");
        }
    }
}
