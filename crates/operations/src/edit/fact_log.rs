//! The facts of one flag, to read them and to add to them.

use std::time::Duration;

use flagstaff_flags::{Definition, Fact, FactKind, Name, Standing};
use flagstaff_ledger::FactStore;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::Error;
use crate::workspace::Workspace;

/// How long a ledger may take for one answer: somebody is waiting to switch something off.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often another one may be first with a number.
const TRIES: usize = 5;

/// The facts of one flag, the ledger being open.
pub(crate) struct FactLog {
    fact_store: FactStore,
    flag: Name,
    /// Where the ledger is.
    pub(super) location: String,
}

impl FactLog {
    /// Opens the ledger; none where nothing is kept, or no program has run with it yet.
    pub(crate) async fn open(workspace: &Workspace, flag: &str) -> Result<Option<Self>, Error> {
        let (Some(location), Ok(flag)) = (workspace.ledger_that_is_there()?, Name::new(flag)) else {
            return Ok(None);
        };
        let opened = timeout(ANSWER_TIMEOUT, FactStore::open(location)).await;
        let fact_store = opened.map_err(|_| Error::LedgerSilent(location.to_string()))??;
        Ok(Some(Self { fact_store, flag, location: location.to_string() }))
    }

    /// Goes on with the facts of another flag.
    pub(crate) fn turn_to(&mut self, flag: &Name) {
        self.flag = flag.clone();
    }

    /// Where the flag stands; none where nothing is known of it.
    pub(crate) async fn standing(&mut self) -> Option<Standing> {
        let facts = timeout(ANSWER_TIMEOUT, self.fact_store.facts(&self.flag, 1)).await;
        Standing::of(&facts.ok()?.ok()?)
    }

    /// Adds a fact.
    ///
    /// # Errors
    /// [`Error::NotRecorded`] with the reason.
    pub(crate) async fn add(
        &mut self,
        kind: FactKind,
        definition: Option<Definition>,
        by: &str,
        why: &str,
    ) -> Result<(), Error> {
        let refuse = |why: String| Err(Error::NotRecorded(why));
        for _ in 0..TRIES {
            let Some(standing) = self.standing().await else {
                return refuse(format!("the ledger {} does not know the flag or does not answer", self.location));
            };
            let fact = Fact {
                flag: self.flag.clone(),
                number: standing.number + 1,
                at: Timestamp::now().max(standing.since),
                definition: definition.unwrap_or(standing.definition),
                kind,
                step: if kind == FactKind::Changed { 0 } else { standing.step },
                by: by.into(),
                why: why.into(),
                evidence: None,
            };
            match timeout(ANSWER_TIMEOUT, self.fact_store.add(&[fact])).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return refuse(format!("the ledger {} refused it: {error}", self.location)),
                Err(_) => return refuse(format!("the ledger {} does not answer", self.location)),
            }
        }
        refuse(format!("other programs write to the ledger {} all the time; try again", self.location))
    }
}
