//! Numbers as people read them.

/// Three significant digits, no exponent.
pub(crate) fn significant(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return "0".into();
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9 by the clamp")]
    let decimals = (2.0 - x.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{x:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').into() } else { text }
}

pub(crate) fn percent(x: f64) -> String {
    format!("{} %", significant(x * 100.0))
}

pub(crate) fn signed(x: f64) -> String {
    let sign = if x >= 0.0 { "+" } else { "" };
    format!("{sign}{}", percent(x))
}

/// 12345.6 → `12,346`.
pub(crate) fn thousands(x: f64) -> String {
    let digits = format!("{:.0}", x.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(crate) fn once_in(p: f64) -> String {
    match p.recip() {
        times if times < 1e6 => thousands(times),
        times if times < 1e9 => format!("{} million", thousands(times / 1e6)),
        _ => "more than a billion".into(),
    }
}

pub(crate) fn list(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<_> = parts.collect();
    match parts.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!([percent(0.05), percent(0.0615), percent(0.1)], ["5 %", "6.15 %", "10 %"]);
        assert_eq!([signed(0.2345), signed(-0.0123)], ["+23.4 %", "-1.23 %"]);
        assert_eq!([thousands(0.0), thousands(999.0), thousands(1_234_567.0)], ["0", "999", "1,234,567"]);
        assert_eq!([significant(100.0), significant(0.000_123_4), significant(f64::NAN)], ["100", "0.000123", "0"]);
        assert_eq!([once_in(0.01), once_in(1e-7), once_in(0.0)], ["100", "10 million", "more than a billion"]);
        assert_eq!(list(["a", "b", "c"].into_iter().map(Into::into)), "a, b and c");
    }
}
