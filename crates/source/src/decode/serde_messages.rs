//! What serde and the types that read say, in words of the file rather than of Rust.
//!
//! serde gives only text. Nothing is decided by it: a message that is not known is shown as it is.

use flagstaff_flags::nearest;
use flagstaff_flags::typed::HELP_BELOW;
pub(crate) use flagstaff_flags::typed::mistake;

use super::text::truth;

/// A value as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    pub(crate) text: &'a str,
    /// All elements of the list it stands in.
    pub(crate) list: Option<&'a [&'a str]>,
}

/// Message and help of an error, for a value `written` at `key`.
pub(crate) fn of(error: &str, key: Option<&str>, written: Written<'_>) -> (String, Option<String>) {
    if let Some((message, help)) = error.split_once(HELP_BELOW) {
        return (message.into(), (!help.is_empty()).then(|| help.into()));
    }
    if let Some(rest) = error.strip_prefix("unknown field ") {
        let (name, help) = unknown(rest, "there are");
        return (format!("there is no key {name} here"), help);
    }
    if let Some(rest) = error.strip_prefix("unknown variant ") {
        let (name, help) = unknown(rest, "it can be");
        return (format!("{} cannot be {name}", key.unwrap_or("this")), help);
    }
    if let Some(field) = error.strip_prefix("missing field ") {
        return (format!("{field} is missing"), None);
    }
    let kind = error.strip_prefix("invalid type: ").or(error.strip_prefix("invalid value: "));
    match kind.and_then(|rest| rest.rsplit_once(", expected ")) {
        Some((found, expected)) => wrong_type(found, expected, key, written),
        None => (error.into(), None),
    }
}

/// What serde says of an unknown word, as in "`precent`, expected one of `a`, `b`".
fn unknown<'a>(rest: &'a str, there_are: &str) -> (&'a str, Option<String>) {
    let (name, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let help = match nearest(name.trim_matches('`'), known.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if known.is_empty() => None,
        None => Some(format!("{there_are}: {}", known.join(", "))),
    };
    (name, help)
}

fn wrong_type(found: &str, expected: &str, key: Option<&str>, written: Written<'_>) -> (String, Option<String>) {
    let key = key.unwrap_or("this");
    let expected = in_words(expected);
    let text = written.text.trim();
    match written.list {
        Some(all) => {
            let message = format!("each of {key} must be {expected}, not {}", found_in_words(found));
            (message, mended_list(key, expected, all))
        }
        None => {
            let message = format!("{key} must be {expected}, not {}", found_in_words(found));
            (message, mended(key, expected, text).or_else(|| example(key, expected, text)))
        }
    }
}

/// The most elements of a list that are written out.
const WRITTEN_OUT: usize = 8;

/// The whole list in the right form, where that can be told of each element.
fn mended_list(key: &str, expected: &str, all: &[&str]) -> Option<String> {
    let each = |text: &&str| right_form(key, expected, text.trim());
    let mended: Vec<_> = all.iter().map(each).collect::<Option<_>>()?;
    match (mended.as_slice(), is_text(expected)) {
        (all, _) if all.len() <= WRITTEN_OUT => Some(format!("write {key} = [{}]", all.join(", "))),
        ([first, ..], true) => Some(format!("put each one in quotes, as in {first}")),
        ([first, ..], false) => Some(format!("take the quotes away from each one, as in {first}")),
        ([], _) => None,
    }
}

fn mended(key: &str, expected: &str, text: &str) -> Option<String> {
    let form = right_form(key, expected, text)?;
    let quotes_gone = text.starts_with(['"', '\'']) && !form.starts_with('"') && expected != "true or false";
    Some(format!("write {key} = {form}{}", if quotes_gone { ", without quotes" } else { "" }))
}

/// Whether something is written in quotes.
fn is_text(expected: &str) -> bool {
    let named =
        ["a name,", "a duration,", "statuses,", "requests,", "a path", "one of visitor", "an address,", "a day,"];
    ["a string", "a word", "a text"].contains(&expected) || named.iter().any(|start| expected.starts_with(start))
}

/// The same value in the right form, where that can be told.
fn right_form(key: &str, expected: &str, text: &str) -> Option<String> {
    let bare = text.trim_matches(['"', '\'']);
    let is_one_line = !bare.is_empty() && bare.len() <= 80 && !bare.contains(['"', '\\', '\n', '[', '{']);
    let number = bare.trim_end_matches('%').trim().replace(',', ".");
    let value = number.parse::<f64>().ok().filter(|n| *n >= 0.0 && n.is_finite());
    let is_whole = number.bytes().all(|b| b.is_ascii_digit());
    match expected {
        "true or false" => truth(bare).map(|truth| truth.to_string()),
        "a number" => value.map(|_| number),
        "a whole number of 0 or more" => value.filter(|_| is_whole).map(|_| number),
        _ if !is_text(expected) || !is_one_line => None,
        // a port alone is no address, a number alone no length of time, and no name begins with a digit
        _ if is_whole && (["admin", "listen", "upstream"].contains(&key) || expected.starts_with("an address")) => {
            number.parse::<u16>().ok().map(|port| format!("\"127.0.0.1:{port}\""))
        }
        _ if is_whole && expected.contains("800ms") => Some(format!("\"{number}ms\"")),
        _ if is_whole && expected.starts_with("a duration") => Some(format!("\"{number}m\"")),
        _ if value.is_some()
            && ["a name,", "requests,", "a path", "a day,", "one of visitor"]
                .iter()
                .any(|s| expected.starts_with(s)) =>
        {
            None
        }
        _ => Some(format!("\"{bare}\"")),
    }
}

/// Types by the names a person who writes TOML knows.
fn in_words(kind: &str) -> &str {
    match kind {
        "a boolean" => "true or false",
        "f64" | "f32" => "a number",
        "a sequence" => "a list",
        "map" | "a map" => "a table",
        "sequence" => "a list",
        "string or table" => "a word",
        _ if ["u8", "u16", "u32", "u64", "usize", "i64"].contains(&kind) => "a whole number of 0 or more",
        _ if kind.starts_with("struct ") => "a table",
        _ if kind.starts_with("enum ") => "a word",
        _ => kind,
    }
}

/// ``string "yes"`` → `"yes"`, ``integer `42` `` → `42`.
fn found_in_words(found: &str) -> &str {
    match found.split_once(['`', '"']) {
        Some(("string ", _)) => found.trim_start_matches("string "),
        Some((_, value)) => value.trim_end_matches('`'),
        None => in_words(found),
    }
}

/// What to write instead of what has no right form: any value of the kind.
fn example(key: &str, expected: &str, written: &str) -> Option<String> {
    let bare = written.trim_matches(['"', '\'']);
    let one_word = !bare.is_empty() && bare.len() <= 80 && !bare.contains(['"', '\\', '\n', '[', '{']);
    match expected {
        "true or false" => Some(format!("write {key} = true or {key} = false")),
        "a number" | "a whole number of 0 or more" => Some(format!("write {key} = 20, without quotes")),
        "a string" | "a word" => Some(format!("write a text in quotes: {key} = \"…\"")),
        "a list" => Some(match one_word {
            true => format!("write {key} = [\"{bare}\"]"),
            false => format!("write {key} = [ … ]"),
        }),
        "a table" => Some(format!("write {key} = {{ … }}, or a table of its own")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Written, of};

    fn said(error: &str, key: &str, text: &str) -> String {
        let (message, help) = of(error, Some(key), Written { text, list: None });
        format!("{message} | {}", help.unwrap_or_default())
    }

    #[test]
    fn lists_are_written_out_whole() {
        let said = |error: &str, list: &[&str]| of(error, Some("users"), Written { text: list[0], list: Some(list) });
        let (message, help) = said("invalid type: integer `42`, expected a string", &["42", "\"a\"", "true"]);
        assert_eq!(message, "each of users must be a string, not 42");
        assert_eq!(help.as_deref(), Some("write users = [\"42\", \"a\", \"true\"]"));
        let (_, help) = said("invalid type: integer `42`, expected a string", &["42"; 9]);
        assert_eq!(help.as_deref(), Some("put each one in quotes, as in \"42\""));
        let (_, help) = said("invalid type: string \"1\", expected f64", &["\"1\"", "2"]);
        assert_eq!(help.as_deref(), Some("write users = [1, 2]"));
    }

    #[test]
    fn numbers_get_what_they_need() {
        let said = |key: &str, expected: &str, text: &str| {
            said(&format!("invalid type: integer `{text}`, expected {expected}"), key, text)
                .rsplit(" | ")
                .next()
                .unwrap()
                .to_owned()
        };
        assert_eq!(said("hold", "a duration, such as \"30m\", or \"approval\"", "30"), "write hold = \"30m\"");
        assert_eq!(
            said("slower_than", "a duration, such as \"800ms\", or \"p95\"", "900"),
            "write slower_than = \"900ms\""
        );
        assert_eq!(said("errors", "statuses, such as \"5xx\"", "500"), "write errors = \"500\"");
        assert_eq!(said("on", "an address, such as \"127.0.0.1:8001\"", "8001"), "write on = \"127.0.0.1:8001\"");
        assert_eq!(said("admin", "a string", "8081"), "write admin = \"127.0.0.1:8081\"");
    }

    #[test]
    fn keys_and_words_that_do_not_exist() {
        assert_eq!(
            said("unknown field `precent`, expected one of `percent`, `owner`", "precent", "precent"),
            "there is no key `precent` here | did you mean `percent`?"
        );
        assert_eq!(
            said("unknown field `xyz`, expected `a` or `b`", "xyz", "xyz"),
            "there is no key `xyz` here | there are: a, b"
        );
        assert_eq!(
            said("unknown variant `forever`, expected one of `none`, `session`", "sticky", "\"forever\""),
            "sticky cannot be `forever` | it can be: none, session"
        );
    }

    #[test]
    fn wrong_types_show_the_right_form() {
        assert_eq!(
            said("invalid type: string \"yes\", expected a boolean", "enabled", "\"yes\""),
            "enabled must be true or false, not \"yes\" | write enabled = true"
        );
        assert_eq!(
            said("invalid type: string \"50%\", expected f64", "percent", "\"50%\""),
            "percent must be a number, not \"50%\" | write percent = 50, without quotes"
        );
        assert_eq!(
            said("invalid type: integer `42`, expected a string", "owner", "42"),
            "owner must be a string, not 42 | write owner = \"42\""
        );
        assert_eq!(
            said("invalid type: string \"a\", expected a sequence", "goals", "\"a\""),
            "goals must be a list, not \"a\" | write goals = [\"a\"]"
        );
    }
}
