//! How long the upstream of a variant has given no answer, while the app answered in its place.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The upstream of a flag's variant, as its visitors find it. No visitor is harmed while the app answers in its place.
#[derive(Debug, Default)]
pub struct Stand {
    is_away: AtomicBool,
    spell: Mutex<Option<Spell>>,
}

/// A time without any answer.
#[derive(Clone, Copy, Debug)]
struct Spell {
    first: Instant,
    last: Instant,
    requests: u64,
}

/// An upstream that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Away {
    /// From the first request that it did not answer to the last.
    pub lasted: Duration,
    /// Requests that the app answered in its place.
    pub requests: u64,
}

impl Stand {
    /// The app answered in its place. After a pause of `most` without requests nothing is known of the time between.
    pub fn fell_back(&self, now: Instant, most: Duration) {
        self.is_away.store(true, Ordering::Relaxed);
        let mut spell = self.spell();
        match &mut *spell {
            Some(spell) if now.saturating_duration_since(spell.last) <= most => {
                spell.last = spell.last.max(now);
                spell.requests += 1;
            }
            _ => *spell = Some(Spell { first: now, last: now, requests: 1 }),
        }
    }

    /// It answered by itself.
    pub fn answered(&self) {
        if self.is_away.load(Ordering::Relaxed) && self.is_away.swap(false, Ordering::Relaxed) {
            *self.spell() = None;
        }
    }

    /// What is known, where no answer came since, and the last request is no longer ago than `most`.
    #[must_use]
    pub fn away(&self, now: Instant, most: Duration) -> Option<Away> {
        if !self.is_away.load(Ordering::Relaxed) {
            return None;
        }
        let spell = (*self.spell()).filter(|spell| now.saturating_duration_since(spell.last) <= most)?;
        Some(Away { lasted: spell.last.saturating_duration_since(spell.first), requests: spell.requests })
    }

    fn spell(&self) -> MutexGuard<'_, Option<Spell>> {
        self.spell.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Away {
    /// It in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let requests = crate::words::thousands(self.requests as f64);
        let seconds = self.lasted.as_secs();
        format!(
            "the upstream of the variant has given no answer for {seconds} s; the app answered {requests} requests in its place"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_is_away_from_the_first_request_to_the_last_until_it_answers() {
        let (stand, start, most) = (Stand::default(), Instant::now(), 30 * SECOND);
        assert_eq!(stand.away(start, most), None);
        [0, 20, 40].iter().for_each(|second| stand.fell_back(start + *second * SECOND, most));
        let away = stand.away(start + 41 * SECOND, most).unwrap();
        assert_eq!(away, Away { lasted: 40 * SECOND, requests: 3 });
        let told =
            "the upstream of the variant has given no answer for 40 s; the app answered 3 requests in its place";
        assert_eq!(away.words(), told);
        stand.answered();
        assert_eq!(stand.away(start + 41 * SECOND, most), None);
    }

    #[test]
    fn two_short_times_are_no_long_one() {
        let (stand, start, most) = (Stand::default(), Instant::now(), 30 * SECOND);
        stand.fell_back(start, most);
        assert_eq!(stand.away(start + 31 * SECOND, most), None, "nobody asked for long");
        stand.fell_back(start + 600 * SECOND, most);
        assert_eq!(stand.away(start + 600 * SECOND, most).unwrap().lasted, Duration::ZERO);
    }
}
