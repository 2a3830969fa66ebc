//! For the obvious: a variant that fails every time.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::words::thousands;

/// The control may fail in one of this many answers while the treatment fails in all.
const CONTROL_BAD: u64 = 10;

/// Blows when so many visitors of the treatment in a row had a bad answer and none a good one, while the control worked.
///
/// It is not part of the stated chance of a false alarm: no randomisation is asked, only who failed in a row. At an error
/// rate p that both arms share it blows by chance about once in p⁻ⁿ answers of the treatment, so where every tenth
/// answer is an error and n is 3 that is once in 1,000 answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Fuse {
    most: usize,
    streak: Streak,
}

/// What came since the treatment's last good answer.
#[derive(Clone, Debug, Default, PartialEq)]
struct Streak {
    visitors: HashSet<u128>,
    bad: u64,
    control: u64,
    control_bad: u64,
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
        Self { most: n.max(1), streak: Streak::default() }
    }

    /// An answer to a visitor (128 bits that tell visitors apart). Returns why the fuse blows when it does, and starts over: where
    /// that could not be acted on and the treatment goes on failing, it blows again.
    pub fn answered(&mut self, treated: bool, bad: bool, unit: u128) -> Option<Blown> {
        match (treated, bad) {
            (true, false) => self.streak = Streak::default(),
            (true, true) => self.streak.failed(unit, self.most),
            (false, _) => self.streak.compared(bad),
        }
        let blown = self.streak.visitors.len() >= self.most && self.streak.control_works();
        blown.then(|| std::mem::take(&mut self.streak).into())
    }
}

impl Streak {
    fn failed(&mut self, unit: u128, most: usize) {
        self.bad += 1;
        if self.visitors.len() < most {
            self.visitors.insert(unit);
        }
    }

    /// Before the streak begins the control says nothing about it.
    fn compared(&mut self, bad: bool) {
        if self.bad > 0 {
            self.control += 1;
            self.control_bad += u64::from(bad);
        }
    }

    fn control_works(&self) -> bool {
        self.control > self.control_bad && self.control_bad * CONTROL_BAD <= self.control
    }
}

impl From<Streak> for Blown {
    fn from(streak: Streak) -> Self {
        let Streak { visitors, bad, control, control_bad } = streak;
        Self { visitors: visitors.len() as u64, bad_answers: bad, control_answers: control, control_bad }
    }
}

impl Blown {
    /// It in one sentence.
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
            "{bad} answers in a row were errors, to {visitors} visitors, while {good} of {all} answers without it were fine"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `B` and `G`: bad and good answers of the treatment, each to a new visitor, `R` a bad one to the last of them again;
    /// `b` and `g`: the control's. Returns where the fuse blew, counted from 1.
    fn blows(n: usize, answers: &str) -> Option<usize> {
        let mut fuse = Fuse::new(n);
        let mut unit = 0;
        answers
            .chars()
            .position(|answer| {
                unit += u128::from(answer == 'B');
                let (treated, bad) = (answer.is_uppercase(), "BRb".contains(answer));
                fuse.answered(treated, bad, unit).is_some()
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
        let mut fuse = Fuse::new(2);
        assert_eq!(fuse.answered(true, true, 1), None);
        assert_eq!(fuse.answered(true, true, 1), None);
        assert_eq!(fuse.answered(false, false, 9), None);
        let blown = fuse.answered(true, true, 2).unwrap();
        assert_eq!(blown, Blown { visitors: 2, bad_answers: 3, control_answers: 1, control_bad: 0 });
        let told = "3 answers in a row were errors, to 2 visitors, while 1 of 1 answers without it were fine";
        assert_eq!(blown.words(), told);
        assert_eq!(fuse, Fuse::new(2));
    }
}
