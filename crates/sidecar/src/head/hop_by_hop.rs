//! Fields that concern one connection and must not pass (RFC 9110 §7.6.1).

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::head::list::tokens;
use crate::head::scan::HeaderScan;
use crate::head::trailers;

/// RFC 8586. `Via` would do as well, but nginx, IIS and others stop compressing for requests that have one.
pub(crate) const CDN_LOOP: HeaderName = HeaderName::from_static("cdn-loop");

/// The one protocol that is switched to, also out of a list. Within any other nobody here would see what is asked; HTTP/2 is
/// spoken at once or not at all.
pub(crate) const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY: HeaderName = HeaderName::from_static("proxy");
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");

/// Fields that one hop tells the next about itself. `Proxy-Authorization` is for forward proxies, and `Proxy` is nobody's: CGI and
/// its heirs make `HTTP_PROXY` of it, the variable by which programs find the proxy they are to use (CVE-2016-5385).
const ALWAYS: [HeaderName; 9] = [
    KEEP_ALIVE,
    PROXY,
    HTTP2_SETTINGS,
    PROXY_CONNECTION,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Fields that `Connection` may not take away: a client could make the app see another request than we do, or hide that
/// it goes in a loop (RFC 8586 §2).
const NEVER: [HeaderName; 6] =
    [CDN_LOOP, header::HOST, header::CONTENT_LENGTH, header::COOKIE, header::AUTHORIZATION, header::CONTENT_TYPE];

/// Removes from an answer `Connection`, what it names, and the fields that never pass.
pub(crate) fn strip_connection(headers: &mut HeaderMap) {
    let scan = HeaderScan::of(headers);
    strip_hop_by_hop(headers, scan, false);
    if scan.has(HeaderScan::TRAILER) {
        trailers::announce(headers, &[]);
    }
}

/// The same for a head that was looked at already. From a trusted proxy `Connection` takes nothing away: what it says may be a
/// client's own word, passed on, and the fields are what the proxy wrote.
pub(crate) fn strip_hop_by_hop(headers: &mut HeaderMap, scan: HeaderScan, trusted: bool) {
    if scan.has(HeaderScan::CONNECTION) {
        if trusted {
            headers.remove(header::CONNECTION);
        } else {
            strip_all_named(headers);
        }
    }
    if scan.has(HeaderScan::HOP_BY_HOP) {
        for name in &ALWAYS {
            headers.remove(name);
        }
    }
}

fn strip_all_named(headers: &mut HeaderMap) {
    // `remove` drops all values but the first, so further ones are kept before; there hardly ever are any.
    let further: Vec<HeaderValue> = headers.get_all(header::CONNECTION).iter().skip(1).cloned().collect();
    if let Some(first) = headers.remove(header::CONNECTION) {
        strip_named(headers, &first);
    }
    for named in &further {
        strip_named(headers, named);
    }
}

fn strip_named(headers: &mut HeaderMap, named: &HeaderValue) {
    // What nearly all connections say names no field.
    let says = |token: &&[u8]| !token.eq_ignore_ascii_case(b"close") && !token.eq_ignore_ascii_case(b"keep-alive");
    for name in tokens(named).filter(says) {
        if let Ok(name) = HeaderName::from_bytes(name)
            && !NEVER.contains(&name)
        {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn what_concerns_one_connection_goes() {
        let mut headers = map(&[
            ("connection", "close, X-Private"),
            ("connection", "keep-alive, x-second"),
            ("x-private", "1"),
            ("x-second", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy-connection", "keep-alive"),
            ("proxy", "http://192.0.2.1"),
            ("http2-settings", "AAMAAABkAAQ"),
            ("accept", "*/*"),
        ]);
        strip_connection(&mut headers);
        assert_eq!(headers, map(&[("accept", "*/*")]));
    }

    #[test]
    fn connection_cannot_take_away_what_the_app_needs() {
        let mut headers = map(&[
            ("connection", "host, cookie, content-length, cdn-loop"),
            ("cdn-loop", "d"),
            ("host", "a"),
            ("cookie", "b=c"),
        ]);
        strip_connection(&mut headers);
        assert_eq!(headers, map(&[("cdn-loop", "d"), ("host", "a"), ("cookie", "b=c")]));
    }

    #[test]
    fn from_a_trusted_proxy_connection_takes_nothing_away() {
        let wrote = [("x-forwarded-for", "192.0.2.1"), ("x-user-id", "42"), ("x-request-id", "7")];
        let named = ("connection", "close, x-forwarded-for, x-user-id, x-request-id");
        for trusted in [true, false] {
            let mut headers = map(&[&[named, ("keep-alive", "1")], wrote.as_slice()].concat());
            let scan = HeaderScan::of(&headers);
            strip_hop_by_hop(&mut headers, scan, trusted);
            assert_eq!(headers, if trusted { map(&wrote) } else { HeaderMap::new() });
        }
    }
}
