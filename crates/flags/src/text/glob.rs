//! Words with `*`, and requests named by them.

use std::fmt;

use super::plain_path::PlainPath;

/// A word in which `*` stands for any text, also none. Everything else stands for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pattern: String,
    any_case: bool,
}

impl Glob {
    /// A pattern that minds upper and lower case.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self { pattern: pattern.into(), any_case: false }
    }

    /// A pattern that takes ASCII letters of either case, as host names and languages do.
    #[must_use]
    pub fn any_case(pattern: &str) -> Self {
        Self { pattern: pattern.into(), any_case: true }
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// The word that it is, when it has no `*` and minds upper and lower case.
    pub(crate) fn plain_word(&self) -> Option<&str> {
        (!self.any_case && !self.pattern.contains('*')).then_some(&self.pattern)
    }

    /// Whether the whole text fits. Takes at most pattern × text steps: a failed `*` is only ever widened.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        let (pattern, text) = (self.pattern.as_bytes(), text.as_bytes());
        let (mut p, mut t) = (0, 0);
        let mut star = None;
        while t < text.len() {
            match pattern.get(p) {
                Some(b'*') => {
                    star = Some((p, t));
                    p += 1;
                }
                Some(byte) if self.same(*byte, text[t]) => (p, t) = (p + 1, t + 1),
                _ => {
                    let Some((at, eaten)) = star else { return false };
                    star = Some((at, eaten + 1));
                    (p, t) = (at + 1, eaten + 1);
                }
            }
        }
        pattern.iter().skip(p).all(|byte| *byte == b'*')
    }

    const fn same(&self, a: u8, b: u8) -> bool {
        if self.any_case { a.eq_ignore_ascii_case(&b) } else { a == b }
    }
}

/// What begins a query or a fragment in a pattern of paths. A path ends before it, so no path fits such a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BehindPath(char);

impl BehindPath {
    /// Looks for it. A pattern that means the character itself writes `%3F` or `%23`.
    #[must_use]
    pub fn find(pattern: &str) -> Option<Self> {
        pattern.chars().find(|c| matches!(c, '?' | '#')).map(Self)
    }
}

impl fmt::Display for BehindPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.0 == '?' { "query" } else { "fragment" };
        write!(f, "a path has no {what}: leave out what begins at the `{}`", self.0)
    }
}

/// Requests named by method and path: `GET /contact*`, or `/contact*` for any method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    method: Option<String>,
    path: Glob,
}

impl Route {
    /// Reads `METHOD /path*` or `/path*`.
    ///
    /// # Errors
    /// When the path does not start with `/` or `*`, or has a query, or the method is not of upper-case letters.
    pub fn new(text: &str) -> Result<Self, RouteError> {
        let (method, path) = match text.trim().split_once(' ') {
            Some((method, path)) => (Some(method), path.trim()),
            None => (None, text.trim()),
        };
        if let Some(behind) = BehindPath::find(path) {
            return Err(RouteError::Behind(behind));
        }
        let method_fits = method.is_none_or(|m| !m.is_empty() && m.bytes().all(|b| b.is_ascii_uppercase()));
        if method_fits && path.starts_with(['/', '*']) && !path.contains(' ') {
            Ok(Self { method: method.map(Into::into), path: Glob::new(path) })
        } else {
            Err(RouteError::Form)
        }
    }

    /// The method, when one is named.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.method.as_deref()
    }

    /// The path.
    #[must_use]
    pub const fn path(&self) -> &Glob {
        &self.path
    }

    /// Whether a request is one of these, by its path as servers understand it.
    #[must_use]
    pub fn fits(&self, method: &str, path: &str) -> bool {
        self.method.as_deref().is_none_or(|m| m == method)
            && PlainPath::of(path).passes(path, &|path| self.path.fits(path))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(method) = &self.method {
            write!(f, "{method} ")?;
        }
        f.write_str(self.path.as_str())
    }
}

/// Why a text names no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// It is not a method and a path, nor a path.
    Form,
    /// Its path goes on behind its end.
    Behind(BehindPath),
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str(
                "requests are named by an upper-case method and a path, as in \"GET /contact*\", or by a path alone",
            ),
            Self::Behind(behind) => behind.fmt(f),
        }
    }
}

impl std::error::Error for RouteError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_text() {
        let fits = |p: &str, t: &str| Glob::new(p).fits(t);
        assert!(fits("*", "") && fits("*", "anything") && fits("", ""));
        assert!(fits("/contact*", "/contact") && fits("/contact*", "/contact/thanks"));
        assert!(fits("*.example.com", "shop.example.com") && !fits("*.example.com", "example.com"));
        assert!(fits("a*b*c", "a1b2b3c") && !fits("a*b*c", "a1b2b3") && fits("a**c", "ac"));
        assert!(!fits("/contact", "/contact/") && !fits("", "a") && !fits("A", "a"));
        assert!(Glob::any_case("DE").fits("de"));
    }

    #[test]
    fn a_hostile_pattern_ends() {
        assert!(!Glob::new(&"*a".repeat(50)).fits(&"b".repeat(10_000)));
        assert!(!Glob::new(&format!("{}c", "*a".repeat(20))).fits(&"a".repeat(5_000)));
    }

    #[test]
    fn routes_name_requests() {
        let route = Route::new("POST /contact").unwrap();
        assert!(route.fits("POST", "/contact") && !route.fits("GET", "/contact"));
        assert!(
            route.fits("POST", "/cont%61ct")
                && route.fits("POST", "//contact")
                && !route.fits("POST", "/contact/../x")
        );
        assert!(Route::new("/a*").unwrap().fits("GET", "/ab"));
        for bad in ["", "contact", "get /a", "GET contact", "GET /a b", " "] {
            assert_eq!(Route::new(bad), Err(RouteError::Form), "{bad}");
        }
    }

    #[test]
    fn routes_end_where_a_path_ends() {
        for bad in ["/contact?x=1", "GET /?ok=1", "POST /a#b", "/a?", "*?x=*", "GET a?b"] {
            assert!(matches!(Route::new(bad), Err(RouteError::Behind(_))), "{bad}");
        }
        let said = |text| Route::new(text).unwrap_err().to_string();
        assert_eq!(said("/a?b#c"), "a path has no query: leave out what begins at the `?`");
        assert_eq!(said("/a#b?c"), "a path has no fragment: leave out what begins at the `#`");
        let escaped = Route::new("/a%3Fb").unwrap();
        assert!(escaped.fits("GET", "/a%3Fb") && !escaped.fits("GET", "/a"));
    }
}
