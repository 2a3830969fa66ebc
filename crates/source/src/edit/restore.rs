//! Puts one flag back as it was in an earlier text, and leaves every byte outside its tables as it is.

use std::ops::Range;

use serde_json::{Map, Value as Json};
use toml_edit::{DocumentMut, Item, Table};

use super::cut::{cut, left_in_file, ranges, to_be_added_to};
use super::error::EditError;

/// A text in which a flag is as it was in another one, with the comments it had there: where it stands now, or else at the end. A flag that was not
/// there is taken out.
///
/// # Errors
/// When a text is not TOML, neither has the flag, or it cannot be put back without touching something else.
pub(super) fn restored(now: &str, then: &str, flag: &str) -> Result<String, EditError> {
    let path = ["flags", flag];
    let (here, there) = (ranges(now, &path)?, ranges(then, &path)?);
    match (here.is_empty(), there.is_empty()) {
        (true, true) => return Err(EditError::NoFlag { flag: flag.into(), near: None }),
        (false, true) => return Ok(cut(now, &path)?.map_or_else(|| now.to_owned(), |cut| left_in_file(cut.text))),
        _ => {}
    }
    let wanted = with_flag(now, then, flag);
    let ways = in_place(now, then, &here, &there).into_iter().chain(at_the_end(now, then, flag, &there)?);
    let found = ways.into_iter().find(|text| wanted.is_some() && read(text) == wanted);
    let why = "it cannot be put back without touching something else; put it back by hand";
    found.ok_or_else(|| EditError::NoValue { path: path.join("."), why })
}

/// What the text means once the flag is as it was.
fn with_flag(now: &str, then: &str, flag: &str) -> Option<Json> {
    let (mut now, then) = (read(now)?, read(then)?);
    let flags = now.as_object_mut()?.entry("flags").or_insert_with(|| Json::Object(Map::new()));
    flags.as_object_mut()?.insert(flag.into(), then.get("flags")?.get(flag)?.clone());
    Some(now)
}

fn read(text: &str) -> Option<Json> {
    toml::from_str(text).ok()
}

/// Texts with the old parts in place of the new ones: each in its own place where there are as many, else all in the first. Entries between braces have
/// commas that belong to what is around them.
fn in_place(now: &str, then: &str, here: &[Range<usize>], there: &[Range<usize>]) -> Vec<String> {
    let mut ways = Vec::new();
    for trim in [&['\n', '\r'][..], &[' ', '\t', '\n', '\r'][..], &[' ', '\t', '\n', '\r', ','][..]] {
        let trimmed = |text: &str, range: &Range<usize>| trimmed(text, range, trim);
        let old: Vec<&str> = there.iter().filter_map(|range| then.get(trimmed(then, range))).collect();
        if here.len() == there.len() {
            let each = here.iter().map(|range| trimmed(now, range)).zip(old.iter().map(|text| (*text).to_owned()));
            ways.push(replaced(now, each.collect()));
        }
        if let Some((first, rest)) = here.split_first() {
            let all = std::iter::once((trimmed(now, first), old.join("\n")));
            ways.push(replaced(now, all.chain(rest.iter().map(|range| (range.clone(), String::new()))).collect()));
        }
    }
    ways
}

/// A range without such characters at its ends.
fn trimmed(text: &str, range: &Range<usize>, trim: &[char]) -> Range<usize> {
    let within = text.get(range.clone()).unwrap_or_default();
    let start = range.start + within.len() - within.trim_start_matches(trim).len();
    start..(range.start + within.trim_end_matches(trim).len()).max(start)
}

/// A text with ranges replaced, which are in order.
fn replaced(text: &str, parts: Vec<(Range<usize>, String)>) -> String {
    let mut text = text.to_owned();
    for (range, with) in parts.into_iter().rev() {
        text.replace_range(range, &with);
    }
    text
}

/// Texts with the flag behind all else: as it was written, or, where that was below another header, as a table of its own.
fn at_the_end(now: &str, then: &str, flag: &str, there: &[Range<usize>]) -> Result<Vec<String>, EditError> {
    let rest = cut(now, &["flags", flag])?.map_or_else(|| now.to_owned(), |cut| cut.text);
    let rest = to_be_added_to(&rest);
    let gap = match rest {
        "" => "",
        rest if rest.ends_with("\n\n") => "",
        rest if rest.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let as_it_was: Vec<_> = there.iter().filter_map(|range| then.get(range.clone())).map(str::trim).collect();
    let texts = [Some(as_it_was.join("\n")), table(then, flag)].into_iter().flatten();
    Ok(texts.map(|text| format!("{rest}{gap}{}\n", text.trim())).collect())
}

/// The flag as a table with a header.
fn table(text: &str, flag: &str) -> Option<String> {
    let document: DocumentMut = text.parse().ok()?;
    let mut table = document.get("flags")?.as_table_like()?.get(flag)?.clone().into_table().ok()?;
    table.set_implicit(false);
    table.set_dotted(false);
    table.decor_mut().clear();
    let mut flags = Table::new();
    flags.set_implicit(true);
    flags.insert(flag, Item::Table(table));
    let mut document = DocumentMut::new();
    document.insert("flags", Item::Table(flags));
    Some(document.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn put_back(now: &str, then: &str) -> String {
        restored(now, then, "a").unwrap()
    }

    #[test]
    fn tables_come_back_with_their_comments_where_they_stand() {
        let then = "# the file\n\n# about a\n[flags.a] # x\npercent = 5 # five\n\n[flags.b]\npercent = 1\n";
        let now =
            "# the file\n\n# new words\n[flags.a]\npercent = 50\nenabled = true\n\n[flags.b]\npercent = 2 # later\n";
        let wanted = "# the file\n\n# about a\n[flags.a] # x\npercent = 5 # five\n\n[flags.b]\npercent = 2 # later\n";
        assert_eq!(put_back(now, then), wanted);
        assert_eq!(put_back(wanted, then), wanted, "twice is once");
        let parts = "[flags.a]\npercent = 1\n[flags.b]\n[flags.a.guard]\nerrors = \"5xx\"\n";
        let whole = "[flags.b]\nowner = \"me\"\n\n[flags.a]\npercent = 2\n\n[goals.g]\nevent = \"x\"\n";
        assert_eq!(
            put_back(whole, parts),
            "[flags.b]\nowner = \"me\"\n\n[flags.a]\npercent = 1\n[flags.a.guard]\nerrors = \"5xx\"\n\n[goals.g]\nevent = \"x\"\n"
        );
        assert_eq!(put_back(parts, whole), "[flags.a]\npercent = 2\n[flags.b]\n");
    }

    #[test]
    fn a_flag_that_went_comes_back_and_one_that_came_goes() {
        let with = "[flags.b]\n\n# about a\n[flags.a]\npercent = 5\n";
        assert_eq!(put_back("[flags.b]\n", with), "[flags.b]\n\n# about a\n[flags.a]\npercent = 5\n");
        assert_eq!(put_back("# no flags", with), "# about a\n[flags.a]\npercent = 5\n");
        assert_eq!(put_back("[flags.a]\npercent = 5\n", "# new\n"), "# no flags\n", "an empty file is refused");
        assert_eq!(put_back(with, "[flags.b]\n"), "[flags.b]\n");
        assert!(restored("[flags.b]\n", "# none\n", "a").is_err());
    }

    #[test]
    fn lines_and_braces() {
        assert_eq!(
            put_back("[flags]\na.percent = 5 # x\nb.percent = 1\n", "[flags]\na.percent = 7\n"),
            "[flags]\na.percent = 7\nb.percent = 1\n"
        );
        assert_eq!(
            put_back("flags = { a = { percent = 5 }, b = {} } # all\n", "flags = { b = {}, a = { percent = 7 } }\n"),
            "flags = { a = { percent = 7 }, b = {} } # all\n"
        );
        let headed =
            put_back("[flags.a]\npercent = 5\n\n[flags.b]\n", "[flags]\na = { percent = 7, owner = \"me\" }\n");
        assert_eq!(headed, "[flags.b]\n\n[flags.a]\npercent = 7\nowner = \"me\"\n");
        let dotted = put_back("[flags.b]\n", "flags.a.percent = 7\nflags.a.guard.errors = \"5xx\"\n");
        assert_eq!(dotted, "[flags.b]\n\n[flags.a]\npercent = 7\nguard.errors = \"5xx\"\n");
        assert!(restored("flags = { b = {} }\n", "[flags.a]\n", "a").is_err(), "no place between braces");
    }

    /// A flag's table in one of many forms.
    fn flag(name: &'static str) -> impl Strategy<Value = String> {
        let comment = prop_oneof![Just(""), Just("# about it\n"), Just("# one\n# two\n")];
        let key = prop_oneof![
            Just("percent = 5\n"),
            Just("percent = 5.0 # five\n"),
            Just("owner = \"me\"\n\n# and\nticket = 'X-1'\n"),
            Just("allow.users = [\n  \"1\", # one\n]\n"),
            Just("description = \"\"\"\n[flags.a]\n\"\"\"\n"),
        ];
        let guard = prop_oneof![Just(String::new()), Just(format!("\n[flags.{name}.guard] # g\nerrors = \"5xx\"\n"))];
        (comment, key, guard).prop_map(move |(comment, key, guard)| format!("{comment}[flags.{name}]\n{key}{guard}"))
    }

    proptest! {
        /// What stands around a flag keeps every byte, whatever was written there meanwhile.
        #[test]
        fn every_byte_outside_stays(
            (old_a, new_a, old_b, new_b) in (flag("a"), flag("a"), flag("b"), flag("b")),
            (gap, end) in ("\n{1,3}", "\n{0,2}"),
        ) {
            let then = format!("# top\n\n{old_b}{gap}{old_a}");
            let now = format!("# other top\n\n{new_b}{gap}{new_a}{gap}[goals.g] # last\nevent = \"x\"\n{end}");
            let text = restored(&now, &then, "a").unwrap();
            let before = format!("# other top\n\n{new_b}");
            prop_assert!(text.starts_with(&before), "{text}");
            let after = format!("[goals.g] # last\nevent = \"x\"\n{end}");
            prop_assert!(text.ends_with(&after), "{text}");
            let middle = &text[before.len()..text.len() - after.len()];
            prop_assert_eq!(middle.trim(), old_a.trim());
            prop_assert_eq!(&text, &restored(&text, &then, "a").unwrap());
        }
    }
}
