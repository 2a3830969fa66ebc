//! Fractions in conditions that TOML takes for another word than is written: `2.10` is the number 2.1.

use std::borrow::Cow;

use flagstaff_flags::Version;
use toml::Spanned;
use toml::de::DeValue;

use crate::decode::tree::Value;
use crate::findings::Finding;

/// The misread fractions of one part of a document.
#[derive(Default)]
pub(crate) struct Misread {
    pub(crate) findings: Vec<Finding>,
    /// Their paths inside the part.
    pub(crate) lost: Vec<Vec<String>>,
    /// The way to where the search is.
    path: Vec<String>,
}

impl Misread {
    /// Looks through the conditions of a flag or a segment. Each misread fraction becomes the text that was meant, so that nothing else
    /// is said of it.
    pub(crate) fn search(part: &mut Value<'_>, section: &str) -> Self {
        let mut found = Self::default();
        let list = match section {
            "flags" => "rules",
            "segments" => "any",
            _ => return found,
        };
        if let DeValue::Table(part) = part.get_mut()
            && let Some(list_of_conditions) = part.get_mut(list)
        {
            found.step(list.into(), list_of_conditions);
        }
        found
    }

    fn step(&mut self, key: String, value: &mut Value<'_>) {
        self.path.push(key);
        let span = value.span();
        match value.get_mut() {
            DeValue::Table(table) => {
                table.iter_mut().for_each(|(key, value)| self.step(key.get_ref().to_string(), value));
            }
            DeValue::Array(list) => {
                list.iter_mut().enumerate().for_each(|(i, value)| self.step(i.to_string(), value));
            }
            DeValue::Float(number) if self.is_in_conditions() => {
                let written = number.as_str().to_owned();
                if let Some(number) = self.taken_for(&written) {
                    let message = format!("`{written}` without quotes is the number {number}");
                    self.findings.push(Finding::error(span.clone(), message).help(self.mend(&written)));
                    self.lost.push(self.path.clone());
                    *value = Spanned::new(span, DeValue::String(Cow::Owned(written)));
                }
            }
            _ => {}
        }
        self.path.pop();
    }

    /// `rules.0.if.…` or `any.0.…`: a rule has numbers that are no words, too.
    fn is_in_conditions(&self) -> bool {
        let path: Vec<_> = self.path.iter().map(String::as_str).collect();
        matches!(path.as_slice(), ["rules", _, "if", _, ..] | ["any", _, _, ..])
    }

    /// What the condition would look for, where that is something else than is written. `2.0` is the version 2, but not the word `2`.
    fn taken_for(&self, written: &str) -> Option<String> {
        let written = written.trim_start_matches('+');
        if !written.contains('.') || written.contains(['e', 'E']) {
            return None;
        }
        let number = written.parse::<f64>().ok()?.to_string();
        let is_bound = self.path.last().is_some_and(|key| ["at_least", "below"].contains(&key.as_str()));
        let is_same = if is_bound { Version::new(written) == Version::new(&number) } else { written == number };
        (!is_same).then_some(number)
    }

    fn mend(&self, written: &str) -> String {
        match self.path.last().filter(|key| key.parse::<usize>().is_err()) {
            Some(key) => format!("write {key} = \"{written}\""),
            None => format!("put it in quotes: \"{written}\""),
        }
    }
}
