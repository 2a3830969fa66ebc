//! What a request and its answer tell the ledger.
//!
//! Nothing here waits: the recorder puts events into a queue, or drops and counts them.

use std::borrow::Cow;
use std::time::Duration;

use flagstaff_flags::{BucketBy, Flag, FlagId, Goal, SlowerThan, Snapshot};
use flagstaff_ledger::Recorder;
use flagstaff_tag::{Directives, Flags};
use http::Response;
use jiff::Timestamp;

use crate::asked::{Asked, FAILED, is_endless};

/// A recorder, and what it is told when.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Recorder);

impl Recording {
    pub(crate) const fn new(recorder: Recorder) -> Self {
        Self(recorder)
    }

    /// Records whom the request exposes to what.
    pub(crate) fn asked(&self, flags: &Flags, asked: &Asked) {
        if !flags.is_new_visitor() {
            self.0.returned(flags.visitor());
        }
        for (id, ..) in asked.met(flags) {
            self.exposed(flags, id, asked.at);
        }
        self.tried(flags, asked, &[]);
    }

    /// Records a visitor who meets an experiment for the comparison of those held out with everybody else.
    fn tried(&self, flags: &Flags, asked: &Asked, named: &[FlagId]) {
        let Some(holdout) = snapshot(flags).holdout() else {
            return;
        };
        let (method, path) = (asked.method.as_str(), asked.uri.path());
        if flags.decisions().meets_experiment(method, path, asked.is_page, named) {
            self.0.met_experiment(holdout, flags.visitor(), !flags.is_new_visitor(), asked.at);
        }
    }

    fn exposed(&self, flags: &Flags, id: FlagId, at: Timestamp) {
        if let Some(unit) = flags.unit(id) {
            let decision = flags.decisions().of(id);
            let confirmed = !flags.is_new_visitor();
            self.0.exposed(snapshot(flags), id, unit, decision, confirmed, at);
        }
    }

    /// Whether the unit of this request met a flag, as far as the recorder remembers.
    pub(crate) fn has_met(&self, flags: &Flags, id: FlagId) -> bool {
        let flag = snapshot(flags).flag(id);
        let unit = flag.and_then(|flag| Some(flag.bucket_by.key(flags.unit(id)?)));
        unit.is_some_and(|unit| self.0.has_met(snapshot(flags).trial(id), &unit))
    }

    /// Records whom an answer exposed to what, and how long it took.
    pub(crate) fn answered<R>(&self, flags: &Flags, asked: &Asked, answer: &Response<R>, directives: &Directives) {
        let named: Vec<_> =
            directives.exposed.iter().filter_map(|name| snapshot(flags).find(name.as_str())).collect();
        named.iter().for_each(|id| self.exposed(flags, *id, asked.at));
        if !named.is_empty() {
            self.tried(flags, asked, &named);
        }
        let status = answer.status();
        if asked.is_page && (status.is_success() || status.is_redirection()) {
            self.page(flags, asked.at);
        }
        if !is_endless(answer) {
            self.count(flags, asked, status.as_u16());
        }
    }

    /// Records that the app gave no answer.
    pub(crate) fn failed(&self, flags: &Flags, asked: &Asked) {
        self.count(flags, asked, FAILED);
    }

    /// Has everything deleted that is known of this visitor, the session and the person.
    pub(crate) fn forget(&self, flags: &Flags) {
        let units = [
            (BucketBy::Visitor, Some(flags.visitor()).filter(|_| !flags.is_new_visitor())),
            (BucketBy::Session, flags.session()),
            (BucketBy::User, flags.user().map(|user| user.id.as_str())),
        ];
        for (kind, unit) in units {
            if let Some(unit) = unit {
                // the recorder counts what it drops
                let _ = self.0.forget(&kind.key(unit));
            }
        }
    }

    /// Once for each kind of unit that flags with this goal draw by; with a holdout, for the visitor of any goal.
    pub(crate) fn converted(
        &self,
        flags: &Flags,
        goal: &Goal,
        (value, key): (Option<f64>, Option<&str>),
        at: Timestamp,
    ) {
        for unit in units(flags, flags.plan().counted_for(goal)) {
            // the recorder counts what it drops
            let _ = self.0.converted(goal.name.as_str(), &unit, value, key, at);
        }
    }

    fn page(&self, flags: &Flags, at: Timestamp) {
        for unit in units(flags, flags.plan().counted_for_bounces()) {
            self.0.page(&unit, at);
        }
    }

    /// Counts an answer for every flag met on its request.
    fn count(&self, flags: &Flags, asked: &Asked, status: u16) {
        let latency = asked.elapsed();
        for (_, flag, decision) in asked.met(flags) {
            let slow = is_slow(flag, latency);
            self.0.answered(flag, decision.variant(), status, latency, slow, asked.at);
        }
    }
}

fn snapshot(flags: &Flags) -> &Snapshot {
    flags.plan().snapshot()
}

/// The units of a request that some flags draw by, as the ledger names them, and the one a holdout draws by.
fn units<'a>(flags: &'a Flags, ids: &'a [FlagId]) -> impl Iterator<Item = Cow<'a, str>> {
    let by_visitor = |id: &FlagId| snapshot(flags).flag(*id).is_some_and(|flag| flag.bucket_by == BucketBy::Visitor);
    let unit = |id: &FlagId| Some(snapshot(flags).flag(*id)?.bucket_by.key(flags.unit(*id)?));
    let missed = snapshot(flags).holdout().is_some() && !ids.iter().any(by_visitor);
    ids.iter().filter_map(unit).chain(missed.then(|| Cow::Borrowed(flags.visitor())))
}

/// Slow by the time that the flag's guard states.
fn is_slow(flag: &Flag, latency: Duration) -> bool {
    match flag.guard.as_ref().and_then(|guard| guard.slower_than) {
        Some(SlowerThan::Time(limit)) => latency > limit,
        Some(SlowerThan::ControlP95) | None => false,
    }
}
