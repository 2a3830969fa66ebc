//! The guard with restarts.

use std::num::NonZeroU32;

use super::law::{Law, Odds};
use super::{LIVE, RESTART_EVERY, log_sum_exp};
use crate::error::{Error, Result, share};

/// A stretch of evidence at one share: plain numbers, to be recorded and recomputed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Segment {
    /// The machine that starts with this segment, where one still running does. Machines are numbered from 1.
    pub machine: Option<NonZeroU32>,
    /// w, the treatment's share of treatment and control, between 0 and 1.
    pub share: f64,
    /// Visitors of the treatment with a first bad event.
    pub treatment: u64,
    /// Visitors of the control with a first bad event.
    pub control: u64,
}

/// An evidence machine that restarts, or it would go deaf: every healthy event lowers the evidence, and a later fault
/// would first have to win that back.
///
/// E = Σ_j g_j·E⁽ʲ⁾ with g_j = 6/(π²j²), which add up to 1. Machine j starts at a step or after [`RESTART_EVERY`]
/// events and sees what comes after. Until then it stands at 1, so the whole sum is a supermartingale from 1 on under
/// the null; leaving out machines that wait, and dropping the lowest of more than [`LIVE`], only lowers it. Ville's
/// inequality holds as without restarts.
///
/// All of its state follows from its [segments](Self::segments).
#[derive(Debug, Clone, PartialEq)]
pub struct SequentialTest {
    law: Law,
    segments: Vec<Segment>,
    /// Of the newest segment's share.
    odds: Odds,
    /// ln Σ_j g_j·exp L_k⁽ʲ⁾ for every grid point k: all live machines in as many numbers as one.
    weights: Vec<f64>,
}

impl SequentialTest {
    /// A guard whose first step gives the treatment `share`.
    ///
    /// # Errors
    /// [`Error::BadShare`] unless 0 < share < 1.
    pub fn new(law: Law, share: f64) -> Result<Self> {
        let first = Segment { machine: Some(NonZeroU32::MIN), share, treatment: 0, control: 0 };
        Self::from_segments(law, vec![first])
    }

    /// The guard that had these [segments](Self::segments).
    ///
    /// # Errors
    /// [`Error::BadShare`] when a share does not lie between 0 and 1, [`Error::BadSetting`] unless a machine was
    /// started and their numbers rise.
    pub fn from_segments(law: Law, segments: Vec<Segment>) -> Result<Self> {
        let machines = segments.iter().filter_map(|segment| segment.machine);
        if machines.clone().next().is_none() || !machines.is_sorted_by(|a, b| a < b) {
            return Err(Error::BadSetting);
        }
        segments.iter().try_for_each(|segment| share(segment.share).map(drop))?;
        let odds = law.odds(segments.last().ok_or(Error::BadSetting)?.share);
        let weights = weigh(&law, &segments);
        Ok(Self { law, segments, odds, weights })
    }

    /// What the evidence rests on, oldest first. As many as [`LIVE`] machines and the changes of share between them.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The law it holds to.
    #[must_use]
    pub fn law(&self) -> &Law {
        &self.law
    }

    /// The treatment's present share.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.segments.last().map_or(f64::NAN, |segment| segment.share)
    }

    /// A new step that gives the treatment share `w`: a new machine starts, unless the newest has seen nothing yet.
    ///
    /// # Errors
    /// [`Error::BadShare`] unless 0 < share < 1. Nothing has changed then.
    pub fn begin_step(&mut self, w: f64) -> Result<()> {
        let w = share(w)?;
        match self.segments.last_mut() {
            Some(last) if last.machine.is_some() && last.treatment == 0 && last.control == 0 => {
                last.share = w;
            }
            _ => self.restart(w),
        }
        self.odds = self.law.odds(w);
        Ok(())
    }

    /// Visitors who met their first bad event at the present share. One at a time or many at once: the guarantee is the
    /// same, only that a batch can trip no earlier than at its end.
    pub fn observe(&mut self, treatment: u64, control: u64) {
        if treatment == 0 && control == 0 {
            return;
        }
        // due restarts wait for the next event, so that what was just read is what the event made
        if self.since_restart() >= RESTART_EVERY {
            self.restart(self.share());
        }
        if let Some(last) = self.segments.last_mut() {
            last.treatment = last.treatment.saturating_add(treatment);
            last.control = last.control.saturating_add(control);
        }
        self.odds.add(&mut self.weights, treatment, control);
    }

    /// Counts that arrive after their step has ended, with the share `w` of that step.
    ///
    /// # Errors
    /// [`Error::BadShare`] unless 0 < share < 1. Nothing has changed then.
    pub fn observe_late(&mut self, w: f64, treatment: u64, control: u64) -> Result<()> {
        let late = Segment { machine: None, share: share(w)?, treatment, control };
        self.law.odds(w).add(&mut self.weights, treatment, control);
        // before the present segment in its own stretch: within a stretch the order changes nothing
        match self.segments.pop() {
            Some(Segment { machine: Some(started), share: present, treatment: t, control: c }) => {
                self.segments.push(Segment { machine: Some(started), ..late });
                self.segments.push(Segment { machine: None, share: present, treatment: t, control: c });
            }
            Some(last) => {
                self.segments.push(late);
                self.segments.push(last);
            }
            None => self.segments.push(late),
        }
        self.merge();
        Ok(())
    }

    /// ln E.
    #[must_use]
    pub fn log_evidence(&self) -> f64 {
        self.law.mean(&self.weights)
    }

    /// Whether E reaches 1/α. The first time it does is the trip: evidence may fall again, a trip is recorded and stays.
    ///
    /// # Errors
    /// [`Error::BadChance`] unless 0 < alpha < 1.
    pub fn trips(&self, alpha: f64) -> Result<bool> {
        super::trips(self.log_evidence(), alpha)
    }

    /// Events since the newest machine started.
    fn since_restart(&self) -> u64 {
        let mut sum = 0_u64;
        for segment in self.segments.iter().rev() {
            sum = sum.saturating_add(segment.treatment).saturating_add(segment.control);
            if segment.machine.is_some() {
                break;
            }
        }
        sum
    }

    /// Starts the next machine.
    fn restart(&mut self, w: f64) {
        let newest = self.segments.iter().rev().find_map(|segment| segment.machine);
        let next = newest.map_or(NonZeroU32::MIN, |machine| machine.saturating_add(1));
        if newest == Some(next) {
            return; // four thousand million restarts: stay with those there are
        }
        self.drop_lowest();
        self.segments.push(Segment { machine: Some(next), share: w, treatment: 0, control: 0 });
        self.weights = weigh(&self.law, &self.segments);
    }

    /// Makes room for one more machine. Which is dropped depends on the past alone, so the rest stays valid.
    fn drop_lowest(&mut self) {
        let live = self.segments.iter().filter(|segment| segment.machine.is_some()).count();
        if live < LIVE {
            return;
        }
        let lowest = standing(&self.law, &self.segments).into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
        if let Some(segment) = lowest.and_then(|(place, _)| self.segments.get_mut(place)) {
            segment.machine = None;
        }
        self.merge();
    }

    /// Joins segments that nothing tells apart any more, so that their number stays bounded.
    fn merge(&mut self) {
        let mut merged: Vec<Segment> = Vec::with_capacity(self.segments.len() + 1);
        let mut stretch = 0;
        let newest = self.segments.len().saturating_sub(1);
        for (place, segment) in self.segments.drain(..).enumerate() {
            if segment.machine.is_some() {
                stretch = merged.len();
            }
            let same = merged.iter_mut().skip(stretch).find(|kept| kept.share == segment.share);
            match same {
                // the newest stays last: its share is the present one
                Some(kept) if place != newest => kept.absorb(&segment),
                _ => merged.push(segment),
            }
        }
        self.segments = merged;
    }
}

impl Segment {
    fn absorb(&mut self, other: &Self) {
        self.treatment = self.treatment.saturating_add(other.treatment);
        self.control = self.control.saturating_add(other.control);
    }
}

/// ln g_j = ln(6/(π²j²)).
fn log_prior(machine: NonZeroU32) -> f64 {
    let j = f64::from(machine.get());
    (6.0 / (std::f64::consts::PI * j).powi(2)).ln()
}

/// ln Σ_j g_j·exp L_k⁽ʲ⁾ for every grid point, from the record alone.
fn weigh(law: &Law, segments: &[Segment]) -> Vec<f64> {
    let mut weights = vec![f64::NEG_INFINITY; law.grid().len()];
    for segment in segments {
        if let Some(machine) = segment.machine {
            let prior = log_prior(machine);
            for weight in &mut weights {
                *weight = log_sum_exp([*weight, prior].into_iter());
            }
        }
        law.odds(segment.share).add(&mut weights, segment.treatment, segment.control);
    }
    weights
}

/// ln g_j·E⁽ʲ⁾ of every live machine, with the place of its segment.
fn standing(law: &Law, segments: &[Segment]) -> Vec<(usize, f64)> {
    let mut ratios = vec![0.0; law.grid().len()];
    let mut standing = Vec::with_capacity(LIVE);
    for (place, segment) in segments.iter().enumerate().rev() {
        law.odds(segment.share).add(&mut ratios, segment.treatment, segment.control);
        if let Some(machine) = segment.machine {
            standing.push((place, log_prior(machine) + law.mean(&ratios)));
        }
    }
    standing
}
