//! The last decisions, noted while somebody watches them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use flagstaff_flags::{Decision, Flag};
use flagstaff_tag::{Flags, NotCounted};
use jiff::Timestamp;

use super::{Inner, Seen, lock};

/// Requests that are kept for those who watch.
const MOST_REQUESTS: usize = 512;
/// Longer paths are cut (bytes).
const LONGEST_PATH: usize = 256;

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailDecision {
    /// The number of its request; later ones have higher ones.
    pub request: u64,
    /// When.
    pub at: Timestamp,
    /// The visitor's id.
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
    pub step: &'static str,
    /// Why, in OpenFeature's word.
    pub reason: &'static str,
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
    requests: VecDeque<Seen>,
    /// The number of the next request.
    next: u64,
}

impl Tail {
    pub(super) fn add(&mut self, seen: Seen) {
        self.requests.push_back(seen);
        self.next += 1;
        if self.requests.len() > MOST_REQUESTS {
            self.requests.pop_front();
        }
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }

    pub(super) fn forget(&mut self, visitor: &str) {
        // numbers must not shift, so nothing is taken out from between
        if self.requests.iter().any(|seen| seen.flags.visitor() == visitor) {
            self.requests.clear();
        }
    }

    /// The number of the oldest request that is there.
    fn first(&self) -> u64 {
        self.next - u64::try_from(self.requests.len()).unwrap_or(u64::MAX).min(self.next)
    }
}

/// Whether a request that does not count may be shown to those who watch: its visitor has an id that lasts.
pub(super) fn may_be_shown(flags: &Flags) -> bool {
    let by_kind = |why| matches!(why, NotCounted::Bot | NotCounted::Prefetch | NotCounted::Excluded);
    flags.counted().is_err_and(by_kind) && flags.lasting_visitor().is_some()
}

/// Reads decisions from one time on. As long as there is one, decisions are noted.
pub struct TailReader {
    inner: Arc<Inner>,
    next: u64,
}

impl TailReader {
    pub(super) fn new(inner: Arc<Inner>) -> Self {
        inner.listeners.fetch_add(1, Relaxed);
        inner.is_listened_to.store(true, Relaxed);
        let next = lock(&inner.tail).next;
        Self { inner, next }
    }

    /// Goes on after a request that was read before, as far as it is still there.
    pub fn resume_after(&mut self, request: u64) {
        self.next = self.next.min(request.saturating_add(1));
    }

    /// What came since the last read: of one flag, or of each that is met on its request; of one visitor, or of all. At most `most`
    /// decisions; the rest is there at the next read.
    #[must_use]
    pub fn read(&mut self, flag: Option<&str>, visitor: Option<&str>, most: usize) -> TailRead {
        let tail = lock(&self.inner.tail);
        let first = tail.first();
        let mut read = TailRead { lost: first.saturating_sub(self.next), ..TailRead::default() };
        self.next = self.next.max(first).min(tail.next);
        let skipped = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        for seen in tail.requests.iter().skip(skipped) {
            if read.decisions.len() >= most {
                break;
            }
            if visitor.is_none_or(|visitor| visitor == seen.flags.visitor()) {
                let left = most - read.decisions.len();
                read.decisions.extend(decisions(seen, self.next, flag).take(left));
            }
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

fn decisions<'a>(seen: &'a Seen, request: u64, wanted: Option<&'a str>) -> impl Iterator<Item = TailDecision> + 'a {
    let is_wanted = move |flag: &Flag| match wanted {
        Some(name) => flag.name.as_str() == name,
        None => flag.is_exposed_on(seen.method.as_str(), seen.uri.path(), seen.is_page),
    };
    let all = seen.flags.decisions().iter().filter(move |(_, flag, _)| is_wanted(flag));
    all.map(move |(_, flag, decision)| of(seen, request, flag, decision))
}

fn of(seen: &Seen, request: u64, flag: &Flag, decision: Decision) -> TailDecision {
    let path = seen.uri.path();
    TailDecision {
        request,
        at: seen.at,
        visitor: seen.flags.visitor().into(),
        method: seen.method.to_string(),
        path: path.chars().take(LONGEST_PATH).collect(),
        flag: flag.name.to_string(),
        variant: flag.variants.name(decision.variant()).into(),
        step: decision.step().as_str(),
        reason: decision.reason().as_str(),
        revision: seen.flags.decisions().snapshot().revision().into(),
        not_counted: seen.flags.counted().err().map(NotCounted::as_str),
    }
}
