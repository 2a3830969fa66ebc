//! What a request and its answer tell the guards of flags.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{DecisionStep, Flag, FlagId, Goal, Guard, VariantId};
use flagstaff_tag::{FaultOrigin, Flags};
use http::{Response, StatusCode};
use jiff::Timestamp;

use crate::observe::context::{Asked, is_endless};
use crate::observe::outcome::{Answered, Conversion, Meeting, Outcome, Outcomes};

/// The guards that are told.
#[derive(Clone)]
pub(crate) struct Watching(Arc<dyn Outcomes>);

/// What an answer says of a guarded flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// None where there was no answer.
    status: Option<StatusCode>,
    endless: bool,
    blamed: Option<FaultOrigin>,
    abandoned: bool,
}

/// A flag that is watched, and whose unit this is.
struct Case<'a> {
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

impl Heard {
    pub(crate) fn of<R>(answer: &Response<R>, blamed: Option<FaultOrigin>) -> Self {
        Self { status: Some(answer.status()), endless: is_endless(answer), blamed, abandoned: false }
    }

    /// There was no answer.
    pub(crate) const FAILED: Self = Self { status: None, endless: false, blamed: None, abandoned: false };
    /// Nobody waited for it.
    pub(crate) const ABANDONED: Self = Self { abandoned: true, ..Self::FAILED };

    /// What one flag makes of it; none where it says nothing of the flag. What the upstream of another flag's variant is to blame
    /// for says nothing, and neither does what the client brought about by a request that it did not send whole.
    fn means(self, id: FlagId, guard: Option<&Guard>, asked: &Asked) -> Option<Answered> {
        if self.abandoned {
            return asked.taken_by_app().map(Answered::Abandoned);
        }
        if self.is_clients() && !asked.is_complete() {
            return None;
        }
        let is_error = || {
            let errors = guard.and_then(|guard| guard.errors.as_ref());
            self.status.is_none_or(|status| errors.is_some_and(|errors| errors.contains(status.as_u16())))
        };
        match self.blamed {
            Some(FaultOrigin::Canary(blamed)) => (blamed == id).then_some(Answered::Error),
            // where a gate is closed for those without the flag, the control would seem to fail
            Some(FaultOrigin::Gate | FaultOrigin::Client) => None,
            _ if is_error() => Some(Answered::Error),
            Some(FaultOrigin::Fallback(blamed)) if blamed == id => Some(Answered::Fallback(self.latency(asked))),
            // it took as long as it took to see that the upstream of another flag is away
            Some(FaultOrigin::Fallback(_)) => Some(Answered::Fine(None)),
            Some(FaultOrigin::Answered(_) | FaultOrigin::Upstream) | None => {
                Some(Answered::Fine(self.latency(asked)))
            }
        }
    }

    fn latency(self, asked: &Asked) -> Option<Duration> {
        asked.taken_by_app().filter(|_| !self.endless)
    }

    /// Whether a client that does not send the whole request brings this about: the app waits in vain, or the connection is cut.
    fn is_clients(self) -> bool {
        let by_time = |status| matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT);
        let is_apps_own =
            !matches!(self.blamed, Some(FaultOrigin::Canary(_) | FaultOrigin::Upstream | FaultOrigin::Client));
        !(is_apps_own && self.status.is_some_and(|status| !by_time(status)))
    }
}

impl Watching {
    pub(crate) fn new(outcomes: Arc<dyn Outcomes>) -> Self {
        Self(outcomes)
    }

    /// Tells of a request, for every flag that is met on it.
    pub(crate) fn asked(&self, flags: &Flags, asked: &Asked) {
        let when = When { at: asked.at, since: asked.since };
        for case in self.cases(flags, asked.at).filter(|case| asked.meets(case.flag)) {
            case.meeting(flags, when, |meeting| self.0.met(&meeting));
        }
    }

    /// Tells of an answer, for every flag that the unit has met: on this request, as the answer says, or before.
    pub(crate) fn answered(&self, flags: &Flags, asked: &Asked, heard: Heard, shown: impl Fn(&Flag) -> bool) {
        let when = When { at: asked.at, since: asked.since };
        for case in self.cases(flags, asked.at) {
            let result = heard.means(case.id, case.guard, asked);
            let by_upstream = heard.blamed == Some(FaultOrigin::Answered(case.id));
            case.meeting(flags, when, |meeting| {
                // told once a request: guards go by who comes again
                if !asked.meets(case.flag) {
                    if !shown(case.flag) && !self.0.has_met(&meeting) {
                        return;
                    }
                    self.0.met(&meeting);
                }
                if let Some(result) = result {
                    self.0.answered(&Outcome { meeting, result, by_upstream });
                }
            });
        }
    }

    /// Tells of a goal that was reached, for every flag that names it and that the unit has met.
    pub(crate) fn converted(&self, flags: &Flags, goal: &Goal, at: Timestamp) {
        let when = When { at, since: Instant::now() };
        let named =
            self.cases(flags, at).filter(|case| case.guard.is_some_and(|guard| guard.goals.contains(&goal.name)));
        for case in named {
            case.meeting(flags, when, |meeting| {
                if self.0.has_met(&meeting) {
                    self.0.converted(&Conversion { meeting, goal: &goal.name });
                }
            });
        }
    }

    /// The watched flags for which the visitor was drawn.
    fn cases<'a>(&'a self, flags: &'a Flags, at: Timestamp) -> impl Iterator<Item = Case<'a>> {
        let snapshot = flags.compiled().snapshot();
        flags.compiled().monitored().iter().filter_map(move |&id| {
            let decision = flags.decisions().of(id);
            let flag = snapshot.flag(id).filter(|_| decision.is_counted() && self.0.wants(snapshot, id))?;
            let (guard, unit, variant) = (flag.guard.as_ref(), flags.unit(id)?, decision.variant());
            let drawn = match decision.step() {
                DecisionStep::Sticky => snapshot.drawn(id, unit, at)?,
                _ => variant,
            };
            Some(Case { id, flag, guard, variant, drawn, unit })
        })
    }
}

impl Case<'_> {
    fn meeting(&self, flags: &Flags, when: When, tell: impl FnOnce(Meeting<'_>)) {
        let unit = self.flag.bucket_by.key(self.unit);
        tell(Meeting {
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

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").finish_non_exhaustive()
    }
}
