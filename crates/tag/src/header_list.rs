//! Lists as headers have them: `value; key="a, b", value`. Read leniently, each byte a bounded number of times.

/// More items, or parameters of one, are not read.
const MAX_ITEMS: usize = 256;

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
    outside_quotes(text, ',').take(MAX_ITEMS).filter_map(item).collect()
}

fn item(text: &str) -> Option<Item> {
    let mut parts = outside_quotes(text, ';');
    let value = unquoted(parts.next()?);
    let parameters = parts.take(MAX_ITEMS).filter_map(|part| {
        let (name, value) = part.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), unquoted(value)))
    });
    (!value.is_empty()).then(|| Item { parameters: parameters.collect(), value })
}

/// Reads a list of items, each understood whole; nothing where something is not: an open quote, text beside quotes, a parameter
/// without a value, or too many. Empty items are none (RFC 9110, 5.6.1).
pub(crate) fn strict(text: &str) -> Option<Vec<Item>> {
    let items: Vec<&str> = outside_quotes(text, ',').map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.len() > MAX_ITEMS {
        return None;
    }
    items.into_iter().map(strict_item).collect()
}

fn strict_item(text: &str) -> Option<Item> {
    let mut parts = outside_quotes(text, ';');
    let value = strictly_unquoted(parts.next()?)?;
    let mut parameters: Vec<(String, String)> = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        let is_new = parameters.len() < MAX_ITEMS && !parameters.iter().any(|(other, _)| *other == name);
        parameters.push((Some(name).filter(|_| is_new)?, strictly_unquoted(value)?));
    }
    (!value.is_empty()).then_some(Item { value, parameters })
}

/// The text without its quotes, where it is wholly within them or has none.
fn strictly_unquoted(text: &str) -> Option<String> {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"') else {
        return (!text.contains('"')).then(|| text.into());
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    loop {
        match chars.next()? {
            '"' => return chars.next().is_none().then_some(out),
            '\\' => out.push(chars.next()?),
            c => out.push(c),
        }
    }
}

/// Words with commas between, without blanks around them.
pub(crate) fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.take(MAX_ITEMS).map(Into::into).collect()
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
        assert_eq!(items(&"a,".repeat(10_000)).len(), MAX_ITEMS);
        assert_eq!(items("\"open, a; b=\"c")[0].value, "open, a; b=");
        assert_eq!(words(" beta,, staff ,"), ["beta", "staff"]);
    }

    #[test]
    fn what_is_not_understood_whole_is_nothing() {
        let values = |text: &str| strict(text).map(|all| all.into_iter().map(|item| item.value).collect::<Vec<_>>());
        let wanted = ["a, b".to_owned(), "c".to_owned()];
        assert_eq!(values(r#" "a, b"; x="1;2" ,, c;y=2,"#).as_deref(), Some(&wanted[..]));
        for text in [r#""a"#, r#""a"b"#, r#"a"b""#, "a; x", "a; x=1; X=2", ";x=1", "a; x=\"1", r#"a; x="1"2"#] {
            assert_eq!(values(text), None, "{text}");
        }
        assert_eq!(strict(&"a,".repeat(10_000)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            prop_assert!(items(&text).iter().all(|i| i.value.len() <= text.len()));
        }
    }
}
