//! What a request and its answer tell the ledger.
//!
//! Nothing here waits: the recorder puts events into a queue, or drops and counts them.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use flagstaff_flags::{BucketBy, Flag, FlagId, Goal, Snapshot};
use flagstaff_ledger::Recorder;
use flagstaff_tag::{Directives, Event, Flags};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use jiff::{SignedDuration, Timestamp};

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// An app that failed gave no answer of its own; whoever asked gets one of this kind.
const FAILED: u16 = 500;

/// A recorder, and what it is told when.
#[derive(Clone, Debug)]
pub(crate) struct Recording(Recorder);

/// What the answer needs to know of a request that counts.
#[derive(Debug)]
pub(crate) struct Asked {
    method: Method,
    uri: Uri,
    is_page: bool,
    at: Timestamp,
    since: Instant,
}

impl Recording {
    pub(crate) const fn new(recorder: Recorder) -> Self {
        Self(recorder)
    }

    /// Records whom the request exposes to what; `None` for one that does not count.
    pub(crate) fn asked<B>(&self, request: &Request<B>, flags: &Flags, now: Timestamp) -> Option<Asked> {
        flags.counted().ok()?;
        let asked = Asked {
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_page: is_page(request.method(), request.headers()),
            at: now,
            since: Instant::now(),
        };
        if !flags.is_new_visitor() {
            self.0.returned(flags.visitor());
        }
        for (id, ..) in asked.met(flags) {
            self.exposed(flags, id, now);
        }
        self.tried(flags, &asked, &[]);
        Some(asked)
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

    /// Records what an answer says, by itself and in its directives.
    pub(crate) fn answered<R>(
        &self,
        flags: &Flags,
        asked: &Asked,
        answer: &Response<R>,
        directives: &Directives,
        now: Timestamp,
    ) {
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
        let (method, path) = (asked.method.as_str(), asked.uri.path());
        for goal in snapshot(flags).goals_reached(method, path, status.as_u16()) {
            self.converted(flags, goal, (None, None), now);
        }
        self.told(flags, &directives.events, now);
        if status != StatusCode::SWITCHING_PROTOCOLS && !is_stream(answer.headers()) {
            self.count(flags, asked, status.as_u16());
        }
    }

    /// Records that the app gave no answer.
    pub(crate) fn failed(&self, flags: &Flags, asked: &Asked) {
        self.count(flags, asked, FAILED);
    }

    /// Records what a page says happened. Who is here for the first time met nothing yet, so it is nobody's.
    pub(crate) fn reported(&self, flags: &Flags, events: &[Event], now: Timestamp) {
        if flags.counted_visitor().is_ok() && !flags.is_new_visitor() {
            self.told(flags, events, now);
        }
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

    fn told(&self, flags: &Flags, events: &[Event], now: Timestamp) {
        for (place, event) in (0..).zip(events) {
            // Without a key an event is known by its time, and two of one answer are two.
            let at = now.saturating_add(SignedDuration::from_micros(place)).unwrap_or(now);
            for (goal, is_sum) in snapshot(flags).goals_of_event(event.name.as_str()) {
                let value = event.value.filter(|_| is_sum);
                self.converted(flags, goal, (value, event.key.as_deref()), at);
            }
        }
    }

    /// Once for each kind of unit that flags with this goal draw by; with a holdout, for the visitor of any goal.
    fn converted(&self, flags: &Flags, goal: &Goal, (value, key): (Option<f64>, Option<&str>), at: Timestamp) {
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
        let latency = asked.since.elapsed();
        for (_, flag, decision) in asked.met(flags) {
            let slow = is_slow(flag, latency);
            self.0.answered(flag, decision.variant(), status, latency, slow, asked.at);
        }
    }
}

impl Asked {
    fn met<'a>(&'a self, flags: &'a Flags) -> impl Iterator<Item = (FlagId, &'a Flag, flagstaff_flags::Decision)> {
        let met = flags.decisions().met(self.method.as_str(), self.uri.path(), self.is_page);
        met.map(|(id, flag, decision)| (id, &**flag, decision))
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

/// Whether somebody looks at a page: a navigation, by what browsers say of it, or a GET that asks for HTML.
fn is_page(method: &Method, headers: &HeaderMap) -> bool {
    let navigates = || headers.get(FETCH_MODE).is_some_and(|mode| mode.as_bytes() == b"navigate");
    let text = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/html"));
    *method == Method::GET && (navigates() || headers.get_all(ACCEPT).iter().any(text))
}

/// Slow by what the flag's guard says.
fn is_slow(flag: &Flag, latency: Duration) -> bool {
    let limit = flag.guard.as_ref().and_then(|guard| guard.slower_than);
    limit.is_some_and(|limit| latency > limit)
}

/// An answer that is meant not to end.
fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn pages_are_what_people_look_at() {
        let html = headers(ACCEPT, "text/html,application/xhtml+xml;q=0.9");
        assert!(is_page(&Method::GET, &headers(FETCH_MODE, "navigate")));
        assert!(is_page(&Method::GET, &html));
        assert!(!is_page(&Method::POST, &html));
        assert!(!is_page(&Method::GET, &headers(FETCH_MODE, "cors")));
        assert!(!is_page(&Method::GET, &headers(ACCEPT, "*/*")));
        assert!(!is_page(&Method::GET, &HeaderMap::new()));
    }

    #[test]
    fn streams_are_known_by_their_type() {
        assert!(is_stream(&headers(CONTENT_TYPE, "Text/Event-Stream; charset=utf-8")));
        assert!(!is_stream(&headers(CONTENT_TYPE, "text/html")));
        assert!(!is_stream(&HeaderMap::new()));
    }
}
