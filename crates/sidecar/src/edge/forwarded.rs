//! The visitor's address, and what the app is told of it (`X-Forwarded-*`, RFC 7239 `Forwarded`).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use flagstaff_tag::Peer;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::client::Client;
use crate::edge::untrusted_proxies::UntrustedProxies;
use crate::head::list::extend;
use crate::head::scan::{HeaderScan, unwanted};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// Whose forwarding counts, and whether `Forwarded` is written besides.
#[derive(Debug)]
pub(crate) struct Forwarding {
    trusted: Vec<IpNet>,
    forwarded: bool,
    untrusted: UntrustedProxies,
}

impl Forwarding {
    pub(crate) fn new(trusted: Vec<IpNet>, forwarded: bool) -> Self {
        Self { trusted, forwarded, untrusted: UntrustedProxies::default() }
    }

    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.trusted.iter().any(|range| range.contains(&address))
    }

    /// Finds the visitor and writes the fields. What an address without trust says about others is removed.
    pub(crate) fn apply(
        &self,
        headers: &mut HeaderMap,
        client: &Client,
        address: &HeaderValue,
        scan: HeaderScan,
    ) -> Peer {
        if scan.has(HeaderScan::FORWARDED) {
            if !client.trusted {
                self.untrusted.notice(headers, client.address.ip());
            }
            clean(headers, client.trusted);
        }
        let visitor = if client.trusted { self.visitor(headers, client.address.ip()) } else { client.address.ip() };
        let https = client.tls || (client.trusted && is_https(headers));
        self.write(headers, client, address, scan.has(HeaderScan::FORWARDED));
        Peer { address: client.address, client: visitor.to_canonical(), trusted: client.trusted, tls: https }
    }

    /// The last address in the chain that no trusted one vouches for.
    fn visitor(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let mut visitor = peer;
        let values: Vec<&HeaderValue> = headers.get_all(FOR).iter().collect();
        for entry in values.iter().rev().flat_map(|v| v.as_bytes().rsplit(|b| *b == b',')) {
            let Some(address) = entry_address(entry) else {
                break;
            };
            visitor = address;
            if !self.trusts(address) {
                break;
            }
        }
        visitor
    }

    fn write(&self, headers: &mut HeaderMap, client: &Client, address: &HeaderValue, before: bool) {
        let proto = if client.tls { HTTPS } else { HTTP };
        let host = headers.get(header::HOST).cloned();
        if self.forwarded || (before && headers.contains_key(header::FORWARDED)) {
            extend(headers, header::FORWARDED, &element(client, host.as_ref()));
        }
        if before && headers.contains_key(FOR) {
            extend(headers, FOR, address.as_bytes());
        } else {
            headers.insert(FOR, address.clone());
        }
        headers.entry(PROTO).or_insert(proto);
        if let Some(host) = host {
            headers.entry(HOST).or_insert(host);
        }
    }
}

/// Whether a visitor's side of the proxies in front is encrypted: the first of the chain that they tell. A scheme has no case
/// (RFC 3986, 3.1).
fn is_https(headers: &HeaderMap) -> bool {
    let first = headers.get(PROTO).and_then(|value| value.as_bytes().split(|b| *b == b',').next());
    first.is_some_and(|scheme| scheme.trim_ascii().eq_ignore_ascii_case(b"https"))
}

/// The address of a client as `X-Forwarded-For` writes it; made once per connection.
pub(crate) fn written(address: SocketAddr) -> HeaderValue {
    let text = address.ip().to_canonical().to_string();
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// Removes what only proxies may say. Spelt with `_`, a dot or another sign it goes in any case: WSGI and CGI read all these as one.
fn clean(headers: &mut HeaderMap, trusted: bool) {
    while let Some(name) = headers.keys().find(|name| unwanted(name.as_str(), trusted)).cloned() {
        headers.remove(name);
    }
}

/// An address as proxies write it: bare, in brackets, in quotes, with a port, with a zone (`fe80::1%eth0`).
pub(crate) fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let (bare, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        // Of several colons none is before a port.
        None => match text.split_once(':') {
            Some((v4, port)) if !port.contains(':') => (v4, port),
            _ => (text, ""),
        },
    };
    let port = port.trim_start_matches(':');
    let address = bare.split('%').next().unwrap_or(bare);
    if port.bytes().all(|b| b.is_ascii_digit()) { address.parse().ok() } else { None }
}

/// One element of `Forwarded`. Addresses of IPv6 are bracketed and quoted; a host is quoted for its port.
fn element(client: &Client, host: Option<&HeaderValue>) -> Vec<u8> {
    let mut text = String::from("for=");
    let _ = match client.address.ip().to_canonical() {
        IpAddr::V4(ip) => write!(text, "{ip}"),
        IpAddr::V6(ip) => write!(text, "\"[{ip}]\""),
    };
    if let Some(host) = host.and_then(|h| h.to_str().ok()).filter(|h| !h.contains(['"', '\\'])) {
        let _ = write!(text, ";host=\"{host}\"");
    }
    let _ = write!(text, ";proto={}", if client.tls { "https" } else { "http" });
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::drain::Drain;

    fn client(address: &str, trusted: bool) -> Client {
        let permit = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().unwrap();
        Client::new(address.parse().unwrap(), trusted, false, Drain::new().client(), permit)
    }

    fn apply(trusted: bool, fields: &[(&'static str, &'static str)]) -> (Peer, HeaderMap) {
        let forwarding = Forwarding::new(vec!["10.0.0.0/8".parse().unwrap()], true);
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let client = client(if trusted { "10.0.0.1:1" } else { "192.0.2.1:1" }, trusted);
        let scan = HeaderScan::of(&headers);
        let peer = forwarding.apply(&mut headers, &client, &written(client.address), scan);
        (peer, headers)
    }

    #[test]
    fn without_trust_nothing_is_believed() {
        let (peer, headers) = apply(
            false,
            &[
                ("host", "a"),
                ("x-forwarded-for", "1.1.1.1"),
                ("x_forwarded_for", "1.1.1.1"),
                ("x.forwarded.for", "1.1.1.1"),
                ("x+real~ip", "1.1.1.1"),
                ("x-forwarded-proto", "https"),
                ("x-forwarded-prefix", "/x"),
                ("x-real-ip", "1.1.1.1"),
                ("forwarded", "for=1.1.1.1"),
            ],
        );
        assert_eq!((peer.client.to_string().as_str(), peer.tls), ("192.0.2.1", false));
        assert_eq!(headers.len(), 5);
        assert_eq!(headers["x-forwarded-for"], "192.0.2.1");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert_eq!(headers["x-forwarded-host"], "a");
        assert_eq!(headers["forwarded"], "for=192.0.2.1;host=\"a\";proto=http");
    }

    #[test]
    fn addresses_are_read_in_every_spelling() {
        for (text, address) in [
            ("203.0.113.7", "203.0.113.7"),
            (" 203.0.113.7:51234 ", "203.0.113.7"),
            ("203.0.113.7:", "203.0.113.7"),
            ("\"203.0.113.7:80\"", "203.0.113.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("\"[2001:db8::1]:80\"", "2001:db8::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:9", "fe80::1"),
            ("[::ffff:203.0.113.7]:99", "::ffff:203.0.113.7"),
        ] {
            assert_eq!(entry_address(text.as_bytes()), address.parse().ok(), "{text}");
        }
        for nonsense in ["", "unknown", "_hidden", "1.2.3", "1.2.3.4:http", "[::1", "[::1]x", "::1]:80", ":80", "\""]
        {
            assert_eq!(entry_address(nonsense.as_bytes()), None, "{nonsense}");
        }
    }

    #[test]
    fn the_first_of_a_chain_of_schemes_counts_and_has_no_case() {
        let tls = |values: &[&'static str]| {
            let fields: Vec<_> = values.iter().map(|value| ("x-forwarded-proto", *value)).collect();
            apply(true, &fields).0.tls
        };
        for https in
            [&["https"][..], &["HTTPS"], &["https,http"], &["Https , http"], &["https, https"], &["https", "http"]]
        {
            assert!(tls(https), "{https:?}");
        }
        for http in [&["http"][..], &["http, https"], &["httpss"], &[""], &[",https"], &["wss"], &["http", "https"]] {
            assert!(!tls(http), "{http:?}");
        }
        assert!(!apply(false, &[("x-forwarded-proto", "https")]).0.tls, "from a stranger");
    }

    #[test]
    fn trust_goes_back_to_the_first_stranger() {
        let chain = |value| apply(true, &[("x-forwarded-for", value)]).0.client.to_string();
        assert_eq!(chain("1.1.1.1, 2.2.2.2, 10.0.0.9"), "2.2.2.2");
        assert_eq!(chain("10.0.0.7, 10.0.0.9"), "10.0.0.7");
        assert_eq!(chain("1.1.1.1, nonsense, 10.0.0.9"), "10.0.0.9");
        assert_eq!(chain("[2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(chain("::ffff:1.2.3.4"), "1.2.3.4");
        assert_eq!(chain("1.1.1.1, 2.2.2.2:51234, 10.0.0.9:80"), "2.2.2.2");
        let (peer, headers) =
            apply(true, &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("host", "b")]);
        assert!(peer.tls);
        assert_eq!(headers["x-forwarded-for"], "1.1.1.1, 10.0.0.1");
        assert_eq!(headers["x-forwarded-proto"], "https");
    }
}
