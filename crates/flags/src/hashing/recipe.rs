//! What is hashed, and with which function.

use std::borrow::Cow;

use super::function::Function;
use super::number::Number;

/// The bytes of a text that stand on the stack; a longer one is put on the heap.
const ROOM: usize = 192;

/// A text around the unit, and the function that hashes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipe {
    /// What stands before the unit.
    pub(super) before: Box<str>,
    /// What stands after it.
    pub(super) after: Box<str>,
    /// The unit counts in small letters.
    pub(super) lowercase: bool,
    /// How the text is hashed.
    pub(super) function: Function,
    /// How many cells there are.
    pub(super) grid: u64,
}

impl Recipe {
    pub(super) fn new(function: Function, grid: u64, before: impl Into<Box<str>>) -> Self {
        Self { before: before.into(), after: "".into(), lowercase: false, function, grid: grid.max(1) }
    }

    pub(super) fn after(self, after: impl Into<Box<str>>) -> Self {
        Self { after: after.into(), ..self }
    }

    /// The number of a unit.
    pub(super) fn number(&self, unit: &str) -> Number {
        let unit = self.unit(unit);
        let parts = [&*self.before, &*unit, &*self.after];
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut room = [0; ROOM];
        let k = match room.get_mut(..length) {
            Some(text) => {
                fill(text, parts);
                self.function.number(text, self.grid)
            }
            None => self.function.number(parts.concat().as_bytes(), self.grid),
        };
        Number { k, grid: self.grid }
    }

    /// The text that is hashed for a unit.
    pub(super) fn text(&self, unit: &str) -> String {
        [&*self.before, &*self.unit(unit), &*self.after].concat()
    }

    /// Says of two recipes whether they draw alike, and stays the same from version to version.
    pub(super) fn id(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|text| text.escape_default().to_string());
        let case = if self.lowercase { " lowercase" } else { "" };
        format!("{} {} \"{before}\" \"{after}\"{case}", self.function.id(), self.grid)
    }

    fn unit<'a>(&self, unit: &'a str) -> Cow<'a, str> {
        if self.lowercase { unit.to_lowercase().into() } else { unit.into() }
    }
}

/// Writes the parts one after the other. There is room for all of them.
fn fill(mut room: &mut [u8], parts: [&str; 3]) {
    for part in parts {
        let Some((here, rest)) = std::mem::take(&mut room).split_at_mut_checked(part.len()) else {
            return;
        };
        here.copy_from_slice(part.as_bytes());
        room = rest;
    }
}
