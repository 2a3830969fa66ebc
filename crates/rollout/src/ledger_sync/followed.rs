//! Which signs are followed, and how far they were read.

use std::collections::HashMap;
use std::time::Duration;

use flagstaff_flags::Name;
use flagstaff_ledger::{Error, FactStore, FlagEpoch, NumberedSigns};
use tokio::time::Instant;

use crate::messages::LedgerEvent;

/// How often signs are looked for that programs of an earlier version wrote.
const NUMBER_EVERY: Duration = Duration::from_secs(5);

/// Flags whose signs are read at once.
const FLAGS_AT_ONCE: usize = 200;

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

    /// The newest number of each flag that has signs. Where a ledger has fewer than were read, it is another one, and is read from its
    /// beginning.
    pub(super) async fn newest(&mut self, fact_store: &mut FactStore) -> Result<HashMap<FlagEpoch, u64>, Error> {
        if self.flags.is_empty() {
            return Ok(HashMap::new());
        }
        let newest = fact_store.newest_signs(&self.epochs()).await?;
        for (flag, reading) in &mut self.flags {
            let there = newest.get(&(flag.clone(), reading.epoch)).copied().unwrap_or_default();
            if there < reading.read {
                reading.read = 0;
            }
        }
        Ok(newest)
    }

    /// The next signs of some flags, of which these numbers are the newest; nothing when all were read.
    pub(super) async fn next(
        &mut self,
        fact_store: &mut FactStore,
        newest: &HashMap<FlagEpoch, u64>,
    ) -> Result<Vec<LedgerEvent>, Error> {
        let mut asked = self.behind(newest);
        asked.truncate(FLAGS_AT_ONCE);
        let mut read: HashMap<_, _> = fact_store.signs_after(&asked).await?.into_iter().collect();
        let has_more = read.values().any(|next| next.has_more);
        let mut events = Vec::new();
        for (of, after) in asked {
            // when there is more, those that are missing may come yet
            let next = read.remove(&of).or_else(|| (!has_more).then(NumberedSigns::default));
            let Some((mut next, reading)) = next.zip(self.flags.get_mut(&of.0)) else { continue };
            if !next.has_more {
                next.up_to = next.up_to.max(newest.get(&of).copied().unwrap_or_default());
            }
            reading.read = next.up_to;
            events.push(LedgerEvent::Signs { of, after, next });
        }
        Ok(events)
    }

    /// Flags of which not all was read, and up to where it was.
    fn behind(&self, newest: &HashMap<FlagEpoch, u64>) -> Vec<(FlagEpoch, u64)> {
        let all = self.flags.iter().map(|(flag, reading)| ((flag.clone(), reading.epoch), reading.read));
        all.filter(|(of, read)| newest.get(of).is_some_and(|newest| newest > read)).collect()
    }
}
