//! What a guard's decision rests on.

use std::num::NonZeroU32;

use flagstaff_stats::guard::{Segment, SequentialTest, boundary, p_value};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Sign;
use crate::numbers::{percent, thousands};

/// Rounding that a recorded number may have met on its way.
const ROUNDING: f64 = 1e-9;

/// The numbers a decision rests on, or would: enough for anyone to make it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What was looked at.
    #[schemars(with = "String")]
    pub sign: Sign,
    /// The variant in question.
    pub variant: String,
    /// The variant it is compared with.
    pub control: String,
    /// The step of the rollout at which this was written, from 0.
    pub step: usize,
    /// The chance of a false alarm over the whole rollout, all its tests together.
    pub false_alarm: f64,
    /// This test's part of it.
    pub alpha: f64,
    /// ln(1/alpha): the evidence that makes the alarm.
    pub threshold: f64,
    /// The risk ratio that is tolerated.
    pub tolerated: f64,
    /// ln E, the evidence there is.
    pub log_evidence: f64,
    /// min(1, 1/E).
    pub p_value: f64,
    /// Visitors of the variant with a first event.
    pub treatment_visitors: u64,
    /// Visitors of the control with a first event.
    pub control_visitors: u64,
    /// Where those fell, oldest first; empty while there was never anything to compare.
    pub segments: Vec<EvidenceSegment>,
}

/// Events at one share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceSegment {
    /// The evidence machine that starts here, from 1, where one does.
    pub machine: Option<NonZeroU32>,
    /// The variant's share of variant and control, between 0 and 1.
    pub share: f64,
    /// Visitors of the variant with a first event.
    pub treatment: u64,
    /// Visitors of the control with a first event.
    pub control: u64,
}

impl From<&Segment> for EvidenceSegment {
    fn from(segment: &Segment) -> Self {
        let Segment { machine, share, treatment, control } = *segment;
        Self { machine, share, treatment, control }
    }
}

impl From<&EvidenceSegment> for Segment {
    fn from(segment: &EvidenceSegment) -> Self {
        let EvidenceSegment { machine, share, treatment, control } = *segment;
        Self { machine, share, treatment, control }
    }
}

/// What a test knows of itself.
pub(super) struct About<'a> {
    pub(super) sign: &'a Sign,
    pub(super) variant: &'a str,
    pub(super) control: &'a str,
    pub(super) step: usize,
    pub(super) false_alarm: f64,
    pub(super) alpha: f64,
}

impl Evidence {
    /// Of a test, or of none yet.
    pub(super) fn new(about: &About<'_>, guard: Option<&SequentialTest>) -> Self {
        let segments = guard.map(SequentialTest::segments).unwrap_or_default();
        let sum = |pick: fn(&Segment) -> u64| segments.iter().map(pick).fold(0, u64::saturating_add);
        let mut evidence = Self {
            sign: about.sign.clone(),
            variant: about.variant.into(),
            control: about.control.into(),
            step: about.step,
            false_alarm: about.false_alarm,
            alpha: about.alpha,
            threshold: -about.alpha.ln(),
            tolerated: about.sign.law().tolerated(),
            log_evidence: 0.0,
            p_value: 1.0,
            treatment_visitors: sum(|segment| segment.treatment),
            control_visitors: sum(|segment| segment.control),
            segments: segments.iter().map(EvidenceSegment::from).collect(),
        };
        // from the record, not from the running sum: what others compute from it is then the same to the last bit
        evidence.log_evidence = evidence.recompute().unwrap_or_default();
        evidence.p_value = p_value(evidence.log_evidence);
        evidence
    }

    /// ln E from the segments alone; none when they are not such as a guard leaves.
    #[must_use]
    pub fn recompute(&self) -> Option<f64> {
        if self.segments.is_empty() {
            return Some(0.0);
        }
        let segments = self.segments.iter().map(Segment::from).collect();
        Some(SequentialTest::from_segments(self.sign.law(), segments).ok()?.log_evidence())
    }

    /// The end of the interval of the risk ratio that reaches the tolerated one with the alarm: of errors and slow answers the lower one, of goals
    /// the upper one. None while no ratio is ruled out.
    #[must_use]
    pub fn bound(&self) -> Option<f64> {
        let segments: Vec<_> = self.segments.iter().map(Segment::from).collect();
        boundary(&self.sign.law(), &segments, self.alpha).ok().flatten()
    }

    /// Whether the evidence, computed anew, makes the alarm.
    #[must_use]
    pub fn is_alarm(&self) -> bool {
        self.recompute().is_some_and(|found| found >= -self.alpha.ln() - ROUNDING)
    }

    /// The evidence in one sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let (seen, of_control) = (visitors(self.treatment_visitors), thousands(self.control_visitors as f64));
        let (with, without) = self.sides();
        let happened = match &self.sign {
            Sign::Error => "had an error".into(),
            Sign::Slow => "had a slow answer".into(),
            Sign::Goal(name) => format!("reached {name}"),
        };
        format!("{seen} {with} {happened}, {of_control} {without}{}", self.judged())
    }

    /// The two that are compared. A flag that is on or off is had or not.
    fn sides(&self) -> (String, String) {
        match (self.variant.as_str(), self.control.as_str()) {
            ("on", "off") => ("with the flag".into(), "without it".into()),
            (variant, control) => (format!("with `{variant}`"), format!("with `{control}`")),
        }
    }

    fn judged(&self) -> String {
        let Some(shares) = self.shares() else {
            return "; there is nothing to compare with yet".into();
        };
        if self.is_alarm() {
            let rollouts = thousands(self.false_alarm.recip());
            let (with, _) = self.sides();
            format!("; {with} {shares}, chance alone causes this in fewer than 1 of {rollouts} rollouts")
        } else {
            format!("; {shares} this may be chance")
        }
    }

    fn shares(&self) -> Option<String> {
        let shares = self.segments.iter().filter(|segment| segment.treatment > 0 || segment.control > 0);
        let shares = shares.map(|segment| segment.share).chain(self.segments.last().map(|last| last.share));
        let (low, high) = shares.fold((f64::INFINITY, 0.0_f64), |(low, high), w| (low.min(w), high.max(w)));
        if low > high {
            None
        } else if low < high {
            Some(format!("at {} to {}", percent(low), percent(high)))
        } else {
            Some(format!("at {}", percent(low)))
        }
    }
}

fn visitors(n: u64) -> String {
    if n == 1 { "1 visitor".into() } else { format!("{} visitors", thousands(n as f64)) }
}
