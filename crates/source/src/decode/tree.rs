//! A document as the parser reads it: values with their places, before they mean anything.

use std::borrow::Cow;
use std::ops::Range;

use flagstaff_flags::Problem;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::syntax;
use crate::findings::{Finding, FindingKind, Severity};

pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// How deep tables and lists may be nested. The format needs eight; code that walks a document may recurse.
const DEEPEST: usize = 32;

/// How many syntax errors are told apart; a file with more is not TOML at all.
const MOST_SYNTAX_ERRORS: usize = 200;

/// Reads a text whose first byte has the place `base`. What cannot be read becomes a finding, and the rest is kept.
pub(crate) fn parse<'t>(text: &'t str, base: usize, findings: &mut Vec<Finding>) -> Value<'t> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors.iter().take(MOST_SYNTAX_ERRORS) {
        let span = error.span().unwrap_or(0..0);
        let mut finding = syntax::finding(error.message(), text, &span);
        finding.span = span.start + base..span.end + base;
        findings.push(finding);
    }
    let mut place = Placing { base, findings };
    let span = root.span();
    let table = place.table(root.into_inner(), 0);
    Spanned::new(span.start + base..span.end + base, DeValue::Table(table))
}

/// Moves values to their place among all texts.
struct Placing<'f> {
    base: usize,
    findings: &'f mut Vec<Finding>,
}

impl Placing<'_> {
    fn shift(&self, span: &Range<usize>) -> Range<usize> {
        span.start + self.base..span.end + self.base
    }

    fn table<'t>(&mut self, table: DeTable<'t>, depth: usize) -> DeTable<'t> {
        let mut placed = DeTable::new();
        for (key, value) in table {
            let key = Spanned::new(self.shift(&key.span()), key.into_inner());
            let value = self.value(value, depth + 1);
            placed.insert(key, value);
        }
        placed
    }

    fn value<'t>(&mut self, value: Value<'t>, depth: usize) -> Value<'t> {
        let span = self.shift(&value.span());
        if depth > DEEPEST {
            let finding =
                Finding::error(span.clone(), format!("tables and lists are nested more than {DEEPEST} deep here"));
            self.findings.push(finding.help("write it with fewer levels"));
            return Spanned::new(span, DeValue::Boolean(false));
        }
        let placed = match value.into_inner() {
            DeValue::Table(table) => DeValue::Table(self.table(table, depth)),
            DeValue::Array(array) => {
                DeValue::Array(array.into_iter().map(|v| self.value(v, depth + 1)).collect::<DeArray<'t>>())
            }
            // Dates are read as text too, so a date in quotes is as good as one without.
            DeValue::Datetime(time) => DeValue::String(Cow::Owned(time.to_string())),
            other => other,
        };
        Spanned::new(span, placed)
    }
}

/// Lays one document over another, key by key: tables are joined, everything else is replaced.
pub(crate) fn overlay<'t>(below: &mut DeTable<'t>, above: DeTable<'t>) {
    for (key, value) in above {
        match (below.get_mut(key.get_ref().as_ref()), value.get_ref()) {
            (Some(there), DeValue::Table(_)) if there.get_ref().is_table() => {
                if let (DeValue::Table(there), DeValue::Table(new)) = (there.get_mut(), value.into_inner()) {
                    overlay(there, new);
                }
            }
            (Some(there), _) => *there = value,
            (None, _) => {
                below.insert(key, value);
            }
        }
    }
}

/// A problem that knows its keys, at its place.
pub(crate) fn finding_of(root: &Value<'_>, problem: Problem, severity: Severity) -> Finding {
    let flag = problem.at.first().filter(|section| *section == "flags").and(problem.at.get(1));
    Finding {
        severity,
        flag: flag.cloned(),
        span: locate(root, &problem.at),
        message: problem.message,
        help: problem.help,
        kind: FindingKind::Value,
    }
}

/// The value at the end of a path, as far as there is one: the place of its value, or of the deepest there is on the way.
/// The last key may also name an element of a list, or be a key of it.
fn locate(root: &Value<'_>, path: &[String]) -> Range<usize> {
    let (mut here, mut span) = (root, root.span());
    for step in path {
        match here.get_ref() {
            DeValue::Table(table) => {
                // Conditions may be written in the plural.
                let plural = || table.get_key_value(format!("{step}s").as_str());
                let Some((key, value)) = table.get_key_value(step.as_str()).or_else(plural) else {
                    break;
                };
                // A table's own place may be a header that several share; its key is always its own.
                span = if value.get_ref().is_table() { key.span() } else { value.span() };
                here = value;
            }
            DeValue::Array(list) => {
                let by_number = step.parse().ok().and_then(|i: usize| list.get(i));
                let by_word = || list.iter().find(|v| v.get_ref().as_str() == Some(step));
                let Some(value) = by_number.or_else(by_word) else {
                    break;
                };
                (span, here) = (value.span(), value);
            }
            _ => break,
        }
    }
    span
}

/// The keys that lead to what stands at a place: the deepest entry with exactly this place, else the smallest around it. `None`
/// when the place is in no entry.
pub(crate) fn path_at(root: &Value<'_>, span: &Range<usize>) -> Option<Vec<String>> {
    let (_, mut path) = search(root.get_ref(), span)?;
    path.reverse();
    Some(path)
}

/// The places of all elements of the list in which an entry stands; `None` when it stands in none, or in one of tables or lists.
pub(crate) fn list_around(root: &Value<'_>, path: &[String]) -> Option<Vec<Range<usize>>> {
    let (_, outer) = path.split_last()?;
    let mut here = root;
    for step in outer {
        here = match here.get_ref() {
            DeValue::Table(table) => table.get(step.as_str())?,
            DeValue::Array(list) => list.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    let list = here.get_ref().as_array()?;
    let is_plain = |value: &Value<'_>| !value.get_ref().is_table() && !value.get_ref().is_array();
    list.iter().all(is_plain).then(|| list.iter().map(Spanned::span).collect())
}

/// How well an entry fits a place: exactly, or by the bytes it has too many.
type Fit = (bool, usize);

/// The best fit below a value, and its path from the end on.
fn search(value: &DeValue<'_>, span: &Range<usize>) -> Option<(Fit, Vec<String>)> {
    let mut best = None;
    match value {
        DeValue::Table(table) => {
            for (key, value) in table {
                let own = fit(&key.span(), span).into_iter().chain(fit(&value.span(), span)).min();
                best = better(best, own, search(value.get_ref(), span), || key.get_ref().to_string());
            }
        }
        DeValue::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                let own = fit(&value.span(), span);
                best = better(best, own, search(value.get_ref(), span), || i.to_string());
            }
        }
        _ => {}
    }
    best
}

fn fit(own: &Range<usize>, span: &Range<usize>) -> Option<Fit> {
    let holds = own.start <= span.start && span.end <= own.end;
    holds.then(|| (own != span, own.len() - span.len()))
}

/// The better of what was found so far, an entry itself, and what is below it; where they fit alike, the deepest.
fn better(
    best: Option<(Fit, Vec<String>)>,
    own: Option<Fit>,
    below: Option<(Fit, Vec<String>)>,
    key: impl Fn() -> String,
) -> Option<(Fit, Vec<String>)> {
    let below = below.filter(|(fit, _)| own.is_none_or(|own| *fit <= own)).map(|(fit, mut path)| {
        path.push(key());
        (fit, path)
    });
    let here = below.or_else(|| own.map(|fit| (fit, vec![key()])));
    match (best, here) {
        (Some(best), Some(here)) if best.0 <= here.0 => Some(best),
        (best, None) => best,
        (_, here) => here,
    }
}

/// How many values there are below one.
pub(crate) fn size(value: &DeValue<'_>) -> usize {
    match value {
        DeValue::Table(table) => table.values().map(|value| 1 + size(value.get_ref())).sum(),
        DeValue::Array(list) => list.iter().map(|value| 1 + size(value.get_ref())).sum(),
        _ => 0,
    }
}

/// Takes out what a path leads to.
pub(crate) fn remove<'t>(value: &mut Value<'t>, path: &[String]) {
    let Some((step, rest)) = path.split_first() else {
        return;
    };
    match value.get_mut() {
        DeValue::Table(table) if rest.is_empty() => {
            table.remove(step.as_str());
        }
        DeValue::Table(table) => {
            if let Some(value) = table.get_mut(step.as_str()) {
                remove(value, rest);
            }
        }
        DeValue::Array(list) => {
            let Ok(at) = step.parse::<usize>() else { return };
            if rest.is_empty() {
                let whole = std::mem::replace(list, DeArray::new());
                let kept = whole.into_iter().enumerate().filter(|(i, _)| *i != at);
                *list = kept.map(|(_, value)| value).collect();
            } else if let Some(value) = list.get_mut(at) {
                remove(value, rest);
            }
        }
        _ => {}
    }
}
