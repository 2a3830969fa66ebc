//! Tests of one alternative, joined into one table.

use std::collections::HashSet;

use super::value::value;
use super::{Literal, Tested};

/// What a key of a table of conditions says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    /// One of these; `*` stands for any text.
    Words(Vec<String>),
    /// Bounds, of which all must hold.
    Bounds(Bounds),
    /// true or false.
    Truth(bool),
    /// A point in time.
    Time(String),
    /// In one of these segments.
    Segments(Vec<String>),
    /// In none of these.
    NotSegments(Vec<String>),
}

/// A table of `not`, `at_least`, `below`, `matches`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) not: Vec<String>,
    pub(crate) at_least: Option<String>,
    pub(crate) below: Option<String>,
    pub(crate) matches: Option<String>,
}

/// One table of conditions.
pub(crate) type WrittenTable = Vec<(String, Wanted)>;

/// Where tests go that do not fit into the table of their rule.
pub(crate) trait Tables {
    /// The name of a segment of the old system; an error says why there is none.
    fn segment(&mut self, origin: &str) -> Result<String, String>;
    /// The name of a new segment of those for whom this holds.
    fn new_segment(&mut self, table: WrittenTable) -> String;

    /// The table of an alternative; none where it never holds.
    fn table(&mut self, alternative: &[Literal]) -> Result<Option<WrittenTable>, String>
    where
        Self: Sized,
    {
        let mut table = WrittenTable::new();
        let mut segments = InSegments::default();
        let mut seen = HashSet::new();
        for literal in alternative {
            match &literal.tested {
                Tested::Value(key, _) if seen.insert(key.as_str()) => {
                    let Some(value) = value(key, alternative)? else { return Ok(None) };
                    table.extend(value.wanted.map(|wanted| (key.clone(), wanted)));
                    for (apart, negated) in value.apart {
                        segments.add(self.new_segment(vec![(key.clone(), apart)]), negated);
                    }
                }
                Tested::Value(..) => {}
                Tested::Segment(origin) => segments.add(self.segment(origin)?, literal.negated),
                Tested::After(time) => {
                    if !bound_time(&mut table, "after", time, |new, old| new > old) {
                        return Err(format!("`{time}` is no point in time"));
                    }
                }
                Tested::Before(time) => {
                    if !bound_time(&mut table, "before", time, |new, old| new < old) {
                        return Err(format!("`{time}` is no point in time"));
                    }
                }
                Tested::Authenticated(wanted) => {
                    let known = table.iter().find(|(key, _)| key == "authenticated");
                    match known.map(|(_, known)| *known == Wanted::Truth(*wanted)) {
                        Some(true) => {}
                        Some(false) => return Ok(None),
                        None => table.push(("authenticated".into(), Wanted::Truth(*wanted))),
                    }
                }
            }
        }
        table.extend(segments.wanted()?.map(|wanted| ("segment".into(), wanted)));
        Ok(Some(table))
    }
}

/// Segments that an alternative names.
#[derive(Default)]
struct InSegments {
    of: Vec<String>,
    not: Vec<String>,
}

impl InSegments {
    fn add(&mut self, name: String, negated: bool) {
        let list = if negated { &mut self.not } else { &mut self.of };
        if !list.contains(&name) {
            list.push(name);
        }
    }

    fn wanted(self) -> Result<Option<Wanted>, String> {
        match (self.of.len(), self.not.len()) {
            (0, 0) => Ok(None),
            (0, _) => Ok(Some(Wanted::NotSegments(self.not))),
            (1, 0) => Ok(Some(Wanted::Segments(self.of))),
            _ => Err("it asks for several segments at once".into()),
        }
    }
}

/// Adds a bound of time, or narrows the one that is there; false where the text is no time.
fn bound_time(
    table: &mut WrittenTable,
    key: &str,
    time: &str,
    narrower: fn(&jiff::Timestamp, &jiff::Timestamp) -> bool,
) -> bool {
    let Ok(new) = time.parse::<jiff::Timestamp>() else { return false };
    match table.iter_mut().find(|(name, _)| name == key) {
        Some((_, Wanted::Time(old))) => {
            if old.parse().is_ok_and(|old| narrower(&new, &old)) {
                *old = new.to_string();
            }
        }
        _ => table.push((key.to_owned(), Wanted::Time(new.to_string()))),
    }
    true
}
