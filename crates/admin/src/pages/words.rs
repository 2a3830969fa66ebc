//! Numbers and times as people read them.

use jiff::{SignedDuration, Timestamp};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `12,345`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 visitor`, `2 visitors`.
pub(super) fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(number)) }
}

/// As a sentence begins: with a capital letter.
pub(super) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A span of time of the file, as people read it: `1day 30m` is `1 day 30 min`.
pub(super) fn spaced(time: &str) -> String {
    let word = |part: &str| {
        let (number, unit) = part.split_at(part.find(char::is_alphabetic).unwrap_or(part.len()));
        format!("{number} {}", if unit == "m" { "min" } else { unit })
    };
    time.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// `just now`, `5 min ago`, `3 h ago`, `2 days ago`.
pub(super) fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.duration_since(at).as_secs() {
        ..MINUTE => "just now".into(),
        seconds => format!("{} ago", span(seconds)),
    }
}

/// The same, where seconds matter: `3 s ago`.
pub(super) fn seconds_ago(at: Timestamp, now: Timestamp) -> String {
    match now.duration_since(at).as_secs().max(0) {
        seconds @ ..MINUTE => format!("{seconds} s ago"),
        seconds => format!("{} ago", span(seconds)),
    }
}

/// `42 min`, `3 h`, `2 days`: how long until a time; `less than a minute` before it, and when it has passed.
pub(super) fn until(at: Timestamp, now: Timestamp) -> String {
    match at.duration_since(now).max(SignedDuration::ZERO).as_secs() {
        ..MINUTE => "less than a minute".into(),
        seconds => span(seconds),
    }
}

fn span(seconds: i64) -> String {
    match seconds {
        ..HOUR => format!("{} min", seconds / MINUTE),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        seconds if seconds < 2 * DAY => "1 day".into(),
        seconds => format!("{} days", seconds / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_in_threes() {
        let all = [0, 7, 999, 1000, 12_345, 1_234_567].map(grouped);
        assert_eq!(all, ["0", "7", "999", "1,000", "12,345", "1,234,567"]);
        assert_eq!(counted(1, "flag", "flags"), "1 flag");
        assert_eq!(counted(0, "flag", "flags"), "0 flags");
    }

    #[test]
    fn sentences_begin_with_a_capital_letter() {
        assert_eq!(
            [capitalised("äh, 9 of 31"), capitalised("9 of 31"), capitalised("")],
            ["Äh, 9 of 31", "9 of 31", ""]
        );
    }

    #[test]
    fn spans_of_the_file_have_space() {
        assert_eq!(["1day 12h", "30m", ""].map(spaced), ["1 day 12 h", "30 min", ""]);
    }

    #[test]
    fn times_are_as_exact_as_they_matter() {
        let at = |seconds| Timestamp::from_second(1_000_000 + seconds).unwrap();
        let now = at(0);
        let all = [-5, -59, -60, -3 * HOUR, -DAY, -3 * DAY].map(|s| ago(at(s), now));
        assert_eq!(all, ["just now", "just now", "1 min ago", "3 h ago", "1 day ago", "3 days ago"]);
        assert_eq!(ago(at(60), now), "just now");
        assert_eq!([3, -3, -61].map(|s| seconds_ago(at(s), now)), ["0 s ago", "3 s ago", "1 min ago"]);
        assert_eq!([42 * MINUTE, 2 * HOUR, -9].map(|s| until(at(s), now)), ["42 min", "2 h", "less than a minute"]);
    }
}
