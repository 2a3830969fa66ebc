//! Making a request plain: one host, one target, nothing about the connection.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Request, Version};

use crate::head::hop_by_hop::{WEBSOCKET, strip_hop_by_hop};
use crate::head::list::has_token;
use crate::head::scan::HeaderScan;
use crate::head::trailers;
use crate::refusal::Refusal;

/// What the answer needs to know about a request that has gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Normalized {
    /// It asked to switch protocols and may.
    pub(crate) upgrade: bool,
    /// No request may follow on this connection whatever happens.
    pub(crate) last: bool,
}

/// What holds for a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'a> {
    pub(crate) scan: HeaderScan,
    /// It comes from a trusted address.
    pub(crate) trusted: bool,
    /// Header fields at most.
    pub(crate) fields: usize,
    /// Fields by which only trusted proxies may name the user.
    pub(crate) vouched: &'a [HeaderName],
}

/// Brings a request into the form that is passed on: Host alone names the host, the target is a path, cookies are one
/// field, and what concerns the connection is gone.
pub(crate) fn normalize<B>(request: &mut Request<B>, rules: Rules<'_>) -> Result<Normalized, Refusal> {
    let scan = rules.scan;
    method(request.method())?;
    host(request)?;
    origin_form(request)?;
    let http1 = request.version() < Version::HTTP_2;
    let headers = request.headers_mut();
    join_cookies(headers);
    if !http1 {
        as_in_http1(headers, rules.fields)?;
    }
    // The framing stops looking at the connection behind this field, so nothing may follow.
    let last = http1 && scan.has(HeaderScan::UPGRADE);
    let upgrade = last && upgrade(headers) && !has_body(headers);
    let trailers = scan.has(HeaderScan::TE) && has_token(headers, &header::TE, "trailers");
    strip_hop_by_hop(headers, scan, rules.trusted);
    if scan.has(HeaderScan::TRAILER) {
        trailers::announce(headers, rules.vouched);
    }
    if scan.has(HeaderScan::EXPECT) {
        // hyper has asked for the body already, or will when the app's connection wants it.
        headers.remove(header::EXPECT);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    if upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, WEBSOCKET);
    }
    Ok(Normalized { upgrade, last })
}

/// `CONNECT` is for forward proxies, and what `TRACE` (or `TRACK`) sends back would show scripts the cookies and credentials they
/// may not read (RFC 9110, 9.3.8).
fn method(method: &Method) -> Result<(), Refusal> {
    match *method {
        Method::CONNECT => Err(Refusal::Connect),
        Method::TRACE => Err(Refusal::Trace),
        ref other if other.as_str() == "TRACK" => Err(Refusal::Trace),
        _ => Ok(()),
    }
}

/// The limits that hyper and the framing keep on HTTP/1.1: so many fields, and one length.
fn as_in_http1(headers: &HeaderMap, fields: usize) -> Result<(), Refusal> {
    if headers.len() > fields {
        return Err(Refusal::HeadTooLarge);
    }
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let digits = |length: &HeaderValue| !length.is_empty() && length.as_bytes().iter().all(u8::is_ascii_digit);
    if lengths.next().is_some_and(|length| !digits(length)) {
        return Err(Refusal::LengthBad);
    }
    if lengths.next().is_some() { Err(Refusal::LengthTwice) } else { Ok(()) }
}

/// A request of HTTP/1.1 with a body; its length is a number.
fn has_body(headers: &HeaderMap) -> bool {
    let is_zero = |length: &HeaderValue| length.as_bytes().iter().all(|digit| *digit == b'0');
    headers.contains_key(header::TRANSFER_ENCODING)
        || headers.get(header::CONTENT_LENGTH).is_some_and(|l| !is_zero(l))
}

fn upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, &header::UPGRADE, "websocket") && has_token(headers, &header::CONNECTION, "upgrade")
}

fn host<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let target = request.uri().authority();
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::HostTwice);
    }
    match (host, target) {
        (None, None) if request.version() <= Version::HTTP_10 => Ok(()),
        (None, None) => Err(Refusal::HostMissing),
        (Some(host), None) => valid(host.as_bytes()),
        (Some(host), Some(target)) => same(host.as_bytes(), target),
        (None, Some(_)) if request.version() == Version::HTTP_11 => Err(Refusal::HostMissing),
        (None, Some(target)) => {
            let text = target.as_str();
            valid(text.as_bytes())?;
            let host = HeaderValue::from_str(text).map_err(|_| Refusal::HostBad)?;
            request.headers_mut().insert(header::HOST, host);
            Ok(())
        }
    }
}

fn same(host: &[u8], target: &Authority) -> Result<(), Refusal> {
    valid(host)?;
    if host.eq_ignore_ascii_case(target.as_str().as_bytes()) { Ok(()) } else { Err(Refusal::HostMismatch) }
}

/// A name or an address, perhaps with a port; no user, no path, no list. Each fits into the authority of a URI, which is what an app gets over
/// HTTP/2: what fails there would look like the app's failure.
fn valid(host: &[u8]) -> Result<(), Refusal> {
    let (name, port) = match host.iter().rposition(|b| *b == b':') {
        Some(at) if !host.ends_with(b"]") => host.split_at(at),
        _ => (host, &b":"[..]),
    };
    let port = port.get(1..).unwrap_or_default();
    let bracketed = name.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]"));
    let fine = match bracketed {
        Some(address) => address.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')),
        None => name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~')),
    };
    let empty = bracketed.unwrap_or(name).is_empty();
    if fine && !empty && port.len() <= 5 && port.iter().all(u8::is_ascii_digit) {
        Ok(())
    } else {
        Err(Refusal::HostBad)
    }
}

fn origin_form<B>(request: &mut Request<B>) -> Result<(), Refusal> {
    let uri = request.uri();
    if uri.authority().is_none() && uri.path_and_query().is_none_or(|path| path.as_str().starts_with(['/', '*'])) {
        return target(uri.path(), request.method());
    }
    let path = match uri.path_and_query() {
        Some(path) if path.as_str().starts_with('/') => path.clone(),
        // `http://host?query`, `?query` over HTTP/2, and an address without any path.
        Some(path) => PathAndQuery::try_from(path.to_string()).map_err(|_| Refusal::Target)?,
        None => PathAndQuery::from_static("/"),
    };
    target(path.path(), request.method())?;
    *request.uri_mut() = Uri::from(path);
    Ok(())
}

/// A path, or `*` with OPTIONS.
fn target(path: &str, method: &Method) -> Result<(), Refusal> {
    if path.starts_with('/') || (path == "*" && method == Method::OPTIONS) { Ok(()) } else { Err(Refusal::Target) }
}

/// HTTP/2 clients may send a field per cookie; HTTP/1.1 knows one field (RFC 9113 §8.2.3). An app may read the first of several, where we
/// read all.
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(header::COOKIE).iter().nth(1).is_none() {
        return;
    }
    let crumbs: Vec<&[u8]> = headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..])) {
        headers.insert(header::COOKIE, joined);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_is_let_in_fits_into_a_uri() {
        let ends = ["", ":", ":0", ":80", ":65535", ":99999", ":123456"];
        let names = (0..=u8::MAX).flat_map(|byte| {
            [
                vec![byte],
                vec![b'a', byte],
                vec![byte, b'a'],
                vec![b'a', byte, b'4', b'1'],
                vec![b'[', byte, b':', b'1', b']'],
            ]
        });
        let mut let_in = 0;
        for name in names {
            for end in ends {
                let host = [&name, end.as_bytes()].concat();
                if valid(&host).is_ok() {
                    let text = String::from_utf8(host).unwrap();
                    let uri: Result<Uri, _> = format!("http://{text}/p").parse();
                    assert!(uri.is_ok_and(|uri| uri.authority().is_some_and(|a| a.as_str() == text)), "{text}");
                    let_in += 1;
                }
            }
        }
        assert!(let_in > 500, "{let_in}");
        for refused in ["%", "a%41", "a%41:80", "a@b", "a/b", "a b", ""] {
            assert!(valid(refused.as_bytes()).is_err(), "{refused}");
        }
    }

    #[test]
    fn cookies_are_one_field() {
        for version in [Version::HTTP_11, Version::HTTP_2] {
            let fields = [("host", "a"), ("cookie", "a=1"), ("cookie", "b=2")];
            let mut request = request(version, if version == Version::HTTP_2 { "http://a/" } else { "/" }, &fields);
            normalized(&mut request).unwrap();
            let all: Vec<_> = request.headers().get_all(header::COOKIE).iter().collect();
            assert_eq!(all, ["a=1; b=2"], "{version:?}");
        }
    }

    fn request(version: Version, target: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().version(version).uri(target);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    fn normalized(request: &mut Request<()>) -> Result<Normalized, Refusal> {
        let scan = HeaderScan::of(request.headers());
        normalize(request, Rules { scan, trusted: false, fields: 5, vouched: &[] })
    }

    fn refusal(version: Version, target: &str, fields: &[(&str, &str)]) -> Option<Refusal> {
        normalized(&mut request(version, target, fields)).err()
    }

    #[test]
    fn hosts() {
        let h1 = Version::HTTP_11;
        for fine in ["a", "a.example:8080", "[::1]", "[::1]:80", "127.0.0.1", "a_b.c"] {
            assert_eq!(refusal(h1, "/", &[("host", fine)]), None, "{fine}");
        }
        for bad in ["", "a b", "a@b", "a/b", "a:b", "a:123456", ":80", "a,b", "a?b", "[::1", "[]"] {
            assert_eq!(refusal(h1, "/", &[("host", bad)]), Some(Refusal::HostBad), "{bad}");
        }
        assert_eq!(refusal(h1, "/", &[]), Some(Refusal::HostMissing));
        assert_eq!(refusal(Version::HTTP_10, "/", &[]), None);
        assert_eq!(refusal(h1, "/", &[("host", "a"), ("host", "a")]), Some(Refusal::HostTwice));
        assert_eq!(refusal(h1, "http://a/", &[("host", "b")]), Some(Refusal::HostMismatch));
        assert_eq!(refusal(h1, "http://a/", &[("host", "A")]), None);
    }

    #[test]
    fn targets_become_paths() {
        for (target, path) in [("http://a", "/"), ("http://a/x?y=z", "/x?y=z"), ("http://a?y", "/?y")] {
            let mut request = request(Version::HTTP_2, target, &[]);
            normalized(&mut request).unwrap();
            assert_eq!(
                (request.uri().to_string().as_str(), &request.headers()["host"]),
                (path, &"a".parse().unwrap())
            );
        }
        assert_eq!(refusal(Version::HTTP_11, "*", &[("host", "a")]), Some(Refusal::Target));
        // what HTTP/2 clients may send as `:path`, without `:authority`
        let mut request = request(Version::HTTP_2, "/", &[("host", "a")]);
        *request.uri_mut() = Uri::from(PathAndQuery::from_static("?y"));
        normalized(&mut request).unwrap();
        assert_eq!(request.uri().path_and_query().unwrap().as_str(), "/?y");
    }

    #[test]
    fn http2_keeps_the_limits_of_http1() {
        let of = |fields: &[(&str, &str)]| refusal(Version::HTTP_2, "http://a/", fields);
        let many = ["x1", "x2", "x3", "x4", "x5"].map(|name| (name, "1"));
        assert_eq!((of(&many[..4]), of(&many)), (None, Some(Refusal::HeadTooLarge)));
        // Crumbs of a cookie are one field in the end.
        assert_eq!(of(&[("cookie", "a=1"); 9]), None);
        assert_eq!(of(&[("content-length", "1")]), None);
        for bad in ["", "+1", "1, 1", "0x1", "1 "] {
            assert_eq!(of(&[("content-length", bad)]), Some(Refusal::LengthBad), "{bad}");
        }
        for second in ["1", "01", "2", ""] {
            let twice = of(&[("content-length", "1"), ("content-length", second)]);
            assert_eq!(twice, Some(Refusal::LengthTwice), "{second}");
        }
    }

    #[test]
    fn methods_that_show_what_came_are_refused() {
        for (method, refusal) in [("CONNECT", Refusal::Connect), ("TRACE", Refusal::Trace), ("TRACK", Refusal::Trace)]
        {
            let mut request = request(Version::HTTP_11, "/", &[("host", "a")]);
            *request.method_mut() = method.parse().unwrap();
            assert_eq!(normalized(&mut request), Err(refusal));
        }
    }

    #[test]
    fn a_star_is_for_options_alone() {
        let of = |method: &str| {
            let star = Uri::builder().scheme("http").authority("a").path_and_query("*").build().unwrap();
            let mut request = request(Version::HTTP_2, "/", &[]);
            (*request.uri_mut(), *request.method_mut()) = (star, method.parse().unwrap());
            normalized(&mut request).map(|_| request.uri().to_string())
        };
        assert_eq!(of("OPTIONS").as_deref(), Ok("*"));
        assert_eq!((of("GET"), of("POST")), (Err(Refusal::Target), Err(Refusal::Target)));
    }

    #[test]
    fn cookies_become_one() {
        let mut request = request(Version::HTTP_2, "https://a/", &[("cookie", "a=1"), ("cookie", "b=2")]);
        normalized(&mut request).unwrap();
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn upgrades_to_websockets_pass_when_they_are_meant() {
        let of = |fields: &[(&str, &str)]| {
            let mut request = request(Version::HTTP_11, "/", &[&[("host", "a")], fields].concat());
            let plain = normalized(&mut request).unwrap();
            (
                plain,
                request
                    .headers()
                    .get_all("upgrade")
                    .iter()
                    .map(|v| v.to_str().unwrap().to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let passed = (Normalized { upgrade: true, last: true }, vec!["websocket".to_owned()]);
        let stopped = (Normalized { upgrade: false, last: true }, vec![]);
        for protocols in ["websocket", "WebSocket", "h2c, websocket", "websocket, h2c", "foo/1,websocket"] {
            for connection in ["Upgrade", "keep-alive, upgrade", "Upgrade, HTTP2-Settings"] {
                assert_eq!(of(&[("upgrade", protocols), ("connection", connection)]), passed, "{protocols}");
            }
        }
        let two =
            [("upgrade", "h2c"), ("upgrade", "websocket"), ("connection", "keep-alive"), ("connection", "upgrade")];
        assert_eq!(of(&two), passed);
        for protocols in ["h2c", "H2C", ", h2c", "foo/1, h2c", "websockets", "websocket/13", "TLS/1.0", ""] {
            assert_eq!(of(&[("upgrade", protocols), ("connection", "upgrade")]), stopped, "{protocols}");
        }
        assert_eq!(of(&[("upgrade", "websocket")]), stopped);
        let meant = [("upgrade", "websocket"), ("connection", "upgrade")];
        for (body, is_one) in [
            (("content-length", "3"), true),
            (("transfer-encoding", "chunked"), true),
            (("content-length", "0"), false),
        ] {
            assert_eq!(of(&[meant[0], meant[1], body]).0.upgrade, !is_one, "{body:?}");
        }
        assert_eq!(of(&[]), (Normalized { upgrade: false, last: false }, vec![]));
    }
}
