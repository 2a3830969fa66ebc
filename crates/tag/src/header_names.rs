//! Header names that are ours, however a client spells them.

use http::HeaderMap;
use http::header::HeaderName;

/// Whether two names may become one variable in the app. CGI and its heirs (WSGI, Rack, PHP) read `X-A`, `X_A` and, some of
/// them, `X.A` or `X+A` as one.
#[must_use]
pub fn same(name: &str, other: &str) -> bool {
    name.len() == other.len() && begins(name, other)
}

/// Whether a name may become one variable in the app with one that begins with `prefix`, as with [`same`].
#[must_use]
pub fn begins(name: &str, prefix: &str) -> bool {
    let fold = |b: u8| {
        if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' }
    };
    name.len() >= prefix.len() && name.bytes().map(fold).zip(prefix.bytes().map(fold)).all(|(a, b)| a == b)
}

/// Whether an app could take this header for one of ours: `X-Flag-…`, `X-Flags…` or `X-Visitor-Id`, in any spelling.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    // Nearly all names are told by their first letter.
    let x = matches!(name.as_bytes().first(), Some(b'x' | b'X'));
    x && (begins(name, "x-flag-") || begins(name, "x-flags") || same(name, "x-visitor-id"))
}

/// Whether servers need this header to read a request, or to know where it goes.
#[must_use]
pub(crate) fn is_of_http(name: &HeaderName) -> bool {
    use http::header::{
        CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    };
    let all = [CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, FORWARDED, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];
    let forwarded = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "keep-alive", "proxy-connection"];
    all.contains(name) || forwarded.contains(&name.as_str())
}

/// Removes every header whose name fits.
pub(crate) fn remove(headers: &mut HeaderMap, fits: impl Fn(&str) -> bool) {
    let found: Vec<HeaderName> = headers.keys().filter(|name| fits(name.as_str())).cloned().collect();
    for name in found {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_spelling_is_ours() {
        for name in [
            "X-Flag-A",
            "x_flag_a",
            "X-FLAG_a",
            "x_Flag-",
            "x-flags",
            "X_Flags",
            "x-flags-signature",
            "X-Flagstaff",
            "x.flag.a",
            "x-visitor-id",
            "X_Visitor_Id",
            "x-visitor_id",
        ] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["x-flag", "flag-a", "x-visitor", "x-visitor-ids", "xx-flag-a", "x-flog-a", "", "x"] {
            assert!(!is_ours(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn headers_that_look_like_ours_are_removed(names in prop::collection::vec("(x[-_.][fF]lag[sS]?[-_.]?|X[-_]visitor[-_]ID|a)[a-zA-Z_.-]{0,6}", 0..40)) {
            let mut headers = HeaderMap::new();
            for name in &names {
                headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_static("forged"));
            }
            remove(&mut headers, is_ours);
            for name in headers.keys() {
                let folded = name.as_str().replace(['_', '.'], "-");
                prop_assert!(!folded.starts_with("x-flag-") && !folded.starts_with("x-flags") && folded != "x-visitor-id");
            }
        }
    }
}
