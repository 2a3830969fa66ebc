//! A JSON value as the flag file says it.

use serde_json::Value;

/// The text of a value, as `flagstaff set` takes it. A string is read as on the command line: `growth` is a word, `20` a number. None for
/// `null`, which TOML does not have.
pub(super) fn toml_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        value => inner(value),
    }
}

/// The text of a value inside another, where a string is always a text.
fn inner(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::String(text) => Some(quoted(text)),
        Value::Array(all) => {
            let all: Option<Vec<_>> = all.iter().map(inner).collect();
            Some(format!("[{}]", all?.join(", ")))
        }
        Value::Object(all) => {
            let pair = |(key, value): (&String, &Value)| Some(format!("{} = {}", quoted(key), inner(value)?));
            let all: Option<Vec<_>> = all.iter().map(pair).collect();
            Some(format!("{{ {} }}", all?.join(", ")))
        }
    }
}

/// A basic string of TOML: JSON's escapes are among its own.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_said_as_toml_says_them() {
        let said = |json: &str| toml_text(&serde_json::from_str(json).unwrap());
        for (json, toml) in [
            ("20", "20"),
            ("true", "true"),
            (r#""growth""#, "growth"),
            (r#""20""#, "20"),
            (r#"["a", "b\"c"]"#, r#"["a", "b\"c"]"#),
            (r#"{"a": 50, "b": {"c": "d"}}"#, r#"{ "a" = 50, "b" = { "c" = "d" } }"#),
        ] {
            assert_eq!(said(json).as_deref(), Some(toml));
        }
        assert_eq!((said("null"), said("[null]")), (None, None));
    }
}
