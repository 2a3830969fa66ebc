//! What conditions look up by name in one request: headers, cookies, query parameters.

use std::borrow::Cow;
use std::cell::OnceCell;

use flagstaff_flags::Attributes;
use http::{HeaderMap, Uri};

use crate::identity::cookies::cookies;

/// A request, as conditions see it. Cookies and query are taken apart once, when the first condition asks: thousands of flags
/// may ask again.
pub(crate) struct RequestAttributes<'a> {
    headers: &'a HeaderMap,
    uri: &'a Uri,
    cookies: OnceCell<Vec<(&'a str, &'a str)>>,
    query: OnceCell<Vec<(Cow<'a, str>, Cow<'a, str>)>>,
}

impl<'a> RequestAttributes<'a> {
    pub(crate) const fn new(headers: &'a HeaderMap, uri: &'a Uri) -> Self {
        Self { headers, uri, cookies: OnceCell::new(), query: OnceCell::new() }
    }
}

impl Attributes for RequestAttributes<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        let all = self.cookies.get_or_init(|| cookies(self.headers).collect());
        all.iter().find(|(n, _)| *n == name).map(|(_, value)| *value)
    }

    fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        let text = self.uri.query()?.as_bytes();
        let all = self.query.get_or_init(|| form_urlencoded::parse(text).collect());
        all.iter().find(|(n, _)| n == name).map(|(_, value)| Cow::Borrowed(value.as_ref()))
    }

    /// `app_version` is told by `X-App-Version`.
    fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let (mut short, mut long) = ([0; SHORT_NAME], Vec::new());
        let header = short.get_mut(..name.len() + 2).unwrap_or_else(|| {
            long.resize(name.len() + 2, 0);
            &mut long
        });
        let dashed = name.bytes().map(|b| if b == b'_' { b'-' } else { b });
        header.iter_mut().zip(b"x-".iter().copied().chain(dashed)).for_each(|(to, from)| *to = from);
        self.headers.get(std::str::from_utf8(header).ok()?)?.to_str().ok().map(Cow::Borrowed)
    }
}

/// Names of headers up to this length are put together without an allocation.
const SHORT_NAME: usize = 64;

/// The host that was asked, without its port.
pub(crate) fn host<'a>(headers: &'a HeaderMap, uri: &'a Uri) -> Option<&'a str> {
    let named = || headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    let host = uri.authority().map(http::uri::Authority::as_str).or_else(named)?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let without_port = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !host.is_empty() => host,
        _ => host,
    };
    Some(without_port)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn looks_up_by_name() {
        let mut headers = HeaderMap::new();
        headers.insert("cookie", HeaderValue::from_static("plan=pro; plan=free"));
        headers.insert("x-app-version", HeaderValue::from_static("2.4"));
        let uri: Uri = "/a?ref=a%20b+c&ref=2".parse().unwrap();
        let attributes = RequestAttributes::new(&headers, &uri);
        assert_eq!(attributes.cookie("plan"), Some("pro"));
        assert_eq!(attributes.query("ref").as_deref(), Some("a b c"));
        assert_eq!(attributes.attribute("app_version").as_deref(), Some("2.4"));
        assert_eq!(attributes.header("x-app-version"), Some("2.4"));
        assert!(attributes.header("no such name").is_none() && attributes.attribute("other").is_none());
    }

    #[test]
    fn hosts_have_no_port() {
        let of = |host: &'static str| {
            let headers = HeaderMap::from_iter([(http::header::HOST, HeaderValue::from_static(host))]);
            super::host(&headers, &Uri::from_static("/")).map(str::to_owned).unwrap_or_default()
        };
        assert_eq!((of("shop.example:8080"), of("shop.example")), ("shop.example".into(), "shop.example".into()));
        assert_eq!((of("[::1]:80"), of("[::1]")), ("[::1]".into(), "[::1]".into()));
    }
}
