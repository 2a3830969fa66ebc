//! Names of the old system become names of the flag file.

use std::collections::HashMap;

use flagstaff_flags::{Key, Name};

/// The longest name (bytes).
const LONGEST_NAME: usize = 64;

/// Names that were given out, so that no two are the same, and the last number that was put behind each.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, usize>);

impl Names {
    /// A snake_case name like `text`, which nothing else has.
    pub(crate) fn give(&mut self, text: &str) -> String {
        self.unique(snake(text), "_")
    }

    /// A name of a variant like `text`, which no other has.
    pub(crate) fn variant(&mut self, text: &str) -> String {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let plain: String = text.chars().map(|c| if fits(c) { c } else { '_' }).take(LONGEST_NAME).collect();
        self.unique(if plain.is_empty() { "empty".into() } else { plain }, "-")
    }

    fn unique(&mut self, name: String, between: &str) -> String {
        let Some(count) = self.0.get(&name).copied() else {
            self.0.insert(name.clone(), 1);
            return name;
        };
        // From the last number that was given for this name on, so that very many of one name do not take long.
        for count in count.saturating_add(1).. {
            let end = format!("{between}{count}");
            let head: String = name.chars().take(LONGEST_NAME.saturating_sub(end.len())).collect();
            let given = head + &end;
            if !self.0.contains_key(&given) {
                self.0.insert(given.clone(), 1);
                self.0.insert(name, count);
                return given;
            }
        }
        name
    }
}

/// `Show-New.Form` as `show_new_form`; `x` where nothing of the text can be kept.
pub(crate) fn snake(text: &str) -> String {
    if Name::new(text).is_ok() {
        return text.to_owned();
    }
    let mut name = String::new();
    let mut after_lower = false;
    for c in text.chars().take(4 * LONGEST_NAME) {
        if c.is_ascii_uppercase() && after_lower {
            name.push('_');
        }
        after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9') => name.push(c),
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    let plain = name.trim_matches('_');
    let head = if plain.starts_with(|c: char| c.is_ascii_lowercase()) { "" } else { "x" };
    let mut name = match (head, plain) {
        (head, "") => head.to_owned(),
        ("", plain) => plain.to_owned(),
        (head, plain) => format!("{head}_{plain}"),
    };
    name.truncate(LONGEST_NAME);
    name.trim_end_matches('_').to_owned()
}

/// The attribute of one's own for a name: one that no key of the flag file has, or nearly has.
pub(crate) fn attribute(text: &str) -> String {
    let name = snake(text);
    let is_own = matches!(Key::new(&name), Ok(Key::Attribute(_))) && Key::slip(&name).is_none();
    let reserved = ["header", "cookie", "query", "segments"].contains(&name.as_str());
    if is_own && !reserved {
        return name;
    }
    let mut name = format!("own_{name}");
    name.truncate(LONGEST_NAME);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_snake_case_and_never_twice() {
        let mut names = Names::default();
        let mut give = |text: &str| names.give(text);
        assert_eq!(give("new_form"), "new_form");
        assert_eq!([give("New-Form"), give("new.form"), give("newForm")], ["new_form_2", "new_form_3", "new_form_4"]);
        assert_eq!([give("2fa"), give("日本"), give(""), give("a\"\nb")], ["x_2fa", "x", "x_2", "a_b"]);
        let long = "a".repeat(100);
        assert_eq!(give(&long).len(), 64);
        assert!(give(&long).ends_with("a_2"));
    }

    #[test]
    fn every_name_is_one() {
        for text in ["_", "__a", "a__", "É", "\u{0}", "A", "1", "a-", &"-".repeat(70), &"é9".repeat(70)] {
            let name = Names::default().give(text);
            assert!(Name::new(&name).is_ok(), "{text:?} became {name:?}");
        }
    }

    #[test]
    fn attributes_are_told_from_keys() {
        assert_eq!(
            [attribute("plan"), attribute("Country"), attribute("contry")],
            ["plan", "own_country", "own_contry"]
        );
        assert_eq!([attribute("group"), attribute("header")], ["own_group", "own_header"]);
    }
}
