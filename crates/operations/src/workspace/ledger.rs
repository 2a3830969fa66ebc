//! The ledger of a workspace, opened for one question or one change.

use flagstaff_flags::{RecordedFacts, Standing};
use flagstaff_ledger::{FactStore, Ledger, Location};

use super::locations::Workspace;
use crate::Error;

impl Workspace {
    /// Opens the ledger or its replica, asks, and closes it. All that is asked is answered from one moment, whatever is written meanwhile.
    pub(crate) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut Ledger) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let location = self.ledger()?.ok_or(Error::NoLedger)?;
        held(self.open_to_read(location, Ledger::open).await?, question).await
    }

    /// The same of the ledger itself, for what an edit rests on.
    pub(crate) async fn ask_now<T>(
        &self,
        question: impl AsyncFnOnce(&mut Ledger) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let location = self.ledger()?.ok_or(Error::NoLedger)?;
        held(Ledger::open(location).await?, question).await
    }

    /// Opens the replica of a ledger, where there is one that answers, or else the ledger.
    pub(crate) async fn open_to_read<S>(
        &self,
        location: &Location,
        open: impl AsyncFn(&Location) -> Result<S, flagstaff_ledger::Error>,
    ) -> Result<S, Error> {
        if let Some(replica) = &self.replica
            && replica.is_there().await
        {
            match open(replica.location()).await {
                Ok(opened) => return Ok(opened),
                Err(error) => replica.is_away(&error),
            }
        }
        Ok(open(location).await?)
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
            if let Some(standing) = standing {
                facts.add(&flag, &standing);
                facts.add_earlier(&flag, &standing);
            }
        }
        fact_store.close().await;
        Ok(facts)
    }
}

/// Asks an open ledger at one moment, and closes it.
async fn held<T>(
    mut ledger: Ledger,
    question: impl AsyncFnOnce(&mut Ledger) -> Result<T, Error>,
) -> Result<T, Error> {
    let answer = async {
        ledger.hold().await?;
        question(&mut ledger).await
    }
    .await;
    ledger.close().await;
    answer
}
