//! Fields behind a body. Some apps join them with those of the head (uvicorn with httptools does), so what may not come in a head
//! may not come behind a body either.

use flagstaff_tag::{begins, is_ours, same};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::head::list::tokens;

/// Fields about the length of a message, its way, its sender and its body (RFC 9110, 6.5.1).
const NEVER: [&str; 35] = [
    "accept-ranges",
    "age",
    "authorization",
    "cache-control",
    "cdn-loop",
    "connection",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "proxy",
    "range",
    "referer",
    "retry-after",
    "set-cookie",
    "set-cookie2",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "warning",
    "www-authenticate",
    "x-real-ip",
];

/// Families of the same.
const FAMILIES: [&str; 6] = ["x-forwarded-", "proxy-", "if-", "sec-", "access-control-", "content-"];

/// Digests of the body are known only behind it.
const DIGESTS: [&str; 2] = ["content-digest", "content-md5"];

/// Whether a field may stand behind a body, of a request or an answer: not ours, not what only proxies may say (`vouched` are those
/// of the settings), and nothing a head must say. Every spelling counts that an app could read as the same name.
pub(crate) fn may_trail(name: &str, vouched: &[HeaderName]) -> bool {
    if DIGESTS.contains(&name) {
        return true;
    }
    let never = is_ours(name)
        || FAMILIES.iter().any(|family| begins(name, family))
        || NEVER.iter().any(|one| same(name, one))
        || vouched.iter().any(|one| same(name, one.as_str()));
    !never
}

/// Leaves those that may stand there.
pub(crate) fn clean(trailers: &mut HeaderMap, vouched: &[HeaderName]) {
    while let Some(name) = trailers.keys().find(|name| !may_trail(name.as_str(), vouched)).cloned() {
        trailers.remove(name);
    }
}

/// Announces in `Trailer` only those that may stand there.
pub(crate) fn announce(headers: &mut HeaderMap, vouched: &[HeaderName]) {
    let fits = |name: &&[u8]| {
        let name = std::str::from_utf8(name).unwrap_or_default().to_ascii_lowercase();
        !name.is_empty() && may_trail(&name, vouched)
    };
    let names: Vec<&[u8]> = headers.get_all(header::TRAILER).iter().flat_map(tokens).filter(fits).collect();
    match HeaderValue::from_bytes(&names.join(&b", "[..])) {
        Ok(value) if !value.is_empty() => drop(headers.insert(header::TRAILER, value)),
        _ => drop(headers.remove(header::TRAILER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: [HeaderName; 1] = [HeaderName::from_static("x-user-id")];

    #[test]
    fn what_a_head_must_say_is_not_said_behind_a_body() {
        for name in [
            "x-flag-pay",
            "x_flag_pay",
            "x.flags",
            "x-flag-event",
            "x_visitor.id",
            "x-user-id",
            "x_user_id",
            "x+user~id",
            "x_forwarded_for",
            "x-forwarded-anything",
            "x.real.ip",
            "forwarded",
            "cookie",
            "set_cookie",
            "authorization",
            "content-length",
            "content_type",
            "transfer-encoding",
            "host",
            "proxy",
            "if-match",
        ] {
            assert!(!may_trail(name, &USER), "{name}");
        }
        for name in [
            "grpc-status",
            "grpc-message",
            "x-custom",
            "x-amz-checksum-crc32",
            "content-md5",
            "digest",
            "server-timing",
            "etag",
            "request-id-bin",
            "x-user",
        ] {
            assert!(may_trail(name, &USER), "{name}");
        }
    }

    #[test]
    fn they_go_and_are_not_announced() {
        let all = [("x-flag-a", "on"), ("x-ok", "1"), ("x_user_id", "42"), ("cookie", "a=b")];
        let mut trailers: HeaderMap =
            all.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        clean(&mut trailers, &USER);
        assert_eq!(trailers.keys().collect::<Vec<_>>(), ["x-ok"]);
        let announced = |values: &[&'static str]| {
            let of = |value: &&'static str| (header::TRAILER, HeaderValue::from_static(value));
            let mut headers: HeaderMap = values.iter().map(of).collect();
            announce(&mut headers, &USER);
            headers.get(header::TRAILER).map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(announced(&["X-Flag-A, X-Ok", "Cookie,X-Sum"]).as_deref(), Some("X-Ok, X-Sum"));
        assert_eq!(announced(&["X-Flag-A"]), None);
    }
}
