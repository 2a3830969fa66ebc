//! The language a visitor prefers.

/// Languages of one header that are read.
const MAX_LANGUAGES: usize = 32;

/// The tag with the highest weight in an `Accept-Language` header (RFC 9110, 12.5.4), the first among equals; `*` and those
/// of weight 0 are not taken.
#[must_use]
pub fn preferred(accept: &str) -> Option<&str> {
    let mut best: Option<(&str, u16)> = None;
    for (tag, weight) in accept.split(',').take(MAX_LANGUAGES).filter_map(weighted) {
        if best.is_none_or(|(_, most)| weight > most) {
            best = Some((tag, weight));
        }
    }
    best.map(|(tag, _)| tag)
}

fn weighted(part: &str) -> Option<(&str, u16)> {
    let (tag, parameters) = part.split_once(';').unwrap_or((part, ""));
    let tag = tag.trim();
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let is_tag = !tag.is_empty() && tag.len() <= 35 && tag.bytes().all(fits);
    let weight = match parameters.trim() {
        "" => 1000,
        q => thousandths(q.strip_prefix(['q', 'Q'])?.trim_start().strip_prefix('=')?.trim())?,
    };
    (is_tag && weight > 0).then_some((tag, weight))
}

/// `0.8` → 800. At most three decimals, at most 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (value <= 1000).then_some(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn takes_the_highest_weight() {
        assert_eq!(preferred("de-AT, de;q=0.9, en;q=0.8"), Some("de-AT"));
        assert_eq!(preferred("en;q=0.5, de; q=0.75, fr;q=0.7"), Some("de"));
        assert_eq!(preferred("*, en;q=0.1"), Some("en"));
        assert_eq!(preferred("en;q=0.8,de;q=0.8"), Some("en"));
    }

    #[test]
    fn junk_is_no_language() {
        for bad in ["", ",,,", "*", "en;q=0", "en;q=2", "en;q=1.001", "en;q=x", "en;level=1", "d e", "é"] {
            assert_eq!(preferred(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC*") {
            prop_assert!(preferred(&text).is_none_or(|tag| text.contains(tag)));
        }
    }
}
