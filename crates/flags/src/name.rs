//! Names of flags, goals, segments and layers.

use std::fmt;
use std::sync::Arc;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 64;

/// A snake_case name: `[a-z][a-z0-9_]*`, at most 64 bytes. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

impl Name {
    /// Checks and keeps a name.
    ///
    /// # Errors
    /// When the text is empty, longer than 64 bytes, or has a character outside `[a-z0-9_]` or a first one outside `[a-z]`.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let mut bytes = text.bytes();
        let starts_well = bytes.next().is_some_and(|b| b.is_ascii_lowercase());
        let goes_on_well = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if starts_well && goes_on_well && text.len() <= LONGEST_NAME {
            Ok(Self(text.into()))
        } else {
            Err(NameError { suggestion: suggest(text) })
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Why a text is not a valid name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameError {
    suggestion: Option<String>,
}

impl NameError {
    /// The nearest text that would be a name, when there is one.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.suggestion.as_deref()
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name is snake_case: a to z, 0 to 9 and _, a letter first, at most 64 bytes")
    }
}

impl std::error::Error for NameError {}

/// `ShowNew-Form` → `show_new_form`.
fn suggest(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut after_lower = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() && after_lower {
            out.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => out.push(c),
            _ if !out.ends_with('_') => out.push('_'),
            _ => {}
        }
    }
    let cut: String = out.trim_matches('_').trim_start_matches(|c: char| !c.is_ascii_lowercase()).into();
    let cut: String = cut.chars().take(LONGEST_NAME).collect();
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_snake_case_only() {
        for good in ["a", "show_new_contact_form", "x9_", &"a".repeat(64)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", "9a", "_a", "A", "a-b", "a b", "ä", "a.b", &"a".repeat(65)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn suggests_what_was_meant() {
        let of = |text| suggest(text).unwrap_or_default();
        assert_eq!(of("ShowNew-Form"), "show_new_form");
        assert_eq!(of("new checkout!"), "new_checkout");
        assert_eq!(of("9lives"), "lives");
        assert_eq!(of("___"), "");
    }
}
