//! How long the upstream of a variant has given no answer, while the app answered in its place.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fuse::Failed;
use super::networks::Quota;

/// Requests and visitors without an answer of the upstream before it counts as lost.
const ENOUGH: usize = 3;

/// The upstream of a flag's variant, as its visitors find it. No visitor is harmed while the app answers in its place.
#[derive(Debug, Default)]
pub struct UpstreamWatch {
    is_away: AtomicBool,
    spell: Mutex<Option<Spell>>,
}

/// A time without any answer.
#[derive(Debug)]
struct Spell {
    first: Instant,
    last: Instant,
    requests: u64,
    /// As many visitors as it takes.
    visitors: HashSet<u128>,
    quota: Quota,
}

/// An upstream that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpstreamAway {
    /// From the first request that it did not answer to the last.
    pub lasted: Duration,
    /// Requests that the app answered in its place.
    pub requests: u64,
    /// These were at least three, of three visitors whose networks may bring so many.
    pub is_sure: bool,
}

impl UpstreamWatch {
    /// The app answered a visitor in its place. Only an answer of the upstream ends that, however long nobody asks.
    pub fn fell_back(&self, now: Instant, visitor: Failed) {
        let mut spell = self.spell();
        self.is_away.store(true, Ordering::Relaxed);
        spell.get_or_insert_with(|| Spell::new(now)).fell_back(now, visitor);
    }

    /// The upstream itself answered.
    pub fn answered(&self) {
        if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
            *self.spell() = None;
        }
    }

    /// What is known, where no answer came since.
    #[must_use]
    pub fn away(&self) -> Option<UpstreamAway> {
        if !self.is_away.load(Ordering::Relaxed) {
            return None;
        }
        self.spell().as_ref().map(Spell::away)
    }

    fn spell(&self) -> MutexGuard<'_, Option<Spell>> {
        self.spell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spell {
    fn new(now: Instant) -> Self {
        Self { first: now, last: now, requests: 0, visitors: HashSet::new(), quota: Quota::default() }
    }

    fn fell_back(&mut self, now: Instant, visitor: Failed) {
        self.last = self.last.max(now);
        self.requests += 1;
        let origin = visitor.limited.map(|(origin, _)| origin);
        let has_room = visitor.limited.is_none_or(|(_, most)| self.quota.has_room(origin, most));
        if self.visitors.len() < ENOUGH && has_room && self.visitors.insert(visitor.unit) {
            self.quota.brought(origin);
        }
    }

    fn away(&self) -> UpstreamAway {
        let is_sure = self.visitors.len() >= ENOUGH;
        UpstreamAway { lasted: self.last.saturating_duration_since(self.first), requests: self.requests, is_sure }
    }
}

impl UpstreamAway {
    /// The evidence in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let requests = crate::numbers::thousands(self.requests as f64);
        let seconds = self.lasted.as_secs();
        format!(
            "the upstream of the variant has given no answer for {seconds} s; the app answered {requests} requests in its place"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::NetworkKey;

    const SECOND: Duration = Duration::from_secs(1);

    fn visitor(unit: u128) -> Failed {
        Failed { unit, limited: None }
    }

    #[test]
    fn it_is_away_from_the_first_request_to_the_last_until_it_answers() {
        let (stand, start) = (UpstreamWatch::default(), Instant::now());
        assert_eq!(stand.away(), None);
        [(0, 0), (1, 20), (2, 40)].iter().for_each(|(unit, s)| stand.fell_back(start + *s * SECOND, visitor(*unit)));
        let away = stand.away().unwrap();
        assert_eq!(away, UpstreamAway { lasted: 40 * SECOND, requests: 3, is_sure: true });
        let told =
            "the upstream of the variant has given no answer for 40 s; the app answered 3 requests in its place";
        assert_eq!(away.words(), told);
        stand.answered();
        assert_eq!(stand.away(), None);
    }

    #[test]
    fn a_pause_is_no_answer() {
        let (stand, start) = (UpstreamWatch::default(), Instant::now());
        stand.fell_back(start, visitor(1));
        stand.fell_back(start + 600 * SECOND, visitor(2));
        assert_eq!(stand.away(), Some(UpstreamAway { lasted: 600 * SECOND, requests: 2, is_sure: false }));
    }

    #[test]
    fn an_upstream_outage_needs_three_visitors_of_several_networks() {
        let (stand, now) = (UpstreamWatch::default(), Instant::now());
        (0..9).for_each(|_| stand.fell_back(now, visitor(1)));
        assert!(!stand.away().unwrap().is_sure, "one visitor");
        stand.answered();
        let limited = Some((NetworkKey(1), 2));
        (0..9).for_each(|unit| stand.fell_back(now, Failed { unit, limited }));
        assert!(!stand.away().unwrap().is_sure, "one network");
        stand.fell_back(now, visitor(100));
        assert!(stand.away().unwrap().is_sure);
    }
}
