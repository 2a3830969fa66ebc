//! The ledger of a workspace, opened for one question or one change.

use flagstaff_flags::{RecordedFacts, Standing};
use flagstaff_ledger::{FactStore, Ledger};

use super::locations::Workspace;
use crate::Error;

impl Workspace {
    /// Opens the ledger, asks, and closes it. All that is asked is answered from one moment, whatever is written meanwhile.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Ledger) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.change(async |ledger| {
            ledger.hold().await?;
            question(ledger).await
        })
        .await
    }

    /// Opens the ledger, does something with it, and closes it.
    pub(crate) async fn change<T>(
        &self,
        change: impl AsyncFnOnce(&mut Ledger) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let location = self.ledger()?.ok_or(Error::NoLedger)?;
        let mut ledger = Ledger::open(location).await?;
        let answer = change(&mut ledger).await;
        ledger.close().await;
        answer
    }

    /// Steps of rollouts, trips of guards and switches, as the ledger has them; nothing where no program has run with it yet.
    ///
    /// # Errors
    /// When the settings of the ledger are wrong, or it gives no answer.
    pub async fn recorded_facts(&self) -> Result<RecordedFacts, Error> {
        let Some(location) = self.ledger_that_is_there()? else {
            return Ok(RecordedFacts::default());
        };
        let mut fact_store = FactStore::open_to_read(location).await?;
        let mut facts = RecordedFacts::default();
        for (flag, _) in fact_store.newest().await? {
            let standing = Standing::of(&fact_store.facts(&flag, 1).await?);
            standing.into_iter().for_each(|standing| facts.add(&flag, &standing));
        }
        fact_store.close().await;
        Ok(facts)
    }
}
