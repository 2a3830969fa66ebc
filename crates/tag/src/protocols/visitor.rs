//! Questions of a visitor's browser, under `/.flagstaff/`: answered with the flags of the request as it is tagged.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};

use super::ofrep::{self, EventStream, Question};
use super::origin::origin;
use super::unleash::{self, Route};
use crate::endpoints::PREFIX;
use crate::reply::{BodyError, plain, with_allow, with_silence};
use crate::request::Flags;

/// Where changes are told, below the prefix.
const EVENTS: &str = "/ofrep/v1/events";
/// The parameter of [`EVENTS`] with the state that a client has flags of.
const SINCE: &str = "since=";
/// What a browser sends when it comes back to a stream.
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// The protocol, and what is asked in it.
#[derive(Clone, Debug)]
enum ProtocolQuestion {
    Ofrep(Question),
    Unleash(Route),
}

impl ProtocolQuestion {
    /// What a path below the prefix stands for.
    fn of(path: &str) -> Option<Self> {
        if let Some(rest) = path.strip_prefix("/ofrep/v1/evaluate/flags") {
            return Question::of(rest).map(Self::Ofrep);
        }
        Route::of(path.strip_prefix("/unleash/frontend")?).map(Self::Unleash)
    }

    fn wrong_method(&self, method: &Method) -> Option<Response<Bytes>> {
        match self {
            Self::Ofrep(question) => ofrep::wrong_method(question, method),
            Self::Unleash(route) => unleash::wrong_method(*route, method),
        }
    }
}

/// A question whose body is to be read.
#[derive(Clone, Debug)]
pub struct VisitorQuestion {
    flags: Flags,
    asked: ProtocolQuestion,
    headers: HeaderMap,
    stream: Option<EventStream>,
}

impl VisitorQuestion {
    /// The question that a request puts; `None` for every other request. `state` is asked for the [`Snapshot::state`] that the flags were
    /// decided by, where changes of it are told.
    ///
    /// # Errors
    /// With the refusal of one that is put in a wrong way.
    ///
    /// [`Snapshot::state`]: flagstaff_flags::Snapshot::state
    #[allow(clippy::result_large_err, reason = "the answer is sent as it is")]
    pub fn of<B>(
        flags: &Flags,
        request: &Request<B>,
        state: impl FnOnce() -> Option<String>,
    ) -> Option<Result<Self, Response<Bytes>>> {
        let asked = ProtocolQuestion::of(request.uri().path().strip_prefix(PREFIX)?)?;
        if let Some(refusal) = asked.wrong_method(request.method()) {
            return Some(Err(refusal));
        }
        // An address needs a host: clients refuse one without.
        let at = |state| Some(EventStream::at(format!("{}{PREFIX}{EVENTS}?{SINCE}{state}", origin(request)?)));
        let stream =
            if matches!(asked, ProtocolQuestion::Ofrep(Question::Bulk)) { state().and_then(at) } else { None };
        let headers = request.headers().clone();
        Some(Ok(Self { flags: flags.clone(), asked, headers, stream }))
    }

    /// The answer, once the body is read.
    #[must_use]
    pub fn answer(self, body: Result<&[u8], BodyError>) -> Response<Bytes> {
        match (self.asked, body) {
            (ProtocolQuestion::Ofrep(question), body) => {
                ofrep::evaluate_for(&self.flags, &question, &self.headers, body, self.stream)
            }
            (ProtocolQuestion::Unleash(_), Err(why)) => unleash::not_read(why),
            (ProtocolQuestion::Unleash(Route::Report), Ok(_)) => unleash::accepted(),
            // as with OFREP, what a body says of the visitor is not looked at
            (ProtocolQuestion::Unleash(Route::Toggles(which)), Ok(_)) => {
                unleash::toggles(self.flags.decisions(), which, &self.headers)
            }
        }
    }
}

/// A request to be told of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeQuestion {
    known: Option<String>,
}

impl ChangeQuestion {
    /// The question that a request puts; `None` for every other request.
    ///
    /// # Errors
    /// With the refusal of one that is put in a wrong way.
    #[allow(clippy::result_large_err, reason = "the answer is sent as it is")]
    pub fn of<B>(request: &Request<B>) -> Option<Result<Self, Response<Bytes>>> {
        if request.uri().path().strip_prefix(PREFIX)? != EVENTS {
            return None;
        }
        if *request.method() != Method::GET {
            let refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "Ask with GET.\n");
            return Some(Err(with_allow(refusal, "GET")));
        }
        let last = request.headers().get(LAST_EVENT).and_then(|value| value.to_str().ok());
        let since =
            request.uri().query().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix(SINCE)));
        Some(Ok(Self { known: last.filter(|last| !last.is_empty()).or(since).map(ToOwned::to_owned) }))
    }

    /// The state that the client has flags of.
    #[must_use]
    pub fn known(&self) -> Option<&str> {
        self.known.as_deref()
    }

    /// The head of the answer that goes on.
    #[must_use]
    pub fn accepted() -> Response<Bytes> {
        let mut answer = plain(StatusCode::OK, "");
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-transform"));
        answer
    }

    /// The answer where no more can be told.
    #[must_use]
    pub fn too_many() -> Response<Bytes> {
        with_silence(plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many wait for changes just now. Try again in a minute.\n",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(target: &str, last: Option<&str>) -> Option<String> {
        let request =
            last.into_iter().fold(Request::get(target), |request, last| request.header("last-event-id", last));
        let question = ChangeQuestion::of(&request.body(()).unwrap())?.unwrap();
        question.known
    }

    #[test]
    fn a_browser_that_comes_back_says_what_it_heard_last() {
        let path = "/.flagstaff/ofrep/v1/events";
        assert_eq!(known(path, None), None);
        assert_eq!(known(&format!("{path}?a=1&since=12"), None).as_deref(), Some("12"));
        assert_eq!(known(&format!("{path}?since=12"), Some("34")).as_deref(), Some("34"));
        assert_eq!(known(&format!("{path}?since=12"), Some("")).as_deref(), Some("12"));
        assert!(ChangeQuestion::of(&Request::get("/.flagstaff/ofrep/v1/event").body(()).unwrap()).is_none());
        let posted = ChangeQuestion::of(&Request::post(path).body(()).unwrap()).unwrap();
        assert_eq!(posted.unwrap_err().status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}
