//! The address at which a visitor sees the site.

use http::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use http::uri::Authority;
use http::{Request, Uri};

use crate::identity::Peer;

const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// `https://shop.example`, as the visitor's browser has it; none where the request names no host.
pub(crate) fn origin<B>(request: &Request<B>) -> Option<String> {
    let peer = request.extensions().get::<Peer>();
    let scheme = if peer.is_some_and(|peer| peer.tls) { "https" } else { "http" };
    let host = host(request.uri(), request.headers(), peer.is_some_and(|peer| peer.trusted))?;
    Some(format!("{scheme}://{host}"))
}

/// The host that a trusted proxy says it was asked for, or that the request itself names.
fn host(uri: &Uri, headers: &HeaderMap, trusted: bool) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let forwarded = text(FORWARDED_HOST).filter(|_| trusted).and_then(|all| all.split(',').next()).map(str::trim);
    let own = uri.authority().map(Authority::as_str).or_else(|| text(HOST));
    let is_host = |host: &&str| !host.contains('@') && Authority::try_from(*host).is_ok();
    forwarded.filter(is_host).or(own.filter(is_host)).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin_of(lines: &[(&str, &str)], trusted: bool, tls: bool) -> Option<String> {
        let request = lines.iter().fold(Request::get("/a"), |request, (name, value)| request.header(*name, *value));
        let address = "192.0.2.1:80".parse().unwrap();
        let peer = Peer { address, client: address.ip(), trusted, tls };
        origin(&request.extension(peer).body(()).unwrap())
    }

    #[test]
    fn is_as_the_browser_has_it() {
        let host = ("host", "shop.example:8080");
        let forwarded = ("x-forwarded-host", "www.example, inner");
        assert_eq!(origin_of(&[host], false, false).as_deref(), Some("http://shop.example:8080"));
        assert_eq!(origin_of(&[host, forwarded], false, true).as_deref(), Some("https://shop.example:8080"));
        assert_eq!(origin_of(&[host, forwarded], true, true).as_deref(), Some("https://www.example"));
        assert_eq!(
            origin_of(&[host, ("x-forwarded-host", "a b")], true, false).as_deref(),
            Some("http://shop.example:8080")
        );
        for bad in ["a@b", "a/b", "", "\"><script>"] {
            assert_eq!(origin_of(&[("host", bad)], false, false), None, "{bad}");
        }
        assert_eq!(origin_of(&[], false, false), None);
    }
}
