//! Which signs are followed, and how far they were read.

use std::collections::HashMap;
use std::time::Duration;

use flagstaff_flags::Name;
use flagstaff_ledger::{Error, FactStore, FlagEpoch};
use tokio::time::Instant;

use crate::messages::LedgerEvent;

/// How often signs are looked for that programs of an earlier version wrote.
const NUMBER_EVERY: Duration = Duration::from_secs(5);

/// The signs that are followed.
#[derive(Debug, Default)]
pub(super) struct Followed {
    flags: HashMap<Name, Reading>,
    numbered: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    epoch: u64,
    /// The number up to which they were read.
    read: u64,
}

impl Followed {
    /// Follows the signs of a flag and an epoch, from the first on.
    pub(super) fn follow(&mut self, (flag, epoch): FlagEpoch) {
        self.flags.insert(flag, Reading { epoch, read: 0 });
        self.numbered = None;
    }

    fn epochs(&self) -> Vec<FlagEpoch> {
        self.flags.iter().map(|(flag, reading)| (flag.clone(), reading.epoch)).collect()
    }

    /// Numbers what programs of an earlier version wrote, now and then.
    pub(super) async fn number(&mut self, fact_store: &mut FactStore) -> Result<(), Error> {
        if self.numbered.is_none_or(|at| at.elapsed() >= NUMBER_EVERY) {
            fact_store.number_signs(&self.epochs()).await?;
            self.numbered = Some(Instant::now());
        }
        Ok(())
    }

    /// Flags with signs that were not read yet, and the newest number of each. Where a ledger has fewer than were read, it is another one,
    /// and is read from its beginning.
    pub(super) async fn news(&mut self, fact_store: &mut FactStore) -> Result<Vec<(FlagEpoch, u64)>, Error> {
        if self.flags.is_empty() {
            return Ok(Vec::new());
        }
        let newest = fact_store.newest_signs(&self.epochs()).await?;
        for (flag, reading) in &mut self.flags {
            let there = newest.get(&(flag.clone(), reading.epoch)).copied().unwrap_or_default();
            if there < reading.read {
                reading.read = 0;
            }
        }
        let is_new = |(of, there): &(FlagEpoch, u64)| self.flags.get(&of.0).is_some_and(|one| *there > one.read);
        Ok(newest.into_iter().filter(is_new).collect())
    }

    /// The next signs of a flag, whose newest number is known; none where all were read.
    pub(super) async fn next(
        &mut self,
        fact_store: &mut FactStore,
        (of, newest): &(FlagEpoch, u64),
    ) -> Result<Option<LedgerEvent>, Error> {
        let Some(reading) = self.flags.get_mut(&of.0).filter(|reading| reading.read < *newest) else {
            return Ok(None);
        };
        let after = reading.read;
        let mut next = fact_store.signs_after(of, after).await?;
        if !next.has_more {
            next.up_to = next.up_to.max(*newest);
        }
        reading.read = next.up_to;
        Ok(Some(LedgerEvent::Signs { of: of.clone(), after, next }))
    }
}
