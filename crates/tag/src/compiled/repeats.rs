//! What of a request's head can make its flags others than those of the request before: told from settings and flags alone.

use std::borrow::Cow;

use flagstaff_flags::{BucketBy, Key, Snapshot};
use http::header::{HeaderMap, HeaderName};
use http::{Method, Uri};
use jiff::Timestamp;

/// What settings say of that.
#[derive(Clone, Debug, Default)]
pub(crate) struct RepeatRules {
    /// Names of headers that are looked at.
    pub(crate) headers: Vec<HeaderName>,
    /// Whether the path is looked at.
    pub(crate) path: bool,
}

/// What of a head has to be the same. All of its headers do, but for those that nothing here looks at.
#[derive(Debug)]
pub(crate) struct Repeats {
    /// Headers that are looked at although they are passed over elsewhere.
    looked_at: Vec<String>,
    method: bool,
    path: bool,
    query: bool,
    /// Between two of these times decisions do not change by themselves.
    turns: Box<[Timestamp]>,
}

/// Headers that change from request to request and say nothing of who asks. If you make tagging look at one of them, take it out here.
/// Settings and flags may look at any of them: `looked_at` names those.
fn is_passed_over(name: &str) -> bool {
    matches!(
        name,
        "accept"
            | "accept-encoding"
            | "cache-control"
            | "content-length"
            | "content-type"
            | "if-match"
            | "if-modified-since"
            | "if-none-match"
            | "if-range"
            | "if-unmodified-since"
            | "origin"
            | "pragma"
            | "priority"
            | "range"
            | "referer"
            | "sec-fetch-dest"
            | "sec-fetch-mode"
            | "sec-fetch-site"
            | "sec-fetch-user"
            | "traceparent"
            | "tracestate"
            | "upgrade-insecure-requests"
            | "x-request-id"
    )
}

impl Repeats {
    pub(crate) fn new(snapshot: &Snapshot, rules: &RepeatRules) -> Self {
        let asked = snapshot.asked_keys();
        let asks = |wanted: fn(&Key) -> bool| asked.iter().any(wanted);
        let unit = |bucket_by: &BucketBy| match bucket_by {
            BucketBy::Header(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        };
        let of_units = snapshot.flags().iter().filter_map(|flag| unit(&flag.bucket_by));
        let of_settings = rules.headers.iter().map(|name| name.as_str().to_owned());
        let looked_at = asked.iter().filter_map(Key::header).map(Cow::into_owned).chain(of_units).chain(of_settings);
        let mut turns: Vec<_> = snapshot.turns().collect();
        turns.sort_unstable();
        turns.dedup();
        Self {
            looked_at: looked_at.filter(|name| is_passed_over(name)).collect(),
            method: asks(|key| *key == Key::Method),
            path: rules.path || asks(|key| *key == Key::Path),
            query: asks(|key| matches!(key, Key::Query(_))),
            turns: turns.into(),
        }
    }

    /// Whether nothing changes by itself between two times.
    pub(crate) fn are_alike(&self, one: Timestamp, other: Timestamp) -> bool {
        self.turns.iter().all(|turn| (one >= *turn) == (other >= *turn))
    }

    /// Tells all that has to be the same, part by part, as long as `part` takes it. Returns whether it took all. No two heads that differ in
    /// it tell the same: names of headers have no `:` and no `@`, and values no line break.
    pub(crate) fn tell(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        mut part: impl FnMut(&[u8]) -> bool,
    ) -> bool {
        let mut field = |name: &str, value: &[u8]| part(name.as_bytes()) && part(b":") && part(value) && part(b"\n");
        let counts = |name: &str| !is_passed_over(name) || self.looked_at.iter().any(|own| own == name);
        headers.iter().all(|(name, value)| !counts(name.as_str()) || field(name.as_str(), value.as_bytes()))
            && uri.authority().is_none_or(|authority| field("@authority", authority.as_str().as_bytes()))
            && (!self.method || field("@method", method.as_str().as_bytes()))
            && (!self.path || field("@path", uri.path().as_bytes()))
            && (!self.query || field("@query", uri.query().unwrap_or_default().as_bytes()))
    }
}
