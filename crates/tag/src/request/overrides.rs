//! Variants that are requested: by the query, by the cookie that remembers them for a session, by a header of a trusted peer.

use flagstaff_flags::{Flag, FlagId, ForcedVariant, Snapshot, VariantId};
use http::HeaderMap;
use jiff::Timestamp;

use crate::header_list;
use crate::identity::keys::{Keys, Purpose};

/// The header of trusted peers.
const HEADER: &str = "x-flag-override";
/// What our query parameters begin with.
const PREFIX: &str = "flagstaff.";
/// Overrides of one link, one header or one session. More are not read.
pub const MAX_OVERRIDES: usize = 32;
/// Bytes of overrides in the cookie, which browsers drop beyond 4,096 with its name and signature.
const MAX_COOKIE_BYTES: usize = 3_500;

/// One variant that was requested, and the second until which a signed link gives the right to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Override {
    flag: FlagId,
    variant: VariantId,
    until: Option<i64>,
}

/// The variants that are requested in one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Overrides {
    all: Vec<Override>,
    changed: bool,
}

impl Overrides {
    /// Reads the payload of the cookie: `form:on:0~price:simple:1800000000`. What has ended or no longer exists is left out.
    pub(crate) fn read(payload: Option<&str>, snapshot: &Snapshot, now: Timestamp) -> Self {
        let mut overrides = Self::default();
        for entry in payload.unwrap_or_default().split('~').filter(|entry| !entry.is_empty()).take(MAX_OVERRIDES) {
            match override_of(entry, snapshot, now) {
                Some(one) => overrides.all.push(one),
                None => overrides.changed = true,
            }
        }
        overrides
    }

    /// Adds what the query asks for, and removes what it ends.
    pub(crate) fn apply(&mut self, query: &OverrideQuery, snapshot: &Snapshot) {
        for (name, variant) in &query.pairs {
            let Some(id) = snapshot.find(name) else { continue };
            let before = self.all.iter().position(|one| one.flag == id);
            let after = snapshot.flag(id).and_then(|flag| query.wanted(id, flag, variant));
            match (before, after) {
                (Some(at), None) if variant.is_empty() => drop(self.all.remove(at)),
                (Some(at), Some(one)) if self.all.get(at) != Some(&one) => {
                    self.all.remove(at);
                    self.all.insert(at, one);
                }
                (None, Some(one)) if self.all.len() < MAX_OVERRIDES => self.all.push(one),
                _ => continue,
            }
            self.changed = true;
        }
    }

    /// As decisions ask for it: the query and the cookie, then the header.
    pub(crate) fn forced(&self, header: &[(FlagId, VariantId)]) -> Vec<ForcedVariant> {
        let own =
            self.all.iter().map(|w| ForcedVariant { flag: w.flag, variant: w.variant, signed: w.until.is_some() });
        let header =
            header.iter().map(|(flag, variant)| ForcedVariant { flag: *flag, variant: *variant, signed: false });
        own.chain(header).collect()
    }

    /// The payload for the cookie when it changed; empty when nothing is left to remember.
    pub(crate) fn payload(&self, snapshot: &Snapshot) -> Option<String> {
        let entry = |one: &Override| {
            let flag = snapshot.flag(one.flag)?;
            let until = one.until.unwrap_or(0);
            Some(format!("{}:{}:{until}", flag.name, flag.variants.name(one.variant)))
        };
        self.changed.then(|| {
            let mut text = String::new();
            for entry in self.all.iter().filter_map(entry) {
                if text.len() + entry.len() < MAX_COOKIE_BYTES {
                    text.push_str(if text.is_empty() { "" } else { "~" });
                    text.push_str(&entry);
                }
            }
            text
        })
    }
}

fn override_of(entry: &str, snapshot: &Snapshot, now: Timestamp) -> Option<Override> {
    let mut parts = entry.splitn(3, ':');
    let (name, variant, until) = (parts.next()?, parts.next()?, parts.next()?.parse().ok()?);
    let flag = snapshot.find(name)?;
    let variant = snapshot.flag(flag)?.variants.find(variant)?;
    let until = (until != 0).then_some(until);
    until.is_none_or(|until| now.as_second() < until).then_some(Override { flag, variant, until })
}

/// Whether a query asks for variants.
pub(crate) fn asks(query: &str) -> bool {
    query.contains(PREFIX)
}

/// What a query asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct OverrideQuery {
    pairs: Vec<(String, String)>,
    /// The second until which it gives the right to, when it is signed.
    until: Option<i64>,
}

impl OverrideQuery {
    /// The names it asks for that are no flags.
    pub(crate) fn unknown<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a str> {
        self.pairs.iter().map(|(name, _)| name.as_str()).filter(|name| snapshot.find(name).is_none())
    }

    pub(crate) fn read(query: &str, now: Timestamp, keys: &Keys) -> Self {
        if !asks(query) {
            return Self::default();
        }
        let (mut pairs, mut until, mut tag) = (Vec::new(), None, None);
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.strip_prefix(PREFIX) {
                Some("until") => until = value.parse::<i64>().ok(),
                Some("sig") => tag = Some(value.into_owned()),
                Some(flag) if pairs.len() < MAX_OVERRIDES => pairs.push((flag.to_owned(), value.into_owned())),
                _ => {}
            }
        }
        let signed = |until: &i64| {
            let tag = tag.as_deref().unwrap_or_default();
            now.as_second() < *until && keys.verify(Purpose::Link, "", &message(&pairs, *until), tag)
        };
        let until = until.filter(signed);
        Self { pairs, until }
    }

    pub(crate) fn len(&self) -> usize {
        self.pairs.len()
    }

    fn wanted(&self, id: FlagId, flag: &Flag, variant: &str) -> Option<Override> {
        let variant = flag.variants.find(variant)?;
        let has_right = flag.testing || self.until.is_some();
        has_right.then_some(Override { flag: id, variant, until: self.until })
    }
}

/// What is signed of a link: the overrides in order of their names, and when it ends.
fn message(pairs: &[(String, String)], until: i64) -> String {
    let mut lines: Vec<_> = pairs.iter().map(|(name, variant)| format!("{name}={variant}")).collect();
    lines.sort_unstable();
    lines.push(until.to_string());
    lines.join("\n")
}

/// The address with overrides that count for everybody who has it, until then.
pub(crate) fn sign_link(address: &str, overrides: &[(&str, &str)], until: Timestamp, keys: &Keys) -> String {
    let pairs: Vec<_> = overrides.iter().map(|(name, variant)| ((*name).into(), (*variant).into())).collect();
    let until = until.as_second();
    let tag = keys.sign(Purpose::Link, "", &message(&pairs, until));
    let (address, fragment) = address.split_once('#').map_or((address, None), |(a, f)| (a, Some(f)));
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, variant) in &pairs {
        query.append_pair(&format!("{PREFIX}{name}"), variant);
    }
    query.append_pair("flagstaff.until", &until.to_string()).append_pair("flagstaff.sig", &tag);
    let join = if address.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{address}{join}{}{fragment}", query.finish())
}

/// What `X-Flag-Override: name=variant, …` of a trusted peer asks for.
pub(crate) fn by_header(headers: &HeaderMap, snapshot: &Snapshot) -> Vec<(FlagId, VariantId)> {
    let values = headers.get_all(HEADER).iter().filter_map(|value| value.to_str().ok());
    let pairs = values.flat_map(header_list::words);
    let read = |pair: String| {
        let (name, variant) = pair.split_once('=')?;
        let id = snapshot.find(name.trim())?;
        Some((id, snapshot.flag(id)?.variants.find(variant.trim())?))
    };
    pairs.take(MAX_OVERRIDES).filter_map(read).collect()
}
