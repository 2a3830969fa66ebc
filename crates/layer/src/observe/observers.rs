//! Tells every observer of a layer, in one order: metrics, the ledger, guards, traffic.

use std::fmt;
use std::sync::Arc;

use flagstaff_flags::{EventGoal, EventSource, is_value};
use flagstaff_tag::{Flags, GoalEvent, NotReached};
use http::{Request, StatusCode};
use http_body::Body;
use jiff::{SignedDuration, Timestamp};

use crate::observe::{Answer, Observe, ReachedGoal, RequestContext};

/// The observers of a layer.
#[derive(Clone, Default)]
pub(crate) struct Observers {
    pub(crate) metrics: Option<Arc<dyn Observe>>,
    pub(crate) ledger: Option<Arc<dyn Observe>>,
    pub(crate) guards: Option<Arc<dyn Observe>>,
    pub(crate) traffic: Option<Arc<dyn Observe>>,
}

impl Observers {
    /// Whether no observer is told of goals.
    pub(crate) const fn ignore_goals(&self) -> bool {
        self.ledger.is_none() && self.guards.is_none()
    }

    fn of(&self, flags: &Flags) -> impl Iterator<Item = &dyn Observe> {
        self.all().filter(|one| one.observes(flags))
    }

    fn all(&self) -> impl Iterator<Item = &dyn Observe> {
        [&self.metrics, &self.ledger, &self.guards, &self.traffic].into_iter().flatten().map(|one| &**one)
    }

    /// Whether an observer looks at the values that conditions look at.
    pub(crate) fn keep_values(&self) -> bool {
        self.all().any(Observe::keeps_values)
    }

    /// A request came. `None` for one that does not count, or that no observer is interested in.
    pub(crate) fn requested<B: Body>(
        &self,
        request: &Request<B>,
        flags: &Flags,
        now: Timestamp,
    ) -> Option<RequestContext> {
        if flags.counted().is_err() {
            if self.all().any(Observe::looks_at_all) {
                let context = RequestContext::new(request, flags, now);
                self.all().filter(|one| one.looks_at_all()).for_each(|one| one.left_out(&context));
            }
            return None;
        }
        self.of(flags).next()?;
        let context = RequestContext::new(request, flags, now);
        self.of(flags).for_each(|one| one.requested(&context));
        Some(context)
    }

    /// The request ended.
    pub(crate) fn answered(&self, request: &RequestContext, answer: &Answer<'_>) {
        self.of(&request.flags).for_each(|one| one.answered(request, answer));
    }

    /// Goals that the answered request reached, by itself and by the app's events. It comes after [`Self::answered`], which notes who
    /// has seen which flag.
    pub(crate) fn reached(&self, request: &RequestContext, status: StatusCode, events: &[GoalEvent], now: Timestamp) {
        let flags = &request.flags;
        let (method, path) = (request.method.as_str(), request.uri.path());
        for goal in flags.compiled().snapshot().goals_reached(method, path, status.as_u16()) {
            self.goal(&ReachedGoal { flags, goal, source: None, value: None, key: None, at: now });
        }
        self.events(flags, events, EventSource::App, now);
    }

    /// A page reports events. A visitor who is here for the first time has seen no flag yet, so they count for none.
    pub(crate) fn reported(&self, flags: &Flags, events: &[GoalEvent], now: Timestamp) {
        if flags.counted_visitor().is_ok() && !flags.is_new_visitor() {
            self.events(flags, events, EventSource::Page, now);
        }
    }

    /// Has everything deleted that is kept of this visitor. Returns whether it will be.
    pub(crate) fn forget(&self, flags: &Flags) -> bool {
        self.all().all(|one| one.forget(flags))
    }

    /// Events that the ledger has accepted and not settled yet; `None` without a ledger.
    pub(crate) fn pending(&self) -> Option<u64> {
        self.ledger.as_ref()?.pending()
    }

    fn events(&self, flags: &Flags, events: &[GoalEvent], source: EventSource, now: Timestamp) {
        for (place, event) in (0..).zip(events) {
            // Without a key an event is known by its time, and two of one answer are two.
            let at = now.saturating_add(SignedDuration::from_micros(place)).unwrap_or(now);
            for (goal, wanted) in flags.compiled().snapshot().goals_of_event(event.name.as_str()) {
                match refusal(wanted, event, source) {
                    Some(why) => flags.compiled().refuse(goal, why, now),
                    None => self.goal(&ReachedGoal {
                        flags,
                        goal,
                        source: Some(source),
                        value: wanted.counted(event.value),
                        key: event.key.as_deref(),
                        at,
                    }),
                }
            }
        }
    }

    fn goal(&self, reached: &ReachedGoal<'_>) {
        if let Err(why) = self.of(reached.flags).try_for_each(|one| one.reached(reached)) {
            reached.flags.compiled().refuse(reached.goal, why, reached.at);
        }
    }
}

/// Why an event does not reach a goal, for any visitor.
fn refusal(wanted: &EventGoal, event: &GoalEvent, source: EventSource) -> Option<NotReached> {
    match source {
        _ if wanted.from.admits(source) => event.value.filter(|value| !is_value(*value)).map(|_| NotReached::Value),
        EventSource::Page => Some(NotReached::SaidByPage),
        EventSource::App => Some(NotReached::SaidByApp),
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers").finish_non_exhaustive()
    }
}
