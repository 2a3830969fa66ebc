//! The layer.

use std::fmt;
use std::sync::Arc;

use flagstaff_flags::{Reader, Snapshot};
use flagstaff_tag::{CompiledSnapshot, PerSnapshot, Tagger};
use tower::Layer;

use crate::observe::confirmations::Confirmations;
#[cfg(feature = "ledger")]
use crate::observe::ledger_observer::LedgerObserver;
use crate::observe::observers::Observers;
use crate::{Answers, FlagService, Observe, Traffic};

/// Wraps services into [`FlagService`]s that share one reader and one tagger.
#[derive(Clone)]
pub struct FlagLayer(Arc<Shared>);

/// What all services of one layer share.
#[derive(Clone)]
pub(crate) struct Shared {
    reader: Reader,
    tagger: Arc<Tagger>,
    compiled: Arc<PerSnapshot<CompiledSnapshot>>,
    observers: Observers,
    confirmations: Arc<Confirmations>,
}

impl FlagLayer {
    /// A layer that decides with the snapshot that the reader has when a request comes.
    #[must_use]
    pub fn new(reader: Reader, tagger: Arc<Tagger>) -> Self {
        let (compiled, confirmations) = <(Arc<_>, Arc<_>)>::default();
        Self::of(Shared { reader, tagger, compiled, observers: Observers::default(), confirmations })
    }

    /// A layer for which each snapshot is compiled before it is in force.
    fn of(shared: Shared) -> Self {
        let shared = Arc::new(shared);
        shared.compiled();
        let layer = Arc::downgrade(&shared);
        shared.reader.before_change(move |snapshot| {
            if let Some(shared) = layer.upgrade() {
                shared.compiled.prepare(snapshot, || shared.compile(snapshot));
            }
        });
        Self(shared)
    }

    /// This layer, telling a ledger what happens: who saw which variant, what they did, how they were answered. It never waits for
    /// the ledger, and what must not count (bots, prefetches, visitors without consent) is not told.
    #[cfg(feature = "ledger")]
    #[must_use]
    pub fn recording(self, recorder: flagstaff_ledger::Recorder) -> Self {
        recorder.follow(&self.0.reader.load());
        let following = recorder.clone();
        self.0.reader.before_change(move |snapshot| following.follow(snapshot));
        self.observed(|observers| observers.ledger = Some(Arc::new(LedgerObserver::new(recorder))))
    }

    /// This layer, counting answers by flag and variant.
    #[must_use]
    pub fn measuring(self, answers: Answers) -> Self {
        self.observed(|observers| observers.metrics = Some(Arc::new(answers)))
    }

    /// This layer, telling an observer of requests, their answers and goals, after metrics and the ledger: such as the guards of flags.
    #[must_use]
    pub fn watched_by(self, observer: Arc<dyn Observe>) -> Self {
        self.observed(|observers| observers.guards = Some(observer))
    }

    /// This layer, letting people see its traffic: what was asked for, by whom lately, and what is decided right now.
    #[must_use]
    pub fn followed_by(self, traffic: Traffic) -> Self {
        self.observed(|observers| observers.traffic = Some(Arc::new(traffic)))
    }

    fn observed(self, change: impl FnOnce(&mut Observers)) -> Self {
        let mut shared = (*self.0).clone();
        change(&mut shared.observers);
        shared.compiled = Arc::default();
        Self::of(shared)
    }
}

impl<S> Layer<S> for FlagLayer {
    type Service = FlagService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FlagService::new(inner, Arc::clone(&self.0))
    }
}

impl fmt::Debug for FlagLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagLayer").finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) const fn observers(&self) -> &Observers {
        &self.observers
    }

    pub(crate) fn confirmations(&self) -> &Confirmations {
        &self.confirmations
    }

    pub(crate) fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    /// The snapshot that is in force now, compiled.
    pub(crate) fn compiled(&self) -> Arc<CompiledSnapshot> {
        if let Some(compiled) = self.compiled.newest().filter(|newest| self.reader.is_current(newest.snapshot())) {
            return compiled;
        }
        let snapshot = self.reader.load();
        self.compiled.get(&snapshot, |_| self.compile(&snapshot))
    }

    fn compile(&self, snapshot: &Arc<Snapshot>) -> CompiledSnapshot {
        let compiled = self.tagger.compile(Arc::clone(snapshot));
        if self.observers.keep_values() { compiled.keeping_values() } else { compiled }
    }
}
