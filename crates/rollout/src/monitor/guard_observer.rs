//! What a request and its answer mean for the guards of flags: whether it is an error, how long the app took, whose fault it is.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{BucketBy, Flag, FlagId, Guard};
use flagstaff_layer::{Answer, AnswerResult, Observe, ReachedGoal, RequestContext};
use flagstaff_tag::{AnsweredBy, Flags, NoAnswer, NotReached};
use http::StatusCode;
use jiff::Timestamp;

use super::keys::unit_key;
use super::outcome::{Answered, Conversion, Exposure, Outcome, Outcomes};

/// Observes requests for guards, and tells them of outcomes.
pub(crate) struct GuardObserver<O>(Arc<O>);

/// A flag that is monitored.
struct Monitored<'a> {
    id: FlagId,
    flag: &'a Flag,
}

/// The unit of a request by which a flag draws. Most flags of a request have the same, and find it here.
#[derive(Default)]
struct Unit<'a> {
    of: Option<&'a BucketBy>,
    /// As guards know it; `None` where the request has none.
    known: Option<(Cow<'a, str>, u128)>,
}

/// When something happened, by both clocks.
#[derive(Clone, Copy)]
struct When {
    at: Timestamp,
    since: Instant,
}

/// How a request ended, seen from every flag.
struct Ended {
    result: AnswerResult,
    /// The time that the app took; none where the request was not complete: that time is the client's.
    taken: Option<Duration>,
    /// When, by a clock that nobody sets.
    at: Instant,
}

impl Ended {
    fn now(request: &RequestContext, result: AnswerResult) -> Self {
        let at = Instant::now();
        let taken = request.complete_since().map(|since| at.saturating_duration_since(since));
        Self { result, taken, at }
    }

    /// What it means for one flag; `None` where it says nothing of the flag. The fault of another flag's upstream says nothing, and
    /// neither does what the client causes by a request that it does not send completely.
    fn meaning(&self, id: FlagId, guard: Option<&Guard>) -> Option<Answered> {
        let (status, is_endless, answered_by) = match self.result {
            AnswerResult::Abandoned => return self.taken.map(Answered::Abandoned),
            AnswerResult::Failed => (None, false, None),
            AnswerResult::Answered { status, is_endless, answered_by } => (Some(status), is_endless, answered_by),
        };
        if client_may_have_caused(status, answered_by) && self.taken.is_none() {
            return None;
        }
        let latency = self.taken.filter(|_| !is_endless);
        let is_error = || {
            let errors = guard.and_then(|guard| guard.errors.as_ref());
            status.is_none_or(|status| errors.is_some_and(|errors| errors.contains(status.as_u16())))
        };
        match answered_by {
            Some(AnsweredBy::Proxy(NoAnswer::Canary(canary))) => (canary == id).then_some(Answered::Error),
            // where a gate is closed for those without the flag, the control would seem to fail
            Some(AnsweredBy::Gate | AnsweredBy::Proxy(NoAnswer::Client | NoAnswer::Machine)) => None,
            _ if is_error() => Some(Answered::Error),
            Some(AnsweredBy::Fallback(canary)) if canary == id => Some(Answered::Fallback(latency)),
            // it took as long as it took to see that the upstream of another flag is away
            Some(AnsweredBy::Fallback(_)) => Some(Answered::Fine(None)),
            Some(AnsweredBy::Canary(_) | AnsweredBy::Proxy(NoAnswer::App)) | None => Some(Answered::Fine(latency)),
        }
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

    /// Tells of every monitored flag to which the unit was exposed: on this request, as the request or its answer says, or before.
    fn answered(&self, request: &RequestContext, answer: &Answer<'_>) {
        let when = When { at: request.at(), since: request.since() };
        let (ended, known) = (Ended::now(request, answer.result), self.0.known());
        let by = answer.result.answered_by();
        self.each(request.flags(), when, |one, exposure| {
            let is_exposed = request.exposes(one.id) || answer.exposes(one.flag);
            if is_exposed || self.0.was_exposed(&known, exposure) {
                let result = ended.meaning(one.id, one.flag.guard.as_ref());
                let by_upstream = by == Some(AnsweredBy::Canary(one.id));
                self.0.answered(&known, &Outcome { exposure, result, at: ended.at, by_upstream });
            }
        });
    }

    /// Tells of every monitored flag whose guard names the goal and to which the unit was exposed.
    fn reached(&self, reached: &ReachedGoal<'_>) -> Result<(), NotReached> {
        let ReachedGoal { flags, goal, at, .. } = *reached;
        let (when, known) = (When { at, since: Instant::now() }, self.0.known());
        self.each(flags, when, |one, exposure| {
            let is_named = one.flag.guard.as_ref().is_some_and(|guard| guard.goals.contains(&goal.name));
            if is_named && self.0.was_exposed(&known, exposure) {
                self.0.converted(&known, &Conversion { exposure, goal: &goal.name });
            }
        });
        Ok(())
    }
}

impl<O: Outcomes> GuardObserver<O> {
    pub(crate) const fn new(outcomes: Arc<O>) -> Self {
        Self(outcomes)
    }

    /// Tells of every monitored flag for which the visitor was drawn.
    fn each(&self, flags: &Flags, when: When, mut tell: impl FnMut(&Monitored<'_>, &Exposure<'_>)) {
        let (snapshot, network) = (flags.compiled().snapshot(), flags.network());
        let mut unit = Unit::default();
        for &id in flags.compiled().monitored() {
            let decision = flags.decisions().of(id);
            if !decision.is_counted() {
                continue;
            }
            let (Some(flag), Some(drawn)) = (snapshot.flag(id), flags.drawn(id)) else { continue };
            if unit.of != Some(&flag.bucket_by) {
                unit = Unit::of(flags, id, flag);
            }
            let Some((text, key)) = &unit.known else { continue };
            let exposure = Exposure {
                snapshot,
                flag: id,
                variant: decision.variant(),
                drawn,
                unit: text,
                key: *key,
                network,
                at: when.at,
                since: when.since,
            };
            tell(&Monitored { id, flag }, &exposure);
        }
    }
}

impl<'a> Unit<'a> {
    fn of(flags: &'a Flags, id: FlagId, flag: &'a Flag) -> Self {
        let text = flags.unit(id).map(|unit| flag.bucket_by.key(unit));
        Self {
            of: Some(&flag.bucket_by),
            known: text.map(|text| {
                let key = unit_key(&text);
                (text, key)
            }),
        }
    }
}
