//! The flags that are looked for, and what a line asks for of them.

use std::collections::{BTreeMap, HashMap};

use flagstaff_flags::{Flag, Name as FlagName};

use super::patterns::{Name, asks, worth_a_look};
use super::spellings::AskedAs;

/// The flags that are looked for, by their names and by what django-waffle calls them.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// By name; the value is the name.
    names: HashMap<String, String>,
    /// By django-waffle's name.
    waffle: HashMap<String, String>,
}

impl Wanted {
    /// Looks for a flag.
    pub fn add(&mut self, flag: &str, waffle: &str) {
        self.names.insert(flag.into(), flag.into());
        self.waffle.insert(waffle.into(), flag.into());
    }

    /// One flag alone.
    #[must_use]
    pub fn only(flag: &str, waffle: &str) -> Self {
        let mut wanted = Self::default();
        wanted.add(flag, waffle);
        wanted
    }

    /// These flags.
    #[must_use]
    pub fn flags<'f>(flags: impl IntoIterator<Item = &'f Flag>) -> Self {
        let mut wanted = Self::default();
        flags.into_iter().for_each(|flag| wanted.add(flag.name.as_str(), flag.waffle_name()));
        wanted
    }

    /// Whether it is one of them.
    #[must_use]
    pub fn has(&self, flag: &str) -> bool {
        self.names.contains_key(flag)
    }

    /// One expression for all lines that may ask for a flag. Names are whole words: a short one would be in almost every line.
    pub(super) fn expression(&self) -> String {
        let mut all: Vec<_> = self.names.keys().chain(self.waffle.keys()).collect();
        all.sort_unstable();
        all.dedup();
        let (words, odd): (Vec<_>, Vec<_>) = all.into_iter().partition(|name| name.bytes().all(is_word));
        let words = words.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("|");
        let words = if words.is_empty() { words } else { format!("(?-u:\\b)(?:{words})(?-u:\\b)") };
        let odd = odd.iter().map(|name| regex::escape(name)).chain([words, worth_a_look()]);
        odd.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("|")
    }

    /// The flags that a line asks for, each by its surest spelling. Flags that are not looked for are among them where nothing but a flag
    /// can be meant.
    pub(super) fn read(&self, line: &str, is_yaml: bool) -> BTreeMap<String, AskedAs> {
        let mut found = BTreeMap::new();
        let mut add = |flag: &str, kind: AskedAs| {
            let now = found.entry(flag.to_owned()).or_insert(kind);
            *now = kind.min(*now);
        };
        for ask in asks(line) {
            if let Some(flag) = self.meant(&ask.name, ask.kind) {
                add(&flag, ask.kind);
            }
        }
        for (flag, kind) in self.named(line, is_yaml) {
            add(flag, kind);
        }
        found
    }

    /// The flag that is meant; none where it is not looked for and may be something else.
    fn meant(&self, name: &Name<'_>, kind: AskedAs) -> Option<String> {
        let known = |text: &str| match kind {
            AskedAs::Waffle => self.waffle.get(text).cloned(),
            _ => self.names.get(text).cloned(),
        };
        match name {
            Name::Header(text) => known(text).or_else(|| FlagName::new(text).is_ok().then(|| text.clone())),
            // the end of a sentence is no part of a name
            Name::Plain(text) => {
                let text = text.trim_end_matches(['.', '-', ':']);
                known(text).or_else(|| (!text.is_empty()).then(|| text.to_owned()))
            }
            Name::Variable(text) => known(text),
        }
    }

    /// The flags whose names are words of a line.
    fn named<'s>(&'s self, line: &'s str, is_yaml: bool) -> impl Iterator<Item = (&'s str, AskedAs)> {
        let all = self.names.iter().chain(self.waffle.iter().filter(|(waffle, flag)| waffle != flag));
        let here = all.flat_map(move |(name, flag)| line.match_indices(name).map(move |(at, _)| (at, name, flag)));
        here.filter_map(move |(at, name, flag)| {
            let before = line.get(..at)?.chars().next_back();
            let behind = line.get(at + name.len()..)?.chars().next();
            let in_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
            let kind = if is_quoted(before, behind) || is_yaml { AskedAs::Quoted } else { AskedAs::Name };
            (!in_word(before) && !in_word(behind)).then_some((flag.as_str(), kind))
        })
    }
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a name between these is a text, an attribute or a symbol.
fn is_quoted(before: Option<char>, behind: Option<char>) -> bool {
    match before {
        Some(quote @ ('"' | '\'' | '`')) => behind == Some(quote),
        Some('.' | ':') => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(wanted: &Wanted, line: &str) -> String {
        let found = wanted.read(line, false);
        found.iter().map(|(flag, kind)| format!("{flag} {kind:?}")).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn every_spelling_is_found_and_no_other_flags() {
        let form = Wanted::only("new_form", "Neu.Form");
        for (line, kind) in [
            ("request.headers.get(\"X-Flag-New-Form\")", "new_form Header"),
            ("if ($http_x_flag_new_form = on) {", "new_form Header"),
            ("request.COOKIES['dwf_Neu.Form']", "new_form Waffle"),
            ("flag_is_active(request, 'Neu.Form')", "new_form Waffle"),
            ("{% flag new_form %}", "new_form Name"),
            ("{% flag Neu.Form %}", "new_form Waffle"),
            ("{% if flags.new_form %}", "new_form Quoted"),
            ("flags[:new_form] or flags[\"new_form\"]", "new_form Quoted"),
            ("the new_form is for all", "new_form Name"),
            ("'new_form\"", "new_form Name"),
            ("the cookie dwf_Neu.Form.", "new_form Waffle"),
            ("request.headers['X-Flags'] X-Flags-Signature", ""),
            ("X-Flag-New-Form-2", "new_form_2 Header"),
            ("flag_is_active(request, 'other')", "other Waffle"),
            ("{% flag other %}", ""),
            ("brand_new_form new_forms a new form", ""),
        ] {
            assert_eq!(told(&form, line), kind, "{line}");
        }
        assert_eq!(form.read("use: new_form", true)["new_form"], AskedAs::Quoted);
        let search = regex::Regex::new(&form.expression()).unwrap();
        for (line, is_read) in
            [("new_form", true), ("brand_new_form", false), ("'Neu.Form'", true), ("nothing", false)]
        {
            assert_eq!(search.is_match(line), is_read, "{line}");
        }
        assert!(!Wanted::default().expression().starts_with('|'));
    }
}
