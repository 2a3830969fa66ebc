//! The watch on one flag.

use std::collections::HashSet;

use flagstaff_stats::guard::{Law, SequentialTest};

use super::evidence::About;
use super::{Evidence, GuardTestSettings, GuardTestSettingsError, Sign};

/// Visitors with a first event that one flag's watch remembers, divided evenly over what it looks at. That many, it
/// counts no further ones ([`GuardTests::full`]): some 35 MB.
pub const MOST_VISITORS: usize = 1_000_000;

/// The running sum may differ from the record's by rounding; only so close to the threshold is the record asked.
const CLOSE: f64 = 1e-6;

/// An event of a visitor that may be the first of its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardEvent {
    /// What happened.
    pub sign: Sign,
    /// To which arm, from 0, the control.
    pub arm: u8,
    /// At which step the visitor was asking.
    pub step: usize,
    /// Who: 128 bits that tell visitors apart.
    pub unit: u128,
}

/// What an event did.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// It is the first of its kind for this visitor and was counted.
    Counted,
    /// This visitor had one before.
    Again,
    /// There is nothing to compare it with: its sign or arm is not watched, its step was never begun or has only one arm.
    Aside,
    /// [`MOST_VISITORS`] are remembered: no further ones are counted.
    Full,
    /// It was counted, and a test reached its threshold for the first time: of several, the one with the most evidence.
    Alarm(Box<Evidence>),
}

/// The tests of a flag's guard through one rollout: one for each sign and each variant beside the control.
///
/// The stated chance of a false alarm is divided evenly over all its tests, so it holds for all of them together (Bonferroni),
/// over the whole rollout and however often they are read.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardTests {
    arms: Vec<String>,
    false_alarm: f64,
    alpha: f64,
    kinds: Vec<SignTests>,
    /// Shares of all arms at every step so far.
    steps: Vec<(usize, Vec<f64>)>,
    step: usize,
}

/// One sign: who met it, and a test for each arm beside the control.
#[derive(Clone, Debug, PartialEq)]
struct SignTests {
    sign: Sign,
    met: HashSet<u128>,
    tests: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq)]
struct Test {
    arm: u8,
    /// None until there is something to compare.
    sequential: Option<SequentialTest>,
    alarm: Option<Box<Evidence>>,
}

impl GuardTests {
    /// Tests that wait for their first step.
    ///
    /// # Errors
    /// When there is nothing to compare or to look at, or the chance does not lie between 0 and 1.
    pub fn new(terms: GuardTestSettings) -> Result<Self, GuardTestSettingsError> {
        let (signs, last) = terms.check()?;
        let tests = signs.len() as f64 * f64::from(last);
        Ok(Self {
            kinds: signs.into_iter().map(|sign| SignTests::new(sign, last)).collect(),
            arms: terms.arms,
            false_alarm: terms.false_alarm,
            alpha: terms.false_alarm / tests,
            steps: Vec::new(),
            step: 0,
        })
    }

    /// A step begins, with these shares of the arms among all who are drawn, the control first. Arms without a share, and all
    /// while the control has none, have nothing to be compared with: their tests sleep. Beginning the present step again
    /// with the same shares changes nothing.
    pub fn begin_step(&mut self, step: usize, shares: &[f64]) {
        let known = self.steps.iter_mut().find(|(number, _)| *number == step);
        match known {
            Some((_, before)) if before == shares && step == self.step => return,
            Some((_, before)) => *before = shares.to_vec(),
            None => self.steps.push((step, shares.to_vec())),
        }
        self.step = step;
        self.kinds.iter_mut().for_each(|kind| kind.begin_step(shares));
    }

    /// Something happened to a visitor. Events of an earlier step count with the shares of that step.
    pub fn observe(&mut self, event: &GuardEvent) -> Seen {
        let seen = self.foresee(event);
        if seen != Seen::Counted {
            return seen;
        }
        let is_late = event.step != self.step;
        let Some((_, shares)) = self.steps.iter().find(|(number, _)| *number == event.step) else {
            return Seen::Aside;
        };
        let Some(kind) = self.kinds.iter_mut().find(|kind| kind.sign == event.sign) else {
            return Seen::Aside;
        };
        kind.met.insert(event.unit);
        if !kind.count(event.arm, shares, is_late) {
            return Seen::Aside;
        }
        self.alarm(&event.sign).map_or(Seen::Counted, |evidence| Seen::Alarm(Box::new(evidence)))
    }

    /// The same for the next event of a sequence that other programs see too. A later step begins with its first event, so programs that
    /// see the same events in the same order have the same tests.
    pub fn follow(&mut self, event: &GuardEvent) -> Seen {
        if event.step > self.step {
            let known = self.steps.iter().find(|(number, _)| *number == event.step);
            if let Some((step, shares)) = known.cloned() {
                self.begin_step(step, &shares);
            }
        }
        self.observe(event)
    }

    /// What an event would do: whether it would be counted, and why not.
    #[must_use]
    pub fn foresee(&self, event: &GuardEvent) -> Seen {
        let shares = self.steps.iter().find(|(number, _)| *number == event.step).map(|(_, shares)| shares);
        let kind = self.kinds.iter().find(|kind| kind.sign == event.sign);
        let Some((kind, shares)) = kind.zip(shares).filter(|_| usize::from(event.arm) < self.arms.len()) else {
            return Seen::Aside;
        };
        if kind.met.contains(&event.unit) {
            Seen::Again
        } else if kind.met.len() >= MOST_VISITORS / self.kinds.len().max(1) {
            Seen::Full
        } else if kind.compares(event.arm, shares) {
            Seen::Counted
        } else {
            Seen::Aside
        }
    }

    /// What every test rests on now.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        let all = self.kinds.iter().flat_map(|kind| kind.tests.iter().map(move |test| (kind, test)));
        all.map(|(kind, test)| Evidence::new(&self.about(&kind.sign, test.arm), test.sequential.as_ref())).collect()
    }

    /// What every test that made an alarm rested on then.
    pub fn alarms(&self) -> impl Iterator<Item = &Evidence> {
        self.kinds.iter().flat_map(|kind| &kind.tests).filter_map(|test| test.alarm.as_deref())
    }

    /// The signs for which no further visitors are counted: as many as fit are remembered.
    pub fn full(&self) -> impl Iterator<Item = &Sign> {
        let most = MOST_VISITORS / self.kinds.len().max(1);
        self.kinds.iter().filter(move |kind| kind.met.len() >= most).map(|kind| &kind.sign)
    }

    /// Whether something is compared at the present step.
    #[must_use]
    pub fn is_awake(&self) -> bool {
        let now = self.steps.iter().find(|(number, _)| *number == self.step);
        let tests = self.kinds.iter().flat_map(|kind| &kind.tests);
        now.is_some_and(|(_, shares)| tests.into_iter().any(|test| weight(shares, test.arm).is_some()))
    }

    /// Names of the arms, the control first.
    #[must_use]
    pub fn arms(&self) -> &[String] {
        &self.arms
    }

    /// The new alarm among the tests of a sign.
    fn alarm(&mut self, sign: &Sign) -> Option<Evidence> {
        let threshold = -self.alpha.ln();
        let kind = self.kinds.iter().find(|kind| kind.sign == *sign)?;
        let mut alarms: Vec<(u8, Evidence)> = Vec::new();
        for test in kind.tests.iter().filter(|test| test.is_close(threshold)) {
            let evidence = Evidence::new(&self.about(sign, test.arm), test.sequential.as_ref());
            if evidence.log_evidence >= threshold {
                alarms.push((test.arm, evidence));
            }
        }
        let kind = self.kinds.iter_mut().find(|kind| kind.sign == *sign)?;
        for (arm, evidence) in &alarms {
            let of = kind.tests.iter_mut().find(|test| test.arm == *arm);
            of.into_iter().for_each(|test| test.alarm = Some(Box::new(evidence.clone())));
        }
        alarms.into_iter().map(|(_, alarm)| alarm).max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence))
    }

    fn about<'a>(&'a self, sign: &'a Sign, arm: u8) -> About<'a> {
        let name = |arm: usize| self.arms.get(arm).map_or("", String::as_str);
        let (variant, control) = (name(usize::from(arm)), name(0));
        About { sign, variant, control, step: self.step, false_alarm: self.false_alarm, alpha: self.alpha }
    }
}

impl SignTests {
    fn new(sign: Sign, last: u8) -> Self {
        let tests = (1..=last).map(|arm| Test { arm, sequential: None, alarm: None }).collect();
        Self { sign, met: HashSet::new(), tests }
    }

    fn begin_step(&mut self, shares: &[f64]) {
        let law = self.sign.law();
        for test in &mut self.tests {
            if let Some(w) = weight(shares, test.arm) {
                test.begin_step(&law, w);
            }
        }
    }

    /// Whether there is something to compare a visitor of an arm with.
    fn compares(&self, arm: u8, shares: &[f64]) -> bool {
        let mut tests = self.tests.iter().filter(|test| arm == 0 || test.arm == arm);
        tests.any(|test| test.sequential.is_some() && weight(shares, test.arm).is_some())
    }

    /// Counts a visitor of an arm: the control's in every test. Returns whether some test could.
    fn count(&mut self, arm: u8, shares: &[f64], is_late: bool) -> bool {
        let mut counted = false;
        for test in self.tests.iter_mut().filter(|test| arm == 0 || test.arm == arm) {
            if let Some(w) = weight(shares, test.arm) {
                counted |= test.count(arm != 0, w, is_late);
            }
        }
        counted
    }
}

impl Test {
    fn begin_step(&mut self, law: &Law, w: f64) {
        match &mut self.sequential {
            // a share outside 0 to 1 is all it refuses, and a weight lies between
            Some(guard) => guard.begin_step(w).unwrap_or_default(),
            None => self.sequential = SequentialTest::new(law.clone(), w).ok(),
        }
    }

    /// Counts a visitor, unless there is nothing to compare with.
    fn count(&mut self, treated: bool, w: f64, is_late: bool) -> bool {
        let Some(guard) = &mut self.sequential else {
            return false;
        };
        let (treatment, control) = (u64::from(treated), u64::from(!treated));
        if is_late {
            return guard.observe_late(w, treatment, control).is_ok();
        }
        guard.observe(treatment, control);
        true
    }

    /// Whether it may have reached the threshold, for the first time.
    fn is_close(&self, threshold: f64) -> bool {
        self.alarm.is_none()
            && self.sequential.as_ref().is_some_and(|guard| guard.log_evidence() >= threshold - CLOSE)
    }
}

/// w of an arm and the control: the arm's part of both. None where one of them has no share.
fn weight(shares: &[f64], arm: u8) -> Option<f64> {
    let (control, treatment) = (*shares.first()?, *shares.get(usize::from(arm))?);
    let w = treatment / (treatment + control);
    // NaN fits no range
    (treatment > 0.0 && control > 0.0 && w > 0.0 && w < 1.0).then_some(w)
}
