//! The layer.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use flagstaff_flags::Reader;
use flagstaff_tag::{CompiledSnapshot, Tagger};
use tower::Layer;

use crate::observe::guard_observer::Watching;
#[cfg(feature = "ledger")]
use crate::observe::ledger_observer::Recording;
use crate::observe::observers::Hearing;
use crate::{Answers, FlagService, Outcomes};

/// Wraps services into [`FlagService`]s that share one reader and one tagger.
#[derive(Clone)]
pub struct FlagLayer(Arc<Shared>);

/// What all services of one layer share.
pub(crate) struct Shared {
    reader: Reader,
    tagger: Arc<Tagger>,
    plan: ArcSwap<CompiledSnapshot>,
    hearing: Hearing,
}

impl FlagLayer {
    /// A layer that decides with whatever snapshot the reader has when a request comes.
    #[must_use]
    pub fn new(reader: Reader, tagger: Arc<Tagger>) -> Self {
        let plan = ArcSwap::from_pointee(tagger.compile(reader.load()));
        Self(Arc::new(Shared { reader, tagger, plan, hearing: Hearing::default() }))
    }

    /// This layer, telling a ledger what happens: who met which variant, what they did, how it was answered. It never waits for
    /// the ledger, and what must not count (bots, prefetches, who has not consented) is not told.
    #[cfg(feature = "ledger")]
    #[must_use]
    pub fn recording(self, recorder: flagstaff_ledger::Recorder) -> Self {
        let hearing = Hearing { recording: Some(Recording::new(recorder)), ..self.0.hearing.clone() };
        self.heard_by(hearing)
    }

    /// This layer, counting answers by flag and variant.
    #[must_use]
    pub fn measuring(self, answers: Answers) -> Self {
        let hearing = Hearing { answers: Some(answers), ..self.0.hearing.clone() };
        self.heard_by(hearing)
    }

    /// This layer, telling how visitors of flags with a guard fare. While no flag has one this costs nothing.
    #[must_use]
    pub fn watched_by(self, outcomes: Arc<dyn Outcomes>) -> Self {
        let hearing = Hearing { watching: Some(Watching::new(outcomes)), ..self.0.hearing.clone() };
        self.heard_by(hearing)
    }

    fn heard_by(&self, hearing: Hearing) -> Self {
        let Shared { reader, tagger, plan, .. } = &*self.0;
        let (reader, tagger, plan) = (reader.clone(), Arc::clone(tagger), ArcSwap::new(plan.load_full()));
        Self(Arc::new(Shared { reader, tagger, plan, hearing }))
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
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    pub(crate) fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    /// The plan of the snapshot that holds now. The first request after a change makes it; should two do so at once, both plans
    /// are right and one is kept.
    pub(crate) fn plan(&self) -> Arc<CompiledSnapshot> {
        let snapshot = self.reader.load();
        let plan = self.plan.load();
        if Arc::ptr_eq(plan.snapshot(), &snapshot) {
            return Arc::clone(&plan);
        }
        let plan = Arc::new(self.tagger.compile(snapshot));
        self.plan.store(Arc::clone(&plan));
        plan
    }
}
