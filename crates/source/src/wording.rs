//! What the reading types say, in words of the file rather than of Rust.

use flagstaff_flags::nearest;

/// Between what is wrong and its mend, in the one text an error of serde carries.
const MEND: char = '\n';

/// An error of a type that checks what it reads: what is wrong, and what to write instead. [`read`](crate::read) tells them apart.
pub fn mistake<E: serde::de::Error>(message: impl std::fmt::Display, help: &str) -> E {
    E::custom(format!("{message}{MEND}{help}"))
}

/// Message and mend of an error, for a value `written` at `key`.
pub(crate) fn of(error: &str, key: Option<&str>, written: &str) -> (String, Option<String>) {
    if let Some((message, help)) = error.split_once(MEND) {
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

fn wrong_type(found: &str, expected: &str, key: Option<&str>, written: &str) -> (String, Option<String>) {
    let key = key.unwrap_or("this");
    let expected = in_words(expected);
    let message = format!("{key} must be {expected}, not {}", found_in_words(found));
    (message, example(key, expected, written.trim()))
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

/// What to write instead: the same value in the right form where that can be told, else any.
fn example(key: &str, expected: &str, written: &str) -> Option<String> {
    let bare = written.trim_matches(['"', '\'']);
    let one_word = !bare.is_empty() && bare.len() <= 80 && !bare.contains(['"', '\\', '\n', '[', '{']);
    match expected {
        "true or false" => Some(match bare {
            "true" | "yes" | "on" | "1" => format!("write {key} = true"),
            "false" | "no" | "off" | "0" => format!("write {key} = false"),
            _ => format!("write {key} = true or {key} = false"),
        }),
        "a number" | "a whole number of 0 or more" => {
            let number = bare.trim_end_matches('%').trim();
            let fits = number.parse::<f64>().is_ok_and(|n| n >= 0.0 && (expected == "a number" || n.fract() == 0.0));
            Some(format!("write {key} = {}, without quotes", if fits { number } else { "20" }))
        }
        "a string" | "a word" => Some(match one_word {
            true => format!("write {key} = \"{bare}\""),
            false => format!("write a text in quotes: {key} = \"…\""),
        }),
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
    use super::of;

    fn said(error: &str, key: &str, written: &str) -> String {
        let (message, help) = of(error, Some(key), written);
        format!("{message} | {}", help.unwrap_or_default())
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
