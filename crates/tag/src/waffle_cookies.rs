//! The cookies in which django-waffle remembers what it drew: what they are called, what a visitor's own say, and which ones an app sets.

use std::collections::HashMap;

use flagstaff_flags::{Decisions, FlagId, Problem, Snapshot, VariantId};
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::identity::cookies;
use crate::settings::HeaderSettings;

/// What stands for the flag's name, in waffle's settings as in ours.
const NAME: &str = "%s";
/// Letters of a pattern.
const LONGEST_PATTERN: usize = 100;

/// The names of waffle's cookies, by its settings `WAFFLE_COOKIE` and `WAFFLE_TEST_COOKIE`.
#[derive(Clone, Debug)]
pub(crate) struct WaffleCookies {
    drawn: Pattern,
    tested: Pattern,
}

/// What stands before a flag's name, and behind it.
#[derive(Clone, Debug)]
struct Pattern(String, String);

/// The flags of one snapshot, by what waffle calls them.
#[derive(Debug, Default)]
pub(crate) struct WaffleFlags {
    /// In small letters; two flags may differ in these alone.
    by_name: HashMap<String, Vec<FlagId>>,
    /// Flags that take a visitor's cookie on some days, with its name.
    brought: Vec<(FlagId, String)>,
}

impl WaffleCookies {
    /// The names that settings say.
    pub(crate) fn new(settings: &HeaderSettings, problems: &mut Vec<Problem>) -> Self {
        let drawn = Pattern::new("waffle_cookie", &settings.waffle_cookie, problems);
        let tested = Pattern::new("waffle_test_cookie", &settings.waffle_test_cookie, problems);
        if settings.waffle_cookie.eq_ignore_ascii_case(&settings.waffle_test_cookie) {
            let problem =
                Problem::new(["headers", "waffle_test_cookie"], "this is the same cookie as `headers.waffle_cookie`");
            problems.push(problem.help("write what WAFFLE_TEST_COOKIE is in Django's settings, or take it out"));
        }
        Self { drawn, tested }
    }

    /// The name of a flag's cookie.
    pub(crate) fn of(&self, flag: &str) -> String {
        self.drawn.of(flag)
    }

    /// Whether a cookie of this name is waffle's for a flag that is decided here. Names are compared as lenient readers do.
    pub(crate) fn are_decided(&self, name: &[u8], flags: &WaffleFlags) -> bool {
        let name = printable(name);
        [&self.drawn, &self.tested].iter().any(|pattern| pattern.flag(name).is_some_and(|flag| flags.have(flag)))
    }

    /// Takes out of an answer what waffle would have the browser remember of flags that are decided here. Returns the flags for which it
    /// remembers what was decided here: for these it followed our cookie.
    pub(crate) fn take(&self, headers: &mut HeaderMap, flags: &WaffleFlags, decisions: &Decisions) -> Vec<FlagId> {
        let is_gone = |value: &HeaderValue| self.are_decided(name_of(value), flags);
        let all: Vec<_> = headers.get_all(SET_COOKIE).iter().cloned().collect();
        if !all.iter().any(is_gone) {
            return Vec::new();
        }
        headers.remove(SET_COOKIE);
        for kept in all.iter().filter(|value| !is_gone(value)) {
            let _ = headers.try_append(SET_COOKIE, kept.clone());
        }
        all.iter().filter_map(|value| self.followed(value, flags, decisions)).collect()
    }

    /// The flag whose decision an answer repeats.
    fn followed(&self, value: &HeaderValue, flags: &WaffleFlags, decisions: &Decisions) -> Option<FlagId> {
        let text = std::str::from_utf8(value.as_bytes()).ok()?;
        let (name, rest) = text.split_once('=')?;
        let said = rest.split(';').next().map(str::trim)?;
        let name = self.drawn.flag(name.trim())?;
        let id = flags.find(name, decisions.snapshot())?;
        (said == word(decisions.of(id).variant())).then_some(id)
    }
}

impl Pattern {
    fn new(key: &str, text: &str, problems: &mut Vec<Problem>) -> Self {
        let (before, behind) = text.split_once(NAME).unwrap_or_default();
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$&'*+-.^_`|~".contains(&b);
        let is_name = format!("{before}{behind}").bytes().all(is_token) && text.len() <= LONGEST_PATTERN;
        if before.is_empty() || !is_name {
            let problem = Problem::new(["headers", key], format!("`{text}` names no cookie of each flag's own"));
            problems.push(problem.help("write letters, and %s for the flag's name, such as \"dwf_%s\""));
        }
        Self(before.into(), behind.into())
    }

    fn of(&self, flag: &str) -> String {
        format!("{}{flag}{}", self.0, self.1)
    }

    /// The flag that a cookie of this name is about.
    fn flag<'n>(&self, name: &'n str) -> Option<&'n str> {
        let begins = name.get(..self.0.len()).is_some_and(|start| start.eq_ignore_ascii_case(&self.0));
        let rest = name.get(self.0.len()..).filter(|_| begins)?;
        let end = rest.len().checked_sub(self.1.len())?;
        rest.get(end..).is_some_and(|behind| behind.eq_ignore_ascii_case(&self.1)).then_some(rest.get(..end)?)
    }
}

impl WaffleFlags {
    pub(crate) fn new(snapshot: &Snapshot, cookies: &WaffleCookies) -> Self {
        let mut all = Self::default();
        for (id, flag) in snapshot.ids().zip(snapshot.flags()) {
            all.by_name.entry(flag.waffle_name().to_ascii_lowercase()).or_default().push(id);
            if flag.waffle_cookie_until.is_some() && flag.may_keep_waffle_side() {
                all.brought.push((id, cookies.of(flag.waffle_name())));
            }
        }
        all
    }

    fn have(&self, name: &str) -> bool {
        self.by_name.contains_key(&name.to_ascii_lowercase())
    }

    fn find(&self, name: &str, snapshot: &Snapshot) -> Option<FlagId> {
        let all = self.by_name.get(&name.to_ascii_lowercase())?;
        all.iter().copied().find(|id| snapshot.flag(*id).is_some_and(|flag| flag.waffle_name() == name))
    }

    /// Whether no flag takes a visitor's cookie, on any day.
    pub(crate) const fn take_no_cookies(&self) -> bool {
        self.brought.is_empty()
    }

    /// What a visitor's own cookies say of the flags that take them; nothing of one that came with two answers.
    pub(crate) fn brought<'a>(&'a self, headers: &'a HeaderMap) -> impl Iterator<Item = (FlagId, VariantId)> + 'a {
        self.brought.iter().filter_map(move |(id, cookie)| {
            let mut said = cookies::values(headers, cookie).map(side);
            let first = said.next()??;
            said.all(|other| other == Some(first)).then_some((*id, first))
        })
    }
}

/// The side that waffle's word means.
fn side(word: &str) -> Option<VariantId> {
    match word {
        "True" => Some(VariantId::ON),
        "False" => Some(VariantId::OFF),
        _ => None,
    }
}

/// Waffle's word for a variant.
pub(crate) fn word(variant: VariantId) -> &'static str {
    if variant == VariantId::OFF { "False" } else { "True" }
}

/// The name of the cookie that an answer sets.
fn name_of(value: &HeaderValue) -> &[u8] {
    value.as_bytes().split(|b| *b == b'=').next().unwrap_or_default()
}

/// A name without what lenient readers strip from its ends.
fn printable(name: &[u8]) -> &str {
    let start = name.iter().position(u8::is_ascii_graphic).unwrap_or(name.len());
    let end = name.iter().rposition(u8::is_ascii_graphic).map_or(start, |last| last + 1);
    name.get(start..end).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(drawn: &str, tested: &str) -> (WaffleCookies, Vec<Problem>) {
        let settings = HeaderSettings {
            waffle_cookie: drawn.into(),
            waffle_test_cookie: tested.into(),
            ..HeaderSettings::default()
        };
        let mut problems = Vec::new();
        (WaffleCookies::new(&settings, &mut problems), problems)
    }

    #[test]
    fn patterns_name_a_cookie_for_each_flag() {
        let (waffle, problems) = cookies("dwf_%s", "dwft_%s");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(waffle.of("my.Flag"), "dwf_my.Flag");
        for (name, flag) in [("dwf_a", Some("a")), ("DWF_a", Some("a")), ("dwft_a", None), ("dwf", None), ("", None)]
        {
            assert_eq!(waffle.drawn.flag(name), flag, "{name}");
        }
        let (waffle, _) = cookies("w_%s_x", "t_%s");
        assert_eq!(
            (waffle.drawn.flag("w_a_x"), waffle.drawn.flag("w__x"), waffle.drawn.flag("w_x")),
            (Some("a"), Some(""), None)
        );
        for (drawn, tested) in
            [("dwf_", "dwft_%s"), ("%s", "t_%s"), ("a b%s", "t_%s"), ("a;%s", "t_%s"), ("a%s", "A%s")]
        {
            assert_eq!(cookies(drawn, tested).1.len(), 1, "{drawn} {tested}");
        }
    }

    #[test]
    fn ends_that_readers_strip_hide_no_name() {
        assert_eq!(printable(b"\xc2\xa0dwf_a\xc2\xa0 "), "dwf_a");
        assert_eq!(printable(b"\xff"), "");
    }
}
