//! What observers are told of an answer.

use flagstaff_flags::{Flag, Name};
use flagstaff_tag::AnsweredBy;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};

use crate::observe::grpc::counted_status;

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What became of it.
    pub result: AnswerResult,
    /// Flags that the app says the visitor has seen.
    pub exposed: &'a [Name],
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerResult {
    /// It was answered.
    Answered {
        /// The status. That of a failed call of gRPC is what it means as one of HTTP.
        status: StatusCode,
        /// The answer is meant not to end: a stream of events, or another protocol.
        is_endless: bool,
        /// Who answered, where it was not the app itself.
        answered_by: Option<AnsweredBy>,
    },
    /// The app gave no answer.
    Failed,
    /// The client went away before there was an answer.
    Abandoned,
}

impl AnswerResult {
    /// Who answered, where it was not the app itself.
    #[must_use]
    pub const fn answered_by(self) -> Option<AnsweredBy> {
        match self {
            Self::Answered { answered_by, .. } => answered_by,
            Self::Failed | Self::Abandoned => None,
        }
    }
}

impl<'a> Answer<'a> {
    /// There was no answer.
    pub(crate) const FAILED: Self = Self { result: AnswerResult::Failed, exposed: &[] };
    /// Nobody waited for it.
    pub(crate) const ABANDONED: Self = Self { result: AnswerResult::Abandoned, exposed: &[] };

    pub(crate) fn of<R>(response: &Response<R>, answered_by: Option<AnsweredBy>, exposed: &'a [Name]) -> Self {
        let is_endless = response.status() == StatusCode::SWITCHING_PROTOCOLS || is_stream(response.headers());
        let status = counted_status(response);
        Self { result: AnswerResult::Answered { status, is_endless, answered_by }, exposed }
    }

    /// The status that is counted: 500 for an app that gave no answer, `None` when the client went away.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.result {
            AnswerResult::Answered { status, .. } => Some(status),
            AnswerResult::Failed => Some(StatusCode::INTERNAL_SERVER_ERROR),
            AnswerResult::Abandoned => None,
        }
    }

    /// Whether the answer is meant not to end, so that its time says nothing.
    #[must_use]
    pub const fn is_endless(&self) -> bool {
        matches!(self.result, AnswerResult::Answered { is_endless: true, .. })
    }

    /// Whether the app says that the visitor has seen a flag.
    #[must_use]
    pub fn exposes(&self, flag: &Flag) -> bool {
        self.exposed.contains(&flag.name)
    }
}

fn is_stream(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..17).is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/event-stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_known_by_their_type() {
        let of = |text| is_stream(&HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(text))]));
        assert!(of("Text/Event-Stream; charset=utf-8"));
        assert!(!of("text/html") && !is_stream(&HeaderMap::new()));
    }
}
