//! What needs a person.

use std::collections::HashMap;

use flagstaff_flags::{Fact, Hold, Name, Snapshot, Standing};
use flagstaff_ledger::FactStore;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use super::recent::RecentFact;
use crate::Error;
use crate::flags::{ListedFlag, ListedState, list};
use crate::workspace::Workspace;

/// What needs a person, and what happened last.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Attention {
    /// The most urgent first.
    pub needs: Vec<Need>,
    /// What happened last, the newest first.
    pub recent: Vec<RecentFact>,
}

/// A flag that needs a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Why.
    pub kind: NeedKind,
    /// The flag.
    pub flag: String,
    /// What is the matter, as the end of a sentence that begins with the flag.
    pub sentence: String,
    /// The number of the flag's newest fact, 0 without any: what is done about it is for this state.
    pub number: u64,
}

/// Why a flag needs a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NeedKind {
    /// Its guard rolled it back.
    RolledBack,
    /// Its guard holds its rollout where it is.
    Held,
    /// Its rollout waits for an approval.
    Approval,
    /// Something keeps its rollout from going on.
    Inconclusive,
    /// It is past its expiry.
    Expired,
    /// It has been at 0 or 100 percent for long.
    ReadyToDelete,
}

/// What needs a person now, and the last `recent` things that happened. Without a ledger, as far as the flags alone tell.
///
/// # Errors
/// When the settings of the ledger are wrong, or it gives no answer.
pub async fn attention(
    workspace: &Workspace,
    snapshot: &Snapshot,
    now: Timestamp,
    today: Date,
    recent: usize,
) -> Result<Attention, Error> {
    let (standings, recent) = read(workspace, recent).await?;
    let mut needs: Vec<_> = list(snapshot, now, today)
        .iter()
        .flat_map(|flag| [of_rollout(snapshot, flag, &standings), of_age(flag)])
        .flatten()
        .collect();
    needs.sort_by_key(|need| need.kind);
    Ok(Attention { needs, recent: recent.into_iter().map(RecentFact::from).collect() })
}

/// Where every flag stands, and the last facts of all.
async fn read(workspace: &Workspace, recent: usize) -> Result<(HashMap<Name, Standing>, Vec<Fact>), Error> {
    let Some(place) = workspace.ledger_that_is_there()? else {
        return Ok((HashMap::new(), Vec::new()));
    };
    let mut store = FactStore::open_to_read(place).await?;
    let mut standings = HashMap::new();
    for (flag, _) in store.newest().await? {
        let standing = Standing::of(&store.facts(&flag, 1).await?);
        standings.extend(standing.map(|standing| (flag, standing)));
    }
    let recent = store.newest_facts(None, recent, (&[], None)).await?;
    store.close().await;
    Ok((standings, recent))
}

fn of_rollout(snapshot: &Snapshot, listed: &ListedFlag, standings: &HashMap<Name, Standing>) -> Option<Need> {
    let flag = snapshot.flag_named(&listed.name)?;
    let standing = standings.get(&flag.name).filter(|standing| standing.is_about(flag));
    let number = standing.map_or(0, |standing| standing.number);
    let need = |kind, sentence: String| Some(Need { kind, flag: listed.name.clone(), sentence, number });
    if listed.state == ListedState::Tripped {
        let why = standing.and_then(|standing| standing.trip.as_ref()).map(|trip| trip.why.as_str());
        return need(NeedKind::RolledBack, with("was rolled back by its guard", why));
    }
    let standing = standing.filter(|_| listed.enabled && listed.state != ListedState::SwitchedOff)?;
    if let Some(hold) = &standing.hold {
        return need(NeedKind::Held, with("is held by its guard", Some(&hold.why)));
    }
    let steps = flag.rollout.as_ref()?.steps();
    let step = steps.get(standing.step)?;
    if step.hold == Hold::Approval && standing.approval_told {
        let next = steps.get(standing.step + 1).map_or(step.percent, |next| next.percent);
        let sentence = format!("waits at {} % for an approval to go on to {next} %", step.percent);
        return need(NeedKind::Approval, sentence);
    }
    let stuck = standing.inconclusive.as_ref()?;
    need(NeedKind::Inconclusive, with("does not go on", Some(&stuck.why)))
}

fn with(what: &str, why: Option<&str>) -> String {
    match why {
        Some(why) if !why.is_empty() => format!("{what}: {why}"),
        _ => what.into(),
    }
}

fn of_age(listed: &ListedFlag) -> Option<Need> {
    let need = |kind, sentence: String| Some(Need { kind, flag: listed.name.clone(), sentence, number: 0 });
    if listed.stale {
        let percent = if listed.state.as_str() == "on" { "on for everybody" } else { "off for everybody" };
        return need(
            NeedKind::ReadyToDelete,
            format!("has been {percent} for 30 days: delete it, and the code that asks"),
        );
    }
    let expires = listed.expires.filter(|_| listed.expired)?;
    need(NeedKind::Expired, format!("expired on {expires}: end it, or give it a later date"))
}
