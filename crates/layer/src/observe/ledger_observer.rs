//! What a request and its answer tell the ledger.
//!
//! Nothing here waits: the recorder puts events into a queue, or drops and counts them.

use std::borrow::Cow;

use flagstaff_flags::{BucketBy, EventSource, FlagId, Goal, Snapshot};
use flagstaff_ledger::{NotTaken, Recorder, Visit};
use flagstaff_tag::{Directives, Flags, Network, NotReached};
use http::Response;
use jiff::Timestamp;

use crate::observe::context::Asked;

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
            self.visit(flags).returned(flags.visitor());
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
            self.visit(flags).exposed_to_holdout(holdout, flags.visitor(), !flags.is_new_visitor(), asked.at);
        }
    }

    fn visit(&self, flags: &Flags) -> Visit<'_> {
        self.0.visit(flags.network().map(Network::address))
    }

    fn exposed(&self, flags: &Flags, id: FlagId, at: Timestamp) {
        if let Some(unit) = flags.unit(id) {
            let decision = flags.decisions().of(id);
            let confirmed = !flags.is_new_visitor();
            self.visit(flags).exposed(snapshot(flags), id, unit, decision, confirmed, at);
        }
    }

    /// Records whom an answer exposed to what.
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
    }

    /// Has everything deleted that is known of this visitor, the session and the person, as far as the request brought them: of an
    /// id that was made up for it nothing is known. Returns whether it will be; not, when too many ask for that at once.
    pub(crate) fn forget(&self, flags: &Flags) -> bool {
        let units = [
            (BucketBy::Visitor, Some(flags.visitor()).filter(|_| !flags.is_new_visitor())),
            (BucketBy::Session, flags.session().filter(|_| !flags.is_new_session())),
            (BucketBy::User, flags.user().map(|user| user.id.as_str())),
        ];
        let units: Vec<_> =
            units.iter().filter_map(|(kind, unit)| unit.map(|unit| kind.key(unit).into_owned())).collect();
        let units: Vec<_> = units.iter().map(String::as_str).collect();
        units.is_empty() || self.visit(flags).forget(&units).is_ok()
    }

    /// Events that were taken and are neither written nor lost yet.
    pub(crate) fn pending(&self) -> u64 {
        self.0.status().pending
    }

    /// Once for each kind of unit that flags with this goal draw by; with a holdout, for the visitor of any goal. Without a teller it
    /// was reached by a request.
    pub(crate) fn converted(
        &self,
        flags: &Flags,
        goal: &Goal,
        teller: Option<EventSource>,
        told: (Option<f64>, Option<&str>),
        at: Timestamp,
    ) -> Result<(), NotReached> {
        let (name, visit) = (goal.name.as_str(), self.visit(flags));
        for unit in units(flags, flags.compiled().counted_for(goal)) {
            // the recorder counts what it drops of these two
            match teller {
                None => drop(visit.reached(name, &unit, at)),
                Some(EventSource::App) => drop(visit.told(name, &unit, told, at)),
                Some(EventSource::Page) => {
                    let Some(met) = flags.compiled().experiments_with(goal) else { continue };
                    visit.page_said(name, &unit, met, told, at).map_err(not_reached)?;
                }
            }
        }
        Ok(())
    }

    fn page(&self, flags: &Flags, at: Timestamp) {
        for unit in units(flags, flags.compiled().counted_for_bounces()) {
            self.visit(flags).page(&unit, at);
        }
    }
}

const fn not_reached(why: NotTaken) -> NotReached {
    match why {
        NotTaken::Unit => NotReached::Unit,
        NotTaken::Network => NotReached::Network,
        NotTaken::Queue => NotReached::Queue,
        NotTaken::Unsound => NotReached::Value,
    }
}

fn snapshot(flags: &Flags) -> &Snapshot {
    flags.compiled().snapshot()
}

/// The units of a request that some flags draw by, as the ledger names them, and the one a holdout draws by.
fn units<'a>(flags: &'a Flags, ids: &'a [FlagId]) -> impl Iterator<Item = Cow<'a, str>> {
    let by_visitor = |id: &FlagId| snapshot(flags).flag(*id).is_some_and(|flag| flag.bucket_by == BucketBy::Visitor);
    let unit = |id: &FlagId| Some(snapshot(flags).flag(*id)?.bucket_by.key(flags.unit(*id)?));
    let missed = snapshot(flags).holdout().is_some() && !ids.iter().any(by_visitor);
    ids.iter().filter_map(unit).chain(missed.then(|| Cow::Borrowed(flags.visitor())))
}
