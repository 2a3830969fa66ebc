//! Tells the ledger what a request and its answer say.
//!
//! Nothing here waits: the recorder puts events into a queue, or drops and counts them.

use std::borrow::Cow;

use flagstaff_flags::{BucketBy, EventSource, Flag, FlagId, MetFlags, Snapshot};
use flagstaff_ledger::{NotTaken, Recorder, Visit};
use flagstaff_tag::{Flags, Network, NotReached};
use jiff::Timestamp;

use crate::observe::{Answer, Observe, ReachedGoal, RequestContext};

/// Tells a recorder.
#[derive(Clone, Debug)]
pub(crate) struct LedgerObserver(Recorder);

impl Observe for LedgerObserver {
    fn requested(&self, request: &RequestContext) {
        let flags = &request.flags;
        let visit = self.visit(flags);
        let is_told_at_once = |flag: &Flag| !flags.is_new_visitor() && flag.bucket_by == BucketBy::Visitor;
        if !flags.is_new_visitor() {
            let of_visitor = request.exposed().filter(|(_, flag, _)| is_told_at_once(flag));
            let of_visitor = of_visitor.map(|(id, _, decision)| (id, decision));
            visit.returned_and_exposed(snapshot(flags), flags.visitor(), of_visitor, request.at);
        }
        for (id, ..) in request.exposed().filter(|(_, flag, _)| !is_told_at_once(flag)) {
            exposed(&visit, flags, id, request.at);
        }
        experiment_exposed(&visit, request, &[]);
    }

    fn answered(&self, request: &RequestContext, answer: &Answer<'_>) {
        let Some(status) = answer.status() else { return };
        let flags = &request.flags;
        let named: Vec<_> = answer.exposed.iter().filter_map(|name| snapshot(flags).find(name.as_str())).collect();
        if !named.is_empty() {
            let visit = self.visit(flags);
            named.iter().for_each(|id| exposed(&visit, flags, *id, request.at));
            experiment_exposed(&visit, request, &named);
        }
        if request.is_page && (status.is_success() || status.is_redirection()) {
            self.page(flags, request.at);
        }
    }

    /// Once for each kind of unit that flags with this goal draw by; with a holdout, for the visitor of any goal.
    fn reached(&self, reached: &ReachedGoal<'_>) -> Result<(), NotReached> {
        let ReachedGoal { flags, goal, at, .. } = *reached;
        let (name, visit, event) = (goal.name.as_str(), self.visit(flags), (reached.value, reached.key));
        for unit in units(flags, flags.compiled().counted_for(goal)) {
            // the recorder counts what it drops of these two
            match reached.source {
                None => drop(visit.reached(name, &unit, at)),
                Some(EventSource::App) => drop(visit.told(name, &unit, event, at)),
                Some(EventSource::Page) => {
                    let Some(experiments) = flags.compiled().experiments_with(goal) else { continue };
                    visit.page_said(name, &unit, experiments, event, at).map_err(not_reached)?;
                }
            }
        }
        Ok(())
    }

    /// As far as the request brought their ids, also where consent is away.
    fn forget(&self, flags: &Flags) -> bool {
        let units: Vec<_> = flags.brought_units().collect();
        let units: Vec<_> = units.iter().map(String::as_str).collect();
        units.is_empty() || self.visit(flags).forget(&units).is_ok()
    }

    fn pending(&self) -> Option<u64> {
        Some(self.0.status().pending)
    }
}

impl LedgerObserver {
    pub(crate) const fn new(recorder: Recorder) -> Self {
        Self(recorder)
    }

    fn visit<'a>(&'a self, flags: &'a Flags) -> Visit<'a> {
        self.0.visit(flags.network().map(Network::address)).with_former_draws(flags.former_draws())
    }

    fn page(&self, flags: &Flags, at: Timestamp) {
        let visit = self.visit(flags);
        for unit in units(flags, flags.compiled().counted_for_bounces()) {
            visit.page(&unit, at);
        }
    }
}

fn exposed(visit: &Visit<'_>, flags: &Flags, id: FlagId, at: Timestamp) {
    if let Some(unit) = flags.unit(id) {
        let decision = flags.decisions().of(id);
        visit.exposed(snapshot(flags), id, unit, decision, !flags.is_new_visitor(), at);
    }
}

/// Records a visitor who is exposed to an experiment for the comparison of those held out with everybody else.
fn experiment_exposed(visit: &Visit<'_>, request: &RequestContext, named: &[FlagId]) {
    let flags = &request.flags;
    let Some(holdout) = snapshot(flags).holdout() else {
        return;
    };
    let met = if flags.are_confirmed_by_app() { &MetFlags::default() } else { request.met() };
    if flags.decisions().exposes_experiment(met, named) {
        visit.exposed_to_holdout(holdout, flags.visitor(), !flags.is_new_visitor(), request.at);
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
