//! Which flags and experiments a request exposes its visitor to.

use std::sync::Arc;

use crate::{BucketBy, Decision, Decisions, Flag, FlagId};

impl Decisions {
    /// The flags a request exposes its visitor to, with their decisions: those drawn, now or earlier, that it shows.
    /// Flags drawn anew for each request are left out: nobody sees one of their variants twice.
    pub fn exposed<'a>(
        &'a self,
        method: &'a str,
        path: &'a str,
        is_page: bool,
    ) -> impl Iterator<Item = (FlagId, &'a Arc<Flag>, Decision)> {
        let exposes = move |flag: &Flag| flag.is_exposed_on(method, path, is_page);
        self.countable().filter(move |(_, flag, _)| exposes(flag))
    }

    /// Whether this request exposes its visitor to an experiment, held out or not. It says the same for both, so that they can be
    /// compared. `named` are flags that the app says were seen, wherever that was.
    #[must_use]
    pub fn exposes_experiment(&self, method: &str, path: &str, is_page: bool, named: &[FlagId]) -> bool {
        let exposes = |id: &FlagId, flag: &Flag| named.contains(id) || flag.is_exposed_on(method, path, is_page);
        self.iter().any(|(id, flag, decision)| decision.is_in_experiment() && exposes(&id, flag))
    }

    /// The flags a visitor can be exposed to at all, now: those drawn, for something that lasts.
    pub fn countable(&self) -> impl Iterator<Item = (FlagId, &Arc<Flag>, Decision)> {
        let lasts = |flag: &Flag| flag.bucket_by != BucketBy::Request;
        self.iter().filter(move |(_, flag, decision)| decision.is_counted() && lasts(flag))
    }
}
