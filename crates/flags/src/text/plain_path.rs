//! Paths and hosts as servers understand them, however a client spells them.

use std::borrow::Cow;

/// A path without escapes, parameters (`;a=b`), empty parts, `.` and `..` (RFC 3986, 5.2.4 and 3.3). A backslash parts as a slash
/// does, as IIS and others read it. One that ends in such a part ends in `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainPath<'a> {
    text: Cow<'a, str>,
    /// It had a `..`: what is written is not what is meant.
    leaves: bool,
}

impl<'a> PlainPath<'a> {
    /// Reads a path. Nearly all are plain already: then it is one look at the bytes, and nothing is copied.
    #[must_use]
    pub fn of(path: &'a str) -> Self {
        if is_plain(path.as_bytes()) {
            return Self { text: Cow::Borrowed(path), leaves: false };
        }
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
        let mut parts: Vec<&str> = Vec::new();
        let (mut is_folder, mut leaves) = (false, false);
        for part in decoded.split(['/', '\\']) {
            let part = part.split(';').next().unwrap_or(part);
            is_folder = matches!(part, "" | "." | "..");
            leaves |= part == "..";
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let end = if is_folder && !parts.is_empty() { "/" } else { "" };
        Self { text: Cow::Owned(format!("/{}{end}", parts.join("/"))), leaves }
    }

    /// The path that is meant.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the path fits a test, as it is meant. As it was written counts too where both name the same place, for patterns
    /// that are written with escapes.
    pub(crate) fn passes(&self, written: &str, test: &dyn Fn(&str) -> bool) -> bool {
        self.readings(written).any(test)
    }

    /// The path as it is meant, and as it was written where that counts too.
    pub(crate) fn readings<'p>(&'p self, written: &'p str) -> impl Iterator<Item = &'p str> {
        let counts = !self.leaves && matches!(self.text, Cow::Owned(_));
        std::iter::once(&*self.text).chain(counts.then_some(written))
    }
}

fn is_plain(path: &[u8]) -> bool {
    let mut before = 0;
    let odd = |byte: &u8| {
        let odd = match byte {
            b'%' | b'\\' | b';' => true,
            b'/' | b'.' => before == b'/',
            _ => false,
        };
        before = *byte;
        odd
    };
    path.first() == Some(&b'/') && !path.iter().any(odd)
}

/// A host in lower case, without its port and the dot that may end it.
#[must_use]
pub fn plain_host(host: &str) -> Cow<'_, str> {
    let port = host.rsplit_once(':').filter(|(name, port)| {
        let whole = !name.contains(':') || name.ends_with(']');
        whole && !name.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    let name = port.map_or(host, |(name, _)| name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.bytes().any(|b| b.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(path: &str) -> String {
        PlainPath::of(path).as_str().to_owned()
    }

    #[test]
    fn paths_are_read_as_servers_read_them() {
        for path in [
            "/pay/card",
            "/pay/../pay/card",
            "//pay//card",
            "/p%61y/%63ard",
            "/./pay/./card",
            "/x/..%2fpay/card",
            "/pay;a=b/card;c",
            "/pay\\card",
            "\\pay/card",
            "/%5cpay%5Ccard",
            "/x%5C%2e%2e%5Cpay%5Ccard",
            "pay/card",
        ] {
            assert_eq!(plain(path), "/pay/card", "{path}");
        }
        assert_eq!((plain("/"), plain(""), plain("/../..")), ("/".into(), "/".into(), "/".into()));
        for path in ["/pay/", "/pay/.", "/x/../pay/.", "/pay/card/..", "/pay/%2e", "/pay\\"] {
            assert_eq!(plain(path), "/pay/", "{path}");
        }
    }

    #[test]
    fn what_is_plain_is_not_copied() {
        for path in ["/", "/a", "/a/b.c", "/a/", "/a.b/~c", "/über"] {
            assert!(matches!(PlainPath::of(path).text, Cow::Borrowed(_)), "{path}");
        }
    }

    #[test]
    fn a_path_that_leaves_counts_only_where_it_ends() {
        let passes = |path: &str, wanted: &str| PlainPath::of(path).passes(path, &|text| text == wanted);
        assert!(passes("/a%20b", "/a b") && passes("/a%20b", "/a%20b"));
        assert!(passes("/a/../b", "/b") && !passes("/a/../b", "/a/../b"));
    }

    #[test]
    fn hosts_are_names_alone() {
        for host in ["shop.example", "Shop.Example", "shop.example.", "shop.example:8080", "SHOP.example.:80"] {
            assert_eq!(plain_host(host), "shop.example", "{host}");
        }
        assert_eq!(
            (plain_host("[::1]:80"), plain_host("[::1]"), plain_host("::1")),
            ("[::1]".into(), "[::1]".into(), "::1".into())
        );
    }
}
