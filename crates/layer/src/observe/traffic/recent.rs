//! The last visitors, without their ids: where those fall, and the values that conditions look at.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use flagstaff_flags::{BucketBy, KeptSubject};
use flagstaff_tag::Flags;
use jiff::Timestamp;

/// All that is kept takes about this much at most (bytes).
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// The last visitors.
pub(super) struct RecentVisitors {
    most: usize,
    most_bytes: usize,
    bytes: usize,
    /// Its key is of this process alone: nobody who has an id and what is kept can tell that they belong together.
    pseudonyms: RandomState,
    known: HashMap<u64, Visitor>,
    /// In the order of their requests; an entry is out of date where the visitor came again.
    order: VecDeque<(u64, u64)>,
    requests: u64,
}

struct Visitor {
    /// The number of the last request.
    request: u64,
    kept: Arc<KeptSubject>,
}

impl RecentVisitors {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            most_bytes: MOST_BYTES,
            bytes: 0,
            pseudonyms: RandomState::new(),
            known: HashMap::new(),
            order: VecDeque::new(),
            requests: 0,
        }
    }

    /// A request of a visitor takes the place of the visitor's one before. The longest unseen make room.
    pub(super) fn add(&mut self, flags: &Flags, at: Timestamp) {
        let id = self.pseudonyms.hash_one(flags.visitor());
        let Some(kept) = kept(flags, id, at) else {
            return;
        };
        self.bytes += kept.bytes();
        self.requests += 1;
        self.order.push_back((id, self.requests));
        let before = self.known.insert(id, Visitor { request: self.requests, kept: Arc::new(kept) });
        self.bytes -= before.map_or(0, |before| before.kept.bytes());
        while self.known.len() > self.most || self.bytes > self.most_bytes {
            self.drop_oldest();
        }
        if self.order.len() > 2 * self.most {
            let is_last = |(id, request): &(u64, u64)| self.known.get(id).is_some_and(|one| one.request == *request);
            self.order.retain(is_last);
        }
    }

    fn drop_oldest(&mut self) {
        let Some((id, request)) = self.order.pop_front() else {
            // everybody is in the order, so nobody is left
            self.known.clear();
            self.bytes = 0;
            return;
        };
        if self.known.get(&id).is_some_and(|one| one.request == request) {
            self.remove(id);
        }
    }

    fn remove(&mut self, id: u64) {
        if let Some(gone) = self.known.remove(&id) {
            self.bytes -= gone.kept.bytes();
        }
    }

    pub(super) fn forget(&mut self, visitor: &str) {
        self.remove(self.pseudonyms.hash_one(visitor));
    }

    /// Those who asked last are at the end.
    pub(super) fn all(&self) -> Vec<Arc<KeptSubject>> {
        let last = |(id, request): &(u64, u64)| {
            let visitor = self.known.get(id).filter(|one| one.request == *request)?;
            Some(Arc::clone(&visitor.kept))
        };
        self.order.iter().filter_map(last).collect()
    }
}

/// A request without its ids; `None` where nothing of it may be kept.
fn kept(flags: &Flags, pseudonym: u64, at: Timestamp) -> Option<KeptSubject> {
    let (values, snapshot) = (flags.values()?, flags.compiled().snapshot());
    let by_attribute = |bucket_by: &BucketBy| matches!(bucket_by, BucketBy::Header(_) | BucketBy::Cookie(_));
    let all = || snapshot.ids().zip(snapshot.flags());
    let mut units: Vec<_> = all()
        .filter(|(id, flag)| by_attribute(&flag.bucket_by) && flags.unit(*id).is_some())
        .map(|(_, flag)| flag.bucket_by.clone())
        .collect();
    units.dedup();
    let remembered = flags.remembered().filter_map(|(id, variant)| {
        let flag = snapshot.flag(id)?;
        Some((flag.name.clone(), Arc::clone(flag.variants.names().get(variant.index())?)))
    });
    Some(KeptSubject {
        at,
        pseudonym: format!("{pseudonym:016x}").into(),
        has_session: flags.session().is_some(),
        units: units.into(),
        draws: snapshot.draws_of_all(|id| flags.unit(id)).into(),
        remembered: remembered.collect(),
        values: values.clone(),
    })
}
