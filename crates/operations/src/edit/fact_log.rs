//! The facts of one flag, to read them and to add to them.

use std::time::Duration;

use flagstaff_flags::{Definition, ExperimentId, Fact, FactKind, Flag, Name, Standing};
use flagstaff_ledger::FactStore;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::Error;
use crate::workspace::Workspace;

/// How long a ledger may take for one answer: somebody is waiting to switch something off.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How often another one may be first with a number.
const TRIES: usize = 5;

/// The facts of one flag, in a ledger that is open, or one that gives no answer.
pub(crate) struct FactLog {
    /// Or why it gives none.
    fact_store: Result<FactStore, String>,
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
        Ok(Some(Self { fact_store: Ok(fact_store), flag, location: location.to_string() }))
    }

    /// Facts that cannot be had, and why; none where the flag has no valid name.
    pub(crate) fn silent(workspace: &Workspace, flag: &str, why: &Error) -> Option<Self> {
        let location = workspace.ledger().ok().flatten().map(ToString::to_string).unwrap_or_default();
        Some(Self { fact_store: Err(why.to_string()), flag: Name::new(flag).ok()?, location })
    }

    /// Whether it cannot be told what happened to the flag.
    pub(crate) const fn is_silent(&self) -> bool {
        self.fact_store.is_err()
    }

    /// What an edit of a flag that a rollout or a guard may have moved undoes, where that cannot be told.
    pub(crate) fn unknown(&self, (before, after): (&Flag, &Flag)) -> Option<String> {
        let may_have_moved = before.definition != after.definition && (before.needs_facts() || after.needs_facts());
        let why = self.fact_store.as_ref().err().filter(|_| may_have_moved)?;
        Some(format!("it is not known whether a rollback by its guard or a step of its rollout is undone: {why}"))
    }

    /// Goes on with the facts of another flag.
    pub(crate) fn turn_to(&mut self, flag: &Name) {
        self.flag = flag.clone();
    }

    /// Where the flag stands; none where nothing is known of it. Without an answer the ledger is silent from then on.
    pub(crate) async fn standing(&mut self) -> Option<Standing> {
        let fact_store = self.fact_store.as_mut().ok()?;
        match timeout(ANSWER_TIMEOUT, fact_store.facts(&self.flag, 1)).await {
            Ok(Ok(facts)) => return Standing::of(&facts),
            Ok(Err(error)) => self.fact_store = Err(error.to_string()),
            Err(_) => self.fact_store = Err(Error::LedgerSilent(self.location.clone()).to_string()),
        }
        None
    }

    /// Whether anything was recorded of an experiment; not where that cannot be told.
    pub(super) async fn has_experiment(&mut self, experiment: ExperimentId) -> bool {
        let Ok(fact_store) = &mut self.fact_store else { return false };
        matches!(timeout(ANSWER_TIMEOUT, fact_store.has_experiment(experiment)).await, Ok(Ok(true)))
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
            let standing = self.standing().await;
            let fact_store = match (&mut self.fact_store, &standing) {
                (Err(why), _) => return refuse(why.clone()),
                (Ok(_), None) => return refuse(format!("the ledger {} does not know the flag", self.location)),
                (Ok(open), Some(_)) => open,
            };
            let Some(standing) = standing else { continue };
            // the store's clock, which all share: holds are measured from the time of a fact
            let now = timeout(ANSWER_TIMEOUT, fact_store.now()).await;
            let now = now.ok().and_then(Result::ok).unwrap_or_else(Timestamp::now);
            let fact = Fact {
                flag: self.flag.clone(),
                number: standing.number + 1,
                at: now.max(standing.since),
                definition: definition.unwrap_or(standing.definition),
                kind,
                step: if kind == FactKind::Changed { 0 } else { standing.step },
                by: by.into(),
                why: why.into(),
                evidence: None,
            };
            match timeout(ANSWER_TIMEOUT, fact_store.add(&[fact])).await {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return refuse(format!("the ledger {} refused it: {error}", self.location)),
                Err(_) => return refuse(format!("the ledger {} does not answer", self.location)),
            }
        }
        refuse(format!("other programs write to the ledger {} all the time; try again", self.location))
    }
}
