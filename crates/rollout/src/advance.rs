//! Whether a flag goes on to its next step, or is held.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_experiment::guard::Away;
use flagstaff_experiment::rollout::{
    Moment, Next, SHARED_OUTAGE, Trouble, UPSTREAM_AWAY, outlook, sample_ratio_broken, told_once,
};
use flagstaff_flags::{Fact, FactKind, Flag, Name, Rollout};
use jiff::Timestamp;
use metrics::gauge;
use serde_json::json;
use tokio::time::Instant;

use crate::controller::{BY_GUARD, Conductor};
use crate::flag_state::Ward;
use crate::ledger_sync::Entry;

/// Trouble that was seen here is over after so long without it: what comes and goes is one trouble, and is told once.
const CALM: Duration = Duration::from_mins(1);
/// Trouble that others saw, and do not say to be over, is over after so long.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Who climbs.
const BY_ROLLOUT: &str = "rollout";

impl Conductor {
    /// Whether a flag goes on, and if so, makes it.
    pub(crate) fn look_at(&mut self, name: &Name) -> Option<Fact> {
        let now = Timestamp::now();
        let ward = self.wards.get(name)?;
        // a flag that is off stays at its step
        let is_on = |flag: &Arc<Flag>| flag.enabled && ward.standing.switched_off.is_none();
        let flag = ward.flag.clone().filter(|flag| flag.definition == ward.standing.definition && is_on(flag))?;
        let seen = self.trouble(name);
        let told = Trouble::told(&ward.standing);
        if seen.as_ref().is_some_and(|seen| told.is_none_or(|told| told == seen.reason)) {
            self.troubles.insert(name.clone(), Noticed { here: true, at: Instant::now() });
        } else if let Some(told) = told
            && let Some(noticed) = self.over(name)
        {
            self.troubles.remove(name);
            return Some(recovered(self.wards.get(name)?, told, noticed.here));
        }
        // another program may see what this one does not; and one trouble is told after the other
        let told = told.filter(|told| seen.as_ref().is_none_or(|seen| seen.reason != *told));
        let trouble = told.map(|reason| Trouble { reason, words: reason.into() }).or(seen);
        match &flag.rollout {
            Some(rollout) => self.climb(name, &flag, rollout, (now, trouble)),
            None => without_rollout(self.wards.get(name)?, trouble),
        }
    }

    /// What keeps a flag where it is, as it is seen here.
    fn trouble(&self, name: &Name) -> Option<Trouble> {
        let outage = self.sentry.outage(name.as_str());
        let outage = outage.map(|outage| Trouble { reason: SHARED_OUTAGE, words: outage.words() });
        let away = || {
            let away = self.sentry.upstream(name.as_str())?;
            Some(Trouble { reason: UPSTREAM_AWAY, words: away.words() })
        };
        outage.or_else(away)
    }

    /// Trouble that was told and is over: the program that saw it says so after a while, or nobody does for long. Once the guard
    /// tripped nobody asks any more, and nothing is known.
    fn over(&mut self, name: &Name) -> Option<Noticed> {
        if self.wards.get(name)?.standing.trip.is_some() {
            return None;
        }
        let noticed = *self.troubles.entry(name.clone()).or_insert(Noticed { here: false, at: Instant::now() });
        let long = if noticed.here { CALM } else { FORGOTTEN };
        (noticed.at.elapsed() > long).then_some(noticed)
    }

    /// An upstream that has been away for longer than the flag allows trips its guard.
    pub(crate) fn trip_lost_upstream(&mut self, name: &Name) {
        let limit = self.wards.get(name).and_then(|ward| ward.flag.as_ref()?.guard.as_ref()).map(|g| g.upstream_away);
        let is_lost = |limit| move |away: &Away| away.is_sure && away.lasted >= limit;
        let away = limit.and_then(|limit| self.sentry.upstream(name.as_str()).filter(is_lost(limit)));
        if let Some(away) = away {
            let evidence = json!({ "upstream": { "seconds": away.lasted.as_secs(), "requests": away.requests } });
            self.act(name, away.words(), &evidence);
        }
    }

    fn climb(
        &mut self,
        name: &Name,
        flag: &Flag,
        rollout: &Rollout,
        (now, trouble): (Timestamp, Option<Trouble>),
    ) -> Option<Fact> {
        let step = self.wards.get(name)?.standing.step;
        let shares: Vec<f64> = flag.shares(step).into_iter().map(f64::from).collect();
        let came = self.who_came(name, &shares, (rollout, now));
        let waited = self.wards.get_mut(name)?.waited(rollout, now);
        let ward = self.wards.get(name)?;
        let moment = Moment {
            rollout,
            standing: &ward.standing,
            now,
            visitors: came.as_ref().map(|came| came.treatment),
            split_is_broken: came.as_ref().is_some_and(|came| came.split_is_broken),
            waited,
            trouble,
        };
        let next = outlook(&moment).next;
        // the first answer of the ledger may be under way; without one for long it is away
        let unanswered = came.is_none() && self.away.is_none() && self.books.is_some();
        if unanswered && moment.trouble.is_none() && matches!(next, Next::TellInconclusive(_)) {
            return None;
        }
        let mut fact = next.fact(&moment, ward.draft(BY_ROLLOUT))?;
        if matches!(next, Next::Climb | Next::TellInconclusive(_)) {
            let (outage, arrivals) = (moment.trouble.map(|trouble| trouble.words), came.map(|came| came.arrivals));
            let evidence =
                json!({ "outage": outage, "arrivals": arrivals, "shares": shares, "guard": ward.evidence() });
            fact.evidence = Some(evidence.to_string());
        }
        Some(fact)
    }

    /// Who came at the present step, where that matters now and is known; else it is asked.
    fn who_came(&mut self, name: &Name, shares: &[f64], (rollout, now): (&Rollout, Timestamp)) -> Option<Came> {
        let trial = self.snapshot.experiment_id(self.snapshot.find(name.as_str())?);
        let ward = self.wards.get_mut(name)?;
        let waited = ward.waited(rollout, now);
        let standing = &ward.standing;
        let visitors = Some(u64::MAX);
        let if_all_came = Moment { rollout, standing, now, visitors, split_is_broken: false, waited, trouble: None };
        if !matches!(outlook(&if_all_came).next, Next::Climb | Next::Finish) || self.away.is_some() {
            return None;
        }
        if let Some((arrivals, treatment)) = ward.arrivals() {
            let split_is_broken = sample_ratio_broken(arrivals, shares);
            return Some(Came { arrivals: arrivals.to_vec(), treatment, split_is_broken });
        }
        if !std::mem::replace(&mut ward.is_asked, true) {
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

/// Trouble of a flag, as this program came to know of it.
#[derive(Clone, Copy)]
pub(crate) struct Noticed {
    /// It was seen here.
    here: bool,
    pub(crate) at: Instant,
}

fn recovered(ward: &Ward, reason: &'static str, here: bool) -> Fact {
    let why = match reason {
        _ if !here => "no program has told for five minutes that it still has trouble",
        UPSTREAM_AWAY => "the upstream of the variant answers again",
        _ => "the outage that treatment and control shared is over",
    };
    Fact { kind: FactKind::Recovered, why: why.into(), ..ward.draft(BY_GUARD) }
}

/// A guard without a rollout has nothing to hold, but trouble is told all the same.
fn without_rollout(ward: &Ward, trouble: Option<Trouble>) -> Option<Fact> {
    let Trouble { reason, words } = trouble?;
    let Next::TellInconclusive(reason) = told_once(&ward.standing, reason) else {
        return None;
    };
    let (kind, evidence) = (FactKind::Inconclusive, json!({ "outage": words }).to_string());
    Some(Fact { kind, why: reason.into(), evidence: Some(evidence), ..ward.draft(BY_GUARD) })
}

/// Shows where a flag stands in the metrics.
pub(crate) fn measure(name: &Name, ward: &Ward) {
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
