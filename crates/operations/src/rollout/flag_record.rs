//! A flag as its file says, with what the ledger holds of it.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Fact, Flag, FlagId, Snapshot, Standing, VariantId};
use flagstaff_ledger::{FactStore, FirstSign, Location};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::Error;
use crate::workspace::{Workspace, find};

/// A running program records what a flag is within about a second of its start or of an edit.
const RECORDED_WITHIN: Duration = Duration::from_secs(3);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A flag and its facts, the ledger being open.
pub(super) struct FlagRecord {
    snapshot: Arc<Snapshot>,
    id: FlagId,
    pub(super) flag: Arc<Flag>,
    location: Location,
    /// None where nothing was ever recorded.
    fact_store: Option<FactStore>,
    pub(super) history: Vec<Fact>,
}

impl FlagRecord {
    /// Opens the ledger and reads the facts of a flag; to write to it only where that is said. Only looking begins no ledger.
    pub(super) async fn open(
        workspace: &Workspace,
        snapshot: &Arc<Snapshot>,
        name: &str,
        to_write: bool,
    ) -> Result<Self, Error> {
        let (id, flag) = find(snapshot, name)?;
        let (snapshot, flag) = (Arc::clone(snapshot), Arc::clone(flag));
        let location = workspace.ledger()?.ok_or(Error::NoLedger)?.clone();
        let fact_store = match (workspace.ledger_that_is_there()?, to_write) {
            (None, _) => None,
            (Some(location), true) => Some(FactStore::open(location).await?),
            (Some(location), false) => Some(FactStore::open_to_read(location).await?),
        };
        let mut record = Self { snapshot, id, flag, location, fact_store, history: Vec::new() };
        record.read_history().await?;
        Ok(record)
    }

    async fn read_history(&mut self) -> Result<(), Error> {
        if let Some(fact_store) = &mut self.fact_store {
            self.history = fact_store.facts(&self.flag.name, 1).await?;
        }
        Ok(())
    }

    /// Waits a moment for a running program to record the flag as it is in the file: a command may follow an edit at once.
    pub(super) async fn wait_for_standing(&mut self) -> Result<(), Error> {
        let until = Instant::now() + RECORDED_WITHIN;
        while self.fact_store.is_some() && self.standing().is_err() && Instant::now() < until {
            sleep(LOOK_EVERY).await;
            self.read_history().await?;
        }
        Ok(())
    }

    pub(super) async fn close(self) {
        if let Some(fact_store) = self.fact_store {
            fact_store.close().await;
        }
    }

    /// Where the flag stands as it is in the file; or why that is not known.
    pub(super) fn standing(&self) -> Result<Standing, String> {
        let standing = Standing::of(&self.history).filter(|standing| standing.is_about(&self.flag));
        standing.ok_or_else(|| match &self.fact_store {
            Some(_) if self.earlier().is_some() => {
                "this file has the flag as it was earlier, and a later state of it is on record; `reset` begins with this file".into()
            }
            Some(_) => "no running program has read the flag as it is in the file yet".into(),
            None => format!("there is no ledger at {} yet: no program has run with it", self.location),
        })
    }

    /// Where a flag stands that the file has as it was earlier. Nobody but a person can say that this one holds again: a `reset` of it does.
    pub(super) fn earlier(&self) -> Option<Standing> {
        let standing = Standing::of(&self.history).filter(|standing| standing.has_had(&self.flag))?;
        Some(Standing { definition: self.flag.definition, ..standing })
    }

    /// Why the flag is off for everyone, where a person, a pin or its file says so.
    pub(super) fn why_off(&self) -> Option<String> {
        if let Some(pin) = self.flag.pin.as_ref().filter(|pin| pin.variant == VariantId::OFF) {
            return Some(format!("the flag is off: pinned here by {}", pin.variable));
        }
        if let Some(off) = Standing::of(&self.history).and_then(|standing| standing.switched_off) {
            return Some(format!("the flag is off: switched off by {} at {:.0}", off.by, off.at));
        }
        (!self.flag.enabled).then(|| "the flag is off: its file says enabled = false".into())
    }

    /// The time of the ledger, by which holds are measured.
    pub(super) async fn now(&mut self) -> Result<Timestamp, Error> {
        match &mut self.fact_store {
            Some(fact_store) => Ok(fact_store.now().await?),
            None => Ok(Timestamp::now()),
        }
    }

    /// Adds a fact. Returns false when another fact was first.
    pub(super) async fn add(&mut self, fact: Fact) -> Result<bool, Error> {
        let Some(fact_store) = &mut self.fact_store else {
            return Ok(false);
        };
        let was_first = fact_store.add(&[fact]).await?;
        self.read_history().await?;
        Ok(was_first)
    }

    /// What the guard saw first of each visitor since the flag began.
    pub(super) async fn signs(&mut self, standing: &Standing) -> Result<Vec<FirstSign>, Error> {
        match &mut self.fact_store {
            Some(fact_store) => Ok(fact_store.signs(&self.flag.name, standing.epoch).await?),
            None => Ok(Vec::new()),
        }
    }

    /// Visitors by arm since a step began, and those of the treatment who came at this step; none without a rollout.
    pub(super) async fn arrivals(&mut self, standing: &Standing) -> Result<Option<(Vec<u64>, u64)>, Error> {
        let (Some(fact_store), Some(rollout)) = (&mut self.fact_store, &self.flag.rollout) else {
            return Ok(None);
        };
        let since = rollout.begins(standing.since);
        let arms = self.flag.arms_at(standing.step);
        let arrivals = fact_store.arrivals(self.snapshot.experiment_id(self.id), since, &arms).await?;
        let treatment = fact_store.came(&self.flag.name, standing.epoch, standing.step).await?;
        Ok(Some((arrivals, treatment)))
    }
}
