//! One request and its answer, with what may be tried again and what may not.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::header::{self, HeaderValue};
use http::uri::{Parts, PathAndQuery, Scheme, Uri};
use http::{Extensions, Request, Response};
use http_body::Body as _;
use tokio::time::{Instant, timeout_at};

use crate::body::{AnswerBody, BodyFault, ExchangeState, RequestBody};
use crate::meters::{Failure, METERS};
use crate::proxy::plain_wire::{AnswerLimits, is_plain};
use crate::proxy::pool::{self, Connection, Sender};
use crate::proxy::send::send;
use crate::proxy::upstream::{Tried, Upstream, Upstreams};

/// The app's answer and where it came from.
#[derive(Debug)]
pub(crate) struct UpstreamAnswer {
    pub(crate) answer: Response<AnswerBody>,
    /// Nothing for HTTP/2, whose connections are shared.
    pub(crate) connection: Option<Box<Connection>>,
    /// Only when the access log asks for it.
    pub(crate) upstream: Option<Arc<str>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum ExchangeError {
    /// The client's body was at fault.
    Body(BodyFault),
    /// The upstream was.
    Failed(Failure, String),
}

impl ExchangeError {
    /// Whether the upstream is at fault, not the client nor this machine.
    pub(crate) fn is_upstreams(&self) -> bool {
        matches!(self, Self::Failed(failure, _) if !failure.is_ours())
    }

    /// Whether this machine lacks what it needs to ask the upstream.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::Failed(failure, _) if failure.is_ours())
    }
}

/// Sends a request until it is answered, or until the deadline.
///
/// It is sent again in two cases only: not one byte of it was written, or it went out on a kept connection that turned
/// out dead, may be repeated by its method and has no body. The second time it goes out on a new connection.
///
/// `only` names the one upstream it may go to; without it, all addresses of the app may be asked.
pub(crate) async fn exchange(
    upstreams: &Upstreams,
    only: Option<&Upstream>,
    request: &mut Request<RequestBody>,
    deadline: Instant,
) -> Result<UpstreamAnswer, ExchangeError> {
    let mut tried = Tried::default();
    let mut fresh = false;
    let mut last = None;
    let extensions = std::mem::take(request.extensions_mut());
    let exchange_state = request.body().exchange_state();
    while let Some(upstream) = next(upstreams, only, &tried) {
        let now = Instant::now();
        let began = upstreams.at(now);
        let repeatable = repeatable(request);
        let wanted = Wanted { fresh, careful: !repeatable, plain: is_plain(request) };
        let (mut sender, unused) = match connection(upstreams, upstream, wanted, (now, deadline)).await? {
            Ok(connection) => connection,
            Err((failure, why)) => {
                tried.add(upstream);
                if !failure.is_ours() && failure != Failure::Forbidden {
                    upstreams.failed(upstream, began);
                }
                // With more of what this machine lacks, that address might have answered: no other is to blame.
                last = last.filter(ExchangeError::is_ours).or(Some(ExchangeError::Failed(failure, why)));
                continue;
            }
        };
        address(request, upstream, &sender)?;
        let may_repeat = repeatable && unused.is_some();
        let sent = send(&mut sender, request, (may_repeat, wanted.plain), deadline).await;
        let unanswered = match sent.ok_or_else(late)? {
            Ok(mut answer) => {
                upstream.answered();
                let limits = upstreams.connector.answer_limits();
                if answer.headers().len() > limits.fields {
                    return Err(too_large(upstream, limits));
                }
                hand_on(extensions, answer.extensions_mut());
                return Ok(answered(upstreams, answer, sender, upstream));
            }
            Err(unanswered) => unanswered,
        };
        let cause = cause_of(&unanswered.error, exchange_state.as_deref(), upstream, upstreams);
        let died = matches!(cause, ExchangeError::Failed(Failure::Died, _));
        if let Some(unused) = unused.filter(|_| died) {
            pool::died(&upstream.key, unused);
        }
        let Some(again) = unanswered.again.filter(|_| died) else { return Err(cause) };
        *request = again;
        if unused.is_some() {
            METERS.retries.increment(1);
        } else {
            tried.add(upstream);
            upstreams.failed(upstream, began);
        }
        fresh = true;
        last = Some(cause);
    }
    Err(last.unwrap_or(ExchangeError::Failed(Failure::Connect, "no upstream".to_owned())))
}

/// What the layers noted on the request goes back with its answer, so that they need not note it again.
fn hand_on(mut noted: Extensions, answer: &mut Extensions) {
    if !answer.is_empty() {
        noted.extend(std::mem::take(answer));
    }
    *answer = noted;
}

#[cold]
fn late() -> ExchangeError {
    ExchangeError::Failed(Failure::AnswerTimeout, String::new())
}

fn next<'a>(upstreams: &'a Upstreams, only: Option<&'a Upstream>, tried: &Tried) -> Option<&'a Upstream> {
    only.map_or_else(|| upstreams.choose(tried), |only| Some(only).filter(|only| !tried.has(only)))
}

/// Which connection a request needs.
#[derive(Clone, Copy)]
struct Wanted {
    /// None that was used before.
    fresh: bool,
    /// None that the app may be about to close.
    careful: bool,
    /// Best one on which the request's task writes.
    plain: bool,
}

/// A connection, and for one that was used before, how long it was not. A request that may be sent only once first lets the
/// kernel tell which kept connections have ended: their tasks run before this one goes on.
async fn connection(
    upstreams: &Upstreams,
    upstream: &Upstream,
    Wanted { fresh, careful, plain }: Wanted,
    (mut now, deadline): (Instant, Instant),
) -> Result<Result<(Sender, Option<Duration>), (Failure, String)>, ExchangeError> {
    if careful && !fresh {
        tokio::task::yield_now().await;
        now = Instant::now();
    }
    if !fresh && let Some((sender, unused)) = pool::take(&upstream.key, careful, plain, now) {
        return Ok(Ok((sender, Some(unused))));
    }
    // In a box: it is large, for its handshakes, and hardly any request needs it.
    let connecting =
        Box::pin(upstreams.connector.connect(&upstream.origin, upstream.key.number(), upstream.policy.as_deref()));
    let connected = timeout_at(deadline, connecting).await.map_err(|_| late())?;
    if let Ok(Sender::Http2(sender)) = &connected {
        pool::share(&upstream.key, sender, upstreams.connector.keeping());
    }
    Ok(connected.map(|sender| (sender, None)))
}

fn answered(
    upstreams: &Upstreams,
    answer: Response<AnswerBody>,
    sender: Sender,
    upstream: &Upstream,
) -> UpstreamAnswer {
    let connection = match sender {
        Sender::Http1(connection) => Some(connection),
        Sender::Http2(_) => None,
    };
    let upstream = upstreams.notes_address.then(|| Arc::clone(&upstream.origin.authority));
    UpstreamAnswer { answer, connection, upstream }
}

/// Writes host and target as the protocol wants them.
fn address(request: &mut Request<RequestBody>, upstream: &Upstream, sender: &Sender) -> Result<(), ExchangeError> {
    match sender {
        Sender::Http1(_) => {
            // HTTP/1.0 clients may name no host, but HTTP/1.1 must.
            if !request.headers().contains_key(header::HOST)
                && let Ok(host) = HeaderValue::from_str(upstream.origin.host_field())
            {
                request.headers_mut().insert(header::HOST, host);
            }
            if request.headers().contains_key(header::TE) && !request.headers().contains_key(header::CONNECTION) {
                request.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("te"));
            }
            // Without this hyper takes it that a GET or HEAD has no body, and drops one that says no length.
            let body = request.body();
            if !body.is_end_stream() && body.size_hint().exact().is_none() {
                request.headers_mut().insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            Ok(())
        }
        Sender::Http2(_) => absolute(request, upstream),
    }
}

/// HTTP/2 has scheme and authority beside the path, and no Host.
fn absolute(request: &mut Request<RequestBody>, upstream: &Upstream) -> Result<(), ExchangeError> {
    let host = request.headers_mut().remove(header::HOST);
    let host = host.as_ref().map_or(upstream.origin.host_field().as_bytes(), HeaderValue::as_bytes);
    let authority = request.uri().authority().cloned().map_or_else(|| host.try_into(), Ok);
    let mut parts = Parts::default();
    parts.scheme = Some(if upstream.origin.tls { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = authority.ok();
    parts.path_and_query = request.uri().path_and_query().cloned().or_else(|| Some(PathAndQuery::from_static("/")));
    let uri = Uri::from_parts(parts).map_err(|e| ExchangeError::Failed(Failure::Malformed, e.to_string()))?;
    *request.uri_mut() = uri;
    *request.version_mut() = http::Version::HTTP_2;
    Ok(())
}

/// Sending it twice is as good as once (RFC 9110 §9.2.2), and it can be sent twice.
pub(crate) fn repeatable(request: &Request<RequestBody>) -> bool {
    request.method().is_idempotent()
        && request.body().is_end_stream()
        && !request.headers().contains_key(header::UPGRADE)
}

#[cold]
fn cause_of(
    error: &hyper::Error,
    exchange_state: Option<&ExchangeState>,
    upstream: &Upstream,
    upstreams: &Upstreams,
) -> ExchangeError {
    if let Some(fault) = body_fault(error).or_else(|| exchange_state?.fault()) {
        return ExchangeError::Body(fault);
    }
    if error.is_parse_too_large() {
        return too_large(upstream, upstreams.connector.answer_limits());
    }
    let failure = if error.is_parse() { Failure::Malformed } else { Failure::Died };
    let mut why = format!("{}: {error}", upstream.origin.authority);
    if let Some(source) = error.source() {
        why = format!("{why}: {source}");
    }
    ExchangeError::Failed(failure, why)
}

#[cold]
fn too_large(upstream: &Upstream, limits: AnswerLimits) -> ExchangeError {
    let AnswerLimits { fields, bytes } = limits;
    let why = format!(
        "{}: the head of its answer has more than {fields} fields or {bytes} bytes; raise limits.answer_headers or \
         limits.answer_head_bytes",
        upstream.origin.authority
    );
    ExchangeError::Failed(Failure::AnswerHead, why)
}

/// The client's body is the cause when one of the errors behind this one says so.
fn body_fault(error: &hyper::Error) -> Option<BodyFault> {
    let mut next: Option<&(dyn Error + 'static)> = error.source();
    loop {
        let error = next?;
        if let Some(fault) = error.downcast_ref::<BodyFault>() {
            return Some(*fault);
        }
        next = error.source();
    }
}
