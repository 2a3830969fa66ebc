//! Where a rollout stands: the flag file says what is meant, the ledger what happened.

use std::collections::HashMap;

use flagstaff_experiment::guard::GuardEvent;
use flagstaff_experiment::rollout::{
    Next, NextStep, RolloutInputs, RolloutState, Trouble, next_step, sample_ratio_broken, waited,
};
use flagstaff_flags::{Percent, Standing};
use flagstaff_ledger::FirstSign;
use jiff::Timestamp;
use serde_json::Value;

use super::answer::RolloutStatus;
use super::course::replayed;
use super::flag_record::FlagRecord;
use crate::Error;

/// Where a rollout stands.
pub(super) async fn of(record: &mut FlagRecord) -> Result<RolloutStatus, Error> {
    let (mut visitors, mut split_is_broken, mut signs) = (None, false, Vec::new());
    let standing = record.standing();
    if let Ok(standing) = &standing {
        if let Some((arrivals, treatment)) = record.arrivals(standing).await? {
            let shares: Vec<f64> = record.flag.shares(standing.step).into_iter().map(f64::from).collect();
            (visitors, split_is_broken) = (Some(treatment), sample_ratio_broken(&arrivals, &shares));
        }
        signs = record.signs(standing).await?;
    }
    let now = record.now().await?;
    let off = record.why_off();
    let is_off = off.is_some();
    let next_step = match (&standing, off) {
        (Ok(standing), Some(why)) if standing.trip.is_none() => waits(why),
        (Err(_), Some(why)) => waits(why),
        (Ok(standing), _) => next(record, standing, now, visitors, split_is_broken),
        (Err(why), None) => waits(why.clone()),
    };
    let standing = standing.ok();
    let step = standing.as_ref().map_or(0, |standing| standing.step);
    let (events, times) = events(&signs);
    let seen = replayed(&record.flag, step, &events, &times);
    let percent = if is_off { Percent::ZERO } else { percent(record, standing.as_ref(), now) };
    Ok(RolloutStatus::new(&record.flag, standing.as_ref(), next_step, percent, visitors, seen, &record.history))
}

fn next(
    record: &FlagRecord,
    standing: &Standing,
    now: Timestamp,
    visitors: Option<u64>,
    split_is_broken: bool,
) -> NextStep {
    let trouble = trouble(standing);
    match &record.flag.rollout {
        Some(rollout) => {
            let waited = waited(rollout, standing, now);
            next_step(&RolloutInputs { rollout, standing, now, visitors, split_is_broken, waited, trouble })
        }
        None => without_rollout(standing, trouble),
    }
}

/// The share that is served now.
fn percent(record: &FlagRecord, standing: Option<&Standing>, now: Timestamp) -> Percent {
    match (standing, &record.flag.rollout) {
        (Some(standing), _) if standing.trip.is_some() => Percent::ZERO,
        (standing, Some(rollout)) => rollout.percent(now, standing.map_or(0, |standing| standing.step)),
        (_, None) => record.flag.share_of_the_rest(),
    }
}

const fn waits(why: String) -> NextStep {
    NextStep { state: RolloutState::Holding, why, advances_at: None, next: Next::Wait }
}

/// The trouble that was recorded last, in its numbers, unless it is over.
fn trouble(standing: &Standing) -> Option<Trouble> {
    let reason = Trouble::told(standing)?;
    let recorded = standing.inconclusive.as_ref()?;
    let evidence: Option<Value> = recorded.evidence.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let words = evidence.and_then(|evidence| evidence.get("outage")?.as_str().map(Into::into));
    let words = words.map_or_else(|| reason.into(), |words: String| format!("{reason}; {words}"));
    Some(Trouble { reason, words })
}

fn without_rollout(standing: &Standing, trouble: Option<Trouble>) -> NextStep {
    if let Some(trip) = &standing.trip {
        return NextStep { state: RolloutState::Tripped, ..waits(trip.why.clone()) };
    }
    let held = standing.hold.as_ref();
    let held = held.map(|hold| format!("its guard holds it until the flag is edited or reset: {}", hold.why));
    let why = held.or(trouble.map(|trouble| trouble.words));
    waits(why.unwrap_or_else(|| "it has no rollout: its percentage is as written".into()))
}

/// First signs as a guard takes them, with a number for each unit, and their times.
fn events(signs: &[FirstSign]) -> (Vec<GuardEvent>, Vec<Timestamp>) {
    let mut numbers: HashMap<&str, u128> = HashMap::new();
    let (mut events, mut times) = (Vec::new(), Vec::new());
    for FirstSign { sign, unit, variant, step, at } in signs {
        let next = numbers.len() as u128;
        let unit = *numbers.entry(unit).or_insert(next);
        if let Ok(sign) = sign.parse() {
            events.push(GuardEvent { sign, arm: *variant, step: *step, unit });
            times.push(Timestamp::from_microsecond(*at).unwrap_or_default());
        }
    }
    (events, times)
}
