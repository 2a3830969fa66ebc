//! What is hashed, and with which function.

use std::borrow::Cow;

use super::cbor::Wrapping;
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
    /// The text is hashed as CBOR.
    pub(super) cbor: Option<Wrapping>,
    /// How the text is hashed.
    pub(super) function: Function,
    /// How many cells there are.
    pub(super) grid: u64,
}

impl Recipe {
    pub(super) fn new(function: Function, grid: u64, before: impl Into<Box<str>>) -> Self {
        Self { before: before.into(), after: "".into(), lowercase: false, cbor: None, function, grid: grid.max(1) }
    }

    pub(super) fn after(self, after: impl Into<Box<str>>) -> Self {
        Self { after: after.into(), ..self }
    }

    pub(super) fn wrapped(self, cbor: Wrapping) -> Self {
        Self { cbor: Some(cbor), ..self }
    }

    /// The number of a unit.
    pub(super) fn number(&self, unit: &str) -> Number {
        let unit = self.unit(unit);
        let (before, unit, after) = (self.before.as_bytes(), unit.as_bytes(), self.after.as_bytes());
        let k = match &self.cbor {
            None => self.number_of([before, unit, after]),
            Some(wrapping) => {
                let (front, head) = wrapping.before(before.len() + unit.len() + after.len());
                self.number_of([front, head.as_slice(), before, unit, after])
            }
        };
        Number { k, grid: self.grid }
    }

    fn number_of<const PARTS: usize>(&self, parts: [&[u8]; PARTS]) -> u64 {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut room = [0; ROOM];
        match room.get_mut(..length) {
            Some(text) => {
                fill(text, parts);
                self.function.number(text, self.grid)
            }
            None => self.function.number(&parts.concat(), self.grid),
        }
    }

    /// The text that is hashed for a unit.
    pub(super) fn text(&self, unit: &str) -> String {
        let text = [&*self.before, &*self.unit(unit), &*self.after].concat();
        self.cbor.as_ref().map_or(text.clone(), |wrapping| wrapping.shown(&text))
    }

    /// What is done with the text, in words.
    pub(super) fn described(&self) -> String {
        if self.cbor.is_some() { format!("CBOR of it, {}", self.function) } else { self.function.to_string() }
    }

    /// Says of two recipes whether they draw alike, and stays the same from version to version.
    pub(super) fn id(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|text| text.escape_default().to_string());
        let case = if self.lowercase { " lowercase" } else { "" };
        let wrapping = match &self.cbor {
            Some(Wrapping { key: Some(key), .. }) => format!(" cbor \"{}\"", key.escape_default()),
            Some(_) => " cbor".into(),
            None => String::new(),
        };
        format!("{} {} \"{before}\" \"{after}\"{case}{wrapping}", self.function.id(), self.grid)
    }

    fn unit<'a>(&self, unit: &'a str) -> Cow<'a, str> {
        if self.lowercase { unit.to_lowercase().into() } else { unit.into() }
    }
}

/// Writes the parts one after the other. There is room for all of them.
fn fill<const PARTS: usize>(mut room: &mut [u8], parts: [&[u8]; PARTS]) {
    for part in parts {
        let Some((here, rest)) = std::mem::take(&mut room).split_at_mut_checked(part.len()) else {
            return;
        };
        here.copy_from_slice(part);
        room = rest;
    }
}
