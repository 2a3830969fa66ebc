//! One look at all names of a head. Most heads hold nothing that has to be taken out or read closely, and looking once
//! costs less than asking for each field that might be there.

use flagstaff_tag::{begins, same};
use http::header::HeaderMap;

/// What a head holds of fields that need something done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HeaderScan(u8);

impl HeaderScan {
    pub(crate) const CONNECTION: Self = Self(1);
    /// Fields that never pass.
    pub(crate) const HOP_BY_HOP: Self = Self(1 << 1);
    pub(crate) const UPGRADE: Self = Self(1 << 2);
    pub(crate) const TE: Self = Self(1 << 3);
    pub(crate) const EXPECT: Self = Self(1 << 4);
    pub(crate) const LOOP: Self = Self(1 << 5);
    /// What only proxies may say.
    pub(crate) const FORWARDED: Self = Self(1 << 6);
    /// Names of fields to come behind the body.
    pub(crate) const TRAILER: Self = Self(1 << 7);

    pub(crate) fn of(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self::default(), |found, name| Self(found.0 | Self::named(name.as_str()).0))
    }

    fn named(name: &str) -> Self {
        match name {
            "connection" => Self::CONNECTION,
            "upgrade" => Self(Self::HOP_BY_HOP.0 | Self::UPGRADE.0),
            "te" => Self(Self::HOP_BY_HOP.0 | Self::TE.0),
            "keep-alive"
            | "proxy-connection"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy"
            | "http2-settings"
            | "transfer-encoding" => Self::HOP_BY_HOP,
            "expect" => Self::EXPECT,
            "cdn-loop" => Self::LOOP,
            "trailer" => Self::TRAILER,
            name if unwanted(name, false) => Self::FORWARDED,
            _ => Self::default(),
        }
    }

    pub(crate) const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Whether a field is only for proxies to write, and this one may not: it has no trust, or the spelling is not the usual one.
pub(crate) fn unwanted(name: &str, trusted: bool) -> bool {
    // The first letter tells for nearly all fields.
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

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(names: &[&'static str]) -> HeaderScan {
        let name = |name: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static("x"));
        HeaderScan::of(&names.iter().map(name).collect())
    }

    #[test]
    fn plain_heads_hold_nothing() {
        assert_eq!(of(&["host", "cookie", "accept", "x-request-id", "from", "x-forward"]), HeaderScan::default());
    }

    #[test]
    fn each_field_is_seen_among_others() {
        for (name, kind) in [
            ("connection", HeaderScan::CONNECTION),
            ("keep-alive", HeaderScan::HOP_BY_HOP),
            ("upgrade", HeaderScan::UPGRADE),
            ("te", HeaderScan::TE),
            ("expect", HeaderScan::EXPECT),
            ("proxy", HeaderScan::HOP_BY_HOP),
            ("http2-settings", HeaderScan::HOP_BY_HOP),
            ("cdn-loop", HeaderScan::LOOP),
            ("trailer", HeaderScan::TRAILER),
            ("forwarded", HeaderScan::FORWARDED),
            ("x_forwarded_for", HeaderScan::FORWARDED),
            ("x+forwarded.for", HeaderScan::FORWARDED),
            ("x-real-ip", HeaderScan::FORWARDED),
        ] {
            let found = of(&["host", name, "accept"]);
            assert!(found.has(kind) && !of(&["host", "accept"]).has(kind), "{name}");
        }
        assert!(of(&["te"]).has(HeaderScan::HOP_BY_HOP) && of(&["upgrade"]).has(HeaderScan::HOP_BY_HOP));
    }
}
