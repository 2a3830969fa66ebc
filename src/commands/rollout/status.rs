//! What is known of a rollout: the flag file says what is meant, the ledger what happened.

use std::collections::HashMap;
use std::sync::Arc;

use flagstaff_experiment::guard::{Event, Evidence, Watch};
use flagstaff_experiment::rollout::{Moment, Next, Outlook, State, Trouble, outlook, sample_ratio_broken, waited};
use flagstaff_flags::{Fact, Flag, FlagId, Percent, Snapshot, Standing, VariantId};
use flagstaff_ledger::{FirstSign, Place, Register};
use jiff::Timestamp;
use serde_json::Value;

use crate::cli::Facts;
use crate::settings::checked;
use crate::{facts, flags};

/// A flag and the ledger, open.
pub(super) struct Desk {
    snapshot: Arc<Snapshot>,
    id: FlagId,
    flag: Arc<Flag>,
    place: Place,
    /// None where nothing was ever recorded.
    register: Option<Register>,
}

/// Where a rollout stands.
pub(super) struct Status {
    pub(super) flag: Arc<Flag>,
    /// None until a running program took the flag up as it is in the file.
    pub(super) standing: Option<Standing>,
    pub(super) outlook: Outlook,
    pub(super) percent: Percent,
    /// Visitors of the treatment who came at this step.
    pub(super) visitors: Option<u64>,
    pub(super) guard: Vec<Evidence>,
    pub(super) history: Vec<Fact>,
}

impl Desk {
    /// Opens what is there, to read alone unless something is to be written.
    pub(super) async fn open(args: &Facts, name: &str, to_write: bool) -> anyhow::Result<Self> {
        let settings = facts::settings(args)?;
        let snapshot = flags::seen_by_programs(&settings)?;
        let id = flags::find(&snapshot, name)?;
        let flag = Arc::clone(snapshot.flag(id).ok_or_else(|| anyhow::anyhow!("no such flag"))?);
        let ledger = checked::ledger(&settings.typed).map_err(|problems| settings.report(problems))?;
        let Some(ledger) = ledger else {
            anyhow::bail!("nothing is kept: the settings say ledger = \"none\"; --ledger names another");
        };
        // whoever only looks begins no ledger
        let is_there = ledger.place.path().is_none_or(std::path::Path::exists);
        let register = match (is_there, to_write) {
            (false, _) => None,
            (true, true) => Some(Register::open(&ledger.place).await?),
            (true, false) => Some(Register::open_to_read(&ledger.place).await?),
        };
        Ok(Self { snapshot, id, flag, place: ledger.place, register })
    }

    pub(super) fn flag(&self) -> &Flag {
        &self.flag
    }

    /// Where the flag stands as it is in the file; or why nobody knows.
    pub(super) async fn standing(&mut self) -> anyhow::Result<Result<Standing, String>> {
        let standing = Standing::of(&self.history().await?);
        let is_this = |definition| definition == self.flag.definition || definition == self.flag.former_definition;
        let taken_up = standing.filter(|standing| is_this(standing.definition) && !standing.removed);
        Ok(taken_up.ok_or_else(|| match &self.register {
            Some(_) => "no running program has taken up the flag as it is in the file yet".into(),
            None => format!("there is no ledger at {} yet: no program has run with it", self.place),
        }))
    }

    /// Why the flag is off for everyone, where a person or its file says so.
    pub(super) fn off(&self, history: &[Fact]) -> Option<String> {
        if let Some(pin) = self.flag.pin.as_ref().filter(|pin| pin.variant == VariantId::OFF) {
            return Some(format!("the flag is off: pinned here by {}", pin.variable));
        }
        if let Some(off) = Standing::of(history).and_then(|standing| standing.switched_off) {
            return Some(format!("the flag is off: switched off by {} at {:.0}", off.by, off.at));
        }
        (!self.flag.enabled).then(|| "the flag is off: its file says enabled = false".into())
    }

    pub(super) async fn history(&mut self) -> anyhow::Result<Vec<Fact>> {
        match &mut self.register {
            Some(register) => Ok(register.facts(&self.flag.name, 1).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Adds a fact. Returns whether nobody else was first.
    pub(super) async fn add(&mut self, fact: Fact) -> anyhow::Result<bool> {
        match &mut self.register {
            Some(register) => Ok(register.add(&[fact]).await?),
            None => Ok(false),
        }
    }

    pub(super) async fn close(self) {
        if let Some(register) = self.register {
            register.close().await;
        }
    }

    pub(super) async fn status(&mut self) -> anyhow::Result<Status> {
        let history = self.history().await?;
        let standing = self.standing().await?;
        let (mut visitors, mut split_is_broken, mut signs) = (None, false, Vec::new());
        if let Ok(standing) = &standing {
            (visitors, split_is_broken) = self.arrivals(standing).await?;
            signs = self.signs(standing).await?;
        }
        let outlook = match (&standing, self.off(&history)) {
            (Ok(standing), Some(why)) if standing.trip.is_none() => waits(why),
            (Err(_), Some(why)) => waits(why),
            (Ok(standing), _) => self.outlook(standing, visitors, split_is_broken),
            (Err(why), None) => waits(why.clone()),
        };
        let standing = standing.ok();
        let step = standing.as_ref().map_or(0, |standing| standing.step);
        let watch = Watch::replay(&self.flag, step, &events(&signs));
        let guard = watch.map(|watch| watch.evidence()).unwrap_or_default();
        let is_off = self.off(&history).is_some();
        let percent = if is_off { Percent::ZERO } else { self.percent(standing.as_ref()) };
        Ok(Status { flag: Arc::clone(&self.flag), standing, outlook, percent, visitors, guard, history })
    }

    async fn signs(&mut self, standing: &Standing) -> anyhow::Result<Vec<FirstSign>> {
        match &mut self.register {
            Some(register) => Ok(register.signs(&self.flag.name, standing.epoch).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Visitors of the treatment who came at this step, and whether they fell as they should have.
    async fn arrivals(&mut self, standing: &Standing) -> anyhow::Result<(Option<u64>, bool)> {
        let (Some(register), Some(rollout)) = (&mut self.register, &self.flag.rollout) else {
            return Ok((None, false));
        };
        let since = rollout.begins(standing.since);
        let shares: Vec<f64> = self.flag.shares(standing.step).into_iter().map(f64::from).collect();
        let arrivals = register.arrivals(self.snapshot.experiment_id(self.id), since, shares.len()).await?;
        let treatment = register.came(&self.flag.name, standing.epoch, standing.step).await?;
        Ok((Some(treatment), sample_ratio_broken(&arrivals, &shares)))
    }

    fn outlook(&self, standing: &Standing, visitors: Option<u64>, split_is_broken: bool) -> Outlook {
        let trouble = trouble(standing);
        match &self.flag.rollout {
            Some(rollout) => {
                let now = Timestamp::now();
                let waited = waited(rollout, standing, now);
                outlook(&Moment { rollout, standing, now, visitors, split_is_broken, waited, trouble })
            }
            None => without_rollout(standing, trouble),
        }
    }

    /// The share that is served now.
    fn percent(&self, standing: Option<&Standing>) -> Percent {
        match (standing, &self.flag.rollout) {
            (Some(standing), _) if standing.trip.is_some() => Percent::ZERO,
            (standing, Some(rollout)) => {
                rollout.percent(Timestamp::now(), standing.map_or(0, |standing| standing.step))
            }
            (_, None) => self.flag.share_of_the_rest(),
        }
    }
}

/// First signs as a guard takes them, with a number for each unit.
fn events(signs: &[FirstSign]) -> Vec<Event> {
    let mut numbers: HashMap<&str, u128> = HashMap::new();
    let mut events = Vec::new();
    for FirstSign { sign, unit, variant, step, .. } in signs {
        let next = numbers.len() as u128;
        let unit = *numbers.entry(unit).or_insert(next);
        events.extend(sign.parse().map(|sign| Event { sign, arm: *variant, step: *step, unit }));
    }
    events
}

const fn waits(why: String) -> Outlook {
    Outlook { state: State::Holding, why, advances_at: None, next: Next::Wait }
}

/// The trouble that was told last, in its numbers, unless it is over.
fn trouble(standing: &Standing) -> Option<Trouble> {
    let reason = Trouble::told(standing)?;
    let told = standing.inconclusive.as_ref()?;
    let evidence: Option<Value> = told.evidence.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let words = evidence.and_then(|evidence| evidence.get("outage")?.as_str().map(Into::into));
    let words = words.map_or_else(|| reason.into(), |words: String| format!("{reason}; {words}"));
    Some(Trouble { reason, words })
}

fn without_rollout(standing: &Standing, trouble: Option<Trouble>) -> Outlook {
    if let Some(trip) = &standing.trip {
        return Outlook { state: State::Tripped, ..waits(trip.why.clone()) };
    }
    let held = standing
        .hold
        .as_ref()
        .map(|hold| format!("its guard holds it until the flag is edited or reset: {}", hold.why));
    waits(
        held.or(trouble.map(|trouble| trouble.words))
            .unwrap_or_else(|| "it has no rollout: its share is what is written".into()),
    )
}
