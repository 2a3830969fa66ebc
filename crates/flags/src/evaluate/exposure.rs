//! Which flags and experiments a request exposes its visitor to.

use std::sync::Arc;

use crate::{BucketBy, Decision, Decisions, Flag, FlagId, MetFlags};

impl Decisions {
    /// The flags a request exposes its visitor to, with their decisions: those drawn, now or earlier, that it shows.
    /// Flags drawn anew for each request are left out: nobody sees one of their variants twice.
    pub fn exposed(
        &self,
        method: &str,
        path: &str,
        is_page: bool,
    ) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        let met = self.snapshot().met(method, path, is_page);
        self.countable().filter(move |(id, ..)| met.contains(*id))
    }

    /// Whether this request exposes its visitor to an experiment, held out or not. It says the same for both, so that they can be
    /// compared. `met` are the flags that the request meets, `named` those that the app says were seen, wherever that was.
    #[must_use]
    pub fn exposes_experiment(&self, met: &MetFlags, named: &[FlagId]) -> bool {
        met.iter().chain(named.iter().copied()).any(|id| self.of(id).is_in_experiment())
    }

    /// Whether a visitor can be exposed to a flag at all, now: it was drawn, for something that lasts.
    #[must_use]
    pub fn is_countable(&self, id: FlagId) -> bool {
        let lasts = |flag: &Arc<Flag>| flag.bucket_by != BucketBy::Request;
        self.of(id).is_counted() && self.snapshot().flag(id).is_some_and(lasts)
    }

    /// The flags a visitor can be exposed to at all, now: those drawn, for something that lasts.
    pub fn countable(&self) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        self.iter().filter(|(id, ..)| self.is_countable(*id))
    }
}
