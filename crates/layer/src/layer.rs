//! The layer.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use flagstaff_flags::Reader;
use flagstaff_tag::{Plan, Tagger};
use tower::Layer;

use crate::FlagService;
use crate::record::Recording;

/// Wraps services into [`FlagService`]s that share one reader and one tagger.
#[derive(Clone)]
pub struct FlagLayer(Arc<Shared>);

/// What all services of one layer share.
pub(crate) struct Shared {
    reader: Reader,
    tagger: Arc<Tagger>,
    plan: ArcSwap<Plan>,
    recording: Option<Recording>,
}

impl FlagLayer {
    /// A layer that decides with whatever snapshot the reader has when a request comes.
    #[must_use]
    pub fn new(reader: Reader, tagger: Arc<Tagger>) -> Self {
        let plan = ArcSwap::from_pointee(tagger.plan(reader.load()));
        Self(Arc::new(Shared { reader, tagger, plan, recording: None }))
    }

    /// This layer, telling a ledger what happens: who met which variant, what they did, how it was answered. It never waits for
    /// the ledger, and what must not count (bots, prefetches, who has not consented) is not told.
    #[cfg(feature = "ledger")]
    #[must_use]
    pub fn recording(self, recorder: flagstaff_ledger::Recorder) -> Self {
        let Shared { reader, tagger, plan, .. } = &*self.0;
        Self(Arc::new(Shared {
            reader: reader.clone(),
            tagger: Arc::clone(tagger),
            plan: ArcSwap::new(plan.load_full()),
            recording: Some(Recording::new(recorder)),
        }))
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
    pub(crate) fn recording(&self) -> Option<&Recording> {
        self.recording.as_ref()
    }

    pub(crate) fn tagger(&self) -> &Tagger {
        &self.tagger
    }

    /// The plan of the snapshot that holds now. The first request after a change makes it; should two do so at once, both plans
    /// are right and one is kept.
    pub(crate) fn plan(&self) -> Arc<Plan> {
        let snapshot = self.reader.load();
        let plan = self.plan.load();
        if Arc::ptr_eq(plan.snapshot(), &snapshot) {
            return Arc::clone(&plan);
        }
        let plan = Arc::new(self.tagger.plan(snapshot));
        self.plan.store(Arc::clone(&plan));
        plan
    }
}
