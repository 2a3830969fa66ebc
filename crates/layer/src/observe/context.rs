//! What observers are told of a request.

use std::time::{Duration, Instant};

use flagstaff_flags::{Decision, Flag, FlagId, MetFlags, Name};
use flagstaff_tag::{BodyProgress, Flags};
use http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Uri};
use http_body::Body;
use jiff::Timestamp;

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// A request that counts, with its flags. Which of them it meets is found once, when it comes.
#[derive(Debug)]
pub struct RequestContext {
    pub(crate) flags: Flags,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) is_page: bool,
    /// When it came, by the clock on the wall.
    pub(crate) at: Timestamp,
    /// When it came, by a clock that cannot be set.
    pub(crate) since: Instant,
    body: BodyState,
    /// Whether its visitor was drawn or not.
    met: MetFlags,
}

/// What is known of a request's body.
#[derive(Debug)]
enum BodyState {
    /// It was complete when the request came.
    Complete,
    /// The server says when it is.
    Coming(BodyProgress),
    /// It is not known when it is.
    Unknown,
}

impl RequestContext {
    pub(crate) fn new<B: Body>(request: &Request<B>, flags: &Flags, at: Timestamp) -> Self {
        let body = match request.extensions().get::<BodyProgress>() {
            _ if request.body().is_end_stream() => BodyState::Complete,
            Some(progress) => BodyState::Coming(progress.clone()),
            None => BodyState::Unknown,
        };
        let is_page = is_page(request.method(), request.headers());
        let snapshot = flags.decisions().snapshot();
        Self {
            met: snapshot.met(request.method().as_str(), request.uri().path(), is_page),
            flags: flags.clone(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            is_page,
            at,
            since: Instant::now(),
            body,
        }
    }

    /// The flags of the request.
    #[must_use]
    pub const fn flags(&self) -> &Flags {
        &self.flags
    }

    /// When it came, by the clock on the wall.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// When it came, by a clock that cannot be set.
    #[must_use]
    pub const fn since(&self) -> Instant {
        self.since
    }

    /// Since when the app has the whole request; `None` while it has not, and where that is not known: then the time is the client's.
    #[must_use]
    pub fn complete_since(&self) -> Option<Instant> {
        match &self.body {
            BodyState::Complete => Some(self.since),
            BodyState::Coming(progress) => progress.completed_at().map(|at| at.max(self.since)),
            BodyState::Unknown => None,
        }
    }

    /// Time since the whole request is here, or since it came where that is not known; of an answer's head, the time to first byte.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.complete_since().unwrap_or(self.since).elapsed()
    }

    /// Whether it exposes its visitor to a drawn flag, whatever the answer is.
    #[must_use]
    pub fn exposes(&self, id: FlagId) -> bool {
        !self.flags.are_confirmed_by_app() && self.met.contains(id) && self.flags.decisions().is_countable(id)
    }

    /// The flags that it meets, whether its visitor was drawn or not, in the order of the flag file.
    #[must_use]
    pub const fn met(&self) -> &MetFlags {
        &self.met
    }

    /// The drawn flags to which it exposes its visitor, whatever the answer is, in the order of the flag file, with their decisions.
    pub fn exposed(&self) -> impl Iterator<Item = (FlagId, &Flag, Decision)> + Clone {
        let (decisions, snapshot) = (self.flags.decisions(), self.flags.compiled().snapshot());
        let by_request = !self.flags.are_confirmed_by_app();
        let exposed = self.met.iter().filter(move |id| by_request && decisions.is_countable(*id));
        exposed.filter_map(move |id| Some((id, &**snapshot.flag(id)?, decisions.of(id))))
    }
}

impl RequestContext {
    /// The flags that an answer shows to be met, where the request alone does not say it: those that the app followed, of the requests that
    /// `exposed_on` names, if it does. Where the app gave no answer nothing can be shown, and the flags may be why: then it is all that the
    /// request meets.
    pub(crate) fn confirmed(&self, followed: &[FlagId], by_app: bool) -> Vec<Name> {
        if !self.flags.are_confirmed_by_app() {
            return Vec::new();
        }
        let snapshot = self.flags.compiled().snapshot();
        let may_count = |id: FlagId, flag: &Flag| flag.exposed_on.is_empty() || self.met.contains(id);
        let flag = |id: FlagId| snapshot.flag(id).filter(|flag| may_count(id, flag)).map(|flag| flag.name.clone());
        if by_app {
            followed.iter().copied().filter_map(flag).collect()
        } else {
            self.met.iter().filter_map(flag).collect()
        }
    }
}

/// Whether somebody looks at a page: a navigation, by what browsers say of it, or a GET that asks for HTML.
#[must_use]
pub fn is_page(method: &Method, headers: &HeaderMap) -> bool {
    let navigates = || headers.get(FETCH_MODE).is_some_and(|mode| mode.as_bytes() == b"navigate");
    let text = |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains("text/html"));
    *method == Method::GET && (navigates() || headers.get_all(ACCEPT).iter().any(text))
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
}
