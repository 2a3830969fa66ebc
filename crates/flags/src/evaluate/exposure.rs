//! Which flags and experiments a request exposes its visitor to.

use std::sync::Arc;

use crate::{BucketBy, Decision, Decisions, Flag, FlagId};

impl Decisions {
    /// The flags a request exposes its visitor to, with their decisions: those drawn, now or earlier, that are met on it.
    /// Flags drawn anew for each request are left out: nobody meets one of their variants twice.
    pub fn met<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        is_page: bool,
    ) -> impl Iterator<Item = (FlagId, &'a Arc<Flag>, Decision)> {
        let met = move |flag: &Flag| flag.is_met_on(method, path, is_page);
        self.countable().filter(move |(_, flag, _)| met(flag))
    }

    /// Whether a visitor meets an experiment on this request, held out or not. It says the same for both, so that they can be
    /// compared. `named` are flags that the app says were met, wherever that was.
    #[must_use]
    pub fn meets_experiment(&self, method: &str, path: &str, is_page: bool, named: &[FlagId]) -> bool {
        let met = |id: &FlagId, flag: &Flag| named.contains(id) || flag.is_met_on(method, path, is_page);
        self.iter().any(|(id, flag, decision)| decision.is_in_experiment() && met(&id, flag))
    }

    /// The flags a visitor can be exposed to at all, now: those drawn, for something that lasts.
    pub fn countable(&self) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        let lasts = |flag: &Flag| flag.bucket_by != BucketBy::Request;
        self.iter().filter(move |(_, flag, decision)| decision.is_counted() && lasts(flag))
    }
}
