//! The facts of one flag, to read them and to add to them.

use std::time::Duration;

use anyhow::Context;
use flagstaff_flags::{Definition, Fact, FactKind, Name, Standing};
use flagstaff_ledger::Register;
use jiff::Timestamp;
use tokio::runtime::Runtime;

use crate::settings::{Settings, checked};

/// How long a ledger may take for one answer: somebody is waiting to switch something off.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often another one may be first with a number.
const TRIES: usize = 5;

pub(super) struct Record {
    runtime: Runtime,
    register: Register,
    flag: Name,
    pub(super) place: String,
}

impl Record {
    /// Opens the ledger that the settings name; none where nothing is kept, or no program has run with it yet.
    pub(super) fn open(settings: &Settings, flag: &str) -> anyhow::Result<Option<Self>> {
        let ledger = checked::ledger(&settings.typed).map_err(|problems| settings.report(problems))?;
        let place = ledger.map(|ledger| ledger.place);
        let Some(place) = place.filter(|place| place.path().is_none_or(std::path::Path::exists)) else {
            return Ok(None);
        };
        let Ok(flag) = Name::new(flag) else {
            return Ok(None);
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let opened = runtime.block_on(async { tokio::time::timeout(PATIENCE, Register::open(&place)).await });
        let register = opened.with_context(|| format!("{place} does not answer"))??;
        Ok(Some(Self { runtime, register, flag, place: place.to_string() }))
    }

    /// Where the flag stands; none where nothing is known of it.
    pub(super) fn standing(&mut self) -> Option<Standing> {
        let Self { runtime, register, flag, .. } = self;
        let facts = runtime.block_on(async { tokio::time::timeout(PATIENCE, register.facts(flag, 1)).await });
        Standing::of(&facts.ok()?.ok()?)
    }

    /// Adds a fact.
    ///
    /// # Errors
    /// With why it is not written down, in words.
    pub(super) fn add(
        &mut self,
        kind: FactKind,
        definition: Option<Definition>,
        by: &str,
        why: &str,
    ) -> Result<(), String> {
        for _ in 0..TRIES {
            let Some(standing) = self.standing() else {
                return Err(format!("the ledger {} does not know the flag or does not answer", self.place));
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
            let facts = [fact];
            let Self { runtime, register, .. } = self;
            let added = runtime.block_on(async { tokio::time::timeout(PATIENCE, register.add(&facts)).await });
            match added {
                Ok(Ok(true)) => return Ok(()),
                Ok(Ok(false)) => {}
                Ok(Err(error)) => return Err(format!("the ledger {} did not take it: {error}", self.place)),
                Err(_) => return Err(format!("the ledger {} does not answer", self.place)),
            }
        }
        Err(format!("the ledger {} takes facts of others all the time; try again", self.place))
    }
}
