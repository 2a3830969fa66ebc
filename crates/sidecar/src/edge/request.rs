//! Making a request plain: one host, one target, nothing about the connection.

use http::header::{self, HeaderMap, HeaderValue};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{Method, Request, Version};

use crate::edge::hop::{has_token, strip_surveyed};
use crate::edge::survey::Survey;
use crate::refusal::Refusal;

/// What the answer needs to know about a request that has gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plain {
    /// It asked to switch protocols and may.
    pub(crate) upgrade: bool,
    /// No request may follow on this connection whatever happens.
    pub(crate) last: bool,
}

/// Brings a request into the form that is passed on: Host alone names the host, the target is a path, cookies are one
/// field, and what concerns the connection is gone.
pub(crate) fn plain<B>(request: &mut Request<B>, survey: Survey) -> Result<Plain, Refusal> {
    if request.method() == Method::CONNECT {
        return Err(Refusal::Connect);
    }
    host(request)?;
    origin_form(request)?;
    let http1 = request.version() < Version::HTTP_2;
    let headers = request.headers_mut();
    if !http1 {
        join_cookies(headers);
    }
    // The framing stops looking at the connection behind this field, so nothing may follow.
    let last = http1 && survey.has(Survey::UPGRADE);
    let upgrade = if last { upgrade(headers) } else { None };
    let trailers = survey.has(Survey::TE) && has_token(headers, &header::TE, "trailers");
    strip_surveyed(headers, survey);
    if survey.has(Survey::EXPECT) {
        // hyper has asked for the body already, or will when the app's connection wants it.
        headers.remove(header::EXPECT);
    }
    if trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    let plain = Plain { upgrade: upgrade.is_some(), last };
    if let Some(protocol) = upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    Ok(plain)
}

/// The protocol a client wants to switch to. HTTP/2 is not switched to: it is spoken at once or not at all.
fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(header::UPGRADE).iter();
    let protocol = values.next().filter(|_| values.next().is_none())?;
    let wanted = has_token(headers, &header::CONNECTION, "upgrade");
    let http2 = protocol.as_bytes().get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"h2c"));
    (wanted && !http2).then(|| protocol.clone())
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

/// A name or an address, perhaps with a port; no user, no path, no list.
fn valid(host: &[u8]) -> Result<(), Refusal> {
    let (name, port) = match host.iter().rposition(|b| *b == b':') {
        Some(at) if !host.ends_with(b"]") => host.split_at(at),
        _ => (host, &b":"[..]),
    };
    let port = port.get(1..).unwrap_or_default();
    let bracketed = name.strip_prefix(b"[").and_then(|inner| inner.strip_suffix(b"]"));
    let fine = match bracketed {
        Some(address) => address.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.')),
        None => name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'~' | b'%')),
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
    if uri.authority().is_none() {
        let fine = uri.path().starts_with('/') || (uri.path() == "*" && request.method() == Method::OPTIONS);
        return if fine { Ok(()) } else { Err(Refusal::Target) };
    }
    let path = match uri.path_and_query() {
        Some(path) if path.as_str().starts_with('/') => path.clone(),
        // `http://host?query`, and an address without any path.
        Some(path) => PathAndQuery::try_from(path.to_string()).map_err(|_| Refusal::Target)?,
        None => PathAndQuery::from_static("/"),
    };
    *request.uri_mut() = Uri::from(path);
    Ok(())
}

/// HTTP/2 clients may send a field per cookie; HTTP/1.1 knows one field (RFC 9113 §8.2.3).
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

    fn request(version: Version, target: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut builder = Request::builder().version(version).uri(target);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    fn plainly(request: &mut Request<()>) -> Result<Plain, Refusal> {
        let survey = Survey::of(request.headers());
        plain(request, survey)
    }

    fn refusal(version: Version, target: &str, fields: &[(&str, &str)]) -> Option<Refusal> {
        plainly(&mut request(version, target, fields)).err()
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
            plainly(&mut request).unwrap();
            assert_eq!(
                (request.uri().to_string().as_str(), &request.headers()["host"]),
                (path, &"a".parse().unwrap())
            );
        }
        assert_eq!(refusal(Version::HTTP_11, "*", &[("host", "a")]), Some(Refusal::Target));
    }

    #[test]
    fn cookies_become_one() {
        let mut request = request(Version::HTTP_2, "https://a/", &[("cookie", "a=1"), ("cookie", "b=2")]);
        plainly(&mut request).unwrap();
        assert_eq!(request.headers().get_all("cookie").iter().collect::<Vec<_>>(), ["a=1; b=2"]);
    }

    #[test]
    fn upgrades_pass_when_they_are_meant() {
        let of = |fields: &[(&str, &str)]| {
            let mut request = request(Version::HTTP_11, "/", fields);
            let plain = plainly(&mut request).unwrap();
            (plain, request.headers().contains_key("upgrade"))
        };
        let host = ("host", "a");
        let both = |upgrade, last| Plain { upgrade, last };
        assert_eq!(of(&[host, ("upgrade", "websocket"), ("connection", "Upgrade")]), (both(true, true), true));
        assert_eq!(of(&[host, ("upgrade", "websocket")]), (both(false, true), false));
        assert_eq!(of(&[host, ("upgrade", "h2c"), ("connection", "upgrade")]), (both(false, true), false));
        assert_eq!(of(&[host]), (both(false, false), false));
    }
}
