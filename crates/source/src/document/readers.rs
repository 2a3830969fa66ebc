//! From text or number to a checked value, or what is wrong with it.

use std::time::Duration;

use flagstaff_flags::{BehindPath, BucketBy, Glob, Guard, Hold, Name, Percent, Route, SlowerThan, StatusSet};
use jiff::civil::Date;
use jiff::{Span, SpanRelativeTo, Timestamp};

/// What is wrong, and what to write instead.
type Wrong = (String, String);

pub(super) fn name(text: &str) -> Result<Name, Wrong> {
    Name::new(text).map_err(|e| {
        let help = e.suggestion().map_or_else(String::new, |s| format!("write `{s}`"));
        (format!("`{text}` is not a valid name: {e}"), help)
    })
}

pub(super) fn day(text: &str) -> Result<Date, Wrong> {
    let help = || "a day is written as 2026-11-01: year, month, day".to_owned();
    // The library would take the day out of a longer text; a time that is written means something.
    let plain = text.len() == 10;
    let parsed = text.parse().ok().filter(|_| plain);
    parsed.ok_or_else(|| (format!("`{text}` is not a valid day"), help()))
}

pub(super) fn moment(text: &str) -> Result<Timestamp, Wrong> {
    text.parse().map_err(|_| {
        let day = text.get(..10).filter(|day| day.parse::<Date>().is_ok());
        let time = text.get(11..).filter(|time| !time.is_empty()).unwrap_or("09:00:00");
        let help = match day {
            Some(day) => {
                format!("add the time zone: {day}T{time}Z is UTC, {day}T{time}+01:00 is an hour ahead of it")
            }
            None => "a time is written as 2026-11-20T09:00:00Z".into(),
        };
        (format!("`{text}` is not a valid time"), help)
    })
}

pub(super) fn length(text: &str) -> Result<Duration, Wrong> {
    let wrong = |what: &str| (format!("`{text}` {what}"), "write \"30m\", \"2h\", \"800ms\" or \"1d\"".into());
    let span: Span = text.parse().map_err(|_| wrong("is not a valid duration"))?;
    if span.get_months() != 0 || span.get_years() != 0 {
        return Err(wrong("has no fixed length"));
    }
    let duration =
        span.to_duration(SpanRelativeTo::days_are_24_hours()).ok().and_then(|d| Duration::try_from(d).ok());
    duration.filter(|d| !d.is_zero()).ok_or_else(|| wrong("is not above zero"))
}

pub(super) fn stay(text: &str) -> Result<Hold, Wrong> {
    if text == "approval" {
        return Ok(Hold::Approval);
    }
    length(text)
        .map(Hold::For)
        .map_err(|(message, help)| (message, format!("{help}, or \"approval\" to wait for a person")))
}

pub(super) fn slower(text: &str) -> Result<SlowerThan, Wrong> {
    if text == "p95" {
        return Ok(SlowerThan::ControlP95);
    }
    let or = |(message, help)| (message, format!("{help}, or \"p95\" for that of visitors without the flag"));
    length(text).map(SlowerThan::Time).map_err(or)
}

pub(super) fn codes(text: &str) -> Result<StatusSet, Wrong> {
    StatusSet::new(text).map_err(|e| (format!("`{text}` is not a valid list of statuses"), e.to_string()))
}

pub(super) fn requests(text: &str) -> Result<Route, Wrong> {
    Route::new(text).map_err(|e| (format!("`{text}` does not name requests"), e.to_string()))
}

/// Paths of gates, in any case: some servers take `/PAY` for `/pay`, and closing too much is the safe side.
pub(super) fn paths(text: &str) -> Result<Glob, Wrong> {
    match BehindPath::find(text) {
        Some(behind) => Err((format!("`{text}` is not a valid path"), behind.to_string())),
        None if text.starts_with(['/', '*']) => Ok(Glob::any_case(text)),
        None => Err((format!("`{text}` is not a valid path: a path begins with /"), format!("write \"/{text}\""))),
    }
}

pub(super) fn unit(text: &str) -> Result<BucketBy, Wrong> {
    let known = ["visitor", "user", "session", "request"];
    let near = flagstaff_flags::nearest(text, known);
    let help = near.map_or("write visitor, user, session, request, header.NAME or cookie.NAME".into(), |near| {
        format!("did you mean \"{near}\"?")
    });
    BucketBy::new(text).ok_or_else(|| (format!("`{text}` is not a valid unit"), help))
}

pub(super) fn address(text: &str) -> Result<String, Wrong> {
    let fits = |host: &str| {
        let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)),
        }
    };
    let socket = text.strip_prefix("unix:");
    if socket.is_some_and(|path| path.starts_with('/') && path.len() > 1 && !path.contains(char::is_control)) {
        return Ok(text.into());
    }
    let parts = text.rsplit_once(':').map(|(host, port)| (host, port.parse().unwrap_or(0u16)));
    match parts {
        Some((host, 1..)) if fits(host) => Ok(text.into()),
        _ => Err((
            format!("`{text}` is not a valid address"),
            "an upstream is written as host:port, such as \"127.0.0.1:8001\", or as \"unix:/run/app.sock\"".into(),
        )),
    }
}

pub(super) fn target(text: &str) -> Result<String, Wrong> {
    let leads = (text.starts_with('/') && !text.starts_with("//"))
        || text.starts_with("https://")
        || text.starts_with("http://");
    if leads && !text.contains(|c: char| c.is_control() || c == ' ') {
        Ok(text.into())
    } else {
        let help = "write a path such as \"/checkout\", or a whole address with https://".into();
        Err((format!("`{text}` is not a valid target"), help))
    }
}

pub(super) fn share(number: f64) -> Result<Percent, Wrong> {
    Percent::new(number).map_err(|e| {
        let help = if number > 0.0 && number < 100.0 {
            format!("write {}", (number * 1000.0).round() / 1000.0)
        } else {
            "write a number from 0 to 100".into()
        };
        (format!("{e}, and this is {number}"), help)
    })
}

pub(super) fn weight(number: f64) -> Result<f64, Wrong> {
    let fits = (0.0..=100.0).contains(&number);
    fits.then_some(number).ok_or_else(|| {
        (format!("a weight is between 0 and 100, and this is {number}"), "all weights together make 100".into())
    })
}

pub(super) fn chance(number: f64) -> Result<f64, Wrong> {
    Guard::new(number)
        .map(|guard| guard.false_alarm())
        .map_err(|e| (e.to_string(), "0.001 is one in a thousand".into()))
}

pub(super) fn few_signs(number: f64) -> Result<u32, Wrong> {
    let most = Guard::MOST_NETWORK_SIGNS;
    let fits = number.fract() == 0.0 && (0.0..=f64::from(most)).contains(&number);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within the range")]
    fits.then_some(number as u32).ok_or_else(|| {
        let message = format!("one network may bring 0 to {most} first signs, and this is {number}");
        (message, "write 2, or 0 for no limit".into())
    })
}

pub(super) fn fuse(number: f64) -> Result<u32, Wrong> {
    let (least, most) = (Guard::FUSE.start(), Guard::FUSE.end());
    let fits = number.fract() == 0.0 && number >= f64::from(*least) && number <= f64::from(*most);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within the range")]
    fits.then_some(number as u32).ok_or_else(|| {
        let message = format!("a fuse takes {least} to {most} visitors, and this is {number}");
        (message, "10 visitors in a row with nothing but errors are hardly chance".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(length("30m"), Ok(Duration::from_secs(1800)));
        assert_eq!(length("800ms"), Ok(Duration::from_millis(800)));
        assert_eq!(length("1d"), Ok(Duration::from_secs(86_400)));
        assert_eq!(length("1h 30m"), Ok(Duration::from_secs(5400)));
        for bad in ["", "30", "1 month", "1y", "-5m", "0s", "soon", "5 parsecs", "999999999999999999999d"] {
            assert!(length(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_slow_and_what_blows() {
        assert_eq!(slower("800ms"), Ok(SlowerThan::Time(Duration::from_millis(800))));
        assert_eq!(slower("p95"), Ok(SlowerThan::ControlP95));
        for bad in ["", "p99", "P95", "fast", "0s"] {
            assert!(slower(bad).unwrap_err().1.contains("p95"), "{bad}");
        }
        assert_eq!((fuse(3.0), fuse(1000.0)), (Ok(3), Ok(1000)));
        for bad in [0.0, 2.0, 2.999, 10.5, 1001.0, -10.0, 1e30, f64::NAN, f64::INFINITY] {
            assert!(fuse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn days_and_times() {
        assert!(day("2026-11-01").is_ok() && moment("2026-11-20T09:00:00Z").is_ok());
        assert!(moment("2026-11-20 09:00:00+01:00").is_ok());
        for bad in ["2026-13-01", "2026-02-30", "1.11.2026", "2026-11-01T09:00:00Z", ""] {
            assert!(day(bad).is_err(), "{bad}");
        }
        let help = |text| moment(text).unwrap_err().1;
        assert!(help("2026-11-20T09:00:00").contains("2026-11-20T09:00:00Z"));
        assert!(help("2026-11-20").contains("2026-11-20T09:00:00Z"));
        assert!(help("tomorrow").contains("is written as"));
    }

    #[test]
    fn addresses() {
        for good in ["127.0.0.1:8001", "[::1]:80", "shop-v2.internal:8080"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in ["", "8001", "host", "host:", "host:0", ":80", "host:99999", "http://host:80", "::1:80", "[x]:80"]
        {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert!(target("/a").is_ok() && target("https://x").is_ok());
        assert!(target("//evil").is_err() && target("javascript:x").is_err() && target("/a\r\nX: y").is_err());
    }
}
