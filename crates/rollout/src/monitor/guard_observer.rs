//! What a request and its answer mean for the guards of flags: whether it is an error, how long the app took, whose fault it is.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

use flagstaff_flags::{DecisionStep, Flag, FlagId, Guard, VariantId};
use flagstaff_layer::{Answer, AnswerResult, Observe, ReachedGoal, RequestContext};
use flagstaff_tag::{AnsweredBy, Flags, NoAnswer, NotReached};
use http::StatusCode;
use jiff::Timestamp;

use super::outcome::{Answered, Conversion, Exposure, Outcome, Outcomes};

/// Observes requests for guards, and tells them of outcomes.
pub(crate) struct GuardObserver<O>(Arc<O>);

/// A flag that is monitored, and the unit that this request has for it.
struct Monitored<'a> {
    id: FlagId,
    flag: &'a Flag,
    guard: Option<&'a Guard>,
    variant: VariantId,
    drawn: VariantId,
    unit: &'a str,
}

/// When something happened, by both clocks.
#[derive(Clone, Copy)]
struct When {
    at: Timestamp,
    since: Instant,
}

/// What an answer means for one flag; `None` where it says nothing of the flag. The fault of another flag's upstream says nothing, and
/// neither does what the client causes by a request that it does not send completely.
fn meaning(result: AnswerResult, id: FlagId, guard: Option<&Guard>, request: &RequestContext) -> Option<Answered> {
    let (status, is_endless, answered_by) = match result {
        AnswerResult::Abandoned => return request.taken_by_app().map(Answered::Abandoned),
        AnswerResult::Failed => (None, false, None),
        AnswerResult::Answered { status, is_endless, answered_by } => (Some(status), is_endless, answered_by),
    };
    if client_may_have_caused(status, answered_by) && !request.is_complete() {
        return None;
    }
    let latency = || request.taken_by_app().filter(|_| !is_endless);
    let is_error = || {
        let errors = guard.and_then(|guard| guard.errors.as_ref());
        status.is_none_or(|status| errors.is_some_and(|errors| errors.contains(status.as_u16())))
    };
    match answered_by {
        Some(AnsweredBy::Proxy(NoAnswer::Canary(canary))) => (canary == id).then_some(Answered::Error),
        // where a gate is closed for those without the flag, the control would seem to fail
        Some(AnsweredBy::Gate | AnsweredBy::Proxy(NoAnswer::Client | NoAnswer::Machine)) => None,
        _ if is_error() => Some(Answered::Error),
        Some(AnsweredBy::Fallback(canary)) if canary == id => Some(Answered::Fallback(latency())),
        // it took as long as it took to see that the upstream of another flag is away
        Some(AnsweredBy::Fallback(_)) => Some(Answered::Fine(None)),
        Some(AnsweredBy::Canary(_) | AnsweredBy::Proxy(NoAnswer::App)) | None => Some(Answered::Fine(latency())),
    }
}

/// Whether a client that does not send the whole request can cause this: the app waits in vain, or the connection is cut.
fn client_may_have_caused(status: Option<StatusCode>, answered_by: Option<AnsweredBy>) -> bool {
    let by_time = |status| matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT);
    let has_own_status = !matches!(answered_by, Some(AnsweredBy::Proxy(_)));
    !(has_own_status && status.is_some_and(|status| !by_time(status)))
}

impl<O: Outcomes> Observe for GuardObserver<O> {
    fn observes(&self, flags: &Flags) -> bool {
        !flags.compiled().monitored().is_empty()
    }

    /// Tells of every monitored flag that the request exposes its visitor to.
    fn requested(&self, request: &RequestContext) {
        let when = When { at: request.at(), since: request.since() };
        for one in self.monitored(request.flags(), request.at()).filter(|one| request.exposes(one.id)) {
            one.exposure(request.flags(), when, |exposure| self.0.exposed(&exposure));
        }
    }

    /// Tells of every monitored flag to which the unit was exposed: on this request, as the answer says, or before.
    fn answered(&self, request: &RequestContext, answer: &Answer<'_>) {
        let when = When { at: request.at(), since: request.since() };
        for one in self.monitored(request.flags(), request.at()) {
            let result = meaning(answer.result, one.id, one.guard, request);
            let by_upstream = answer.result.answered_by() == Some(AnsweredBy::Canary(one.id));
            one.exposure(request.flags(), when, |exposure| {
                // told once a request: guards go by who comes again
                if !request.exposes(one.id) {
                    if !answer.exposes(one.flag) && !self.0.was_exposed(&exposure) {
                        return;
                    }
                    self.0.exposed(&exposure);
                }
                if let Some(result) = result {
                    self.0.answered(&Outcome { exposure, result, by_upstream });
                }
            });
        }
    }

    /// Tells of every monitored flag whose guard names the goal and to which the unit was exposed.
    fn reached(&self, reached: &ReachedGoal<'_>) -> Result<(), NotReached> {
        let ReachedGoal { flags, goal, at, .. } = *reached;
        let when = When { at, since: Instant::now() };
        let named = self.monitored(flags, at).filter(|one| one.guard.is_some_and(|g| g.goals.contains(&goal.name)));
        for one in named {
            one.exposure(flags, when, |exposure| {
                if self.0.was_exposed(&exposure) {
                    self.0.converted(&Conversion { exposure, goal: &goal.name });
                }
            });
        }
        Ok(())
    }
}

impl<O: Outcomes> GuardObserver<O> {
    pub(crate) const fn new(outcomes: Arc<O>) -> Self {
        Self(outcomes)
    }

    /// The monitored flags for which the visitor was drawn.
    fn monitored<'a>(&'a self, flags: &'a Flags, at: Timestamp) -> impl Iterator<Item = Monitored<'a>> {
        let snapshot = flags.compiled().snapshot();
        flags.compiled().monitored().iter().filter_map(move |&id| {
            let decision = flags.decisions().of(id);
            let flag = snapshot.flag(id).filter(|_| decision.is_counted() && self.0.wants(snapshot, id))?;
            let (guard, unit, variant) = (flag.guard.as_ref(), flags.unit(id)?, decision.variant());
            let drawn = match decision.step() {
                DecisionStep::Sticky => snapshot.drawn(id, unit, at)?,
                _ => variant,
            };
            Some(Monitored { id, flag, guard, variant, drawn, unit })
        })
    }
}

impl Monitored<'_> {
    fn exposure(&self, flags: &Flags, when: When, tell: impl FnOnce(Exposure<'_>)) {
        let unit = self.flag.bucket_by.key(self.unit);
        tell(Exposure {
            snapshot: flags.compiled().snapshot(),
            flag: self.id,
            variant: self.variant,
            drawn: self.drawn,
            unit: &unit,
            network: flags.network(),
            at: when.at,
            since: when.since,
        });
    }
}
