//! For the obvious: a variant that fails every time.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::networks::{NetworkKey, Quota};
use crate::numbers::thousands;

/// The control may fail in one of this many answers while the treatment fails in all.
const CONTROL_BAD: u64 = 10;

/// Blows when so many visitors of the treatment in a row had a bad answer and none a good one, while the control worked.
///
/// It is not part of the stated chance of a false alarm: no randomisation is asked, only who failed in a row. At an error
/// rate p that both arms share it blows by chance about once in p⁻ⁿ answers of the treatment, so where every tenth
/// answer is an error and n is 3 that is once in 1,000 answers.
///
/// Good answers of the treatment and all of the control take no lock, unless the treatment failed last.
#[derive(Debug)]
pub struct Fuse {
    most: usize,
    /// The treatment failed last.
    runs: AtomicBool,
    /// So many visitors failed that only the control's word is missing.
    is_due: AtomicBool,
    control: AtomicU64,
    control_bad: AtomicU64,
    streak: Mutex<Streak>,
}

/// What came since the treatment's last good answer.
#[derive(Debug, Default)]
struct Streak {
    visitors: HashSet<u128>,
    quota: Quota,
    bad: u64,
}

/// A visitor with a bad answer.
#[derive(Clone, Copy, Debug)]
pub struct Failed {
    /// 128 bits that tell visitors apart.
    pub unit: u128,
    /// The visitor's network and how many visitors of it count, where that is limited.
    pub limited: Option<(NetworkKey, u32)>,
}

/// Why a fuse blew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blown {
    /// Visitors whose answers were all bad.
    pub visitors: u64,
    /// Their answers.
    pub bad_answers: u64,
    /// Answers of the control meanwhile.
    pub control_answers: u64,
    /// Those that were bad.
    pub control_bad: u64,
}

impl Fuse {
    /// One that takes `n` visitors, at least 1.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self {
            most: n.max(1),
            runs: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            control: AtomicU64::new(0),
            control_bad: AtomicU64::new(0),
            streak: Mutex::default(),
        }
    }

    /// A good answer of the treatment: it starts over.
    pub fn worked(&self) {
        if self.runs.load(Ordering::Relaxed) {
            self.start_over(&mut self.streak());
        }
    }

    /// A bad answer of the treatment. Returns why the fuse blows when it does, and starts over: where that could not be acted on
    /// and the treatment goes on failing, it blows again.
    pub fn failed(&self, failed: Failed) -> Option<Blown> {
        let mut streak = self.streak();
        streak.failed(failed, self.most);
        self.is_due.store(streak.visitors.len() >= self.most, Ordering::Relaxed);
        self.runs.store(true, Ordering::Relaxed);
        self.blow(&mut streak)
    }

    /// An answer of the control. Before the treatment fails the control says nothing about it.
    pub fn compared(&self, bad: bool) -> Option<Blown> {
        if !self.runs.load(Ordering::Relaxed) {
            return None;
        }
        self.control.fetch_add(1, Ordering::Relaxed);
        self.control_bad.fetch_add(u64::from(bad), Ordering::Relaxed);
        if self.is_due.load(Ordering::Relaxed) { self.blow(&mut self.streak()) } else { None }
    }

    fn blow(&self, streak: &mut Streak) -> Option<Blown> {
        let (control_answers, control_bad) =
            (self.control.load(Ordering::Relaxed), self.control_bad.load(Ordering::Relaxed));
        let control_works = control_answers > control_bad && control_bad * CONTROL_BAD <= control_answers;
        if streak.visitors.len() < self.most || !control_works {
            return None;
        }
        let (visitors, bad_answers) = (streak.visitors.len() as u64, streak.bad);
        self.start_over(streak);
        Some(Blown { visitors, bad_answers, control_answers, control_bad })
    }

    fn start_over(&self, streak: &mut Streak) {
        *streak = Streak::default();
        self.runs.store(false, Ordering::Relaxed);
        self.is_due.store(false, Ordering::Relaxed);
        self.control.store(0, Ordering::Relaxed);
        self.control_bad.store(0, Ordering::Relaxed);
    }

    fn streak(&self) -> MutexGuard<'_, Streak> {
        self.streak.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Streak {
    fn failed(&mut self, failed: Failed, most: usize) {
        self.bad += 1;
        let origin = failed.limited.map(|(origin, _)| origin);
        let room = failed.limited.is_none_or(|(_, most)| self.quota.has_room(origin, most));
        if self.visitors.len() < most && room && self.visitors.insert(failed.unit) {
            self.quota.brought(origin);
        }
    }
}

impl Blown {
    /// The evidence in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let [visitors, bad, good, all] = [
            self.visitors,
            self.bad_answers,
            self.control_answers.saturating_sub(self.control_bad),
            self.control_answers,
        ]
        .map(|n| thousands(n as f64));
        format!(
            "{bad} answers in a row were errors, to at least {visitors} visitors, while {good} of {all} answers without the flag were fine"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(fuse: &Fuse, treated: bool, bad: bool, unit: u128) -> Option<Blown> {
        match (treated, bad) {
            (true, true) => fuse.failed(Failed { unit, limited: None }),
            (true, false) => {
                fuse.worked();
                None
            }
            (false, _) => fuse.compared(bad),
        }
    }

    /// `B` and `G`: bad and good answers of the treatment, each to a new visitor, `R` a bad one to the last of them again;
    /// `b` and `g`: the control's. Returns where the fuse blew, counted from 1.
    fn blows(n: usize, answers: &str) -> Option<usize> {
        let fuse = Fuse::new(n);
        let mut unit = 0;
        answers
            .chars()
            .position(|answer| {
                unit += u128::from(answer == 'B');
                let (treated, bad) = (answer.is_uppercase(), "BRb".contains(answer));
                answered(&fuse, treated, bad, unit).is_some()
            })
            .map(|place| place + 1)
    }

    #[test]
    fn it_blows_when_all_fail_and_the_control_does_not() {
        assert_eq!(blows(3, "BBgB"), Some(4));
        assert_eq!(blows(3, "BBBg"), Some(4));
        assert_eq!(blows(3, "gggBBB"), None, "good ones of before say nothing");
        assert_eq!(blows(3, "BBB"), None, "nothing to compare with");
        assert_eq!(blows(3, "BgBGBBgB"), Some(8), "a good answer starts over");
        assert_eq!(blows(3, "BgRRRRR"), None, "one visitor who retries is one visitor");
        assert_eq!(blows(3, "BgRRBRRB"), Some(8));
    }

    #[test]
    fn a_control_that_fails_too_holds_it() {
        assert_eq!(blows(3, "BbgBbgBbg"), None);
        assert_eq!(blows(3, "BBBbggggggggg"), Some(13), "1 of 10");
        assert_eq!(blows(3, "BBBbgggggggg"), None, "1 of 9");
        assert_eq!(blows(1, "b"), None);
        assert_eq!(blows(0, "Bg"), Some(2));
    }

    #[test]
    fn it_starts_over_and_says_why() {
        let fuse = Fuse::new(2);
        assert_eq!(answered(&fuse, true, true, 1), None);
        assert_eq!(answered(&fuse, true, true, 1), None);
        assert_eq!(answered(&fuse, false, false, 9), None);
        let blown = answered(&fuse, true, true, 2).unwrap();
        assert_eq!(blown, Blown { visitors: 2, bad_answers: 3, control_answers: 1, control_bad: 0 });
        let told =
            "3 answers in a row were errors, to at least 2 visitors, while 1 of 1 answers without the flag were fine";
        assert_eq!(blown.words(), told);
        assert_eq!(answered(&fuse, false, false, 9), None, "it starts over");
        assert_eq!(answered(&fuse, true, true, 3), None);
    }

    #[test]
    fn one_network_alone_blows_none() {
        let fuse = Fuse::new(3);
        let failed = |unit, network| fuse.failed(Failed { unit, limited: Some((NetworkKey(network), 2)) });
        assert_eq!((1..100).find_map(|unit| failed(unit, 1)), None);
        assert_eq!(fuse.compared(false), None);
        assert_eq!(failed(200, 2).map(|blown| blown.visitors), Some(3), "two of one and one of another");
    }
}
