//! Whether a flag goes on to its next step, or is held.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::rollout::{Moment, Next, SHARED_OUTAGE, outlook, sample_ratio_broken, told_once};
use flagstaff_flags::{Fact, FactKind, Flag, Name, Rollout};
use jiff::{SignedDuration, Timestamp};
use metrics::gauge;
use serde_json::json;
use tokio::time::Instant;

use super::books::Entry;
use super::direct::{BY_GUARD, Conductor};
use super::ward::Ward;

/// Who came is asked again after so long without an answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// An outage that nobody says to be over is, after so long.
const FORGOTTEN: SignedDuration = SignedDuration::from_mins(5);
/// Who climbs.
const BY_ROLLOUT: &str = "rollout";

impl Conductor {
    /// Whether a flag goes on, and if so, makes it.
    pub(super) fn look_at(&mut self, name: &Name) -> Option<Fact> {
        let now = Timestamp::now();
        let ward = self.wards.get(name)?;
        // a flag that is off stays at its step
        let is_on = |flag: &Arc<Flag>| flag.enabled && ward.standing.switched_off.is_none();
        let flag = ward.flag.clone().filter(|flag| flag.definition == ward.standing.definition && is_on(flag))?;
        let outage = self.sentry.outage(name.as_str(), now).map(|outage| outage.words());
        if outage.is_none() && self.is_over(name, ward, now) {
            let fact = recovered(ward);
            self.outages.remove(name);
            return Some(fact);
        }
        if outage.is_some() {
            self.outages.insert(name.clone());
        }
        // another program may see what this one does not
        let outage = outage.or_else(|| is_out(ward).then(|| SHARED_OUTAGE.into()));
        match &flag.rollout {
            Some(rollout) => self.climb(name, &flag, rollout, (now, outage)),
            None => without_rollout(ward, outage),
        }
    }

    /// Whether a shared outage that was told is over: the program that saw it says so, or nobody saw it for long.
    fn is_over(&self, name: &Name, ward: &Ward, now: Timestamp) -> bool {
        let told_at = ward.standing.inconclusive.as_ref().map_or(now, |fact| fact.at);
        let is_old = now.duration_since(told_at) > FORGOTTEN;
        is_out(ward) && (self.outages.contains(name) || is_old)
    }

    fn climb(
        &mut self,
        name: &Name,
        flag: &Flag,
        rollout: &Rollout,
        (now, outage): (Timestamp, Option<String>),
    ) -> Option<Fact> {
        let step = self.wards.get(name)?.standing.step;
        let shares: Vec<f64> = flag.shares(step).into_iter().map(f64::from).collect();
        let came = self.who_came(name, &shares, (rollout, now));
        let ward = self.wards.get(name)?;
        let moment = Moment {
            rollout,
            standing: &ward.standing,
            now,
            visitors: came.as_ref().map(|came| came.treatment),
            split_is_broken: came.as_ref().is_some_and(|came| came.split_is_broken),
            outage,
        };
        let next = outlook(&moment).next;
        // the first answer of the ledger may be under way; without one for long it is away
        let unanswered = came.is_none() && self.away.is_none() && self.books.is_some();
        if unanswered && matches!(next, Next::TellInconclusive(reason) if reason != SHARED_OUTAGE) {
            return None;
        }
        let mut fact = next.fact(&moment, ward.draft(BY_ROLLOUT))?;
        if matches!(next, Next::Climb | Next::TellInconclusive(_)) {
            let (outage, arrivals) = (&moment.outage, came.map(|came| came.arrivals));
            let evidence =
                json!({ "outage": outage, "arrivals": arrivals, "shares": shares, "guard": ward.evidence() });
            fact.evidence = Some(evidence.to_string());
        }
        Some(fact)
    }

    /// Who came at the present step, where that matters now and is known; else it is asked.
    fn who_came(&mut self, name: &Name, shares: &[f64], (rollout, now): (&Rollout, Timestamp)) -> Option<Came> {
        let trial = self.snapshot.trial(self.snapshot.find(name.as_str())?);
        let ward = self.wards.get_mut(name)?;
        let standing = &ward.standing;
        let if_all_came =
            Moment { rollout, standing, now, visitors: Some(u64::MAX), split_is_broken: false, outage: None };
        if !matches!(outlook(&if_all_came).next, Next::Climb | Next::Finish) || self.away.is_some() {
            return None;
        }
        if let Some((arrivals, treatment)) = ward.arrivals() {
            let split_is_broken = sample_ratio_broken(arrivals, shares);
            return Some(Came { arrivals: arrivals.to_vec(), treatment, split_is_broken });
        }
        if ward.asked_at.is_none_or(|at| at.elapsed() > ASK_EVERY) {
            ward.asked_at = Some(Instant::now());
            let since = rollout.begins(standing.since);
            let (flag, epoch, step, arms) = (name.clone(), standing.epoch, standing.step, shares.len());
            self.enter(Entry::AskArrivals { flag, epoch, step, trial, since, arms });
        }
        None
    }
}

/// Who came at a step.
struct Came {
    arrivals: Vec<u64>,
    treatment: u64,
    split_is_broken: bool,
}

/// Whether a shared outage was told last.
fn is_out(ward: &Ward) -> bool {
    ward.standing.inconclusive.as_ref().is_some_and(|fact| fact.why == SHARED_OUTAGE)
}

fn recovered(ward: &Ward) -> Fact {
    let (kind, why) = (FactKind::Recovered, "the outage that treatment and control shared is over".into());
    Fact { kind, why, ..ward.draft(BY_GUARD) }
}

/// A guard without a rollout has nothing to hold, but an outage is told all the same.
fn without_rollout(ward: &Ward, outage: Option<String>) -> Option<Fact> {
    let evidence = json!({ "outage": outage? }).to_string();
    let Next::TellInconclusive(reason) = told_once(&ward.standing, SHARED_OUTAGE) else {
        return None;
    };
    let kind = FactKind::Inconclusive;
    Some(Fact { kind, why: reason.into(), evidence: Some(evidence), ..ward.draft(BY_GUARD) })
}

/// Shows where a flag stands in the metrics.
pub(super) fn measure(name: &Name, ward: &Ward) {
    let Some(flag) = &ward.flag else { return };
    let label = || name.to_string();
    if let Some(rollout) = &flag.rollout {
        let step = (ward.standing.step + 1).min(rollout.steps().len());
        gauge!("flagstaff_rollout_step", "flag" => label()).set(step as f64);
    }
    if flag.guard.is_some() {
        gauge!("flagstaff_guard_tripped", "flag" => label()).set(f64::from(u8::from(ward.standing.trip.is_some())));
        for evidence in ward.evidence() {
            let (sign, variant) = (evidence.sign.to_string(), evidence.variant);
            gauge!("flagstaff_guard_log_evidence", "flag" => label(), "variant" => variant, "sign" => sign)
                .set(evidence.log_evidence);
        }
    }
}
