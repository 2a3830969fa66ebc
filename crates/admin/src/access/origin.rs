//! Whether a request that a browser sends with the session's cookie comes from a page of this address.
//!
//! `SameSite=Strict` does not answer that: the app on another port of the same host is the same site. tower-http has a layer for it,
//! which lets pass what has neither header; with a cookie, no browser sends that, so it is refused here.

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Uri, header};

use super::host::Hosts;

/// The name of the header by which browsers say from where a request comes.
const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// Whether a method may change something.
pub(super) fn is_unsafe(method: &Method) -> bool {
    !method.is_safe()
}

/// Whether a page of this address sent the request.
///
/// # Errors
/// With what speaks against it, and what to do.
pub(super) fn check(headers: &HeaderMap, hosts: &Hosts) -> Result<(), (String, String)> {
    let site = headers.get(SEC_FETCH_SITE).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = site.filter(|site| !matches!(*site, "same-origin" | "none")) {
        let site = flagstaff_flags::printable(site);
        let help = "open the page on this address itself, and send it from there";
        return Err((format!("another site sent this request (Sec-Fetch-Site: {site})"), help.into()));
    }
    let mut origins = headers.get_all(header::ORIGIN).iter().map(|value| value.to_str().unwrap_or_default());
    match (origins.next(), origins.next()) {
        (Some(origin), None) if is_ours(origin, headers, hosts) => Ok(()),
        (Some(origin), _) => Err(foreign(origin)),
        (None, _) if site.is_some() => Ok(()),
        (None, _) => {
            let help = "a program sends its token itself: Authorization: Bearer TOKEN";
            Err(("neither Origin nor Sec-Fetch-Site says which page sent this request".into(), help.into()))
        }
    }
}

fn foreign(origin: &str) -> (String, String) {
    let name = origin.parse::<Uri>().ok().and_then(|uri| uri.host().map(ToOwned::to_owned));
    let setting = name.map_or_else(String::new, |name| {
        format!(
            "; if that is your proxy's name for this address, set admin_hosts = [\"{}\"]",
            flagstaff_flags::printable(&name)
        )
    });
    let origin = flagstaff_flags::printable(origin).into_owned();
    (format!("a page of {origin} sent this request"), format!("send it from a page of this address{setting}"))
}

/// Whether an origin is a page of the host that was asked, with its port, or of a host of the settings.
fn is_ours(origin: &str, headers: &HeaderMap, hosts: &Hosts) -> bool {
    let host = origin.split_once("://").and_then(|(_, host)| host.parse::<Authority>().ok());
    let Some(host) = host else { return false };
    let asked = headers.get(header::HOST).and_then(|asked| asked.to_str().ok());
    asked.is_some_and(|asked| asked.eq_ignore_ascii_case(host.as_str())) || hosts.names(&host)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn checked(fields: &[(&str, &str)]) -> Result<(), (String, String)> {
        let names = ["flags.example.com".to_owned()];
        let hosts = Hosts::new("127.0.0.1:8081".parse().unwrap(), &names, &mut Vec::new());
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:8081"));
        for (name, value) in fields {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        check(&headers, &hosts)
    }

    #[test]
    fn pages_of_this_address_pass_and_no_others() {
        let (site, origin) = ("sec-fetch-site", "origin");
        for ours in [
            &[(site, "same-origin")][..],
            &[(site, "none")],
            &[(origin, "http://127.0.0.1:8081")],
            &[(site, "same-origin"), (origin, "http://127.0.0.1:8081")],
            &[(site, "same-origin"), (origin, "https://flags.example.com")],
        ] {
            assert_eq!(checked(ours), Ok(()), "{ours:?}");
        }
        for theirs in [
            &[][..],
            &[(site, "cross-site")],
            &[(site, "same-site")],
            &[(site, "same-site"), (origin, "http://127.0.0.1:8081")],
            // the app, on another port of the same host
            &[(origin, "http://127.0.0.1:8080")],
            &[(origin, "http://localhost:8081")],
            &[(origin, "null")],
            &[(origin, "https://evil.com")],
            &[(origin, "")],
            &[(site, "same-origin"), (origin, "https://evil.com")],
            &[(origin, "http://127.0.0.1:8081"), (origin, "https://evil.com")],
        ] {
            assert!(checked(theirs).is_err(), "{theirs:?}");
        }
        let (what, help) = checked(&[(origin, "https://other.example.com")]).unwrap_err();
        assert!(
            what.contains("https://other.example.com") && help.contains("admin_hosts = [\"other.example.com\"]"),
            "{help}"
        );
    }
}
