//! The addresses of a document and its overlays.

use std::fmt;
use std::path::Path;

use flagstaff_flags::brief;
use http::Uri;

use crate::archive::beside;

/// The longest address.
const MAX_BYTES: usize = 4096;

/// `https://user:password@host/path/flags.toml?query`. User, password and query may be secrets: none of them is shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WebAddress {
    scheme: String,
    /// `user:password`, as it is written.
    pub(super) login: Option<String>,
    authority: String,
    path: String,
    query: Option<String>,
}

impl WebAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// Why it is none.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let none = || "this is no address of a file on the web; write https://HOST/flags.toml".to_owned();
        let uri: Uri =
            Some(text).filter(|text| text.len() <= MAX_BYTES).and_then(|text| text.parse().ok()).ok_or_else(none)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(none()) };
        let (login, authority) = match authority.as_str().rsplit_once('@') {
            Some((login, authority)) => (Some(login.to_owned()), authority),
            None => (None, authority.as_str()),
        };
        if authority.is_empty() || uri.path().ends_with('/') {
            return Err("it names no file; write https://HOST/flags.toml".into());
        }
        Ok(Self {
            scheme: scheme.into(),
            login,
            authority: authority.into(),
            path: uri.path().into(),
            query: uri.query().map(Into::into),
        })
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }

    /// The address of the overlay of an environment: `flags.production.toml` beside `flags.toml`.
    pub(super) fn overlay(&self, environment: &str) -> Self {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", &self.path));
        let path = format!("{folder}/{}", beside(Path::new(file), environment).display());
        Self { path, ..self.clone() }
    }

    /// What is asked for: the whole address but user and password.
    pub(super) fn url(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}://{}{}{query}", self.scheme, self.authority, self.path)
    }

    /// As it may be shown: a query may hold a signature.
    pub(super) fn shown(&self) -> String {
        let query = if self.query.is_some() { "?…" } else { "" };
        brief(&format!("{}://{}{}{query}", self.scheme, self.authority, self.path)).into_owned()
    }
}

impl fmt::Debug for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_are_beside_the_file_and_secrets_are_not_shown() {
        let address = WebAddress::new("https://me:s3cret@example.org:8443/a/flags.toml?sig=s3cret").unwrap();
        assert_eq!(address.shown(), "https://example.org:8443/a/flags.toml?…");
        assert_eq!(address.url(), "https://example.org:8443/a/flags.toml?sig=s3cret");
        let overlay = address.overlay("production");
        assert_eq!(overlay.url(), "https://example.org:8443/a/flags.production.toml?sig=s3cret");
        assert_eq!(WebAddress::new("http://h/flags").unwrap().overlay("test").shown(), "http://h/flags.test");
        for none in ["https://", "https://host", "https://host/", "https://host/a/", "https://ho st/a"] {
            assert!(WebAddress::new(none).is_err(), "{none}");
        }
    }
}
