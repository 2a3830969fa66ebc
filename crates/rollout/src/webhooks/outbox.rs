//! What a hook is still to be told of: in a ledger, or in memory where there is none.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::Fact;
use flagstaff_ledger::{self as ledger, Location};
use jiff::Timestamp;
use tokio::runtime::Runtime;

use super::memory_outbox::MemoryOutbox;

/// A claim that is not renewed ends after this: well above the longest a delivery takes.
const CLAIM_LASTS: Duration = Duration::from_secs(30);

/// What a hook is still to be told of.
#[derive(Debug)]
pub(super) enum Outbox {
    Ledger(Box<LedgerOutbox>),
    InMemory(Arc<MemoryOutbox>),
}

/// In a ledger, which is opened when it is first asked and again after an error.
#[derive(Debug)]
pub(super) struct LedgerOutbox {
    runtime: Runtime,
    place: Location,
    hook: String,
    /// When it answered last, and before the first answer, when this began.
    answered: Timestamp,
    holder: String,
    open: Option<ledger::Outbox>,
}

/// A fact that is to be told now.
#[derive(Debug)]
pub(super) enum Delivery {
    Ledger(ledger::Delivery),
    InMemory(Fact, u32),
}

impl Delivery {
    pub(super) fn fact(&self) -> Option<&Fact> {
        match self {
            Self::Ledger(delivery) => delivery.fact(),
            Self::InMemory(fact, _) => Some(fact),
        }
    }

    /// How long ago the fact happened: by the ledger's time, which the clock of this machine need not have.
    pub(super) fn age(&self) -> Duration {
        match self {
            Self::Ledger(delivery) => delivery.age(),
            Self::InMemory(fact, _) => Timestamp::now().duration_since(fact.at).try_into().unwrap_or_default(),
        }
    }

    pub(super) fn tries(&self) -> u32 {
        match self {
            Self::Ledger(delivery) => delivery.tries(),
            Self::InMemory(_, tries) => *tries,
        }
    }
}

impl Outbox {
    /// In a ledger.
    ///
    /// # Errors
    /// When the system does not give what waiting for it takes, or no random number.
    pub(super) fn ledger(place: Location, hook: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (hook, holder, answered) = (hook.into(), ledger::Outbox::holder()?, Timestamp::now());
        Ok(Self::Ledger(Box::new(LedgerOutbox { runtime, place, hook, answered, holder, open: None })))
    }

    /// Whether there is something to tell now.
    pub(super) fn is_due(&mut self) -> Result<bool, ledger::Error> {
        match self {
            Self::Ledger(kept) => kept.ask(async |outbox| outbox.is_due().await),
            Self::InMemory(memory) => Ok(memory.next(Instant::now()).is_some()),
        }
    }

    /// The next fact to tell; nothing when there is none, or another program tells it.
    pub(super) fn next(&mut self) -> Result<Option<Delivery>, ledger::Error> {
        match self {
            Self::Ledger(kept) => kept.ask(async |outbox| outbox.next().await).map(|one| one.map(Delivery::Ledger)),
            Self::InMemory(memory) => {
                Ok(memory.next(Instant::now()).map(|(fact, tries)| Delivery::InMemory(fact, tries)))
            }
        }
    }

    /// It was told, or never will be.
    pub(super) fn done(&mut self, delivery: &Delivery) -> Result<(), ledger::Error> {
        match (self, delivery) {
            (Self::Ledger(kept), Delivery::Ledger(delivery)) => kept.ask(async |outbox| outbox.done(delivery).await),
            (Self::InMemory(memory), Delivery::InMemory(fact, _)) => {
                memory.done(fact);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// It is to be told again after a wait; with `quiet`, nothing else is told until then.
    pub(super) fn again(&mut self, delivery: &Delivery, wait: Duration, quiet: bool) -> Result<(), ledger::Error> {
        match (self, delivery) {
            (Self::Ledger(kept), Delivery::Ledger(delivery)) => {
                kept.ask(async |outbox| outbox.again(delivery, wait, quiet).await)
            }
            (Self::InMemory(memory), Delivery::InMemory(fact, _)) => {
                memory.again(fact, Instant::now(), wait, quiet);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Lets another program tell.
    pub(super) fn release(&mut self) -> Result<(), ledger::Error> {
        match self {
            Self::Ledger(kept) => kept.ask(async |outbox| outbox.release().await),
            Self::InMemory(_) => Ok(()),
        }
    }
}

impl LedgerOutbox {
    /// Asks the ledger. After an error it is opened anew.
    fn ask<T>(
        &mut self,
        question: impl AsyncFnOnce(&mut ledger::Outbox) -> Result<T, ledger::Error>,
    ) -> Result<T, ledger::Error> {
        let Self { runtime, place, hook, answered, holder, open } = self;
        let now = Timestamp::now();
        runtime.block_on(async {
            if let Some(gone) = open.take_if(|outbox| outbox.is_gone()) {
                gone.close().await;
            }
            let outbox = match open {
                Some(outbox) => outbox,
                // a ledger that took the place of another has told what happened before that one was gone
                None => open.insert(ledger::Outbox::open(place, hook, *answered, holder, CLAIM_LASTS).await?),
            };
            let answer = question(outbox).await;
            if answer.is_ok() {
                *answered = now;
            } else if let Some(outbox) = open.take() {
                outbox.close().await;
            }
            answer
        })
    }
}
