//! The response to a request.

use std::sync::Arc;

use bytes::Bytes;
use flagstaff_flags::{Decision, Decisions, Flag, Snapshot};
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use super::evaluation::{ErrorCode, Evaluation, Failure, evaluation};
use super::question::{Question, context_of, said};
use crate::reply::{self, BodyError, with_allow};
use crate::request::Flags;

/// Which flags an asker sees, and what of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// All, with their metadata.
    Everything,
    /// Those with `client = true`, without metadata: what is kept with a flag is not for visitors.
    ToBrowsers,
}

impl Shown {
    fn has(self, flag: &Flag) -> bool {
        self == Self::Everything || flag.client
    }
}

/// Where changes are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventStream {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    inactivity_delay_sec: u32,
}

impl EventStream {
    /// How long a page may be in the background before its client closes the stream, in seconds.
    const INACTIVITY_DELAY: u32 = 120;

    /// Server-sent events at an absolute address: clients refuse one without a host.
    #[must_use]
    pub const fn at(url: String) -> Self {
        Self { kind: "sse", url, inactivity_delay_sec: Self::INACTIVITY_DELAY }
    }
}

/// An answer in a list.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry<'a> {
    Evaluation(Evaluation<'a>),
    Failure(Failure<'a>),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Bulk<'a> {
    flags: &'a [Entry<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    event_streams: Option<[EventStream; 1]>,
}

/// Answers a client that says in its body for whom: all flags, for any context.
#[must_use]
pub fn evaluate(
    snapshot: &Arc<Snapshot>,
    question: &Question,
    asked: &Parts,
    body: Result<&[u8], BodyError>,
    now: Timestamp,
) -> Response<Bytes> {
    if let Some(refusal) = wrong_method(question, &asked.method) {
        return refusal;
    }
    match context_of(question, body) {
        Ok(context) => {
            let decisions = context.with_subject(now, |subject| snapshot.decide(subject));
            answer(question, &decisions, Shown::Everything, &asked.headers, None)
        }
        Err(failure) => refused(&failure, body.err()),
    }
}

/// Answers a visitor with what was decided for the request. The body must be one, and changes nothing: a context in it cannot say who
/// the visitor is.
pub(crate) fn evaluate_for(
    flags: &Flags,
    question: &Question,
    asked: &HeaderMap,
    body: Result<&[u8], BodyError>,
    stream: Option<EventStream>,
) -> Response<Bytes> {
    match said(question, body) {
        Ok(_) => answer(question, flags.decisions(), Shown::ToBrowsers, asked, stream),
        Err(failure) => refused(&failure, body.err()),
    }
}

fn answer(
    question: &Question,
    decisions: &Decisions,
    shown: Shown,
    asked: &HeaderMap,
    stream: Option<EventStream>,
) -> Response<Bytes> {
    let Some(key) = question.key() else {
        return bulk(decisions, shown, asked, stream);
    };
    let found =
        decisions.snapshot().find(key).and_then(|id| Some((decisions.snapshot().flag(id)?, decisions.of(id))));
    let Some((flag, decision)) = found.filter(|(flag, _)| shown.has(flag)) else {
        return failed(StatusCode::NOT_FOUND, &question.failure(ErrorCode::FlagNotFound, "there is no such flag"));
    };
    match shown_evaluation(flag, decision, shown) {
        Ok(evaluation) => reply::json(StatusCode::OK, &evaluation),
        Err(failure) => failed(StatusCode::BAD_REQUEST, &failure),
    }
}

fn shown_evaluation(flag: &Flag, decision: Decision, shown: Shown) -> Result<Evaluation<'_>, Failure<'_>> {
    let mut evaluation = evaluation(flag, decision)?;
    if shown == Shown::ToBrowsers {
        evaluation.metadata.clear();
    }
    Ok(evaluation)
}

/// The tag is of the flags alone, and weak: an address of a stream that has changed is no reason to send them again.
fn bulk(decisions: &Decisions, shown: Shown, asked: &HeaderMap, stream: Option<EventStream>) -> Response<Bytes> {
    let seen = decisions.iter().filter(|(_, flag, _)| shown.has(flag));
    let entry = |evaluated| match evaluated {
        Ok(evaluation) => Entry::Evaluation(evaluation),
        Err(failure) => Entry::Failure(failure),
    };
    let flags: Vec<_> = seen.map(|(_, flag, decision)| entry(shown_evaluation(flag, decision, shown))).collect();
    let tag = format!("W/{}", reply::tag_of(&reply::to_json(&flags)));
    let body = Bulk { flags: &flags, event_streams: stream.map(|stream| [stream]) };
    reply::tagged("application/json", reply::to_json(&body), &tag, asked)
}

/// The refusal of a request that is not answered.
fn refused(failure: &Failure<'_>, body: Option<BodyError>) -> Response<Bytes> {
    let status =
        if body == Some(BodyError::TooLarge) { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
    failed(status, failure)
}

/// The refusal of a request with a method that means nothing here; `None` for `POST`.
pub(crate) fn wrong_method(question: &Question, method: &Method) -> Option<Response<Bytes>> {
    let failure = question.failure(ErrorCode::General, "ask with POST");
    (*method != Method::POST).then(|| with_allow(failed(StatusCode::METHOD_NOT_ALLOWED, &failure), "POST"))
}

fn failed(status: StatusCode, failure: &Failure<'_>) -> Response<Bytes> {
    reply::json(status, failure)
}
