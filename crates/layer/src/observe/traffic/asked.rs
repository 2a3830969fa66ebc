//! How often each flag and variant was asked for, and when last.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use flagstaff_flags::Snapshot;
use flagstaff_tag::PerSnapshot;
use jiff::Timestamp;

use super::lock;
use super::spans::Spans;
use crate::observe::RequestContext;

/// Each thread counts in one of these, so that threads do not wait for one another's memory.
const SHARDS: usize = 8;

/// How often a flag was asked for since the start, by requests that count: those on which it is met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedFlag {
    /// The flag.
    pub flag: String,
    /// Its variants, in the order of the file.
    pub variants: Vec<AskedVariant>,
    /// When it was asked for last, to a second; none: never.
    pub last: Option<Timestamp>,
    /// Requests in each of the last thirty spans of ten seconds, the oldest first.
    pub history: Vec<u64>,
}

/// How often a variant was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedVariant {
    /// The variant.
    pub variant: String,
    /// Requests since the start.
    pub requests: u64,
    /// Requests in the spans of [`AskedFlag::history`] together.
    pub recent: u64,
}

impl AskedFlag {
    /// Requests of all variants.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.variants.iter().map(|one| one.requests).sum()
    }
}

/// Counts by flag and variant.
#[derive(Default)]
pub(super) struct AskedFlags {
    table: PerSnapshot<Table>,
    spans: Mutex<Spans>,
}

/// The counters of one snapshot's flags.
struct Table {
    /// By the place of the flag.
    flags: Vec<FlagCounters>,
    /// What was counted under snapshots before.
    before: Vec<u64>,
    shards: [Box<[AtomicU64]>; SHARDS],
}

/// Where a flag is counted.
struct FlagCounters {
    name: Arc<str>,
    variants: Vec<Arc<str>>,
    /// The place of its first counter.
    first: usize,
}

impl AskedFlags {
    /// Counts a request for each flag that it meets.
    pub(super) fn count(&self, request: &RequestContext) {
        let decisions = request.flags.decisions();
        self.table.with(
            decisions.snapshot(),
            |before| Table::new(decisions.snapshot(), before),
            |table| {
                let Some(shard) = table.shards.get(shard()) else { return };
                for id in request.met().iter() {
                    let place =
                        table.flags.get(id.index()).map(|flag| flag.first + decisions.of(id).variant().index());
                    if let Some(count) = place.and_then(|place| shard.get(place)) {
                        count.fetch_add(1, Relaxed);
                    }
                }
            },
        );
    }

    /// Notes which flags were asked for since the last look.
    pub(super) fn look(&self, now: Timestamp) {
        let Some(table) = self.table.newest() else { return };
        let counted = table.flags.iter().map(|flag| (&flag.name, flag.variants.iter().zip(table.totals(flag))));
        lock(&self.spans).look(counted, now);
    }

    pub(super) fn of(&self, snapshot: &Arc<Snapshot>) -> Vec<AskedFlag> {
        let table = self.table.get(snapshot, |before| Table::new(snapshot, before));
        let spans = lock(&self.spans);
        let one = |flag: &FlagCounters| AskedFlag {
            flag: flag.name.to_string(),
            variants: flag
                .variants
                .iter()
                .zip(table.totals(flag))
                .map(|(variant, requests)| AskedVariant {
                    variant: variant.to_string(),
                    requests,
                    recent: spans.recent(&flag.name, variant),
                })
                .collect(),
            last: spans.last(&flag.name),
            history: spans.history(&flag.name),
        };
        table.flags.iter().map(one).collect()
    }
}

impl Table {
    fn new(snapshot: &Snapshot, former: Option<&Self>) -> Self {
        let mut known = HashMap::new();
        for (former, flag) in former.iter().flat_map(|former| former.flags.iter().map(move |flag| (former, flag))) {
            let counted = flag.variants.iter().zip(former.totals(flag));
            known.extend(counted.map(|(variant, total)| ((&flag.name, variant), total)));
        }
        let (mut flags, mut before) = (Vec::new(), Vec::new());
        for flag in snapshot.flags() {
            let (name, variants): (Arc<str>, _) = (flag.name.as_str().into(), flag.variants.names().to_vec());
            let first = before.len();
            before.extend(variants.iter().map(|one| known.get(&(&name, one)).copied().unwrap_or_default()));
            flags.push(FlagCounters { name, variants, first });
        }
        let shards = std::array::from_fn(|_| before.iter().map(|_| AtomicU64::new(0)).collect());
        Self { flags, before, shards }
    }

    /// Requests by variant of a flag.
    fn totals(&self, flag: &FlagCounters) -> impl Iterator<Item = u64> {
        (flag.first..flag.first + flag.variants.len()).map(|place| self.total(place))
    }

    fn total(&self, place: usize) -> u64 {
        let now: u64 = self.shards.iter().filter_map(|shard| shard.get(place)).map(|count| count.load(Relaxed)).sum();
        now + self.before.get(place).copied().unwrap_or_default()
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
    fn times_and_spans_are_seen_by_looking() {
        let asked = AskedFlags::default();
        let snapshot = snapshot(&["a"]);
        let at = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        let table = asked.table.get(&snapshot, |before| Table::new(&snapshot, before));
        asked.look(at(100));
        assert_eq!(asked.of(&snapshot)[0].last, None);
        table.shards[1][1].fetch_add(3, Relaxed);
        asked.look(at(101));
        asked.look(at(102));
        let one = asked.of(&snapshot).remove(0);
        assert_eq!((one.last, one.variants[1].recent, one.history.last()), (Some(at(101)), 3, Some(&3)));
        table.shards[1][0].fetch_add(1, Relaxed);
        asked.look(at(110));
        let one = asked.of(&snapshot).remove(0);
        assert_eq!((one.last, &one.history[28..], one.requests()), (Some(at(110)), &[3, 1][..], 4));
        (1..30).for_each(|n| asked.look(at(110 + n * 10)));
        let one = asked.of(&snapshot).remove(0);
        let recent: Vec<_> = one.variants.iter().map(|one| (one.requests, one.recent)).collect();
        assert_eq!((one.history.len(), recent), (30, vec![(1, 1), (3, 0)]), "the first span is over");
        asked.look(at(9_000));
        assert_eq!(asked.of(&snapshot)[0].history, [0; 30], "nobody looked for long, so nothing is known of late");
    }
}
