//! Which flags differ between visitors, on which requests, and by what of a request: all that shared caches have to be told, found when
//! a snapshot is compiled.

use std::collections::HashMap;
use std::sync::Arc;

use flagstaff_flags::{Flag, FlagId, Key, Percent, Snapshot};
use http::Method;
use http::header::{HeaderName, HeaderValue};

use crate::compiled::interned;

/// By what of a request its answer may differ: a set, of which each header of the snapshot is one bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct DiffersBy(u64);

impl DiffersBy {
    /// Not at all.
    pub(crate) const NOTHING: Self = Self(0);
    /// By what no header of the client tells: its address, or what a proxy in front knows of it.
    pub(crate) const UNNAMED: Self = Self(1);
    /// By the person, where a trusted peer names one.
    pub(crate) const PERSON_BY_PEER: Self = Self(2);
    /// By `Cookie`.
    const COOKIE: Self = Self(1 << Self::NOT_HEADERS);
    /// So many bits are no headers.
    const NOT_HEADERS: u32 = 2;

    /// By both.
    #[must_use]
    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another set is in it.
    pub(crate) const fn holds(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    const fn headers(self) -> Self {
        Self(self.0 & !(Self::UNNAMED.0 | Self::PERSON_BY_PEER.0))
    }

    /// The header at a place of the list; a longer list than there are bits is not told apart.
    fn header(place: usize) -> Self {
        let bit = u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place + Self::NOT_HEADERS));
        bit.map_or(Self::UNNAMED, Self)
    }
}

/// Where the settings have visitors' persons and countries from.
#[derive(Debug, Default)]
pub(crate) struct IdentitySources {
    /// Headers that name a person, or have a token.
    pub(crate) person: Vec<HeaderName>,
    /// Trusted peers name persons.
    pub(crate) person_by_peer: bool,
    /// Trusted peers say the country.
    pub(crate) country: bool,
}

/// The flags of a snapshot that differ between visitors.
#[derive(Debug)]
pub(crate) struct Differing {
    everywhere: DiffersBy,
    /// Flags that are met on some requests, and differ by more than those met everywhere.
    somewhere: Vec<(FlagId, DiffersBy)>,
    /// By what is decided which upstream answers.
    pub(crate) routed: DiffersBy,
    /// What `Vary` says, by headers; the last one says all.
    lines: Vec<(DiffersBy, HeaderValue)>,
}

impl Differing {
    pub(crate) fn new(snapshot: &Snapshot, sources: &IdentitySources) -> Self {
        let mut headers = Headers::new(sources);
        let of_flags = headers.of_flags(snapshot);
        let differing = |wanted: fn(&Flag) -> bool| {
            let flags = snapshot.ids().zip(snapshot.flags()).zip(&of_flags);
            flags
                .filter(move |((_, flag), by)| **by != DiffersBy::NOTHING && wanted(flag))
                .map(|((id, _), by)| (id, *by))
        };
        let all = |wanted| differing(wanted).fold(DiffersBy::NOTHING, |all, (_, by)| all.and(by));
        let everywhere = all(|flag| flag.exposed_on.is_empty());
        let somewhere = differing(|flag| !flag.exposed_on.is_empty()).filter(|(_, by)| !everywhere.holds(*by));
        let somewhere: Vec<_> = somewhere.collect();
        let routed = all(|flag| !flag.upstream.is_empty());
        let sets = somewhere.iter().map(|(_, by)| everywhere.and(*by));
        let sets = [everywhere, routed].into_iter().chain(sets).map(DiffersBy::headers);
        let lines = headers.lines(sets, all(|_| true).headers());
        Self { everywhere, somewhere, routed, lines }
    }

    /// By what an answer to this request could be another for another visitor.
    pub(crate) fn on(&self, snapshot: &Snapshot, method: &Method, path: &str) -> DiffersBy {
        self.somewhere.iter().fold(self.everywhere, |by, (id, own)| {
            let is_met = |flag: &Arc<Flag>| is_met(flag, method, path);
            if !by.holds(*own) && snapshot.flag(*id).is_some_and(is_met) { by.and(*own) } else { by }
        })
    }

    /// What `Vary` says of it. It may name a header more, so that no text is made for an answer.
    pub(crate) fn vary(&self, by: DiffersBy) -> Option<&HeaderValue> {
        let line = self.lines.iter().find(|(of, _)| *of == by.headers());
        line.or(self.lines.last()).map(|(_, line)| line)
    }
}

/// A gate answers on its paths while its flag is off, whatever `exposed_on` names.
fn is_met(flag: &Flag, method: &Method, path: &str) -> bool {
    let exposes = flag.exposed_on.iter().any(|route| route.fits(method.as_str(), path));
    exposes || flag.gate.as_ref().is_some_and(|gate| gate.stands_before(path))
}

/// Headers that some flag looks at.
struct Headers<'a> {
    names: Vec<String>,
    /// The place of each.
    places: HashMap<String, usize>,
    sources: &'a IdentitySources,
}

impl<'a> Headers<'a> {
    fn new(sources: &'a IdentitySources) -> Self {
        // Our own ids are in cookies.
        let cookie = || "cookie".to_owned();
        Self { names: vec![cookie()], places: HashMap::from([(cookie(), 0)]), sources }
    }

    /// By what each flag differs, with the flags that it requires.
    fn of_flags(&mut self, snapshot: &Snapshot) -> Vec<DiffersBy> {
        let mut all = vec![DiffersBy::NOTHING; snapshot.flags().len()];
        for id in snapshot.required_first() {
            let Some(flag) = snapshot.flag(*id).filter(|flag| varies(flag)) else { continue };
            let required =
                flag.requires.iter().filter_map(|required| all.get(snapshot.find(required.flag.as_str())?.index()));
            let required = required.fold(DiffersBy::COOKIE, |by, other| by.and(*other));
            let by = snapshot.deciding_keys(flag).iter().fold(required, |by, key| by.and(self.of(key)));
            if let Some(slot) = all.get_mut(id.index()) {
                *slot = by;
            }
        }
        all
    }

    fn of(&mut self, key: &Key) -> DiffersBy {
        let sources = self.sources;
        match key {
            Key::User | Key::Group | Key::Role => {
                let by_peer = if sources.person_by_peer { DiffersBy::PERSON_BY_PEER } else { DiffersBy::NOTHING };
                sources.person.iter().fold(by_peer, |by, name| by.and(self.header(name.as_str())))
            }
            Key::Country if !sources.country => DiffersBy::NOTHING,
            Key::Country | Key::Ip => DiffersBy::UNNAMED,
            // The address and the method are the key under which caches store.
            Key::Path | Key::Host | Key::Method | Key::Query(_) => DiffersBy::NOTHING,
            Key::Language | Key::UserAgent | Key::Header(_) | Key::Cookie(_) | Key::Attribute(_) => {
                key.header().map_or(DiffersBy::UNNAMED, |name| self.header(&name))
            }
        }
    }

    fn header(&mut self, name: &str) -> DiffersBy {
        if let Some(place) = self.places.get(name) {
            return DiffersBy::header(*place);
        }
        let by = DiffersBy::header(self.names.len());
        if by != DiffersBy::UNNAMED {
            self.places.insert(name.to_owned(), self.names.len());
            self.names.push(name.to_owned());
        }
        by
    }

    /// The lines of `Vary` for these sets, each once, and the one that names all.
    fn lines(&self, sets: impl Iterator<Item = DiffersBy>, all: DiffersBy) -> Vec<(DiffersBy, HeaderValue)> {
        let mut lines: Vec<(DiffersBy, HeaderValue)> = Vec::new();
        for set in sets.filter(|set| *set != all).take(MAX_LINES).chain([all]) {
            if set != DiffersBy::NOTHING && lines.iter().all(|(of, _)| *of != set) {
                lines.push((set, interned::value(&self.line(set))));
            }
        }
        lines
    }

    fn line(&self, set: DiffersBy) -> String {
        let named = (0..).zip(&self.names).filter(|(place, _)| set.holds(DiffersBy::header(*place)));
        named.map(|(_, name)| title_case(name)).collect::<Vec<_>>().join(", ")
    }
}

/// Sets of headers for which `Vary` is kept ready. Answers that differ by others say all.
const MAX_LINES: usize = 64;

/// `x-app-version` → `X-App-Version`.
fn title_case(name: &str) -> String {
    let mut begins = true;
    let letter = |c: char| if std::mem::replace(&mut begins, c == '-') { c.to_ascii_uppercase() } else { c };
    name.chars().map(letter).collect()
}

/// Whether two visitors can get different variants. A flag that needs others is taken for one that does.
fn varies(flag: &Flag) -> bool {
    if flag.pin.is_some() || !flag.enabled {
        return false;
    }
    let share = flag.share_of_the_rest();
    // A visitor without the unit (for a flag by user: without a login) is off, also where the flag is on for all others.
    let on_for_all = share == Percent::ALL && !flag.variants.are_named() && flag.bucket_by.is_of_every_request();
    let same_for_all = share == Percent::ZERO || on_for_all;
    let named = flag.allow.is_some() || flag.deny.is_some() || !flag.rules.is_empty();
    named
        || flag.testing
        || flag.layer.is_some()
        || flag.rollout.is_some()
        || !flag.requires.is_empty()
        || !same_for_all
}
