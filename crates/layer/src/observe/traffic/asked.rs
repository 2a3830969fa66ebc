//! How often each flag and variant was asked for, and when last.

use std::cell::Cell;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flagstaff_flags::Snapshot;
use flagstaff_tag::PerSnapshot;
use jiff::{SignedDuration, Timestamp};

use super::lock;
use crate::observe::RequestContext;

/// Each thread counts in one of these, so that threads do not wait for one another's memory.
const SHARDS: usize = 8;
/// How long one number of [`AskedFlag::history`] counts.
const WINDOW: Duration = Duration::from_secs(10);
/// How many numbers there are.
const WINDOWS: usize = 30;

/// How often a flag was asked for since the start, by requests that count: those on which it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedFlag {
    /// The flag.
    pub flag: String,
    /// Requests by variant, in the order of the file.
    pub variants: Vec<(String, u64)>,
    /// When it was asked for last, to a second; none: never.
    pub last: Option<Timestamp>,
    /// Requests in each of the last ten seconds' spans, the oldest first.
    pub history: Vec<u64>,
}

impl AskedFlag {
    /// Requests of all variants.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.variants.iter().map(|(_, requests)| requests).sum()
    }
}

/// Counts by flag and variant.
#[derive(Default)]
pub(super) struct AskedFlags {
    table: PerSnapshot<Table>,
    times: Mutex<Times>,
}

/// The counters of one snapshot's flags.
struct Table {
    /// By the place of the flag: its name, its variants and the place of its first counter.
    flags: Vec<(Arc<str>, Vec<Arc<str>>, usize)>,
    /// What was counted under snapshots before.
    before: Vec<u64>,
    shards: [Box<[AtomicU64]>; SHARDS],
}

/// When flags were asked for, as far as was seen by looking at the counters.
#[derive(Default)]
struct Times {
    flags: HashMap<Arc<str>, Asked>,
    /// When the present span began.
    began: Option<Timestamp>,
}

#[derive(Default)]
struct Asked {
    requests: u64,
    last: Option<Timestamp>,
    /// The last one is of the present span.
    history: VecDeque<u64>,
}

impl AskedFlags {
    /// Counts a request for each flag that is met on it.
    pub(super) fn count(&self, request: &RequestContext) {
        let decisions = request.flags.decisions();
        let (method, path) = (request.method.as_str(), request.uri.path());
        self.table.with(
            decisions.snapshot(),
            |before| Table::new(decisions.snapshot(), before),
            |table| {
                let shard = table.shards.get(shard());
                for (id, flag, decision) in decisions.iter() {
                    if flag.is_exposed_on(method, path, request.is_page)
                        && let Some((_, _, first)) = table.flags.get(id.index())
                        && let Some(count) = shard.and_then(|shard| shard.get(first + decision.variant().index()))
                    {
                        count.fetch_add(1, Relaxed);
                    }
                }
            },
        );
    }

    /// Notes which flags were asked for since the last look.
    pub(super) fn look(&self, now: Timestamp) {
        if let Some(table) = self.table.newest() {
            lock(&self.times).look(&table, now);
        }
    }

    pub(super) fn of(&self, snapshot: &Arc<Snapshot>) -> Vec<AskedFlag> {
        let table = self.table.get(snapshot, |before| Table::new(snapshot, before));
        let times = lock(&self.times);
        let one = |(name, variants, first): &(Arc<str>, Vec<Arc<str>>, usize)| {
            let seen = times.flags.get(name);
            let names = variants.iter().map(ToString::to_string);
            AskedFlag {
                flag: name.to_string(),
                variants: names.zip((*first..).map(|place| table.total(place))).collect(),
                last: seen.and_then(|seen| seen.last),
                history: seen.map(|seen| seen.history.iter().copied().collect()).unwrap_or_default(),
            }
        };
        table.flags.iter().map(one).collect()
    }
}

impl Table {
    fn new(snapshot: &Snapshot, former: Option<&Self>) -> Self {
        let mut known = HashMap::new();
        for (name, variants, first) in former.iter().flat_map(|former| &former.flags) {
            let counted = (*first..).map(|place| former.map_or(0, |former| former.total(place)));
            known.extend(variants.iter().zip(counted).map(|(variant, total)| ((name, variant), total)));
        }
        let (mut flags, mut before) = (Vec::new(), Vec::new());
        for flag in snapshot.flags() {
            let (name, variants): (Arc<str>, _) = (flag.name.as_str().into(), flag.variants.names().to_vec());
            let first = before.len();
            before.extend(variants.iter().map(|one| known.get(&(&name, one)).copied().unwrap_or_default()));
            flags.push((name, variants, first));
        }
        let shards = std::array::from_fn(|_| before.iter().map(|_| AtomicU64::new(0)).collect());
        Self { flags, before, shards }
    }

    fn total(&self, place: usize) -> u64 {
        let now: u64 = self.shards.iter().filter_map(|shard| shard.get(place)).map(|count| count.load(Relaxed)).sum();
        now + self.before.get(place).copied().unwrap_or_default()
    }
}

impl Times {
    fn look(&mut self, table: &Table, now: Timestamp) {
        let began = *self.began.get_or_insert(now);
        let window = SignedDuration::try_from(WINDOW).unwrap_or(SignedDuration::ZERO);
        let is_over = now.duration_since(began) >= window;
        if is_over {
            self.began = Some(now);
        }
        let mut left = std::mem::take(&mut self.flags);
        for (name, variants, first) in &table.flags {
            let mut asked = left.remove(name).unwrap_or_default();
            let requests = (*first..).take(variants.len()).map(|place| table.total(place)).sum();
            asked.look(requests, is_over, now);
            self.flags.insert(Arc::clone(name), asked);
        }
    }
}

impl Asked {
    fn look(&mut self, requests: u64, begins_span: bool, now: Timestamp) {
        let more = requests.saturating_sub(self.requests);
        self.requests = requests;
        if more > 0 {
            self.last = Some(now);
        }
        if begins_span || self.history.is_empty() {
            self.history.push_back(0);
        }
        if let Some(present) = self.history.back_mut() {
            *present += more;
        }
        while self.history.len() > WINDOWS {
            self.history.pop_front();
        }
    }
}

/// Where this thread counts.
fn shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static MINE: Cell<usize> = Cell::new(NEXT.fetch_add(1, Relaxed) % SHARDS);
    }
    MINE.try_with(Cell::get).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Flag, Name};

    use super::*;

    fn snapshot(flags: &[&str]) -> Arc<Snapshot> {
        let flags = flags.iter().map(|name| Flag::new(Name::new(name).unwrap())).collect();
        Arc::new(Snapshot::new("r", flags, vec![], vec![], vec![]).unwrap())
    }

    #[test]
    fn counts_outlast_an_edit_and_end_with_their_flag() {
        let asked = AskedFlags::default();
        let (one, two) = (snapshot(&["a", "b"]), snapshot(&["b", "c"]));
        let table = asked.table.get(&one, |before| Table::new(&one, before));
        table.shards[0][3].fetch_add(5, Relaxed);
        table.shards[7][3].fetch_add(2, Relaxed);
        let of = |snapshot: &Arc<Snapshot>| -> Vec<_> {
            asked.of(snapshot).into_iter().map(|one| (one.flag.clone(), one.requests())).collect()
        };
        assert_eq!(of(&one), [("a".into(), 0), ("b".into(), 7)]);
        assert_eq!(of(&two), [("b".into(), 7), ("c".into(), 0)]);
        assert_eq!(of(&one), [("a".into(), 0), ("b".into(), 7)]);
    }

    #[test]
    fn times_are_seen_by_looking() {
        let asked = AskedFlags::default();
        let snapshot = snapshot(&["a"]);
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let table = asked.table.get(&snapshot, |before| Table::new(&snapshot, before));
        asked.look(at(100));
        assert_eq!(asked.of(&snapshot)[0].last, None);
        table.shards[1][1].fetch_add(3, Relaxed);
        asked.look(at(101));
        asked.look(at(102));
        assert_eq!(asked.of(&snapshot)[0].last, Some(at(101)));
        table.shards[1][0].fetch_add(1, Relaxed);
        (0..1000).for_each(|n| asked.look(at(110 + n * 10)));
        let one = asked.of(&snapshot).remove(0);
        assert_eq!((one.last, one.history.len(), one.requests()), (Some(at(110)), WINDOWS, 4));
    }
}
