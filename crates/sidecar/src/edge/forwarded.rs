//! Who the visitor is, and telling the app (`X-Forwarded-*`, RFC 7239 `Forwarded`).

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use flagstaff_tag::{Peer, begins, same};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;

use crate::edge::survey::Survey;
use crate::wire::client::Client;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const HTTP: HeaderValue = HeaderValue::from_static("http");
const HTTPS: HeaderValue = HeaderValue::from_static("https");

/// Whose forwarding counts, and whether `Forwarded` is written besides.
#[derive(Debug)]
pub(crate) struct Forwarding {
    pub(crate) trusted: Vec<IpNet>,
    pub(crate) forwarded: bool,
}

impl Forwarding {
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
        survey: Survey,
    ) -> Peer {
        if survey.has(Survey::FORWARDED) {
            clean(headers, client.trusted);
        }
        let visitor = if client.trusted { self.visitor(headers, client.address.ip()) } else { client.address.ip() };
        let https = client.tls || (client.trusted && headers.get(PROTO).is_some_and(|p| p == HTTPS));
        self.write(headers, client, address, survey.has(Survey::FORWARDED));
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

pub(crate) fn unwanted(name: &str, trusted: bool) -> bool {
    // Told by the first letter: nearly all fields are done here.
    match name.as_bytes().first() {
        Some(b'x') => is_told_by_proxies(name) && (!trusted || !is_usual(name)),
        Some(b'f') => name == "forwarded" && !trusted,
        _ => false,
    }
}

/// `X-Forwarded-…` or `X-Real-IP`, in any spelling.
fn is_told_by_proxies(name: &str) -> bool {
    begins(name, "x-forwarded-") || same(name, "x-real-ip")
}

fn is_usual(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn entry_address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

/// Adds to the end of a comma-separated field, joining several lines into one.
pub(crate) fn extend(headers: &mut HeaderMap, name: HeaderName, addition: &[u8]) {
    let mut parts: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
    parts.push(addition);
    if let Ok(joined) = HeaderValue::from_bytes(&parts.join(&b", "[..])) {
        headers.insert(name, joined);
    }
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
    use crate::process::drain::Drain;

    fn client(address: &str, trusted: bool) -> Client {
        let permit = Arc::new(tokio::sync::Semaphore::new(1)).try_acquire_owned().unwrap();
        Client::new(address.parse().unwrap(), trusted, false, Drain::new().client(), permit)
    }

    fn apply(trusted: bool, fields: &[(&'static str, &'static str)]) -> (Peer, HeaderMap) {
        let forwarding = Forwarding { trusted: vec!["10.0.0.0/8".parse().unwrap()], forwarded: true };
        let mut headers: HeaderMap =
            fields.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
        let client = client(if trusted { "10.0.0.1:1" } else { "192.0.2.1:1" }, trusted);
        let survey = Survey::of(&headers);
        let peer = forwarding.apply(&mut headers, &client, &written(client.address), survey);
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
    fn trust_goes_back_to_the_first_stranger() {
        let chain = |value| apply(true, &[("x-forwarded-for", value)]).0.client.to_string();
        assert_eq!(chain("1.1.1.1, 2.2.2.2, 10.0.0.9"), "2.2.2.2");
        assert_eq!(chain("10.0.0.7, 10.0.0.9"), "10.0.0.7");
        assert_eq!(chain("1.1.1.1, nonsense, 10.0.0.9"), "10.0.0.9");
        assert_eq!(chain("[2001:db8::1]:80"), "2001:db8::1");
        assert_eq!(chain("::ffff:1.2.3.4"), "1.2.3.4");
        let (peer, headers) =
            apply(true, &[("x-forwarded-for", "1.1.1.1"), ("x-forwarded-proto", "https"), ("host", "b")]);
        assert!(peer.tls);
        assert_eq!(headers["x-forwarded-for"], "1.1.1.1, 10.0.0.1");
        assert_eq!(headers["x-forwarded-proto"], "https");
    }
}
