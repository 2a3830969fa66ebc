//! The last decisions, for those who watch them.
//!
//! The ids of visitors are noted only while somebody watches. Of other requests a pseudonym is kept, made with a key of this process
//! alone: one visitor's requests can be told from another's, and found by somebody who knows the id.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use flagstaff_flags::{Decision, DecisionStep, Decisions, Flag, Reason};
use flagstaff_tag::{Flags, NotCounted};
use http::Method;
use jiff::Timestamp;

use super::{Inner, Seen, lock};

/// Requests that are kept for those who watch.
const MOST_REQUESTS: usize = 512;
/// Of a longer path only the beginning is kept (bytes).
const LONGEST_PATH: usize = 1024;
/// Of a longer path only the beginning is shown (characters).
const SHOWN_PATH: usize = 256;
/// Stands before a pseudonym. No id of a visitor has it.
const PSEUDONYM: char = '~';

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailDecision {
    /// The number of its request; later ones have higher ones.
    pub request: u64,
    /// When.
    pub at: Timestamp,
    /// The visitor's id, or a pseudonym that begins with `~`.
    pub visitor: String,
    /// The method of the request.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The flag.
    pub flag: String,
    /// The variant.
    pub variant: String,
    /// The step that decided.
    pub step: DecisionStep,
    /// Why, in OpenFeature's word.
    pub reason: Reason,
    /// The revision of the flags.
    pub revision: String,
    /// Why the request counts nowhere; none where it does.
    pub not_counted: Option<&'static str>,
}

/// What was read at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TailRead {
    /// The decisions, the oldest first.
    pub decisions: Vec<TailDecision>,
    /// Requests that were gone before they were read.
    pub lost: u64,
}

/// The last requests.
#[derive(Default)]
pub(super) struct Tail {
    /// None in the place of one that must not be kept any more: numbers must not shift.
    requests: VecDeque<Option<Noted>>,
    /// The number of the next request.
    next: u64,
    pseudonyms: RandomState,
}

/// A request as it is kept.
struct Noted {
    at: Timestamp,
    method: Method,
    path: Box<str>,
    is_page: bool,
    decisions: Decisions,
    not_counted: Option<&'static str>,
    pseudonym: u64,
    /// Only of a request that came while somebody watched.
    visitor: Option<Box<str>>,
}

impl Noted {
    fn new(seen: &Seen, pseudonym: u64, with_id: bool) -> Self {
        let path = seen.uri.path();
        let end = path.floor_char_boundary(LONGEST_PATH);
        Self {
            at: seen.at,
            method: seen.method.clone(),
            path: path.get(..end).unwrap_or_default().into(),
            is_page: seen.is_page,
            decisions: seen.flags.decisions().clone(),
            not_counted: seen.flags.counted().err().map(NotCounted::as_str),
            pseudonym,
            visitor: with_id.then(|| seen.flags.visitor().into()),
        }
    }

    /// Its decisions: of one flag, or of each that it meets.
    fn decisions<'a>(
        &'a self,
        request: u64,
        wanted: Option<&'a str>,
    ) -> impl DoubleEndedIterator<Item = TailDecision> + 'a {
        let is_wanted = move |flag: &Flag| match wanted {
            Some(name) => flag.name.as_str() == name,
            None => flag.is_exposed_on(self.method.as_str(), &self.path, self.is_page),
        };
        let snapshot = self.decisions.snapshot();
        let all = snapshot.ids().zip(snapshot.flags());
        // from the front and from the back, which not every iterator can
        let wanted: Vec<_> = all.filter(|(_, flag)| is_wanted(flag)).collect();
        wanted.into_iter().map(move |(id, flag)| self.decision(request, flag, self.decisions.of(id)))
    }

    fn decision(&self, request: u64, flag: &Flag, decision: Decision) -> TailDecision {
        let pseudonym = || format!("{PSEUDONYM}{:016x}", self.pseudonym);
        TailDecision {
            request,
            at: self.at,
            visitor: self.visitor.as_deref().map_or_else(pseudonym, Into::into),
            method: self.method.to_string(),
            path: self.path.chars().take(SHOWN_PATH).collect(),
            flag: flag.name.to_string(),
            variant: flag.variants.name(decision.variant()).into(),
            step: decision.step(),
            reason: decision.reason(),
            revision: self.decisions.snapshot().revision().into(),
            not_counted: self.not_counted,
        }
    }
}

impl Tail {
    /// Notes a request: with the visitor's id while somebody watches, with a pseudonym otherwise.
    pub(super) fn add(&mut self, seen: &Seen, with_id: bool) {
        let pseudonym = self.pseudonyms.hash_one(seen.flags.visitor());
        self.requests.push_back(Some(Noted::new(seen, pseudonym, with_id)));
        self.next += 1;
        if self.requests.len() > MOST_REQUESTS {
            self.requests.pop_front();
        }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }

    /// Forgets the ids, and the requests that are noted only for those who watch.
    pub(super) fn forget_ids(&mut self) {
        for place in &mut self.requests {
            if place.as_ref().is_some_and(|noted| noted.not_counted.is_some()) {
                *place = None;
            }
            place.iter_mut().for_each(|noted| noted.visitor = None);
        }
    }

    /// Forgets a visitor.
    pub(super) fn forget(&mut self, visitor: &str) {
        let pseudonym = self.pseudonyms.hash_one(visitor);
        for place in &mut self.requests {
            if place.as_ref().is_some_and(|noted| noted.pseudonym == pseudonym) {
                *place = None;
            }
        }
    }

    /// The number of the oldest request that is there.
    fn first(&self) -> u64 {
        self.next - u64::try_from(self.requests.len()).unwrap_or(u64::MAX).min(self.next)
    }

    /// The pseudonym of a visitor, of whom the id is said, or the pseudonym itself.
    fn pseudonym(&self, visitor: &str) -> u64 {
        let said = visitor.strip_prefix(PSEUDONYM).and_then(|hex| u64::from_str_radix(hex, 16).ok());
        said.unwrap_or_else(|| self.pseudonyms.hash_one(visitor))
    }
}

/// Whether a request that does not count may be shown to those who watch: its visitor has an id that lasts.
pub(super) fn may_be_shown(flags: &Flags) -> bool {
    let by_kind = |why| matches!(why, NotCounted::Bot | NotCounted::Prefetch | NotCounted::Excluded);
    flags.counted().is_err_and(by_kind) && flags.lasting_visitor().is_some()
}

/// Reads decisions from one time on. As long as there is one, the ids of visitors are noted.
pub struct TailReader {
    inner: Arc<Inner>,
    next: u64,
    /// Requests that found the queue full, as far as that was told.
    left_out: u64,
}

impl TailReader {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        inner.listeners.fetch_add(1, Relaxed);
        inner.is_listened_to.store(true, Relaxed);
        let next = lock(&inner.tail).next;
        let left_out = inner.left_out.load(Relaxed);
        Self { inner, next, left_out }
    }

    /// Goes on after a request that was read before, as far as it is still there.
    pub fn resume_after(&mut self, request: u64) {
        self.next = self.next.min(request.saturating_add(1));
    }

    /// Begins with the first request since the start; those that are gone count as lost.
    pub fn begin_with_first(&mut self) {
        self.next = 0;
    }

    /// The last decisions before now, the oldest first: of one flag, or of each that is met on its request; of one visitor, or of all. At
    /// most `most`. The next read begins after them.
    #[must_use]
    pub fn last(&mut self, flag: Option<&str>, visitor: Option<&str>, most: usize) -> Vec<TailDecision> {
        let tail = lock(&self.inner.tail);
        let pseudonym = visitor.map(|visitor| tail.pseudonym(visitor));
        let numbered = (tail.first()..tail.next).rev().zip(tail.requests.iter().rev());
        let of_visitor = numbered.filter_map(|(number, noted)| Some((number, noted.as_ref()?)));
        let wanted = of_visitor.filter(|(_, noted)| pseudonym.is_none_or(|wanted| wanted == noted.pseudonym));
        let decisions = wanted.flat_map(|(number, noted)| noted.decisions(number, flag).rev());
        let mut last: Vec<_> = decisions.take(most).collect();
        last.reverse();
        self.next = tail.next;
        last
    }

    /// The number of the last request that was read; none where none came yet.
    #[must_use]
    pub const fn position(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// What came since the last read: of one flag, or of each that is met on its request; of one visitor, or of all. Not many more than
    /// `most` decisions, as those of one request stay together; the rest is there at the next read.
    #[must_use]
    pub fn read(&mut self, flag: Option<&str>, visitor: Option<&str>, most: usize) -> TailRead {
        let tail = lock(&self.inner.tail);
        let pseudonym = visitor.map(|visitor| tail.pseudonym(visitor));
        let (first, left_out) = (tail.first(), self.inner.left_out.load(Relaxed));
        let unseen = left_out - std::mem::replace(&mut self.left_out, left_out);
        let mut read = TailRead { lost: first.saturating_sub(self.next) + unseen, ..TailRead::default() };
        self.next = self.next.max(first).min(tail.next);
        let skipped = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        for place in tail.requests.iter().skip(skipped) {
            if read.decisions.len() >= most {
                break;
            }
            let wanted = place.as_ref().filter(|noted| pseudonym.is_none_or(|wanted| wanted == noted.pseudonym));
            read.decisions.extend(wanted.into_iter().flat_map(|noted| noted.decisions(self.next, flag)));
            self.next += 1;
        }
        read
    }
}

impl Drop for TailReader {
    fn drop(&mut self) {
        self.inner.listeners.fetch_sub(1, Relaxed);
    }
}

impl std::fmt::Debug for TailReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TailReader").field("next", &self.next).finish_non_exhaustive()
    }
}
