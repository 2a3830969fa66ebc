//! Who hears what a request and its answer say: the ledger, and those who watch guarded flags.

use flagstaff_flags::{EventGoal, EventSource, Flag, Goal, is_value};
use flagstaff_tag::{Directives, FaultOrigin, Flags, GoalEvent, NotReached};
use http::{Request, Response};
use http_body::Body;
use jiff::{SignedDuration, Timestamp};

use crate::observe::context::{Asked, FAILED, is_endless};
use crate::observe::guard_observer::{Heard, Watching};
use crate::observe::ledger_observer::Recording;
use crate::observe::metrics::Answers;

/// Who hears.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hearing {
    pub(crate) answers: Option<Answers>,
    pub(crate) recording: Option<Recording>,
    pub(crate) watching: Option<Watching>,
}

impl Hearing {
    /// Whether nobody hears of events.
    pub(crate) const fn is_nobody(&self) -> bool {
        self.recording.is_none() && self.watching.is_none()
    }

    /// Those who watch, where some flag has a guard.
    fn watching(&self, flags: &Flags) -> Option<&Watching> {
        self.watching.as_ref().filter(|_| !flags.compiled().monitored().is_empty())
    }

    /// Hears a request; `None` for one that does not count, or that nobody wants to hear of.
    pub(crate) fn asked<B: Body>(&self, request: &Request<B>, flags: &Flags, now: Timestamp) -> Option<Asked> {
        let is_heard = self.recording.is_some() || self.answers.is_some() || self.watching(flags).is_some();
        if flags.counted().is_err() || !is_heard {
            return None;
        }
        let asked = Asked::new(request, now);
        if let Some(recording) = &self.recording {
            recording.asked(flags, &asked);
        }
        if let Some(watching) = self.watching(flags) {
            watching.asked(flags, &asked);
        }
        Some(asked)
    }

    /// Hears an answer, by itself and in its directives.
    pub(crate) fn answered<R>(
        &self,
        flags: &Flags,
        asked: &Asked,
        answer: &Response<R>,
        directives: &Directives,
        blamed: Option<FaultOrigin>,
    ) {
        if let Some(answers) = &self.answers {
            let latency = Some(asked.elapsed()).filter(|_| !is_endless(answer));
            answers.answered(flags, asked, answer.status().as_u16(), latency);
        }
        if let Some(recording) = &self.recording {
            recording.answered(flags, asked, answer, directives);
        }
        if let Some(watching) = self.watching(flags) {
            let shown = |flag: &Flag| directives.exposed.iter().any(|name| name.as_str() == flag.name.as_str());
            watching.answered(flags, asked, Heard::of(answer, blamed), shown);
        }
    }

    /// Hears what an answer says to have been reached, once it is known who met what.
    pub(crate) fn reached<R>(
        &self,
        flags: &Flags,
        asked: &Asked,
        answer: &Response<R>,
        directives: &Directives,
        now: Timestamp,
    ) {
        let (method, path, status) = (asked.method.as_str(), asked.uri.path(), answer.status().as_u16());
        for goal in flags.compiled().snapshot().goals_reached(method, path, status) {
            self.converted(flags, goal, None, (None, None), now);
        }
        self.told(flags, &directives.events, EventSource::App, now);
    }

    /// Hears that the app gave no answer.
    pub(crate) fn failed(&self, flags: &Flags, asked: &Asked) {
        if let Some(answers) = &self.answers {
            answers.answered(flags, asked, FAILED, Some(asked.elapsed()));
        }
        if let Some(watching) = self.watching(flags) {
            watching.answered(flags, asked, Heard::FAILED, |_| false);
        }
    }

    /// Hears that whoever asked went away before there was an answer.
    pub(crate) fn abandoned(&self, flags: &Flags, asked: &Asked) {
        if let Some(watching) = self.watching(flags) {
            watching.answered(flags, asked, Heard::ABANDONED, |_| false);
        }
    }

    /// Hears what a page says happened. Who is here for the first time met nothing yet, so it is nobody's.
    pub(crate) fn reported(&self, flags: &Flags, events: &[GoalEvent], now: Timestamp) {
        if flags.counted_visitor().is_ok() && !flags.is_new_visitor() {
            self.told(flags, events, EventSource::Page, now);
        }
    }

    /// Has everything deleted that is recorded of this visitor, the session and the person.
    /// Returns whether it will be.
    pub(crate) fn forget(&self, flags: &Flags) -> bool {
        self.recording.as_ref().is_none_or(|recording| recording.forget(flags))
    }

    /// Events that the ledger has taken and not settled yet; none without a ledger.
    pub(crate) fn pending(&self) -> Option<u64> {
        self.recording.as_ref().map(Recording::pending)
    }

    fn told(&self, flags: &Flags, events: &[GoalEvent], teller: EventSource, now: Timestamp) {
        for (place, event) in (0..).zip(events) {
            // Without a key an event is known by its time, and two of one answer are two.
            let at = now.saturating_add(SignedDuration::from_micros(place)).unwrap_or(now);
            for (goal, wanted) in flags.compiled().snapshot().goals_of_event(event.name.as_str()) {
                match refusal(wanted, event, teller) {
                    Some(why) => flags.compiled().refuse(goal, why, now),
                    None => {
                        let told = (wanted.counted(event.value), event.key.as_deref());
                        self.converted(flags, goal, Some(teller), told, at);
                    }
                }
            }
        }
    }

    fn converted(
        &self,
        flags: &Flags,
        goal: &Goal,
        teller: Option<EventSource>,
        told: (Option<f64>, Option<&str>),
        at: Timestamp,
    ) {
        if let Some(recording) = &self.recording
            && let Err(why) = recording.converted(flags, goal, teller, told, at)
        {
            return flags.compiled().refuse(goal, why, at);
        }
        if let Some(watching) = self.watching(flags) {
            watching.converted(flags, goal, at);
        }
    }
}

/// Why an event does not reach a goal, for any visitor.
fn refusal(wanted: &EventGoal, event: &GoalEvent, teller: EventSource) -> Option<NotReached> {
    match teller {
        _ if wanted.from.admits(teller) => event.value.filter(|value| !is_value(*value)).map(|_| NotReached::Value),
        EventSource::Page => Some(NotReached::SaidByPage),
        EventSource::App => Some(NotReached::SaidByApp),
    }
}
