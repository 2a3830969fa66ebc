//! Which flags a request meets. What can be worked out from the flags alone is made with the snapshot, so that a request compares its
//! path once with each pattern, however many flags have it, and not at all with paths that are written without `*`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::text::PlainPath;
use crate::{Flag, FlagId, Route};

/// Bits of one word.
const BITS: usize = u64::BITS as usize;
/// Words that need no allocation: up to 512 flags.
const INLINE: usize = 8;

/// Flags of one snapshot, such as those that a request meets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetFlags {
    first: [u64; INLINE],
    /// Beyond those.
    rest: Vec<u64>,
}

impl MetFlags {
    /// Whether a flag is among them.
    #[must_use]
    pub fn contains(&self, id: FlagId) -> bool {
        self.word(id.index() / BITS) & bit(id.index()) != 0
    }

    /// All of them, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = FlagId> + Clone {
        let words = self.first.iter().chain(&self.rest).zip(0_u32..);
        words.flat_map(|(word, place)| bits(*word).map(move |at| FlagId(place * u64::BITS + at)))
    }

    fn word(&self, place: usize) -> u64 {
        self.first.get(place).or_else(|| self.rest.get(place - INLINE)).copied().unwrap_or_default()
    }

    fn insert(&mut self, id: FlagId) {
        let place = id.index() / BITS;
        if place >= INLINE && self.rest.len() <= place - INLINE {
            self.rest.resize(place - INLINE + 1, 0);
        }
        if let Some(word) = self.first.iter_mut().chain(&mut self.rest).nth(place) {
            *word |= bit(id.index());
        }
    }

    fn add(&mut self, others: &Self) {
        if self.rest.len() < others.rest.len() {
            self.rest.resize(others.rest.len(), 0);
        }
        let others = others.first.iter().chain(&others.rest);
        self.first.iter_mut().chain(&mut self.rest).zip(others).for_each(|(word, more)| *word |= more);
    }
}

/// The bit of a flag within its word.
const fn bit(index: usize) -> u64 {
    1 << (index % BITS)
}

/// The bits of a word that are set, the lowest first.
fn bits(word: u64) -> impl Iterator<Item = u32> + Clone {
    let without_lowest = |left: &u64| Some(left & left.wrapping_sub(1));
    let lefts = std::iter::successors(Some(word), without_lowest);
    lefts.take_while(|left| *left != 0).map(u64::trailing_zeros)
}

/// Flags by the requests that meet them.
#[derive(Debug, Default)]
pub(crate) struct Meetings {
    /// Met by any request.
    always: MetFlags,
    /// Met by any page: those that are always met are among them.
    on_pages: MetFlags,
    /// Met on one path, by a method or by any.
    on_paths: HashMap<String, Vec<(Option<String>, MetFlags)>>,
    /// Met on paths with a `*`.
    on_patterns: Vec<(Route, MetFlags)>,
}

impl Meetings {
    pub(crate) fn of(flags: &[Arc<Flag>]) -> Self {
        let mut all = Self::default();
        let mut routes: BTreeMap<String, (&Route, MetFlags)> = BTreeMap::new();
        for (id, flag) in (0..).map(FlagId).zip(flags) {
            if flag.is_exposed_on_all() {
                all.always.insert(id);
            }
            if flag.is_exposed_on_pages() {
                all.on_pages.insert(id);
            }
            for route in &flag.exposed_on {
                routes.entry(route.to_string()).or_insert_with(|| (route, MetFlags::default())).1.insert(id);
            }
        }
        for (route, met) in routes.into_values() {
            let path = route.path().as_str();
            if path.contains('*') {
                all.on_patterns.push((route.clone(), met));
            } else {
                all.on_paths.entry(path.into()).or_default().push((route.method().map(Into::into), met));
            }
        }
        all
    }

    pub(crate) fn met(&self, method: &str, path: &str, is_page: bool) -> MetFlags {
        let mut met = if is_page { self.on_pages.clone() } else { self.always.clone() };
        if self.on_paths.is_empty() && self.on_patterns.is_empty() {
            return met;
        }
        let plain = PlainPath::of(path);
        for path in plain.readings(path) {
            for (of, flags) in self.on_paths.get(path).into_iter().flatten() {
                if of.as_deref().is_none_or(|of| of == method) {
                    met.add(flags);
                }
            }
            for (route, flags) in &self.on_patterns {
                if route.method().is_none_or(|of| of == method) && route.path().fits(path) {
                    met.add(flags);
                }
            }
        }
        met
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Guard, Name, Snapshot};

    fn snapshot(routes: &[&[&str]]) -> Snapshot {
        let flag = |(n, routes): (usize, &&[&str])| {
            let exposed_on = routes.iter().map(|route| Route::new(route).unwrap()).collect();
            let guard = (n % 3 == 0).then(|| Guard::new(0.01).unwrap());
            Flag { exposed_on, guard, ..Flag::new(Name::new(&format!("f{n}")).unwrap()) }
        };
        Snapshot::new("r", routes.iter().enumerate().map(flag).collect(), vec![], vec![], vec![]).unwrap()
    }

    #[test]
    fn a_request_meets_those_flags_that_say_so_each_for_itself() {
        let routes: [&[&str]; 10] = [
            &[],
            &[],
            &["/pay"],
            &["POST /pay", "GET /thanks"],
            &["/pay*"],
            &["GET *"],
            &["/a%20b"],
            &["/a%20*"],
            &["*/pay", "/pay"],
            &["POST /p*y"],
        ];
        // more than fit without an allocation
        let routes: Vec<&[&str]> = routes.into_iter().cycle().take(600).collect();
        let snapshot = snapshot(&routes);
        for method in ["GET", "POST"] {
            for path in
                ["/", "/pay", "//pay", "/p%61y", "/x/../pay", "/pay/../x", "/pay/card", "/a%20b", "/thanks", "/x/pay"]
            {
                for is_page in [true, false] {
                    let met: Vec<_> = snapshot.met(method, path, is_page).iter().collect();
                    let fits = |id: &FlagId| snapshot.flag(*id).unwrap().is_exposed_on(method, path, is_page);
                    let wanted: Vec<_> = snapshot.ids().filter(fits).collect();
                    assert_eq!(met, wanted, "{method} {path} {is_page}");
                    let set = snapshot.met(method, path, is_page);
                    assert!(snapshot.ids().all(|id| set.contains(id) == fits(&id)));
                }
            }
        }
    }
}
