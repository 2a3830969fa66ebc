//! Lists as headers have them: `value; key="a, b", value`. Read leniently, each byte a bounded number of times.

/// More items, or parameters of one, are not read.
const ITEMS: usize = 256;

/// An item with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The value, without quotes.
    pub value: String,
    /// Parameters in written order, names in lower case, values without quotes.
    pub parameters: Vec<(String, String)>,
}

impl Item {
    /// The first parameter of a name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads a list of items; those without a value are left out.
#[must_use]
pub fn items(text: &str) -> Vec<Item> {
    outside_quotes(text, ',').take(ITEMS).filter_map(item).collect()
}

fn item(text: &str) -> Option<Item> {
    let mut parts = outside_quotes(text, ';');
    let value = unquoted(parts.next()?);
    let parameters = parts.take(ITEMS).filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), unquoted(value)))
    });
    (!value.is_empty()).then(|| Item { parameters: parameters.collect(), value })
}

/// Words with commas between, without blanks around them.
pub(crate) fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.take(ITEMS).map(Into::into).collect()
}

/// Splits at a separator that is not between quotes.
fn outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let skip = std::mem::take(&mut escaped);
        match c {
            _ if skip => false,
            '\\' if quoted => {
                escaped = true;
                false
            }
            '"' => {
                quoted = !quoted;
                false
            }
            c => c == separator && !quoted,
        }
    })
}

fn unquoted(text: &str) -> String {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"') else {
        return text.into();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => out.extend(chars.next()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_values_and_parameters() {
        let all = items(r#"42; groups="beta, x;y" ;Roles=staff, order_paid;value=49.90, "a, \"b\"" , ,;x=1"#);
        let values: Vec<_> = all.iter().map(|i| i.value.as_str()).collect();
        assert_eq!(values, ["42", "order_paid", "a, \"b\""]);
        assert_eq!(all[0].parameter("groups"), Some("beta, x;y"));
        assert_eq!(all[0].parameter("roles"), Some("staff"));
        assert_eq!(all[1].parameter("value"), Some("49.90"));
        assert_eq!(all[1].parameter("other"), None);
    }

    #[test]
    fn has_bounds_and_survives_open_quotes() {
        assert_eq!(items(&"a,".repeat(10_000)).len(), ITEMS);
        assert_eq!(items("\"open, a; b=\"c")[0].value, "open, a; b=");
        assert_eq!(words(" beta,, staff ,"), ["beta", "staff"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            prop_assert!(items(&text).iter().all(|i| i.value.len() <= text.len()));
        }
    }
}
