//! Which requests get an id when they bring none.
//!
//! Browsers keep our cookies back from some requests and take new ones from their answers all the same: an id in the answer to a form of
//! another site would replace the visitor's own. And they send several requests at once before the first answer has come: an id for
//! each would make several visitors of one. So ids go to documents. Every other request gets its flags, and nothing else.

use std::net::{IpAddr, SocketAddr};

use http::Method;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};

use crate::identity::Peer;
use crate::identity::visitor::Visitors;
use crate::request::counting::NotCounted;
use crate::request::strip::Head;
use crate::settings::{IssueTo, SameSite};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Whether a request without a visitor's cookie gets an id.
///
/// # Errors
/// With the reason why it must not.
pub(crate) fn may_issue_id(visitors: &Visitors, head: Head<'_>) -> Result<(), NotCounted> {
    let safe = matches!(*head.method, Method::GET | Method::HEAD);
    let destination = destination(head.headers);
    let keeps_back = !safe || visitors.same_site == SameSite::Strict || destination == Destination::Embedded;
    let sent_anyway = destination == Destination::Embedded && visitors.same_site == SameSite::None && safe;
    if keeps_back && !sent_anyway && is_cross_site(visitors, head) {
        return Err(NotCounted::CrossSite);
    }
    match destination {
        Destination::Other if visitors.issue_to == IssueTo::Documents => Err(NotCounted::NoId),
        _ => Ok(()),
    }
}

/// By `Sec-Fetch-Site`; browsers that do not send it say `Origin` with all but GET and HEAD.
fn is_cross_site(visitors: &Visitors, head: Head<'_>) -> bool {
    match (head.headers.get(FETCH_SITE), head.headers.get(ORIGIN)) {
        (Some(site), _) => site.as_bytes().trim_ascii().eq_ignore_ascii_case(b"cross-site"),
        (None, Some(origin)) => !is_own_origin(visitors, origin, head),
        (None, None) => false,
    }
}

/// Whether an origin is the host that was asked, or shares our cookie's domain with it. `null` is neither.
fn is_own_origin(visitors: &Visitors, origin: &HeaderValue, head: Head<'_>) -> bool {
    let Some(origin) = text(Some(origin)).and_then(|origin| origin.split_once("://")).map(|(_, host)| bare(host))
    else {
        return false;
    };
    let trusted = head.peer.is_some_and(|peer| peer.trusted);
    let named = [
        text(head.headers.get(HOST)),
        head.uri.authority().map(http::uri::Authority::as_str),
        text(head.headers.get(FORWARDED_HOST).filter(|_| trusted)),
    ];
    let below = |host: &str, domain: &str| {
        let start = host.len().checked_sub(domain.len());
        let end = start.and_then(|start| host.get(start..)).unwrap_or_default();
        end.eq_ignore_ascii_case(domain)
            && start.is_some_and(|at| at == 0 || host.as_bytes().get(at - 1) == Some(&b'.'))
    };
    let shares =
        |host: &str| visitors.domain.as_deref().is_some_and(|domain| below(host, domain) && below(origin, domain));
    named.into_iter().flatten().map(bare).any(|host| host.eq_ignore_ascii_case(origin) || shares(host))
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Destination {
    /// A page, or the client does not say.
    Document,
    /// A page in a frame.
    Embedded,
    /// A part of a page, or what its script asks for.
    Other,
}

fn destination(headers: &HeaderMap) -> Destination {
    let is = |value: &HeaderValue, words: &[&str]| {
        let value = value.as_bytes().trim_ascii();
        words.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
    };
    match (headers.get(FETCH_DESTINATION), headers.get(FETCH_MODE)) {
        (Some(to), _) if is(to, &["document"]) => Destination::Document,
        (Some(to), _) if is(to, &["iframe", "frame", "fencedframe", "embed", "object"]) => Destination::Embedded,
        (None, None) => Destination::Document,
        (None, Some(mode)) if is(mode, &["navigate"]) => Destination::Document,
        _ => Destination::Other,
    }
}

fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok()).map(str::trim)
}

/// A host without its port.
fn bare(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

/// The address by which requests without an id are told apart. None behind a trusted proxy that does not say for whom it asks: its
/// connections carry many visitors.
pub(crate) fn client_address(peer: &Peer) -> Option<IpAddr> {
    let Peer { address, client, trusted, .. } = peer;
    let forwarded = client.to_canonical() != SocketAddr::ip(address).to_canonical();
    (!trusted || forwarded).then(|| client.to_canonical())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::settings::VisitorSettings;

    fn visitors(same_site: SameSite, domain: Option<&str>) -> Visitors {
        let settings = VisitorSettings {
            same_site,
            secure: Some(true),
            domain: domain.map(Into::into),
            ..VisitorSettings::default()
        };
        Visitors::new(&settings, &mut Vec::new())
    }

    fn ask(visitors: &Visitors, method: &str, fields: &[(&'static str, &str)]) -> Result<(), NotCounted> {
        let name = |name: &&'static str| HeaderName::from_static(name);
        let pairs = fields.iter().map(|(n, value)| (name(n), HeaderValue::from_str(value).unwrap()));
        let mut headers: HeaderMap = pairs.collect();
        headers.insert(HOST, HeaderValue::from_static("shop.example:8080"));
        let (method, uri) = (method.parse().unwrap(), http::Uri::from_static("/"));
        may_issue_id(
            visitors,
            Head { method: &method, uri: &uri, headers: &headers, peer: None, now: Timestamp::UNIX_EPOCH },
        )
    }

    #[test]
    fn documents_and_clients_that_do_not_say_get_one() {
        let lax = visitors(SameSite::Lax, None);
        for (fields, wanted) in [
            (&[][..], Ok(())),
            (&[("sec-fetch-dest", "document")], Ok(())),
            (&[("sec-fetch-mode", "navigate")], Ok(())),
            (&[("sec-fetch-dest", "iframe"), ("sec-fetch-site", "same-origin")], Ok(())),
            (&[("sec-fetch-dest", "iframe"), ("sec-fetch-site", "cross-site")], Err(NotCounted::CrossSite)),
            (&[("sec-fetch-dest", "document"), ("sec-fetch-site", "cross-site")], Ok(())),
            (&[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")], Err(NotCounted::NoId)),
            (&[("sec-fetch-mode", "cors")], Err(NotCounted::NoId)),
            (&[("sec-fetch-dest", "image"), ("sec-fetch-mode", "no-cors")], Err(NotCounted::NoId)),
            (&[("sec-fetch-dest", "serviceworker"), ("sec-fetch-mode", "same-origin")], Err(NotCounted::NoId)),
            (&[("sec-fetch-dest", "websocket"), ("sec-fetch-mode", "websocket")], Err(NotCounted::NoId)),
            (&[("sec-fetch-dest", "")], Err(NotCounted::NoId)),
        ] {
            assert_eq!(ask(&lax, "GET", fields), wanted, "{fields:?}");
        }
    }

    #[test]
    fn a_form_of_another_site_gets_none() {
        let lax = visitors(SameSite::Lax, None);
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            for fields in [
                &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")][..],
                &[("sec-fetch-site", "Cross-Site")],
                &[("origin", "https://bank.example")],
                &[("origin", "null")],
                &[("origin", "https://shop.example.evil.example")],
            ] {
                assert_eq!(ask(&lax, method, fields), Err(NotCounted::CrossSite), "{method} {fields:?}");
            }
            for fields in [
                &[][..],
                &[("sec-fetch-site", "same-origin")],
                &[("sec-fetch-site", "same-site"), ("origin", "https://pay.example")],
                &[("sec-fetch-site", "none")],
                &[("origin", "http://shop.example:8080")],
                &[("origin", "https://SHOP.example")],
            ] {
                assert_eq!(ask(&lax, method, fields), Ok(()), "{method} {fields:?}");
            }
        }
    }

    #[test]
    fn hosts_of_one_cookie_domain_are_one_site() {
        let shared = visitors(SameSite::Lax, Some("shop.example"));
        let from = |origin: &str| ask(&shared, "POST", &[("origin", origin)]);
        assert_eq!(from("https://login.shop.example"), Ok(()));
        assert_eq!(from("https://shop.example:444"), Ok(()));
        assert_eq!(from("https://evilshop.example"), Err(NotCounted::CrossSite));
    }

    #[test]
    fn what_browsers_send_cookies_with_is_as_the_setting_says() {
        let cross = |visitors: &Visitors, to| {
            ask(visitors, "GET", &[("sec-fetch-site", "cross-site"), ("sec-fetch-dest", to)])
        };
        let strict = visitors(SameSite::Strict, None);
        assert_eq!(
            cross(&strict, "document"),
            Err(NotCounted::CrossSite),
            "a link of another site comes without cookies"
        );
        let none = visitors(SameSite::None, None);
        assert_eq!(cross(&none, "iframe"), Ok(()), "a frame of another site keeps them");
    }

    #[test]
    fn a_proxy_that_does_not_name_its_client_has_no_address_to_tell_visitors_apart() {
        let peer = |client: &str, trusted| Peer {
            address: "10.0.0.1:4711".parse().unwrap(),
            client: client.parse().unwrap(),
            trusted,
            tls: false,
        };
        assert_eq!(client_address(&peer("10.0.0.1", true)), None);
        assert_eq!(client_address(&peer("::ffff:10.0.0.1", true)), None);
        assert_eq!(client_address(&peer("192.0.2.1", true)), "192.0.2.1".parse().ok());
        assert_eq!(client_address(&peer("10.0.0.1", false)), "10.0.0.1".parse().ok());
    }
}
