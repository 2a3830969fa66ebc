//! A connection to the app on which the task of each request writes and reads by itself.
//!
//! Most requests have no body, and most answers say how long they are: those are plain, and pass here without a task of the connection's
//! own, and without being handed to it and back. Whatever else comes is left to hyper: [`PlainWire::hand_over`] gives it the connection in the
//! middle of the exchange, with what was read so far.

use std::future::poll_fn;
use std::io;
use std::mem::MaybeUninit;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use bytes::{Bytes, BytesMut};
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use httparse::Status;
use hyper::ext::ReasonPhrase;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::task::coop::unconstrained;

use crate::body::{AnswerBody, RequestBody, empty_request};
use crate::proxy::head_copy::read_request;
use crate::proxy::resumed::Resumed;

/// Room for the beginning of an answer.
const FIRST_READ: usize = 8 << 10;
/// The most that is read at once of the rest.
const MOST_AT_ONCE: u64 = 64 << 10;
/// Fields of a plain answer at most.
const FIELDS: usize = 64;

/// Bytes both ways, over TCP, TLS or a Unix socket.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// The connection, and what was read of it.
pub(crate) struct PlainWire {
    io: Box<dyn Stream>,
    read: BytesMut,
    written: Vec<u8>,
    /// How many fields the last request had.
    fields: usize,
    /// A request was written, and its answer is not read yet.
    is_asked: bool,
    /// Why nothing can be read any more.
    failed: Option<io::Error>,
    limits: AnswerLimits,
}

/// What an answer's head may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AnswerLimits {
    pub(crate) fields: usize,
    pub(crate) bytes: usize,
}

impl std::fmt::Debug for PlainWire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlainWire").field("is_asked", &self.is_asked).finish_non_exhaustive()
    }
}

/// Whether nothing of a request needs more than its head to be written.
pub(crate) fn is_plain(request: &Request<RequestBody>) -> bool {
    let others = [header::UPGRADE, header::EXPECT, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
    (request.method() == Method::GET || request.method() == Method::HEAD)
        && request.body().is_end_stream()
        && request.uri().authority().is_none()
        && request.uri().path_and_query().is_some_and(|target| target.as_str().starts_with('/'))
        && !others.iter().any(|name| request.headers().contains_key(name))
}

impl PlainWire {
    pub(crate) fn new(io: Box<dyn Stream>, limits: AnswerLimits) -> Self {
        let (read, written) = (BytesMut::new(), Vec::new());
        Self { io, read, written, fields: 0, is_asked: false, failed: None, limits }
    }

    pub(crate) const fn limits(&self) -> AnswerLimits {
        self.limits
    }

    /// Writes a plain request, and reads its answer. Nothing of the request is left behind.
    ///
    /// # Errors
    ///
    /// The request, where the answer is not plain or there is none: then the connection has to be handed over. None where the request
    /// cannot be read again from what was written.
    pub(crate) async fn exchange(
        &mut self,
        request: &mut Request<RequestBody>,
    ) -> Result<Response<AnswerBody>, Option<Request<RequestBody>>> {
        let is_head = request.method() == Method::HEAD;
        self.fields = request.headers().len();
        write_head(&mut self.written, request);
        // let go of while it is still in the processor's caches: others come before the app answers
        *request = empty_request();
        let answer = self.answer(is_head).await;
        answer.ok_or_else(|| {
            let again = read_request(&self.written);
            if again.is_none() && is_head {
                // hyper reads the answer to the empty one that is left: what has no body must have none there
                *request.method_mut() = Method::HEAD;
            }
            again
        })
    }

    async fn answer(&mut self, is_head: bool) -> Option<Response<AnswerBody>> {
        self.is_asked = true;
        self.io.write_all(&self.written).await.ok()?;
        self.io.flush().await.ok()?;
        self.read.reserve(FIRST_READ);
        if let Err(error) = self.io.read_buf(&mut self.read).await {
            self.failed = Some(error);
            return None;
        }
        let answer = self.take_answer(is_head)?;
        self.is_asked = false;
        Some(answer)
    }

    /// The connection as hyper goes on with it.
    pub(crate) fn hand_over(self) -> Resumed<Box<dyn Stream>> {
        Resumed::new(self.io, self.read.freeze(), self.is_asked, self.failed)
    }

    /// More of an answer, so much at most; nothing at its end.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>, most: u64) -> Poll<io::Result<Bytes>> {
        if self.read.is_empty() {
            self.read.reserve(usize::try_from(most.min(MOST_AT_ONCE)).unwrap_or(FIRST_READ));
            let polled = pin!(self.io.read_buf(&mut self.read)).poll(cx);
            std::task::ready!(polled)?;
        }
        let count = usize::try_from(most).map_or(self.read.len(), |most| most.min(self.read.len()));
        Poll::Ready(Ok(self.read.split_to(count).freeze()))
    }

    /// Whether nothing comes, as it should be between two exchanges. When something does, or the app closes, `watch` is woken.
    pub(crate) fn is_quiet(&mut self, watch: &Waker) -> bool {
        let mut unexpected = [0];
        let mut buf = tokio::io::ReadBuf::new(&mut unexpected);
        // tokio would say nothing of the connection to a task that has used up its turn
        let looked = poll_fn(|cx| pin!(&mut self.io).poll_read(cx, &mut buf));
        let polled = pin!(unconstrained(looked)).poll(&mut Context::from_waker(watch));
        // one that has spoken unasked is never quiet again
        self.read.extend_from_slice(buf.filled());
        polled.is_pending() && self.read.is_empty() && !self.is_asked
    }

    /// The answer, if it is plain and its head is here.
    fn take_answer(&mut self, is_head: bool) -> Option<Response<AnswerBody>> {
        let read = self.read.split().freeze();
        let answer = read_answer(&read, (is_head, self.fields), self.limits.bytes);
        if answer.is_none() {
            self.read = read.into();
        }
        answer
    }
}

/// Wakes the pool, which keeps the connection.
pub(crate) struct Watch<F>(pub(crate) F);

impl<F: Fn() + Send + Sync + 'static> Wake for Watch<F> {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn write_head(head: &mut Vec<u8>, request: &Request<RequestBody>) {
    head.clear();
    head.shrink_to(FIRST_READ);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    for piece in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        head.extend_from_slice(piece.as_bytes());
    }
    for (name, value) in request.headers() {
        head.reserve(name.as_str().len() + value.len() + 4);
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
        head.extend_from_slice(b"\r\n");
    }
    head.extend_from_slice(b"\r\n");
}

/// A plain answer: HTTP/1.1, whose head is whole, whose length is said, and behind which nothing stands.
fn read_answer(read: &Bytes, (is_head, asked): (bool, usize), head_limit: usize) -> Option<Response<AnswerBody>> {
    let mut fields = [const { MaybeUninit::uninit() }; FIELDS];
    let mut parsed = httparse::Response::new(&mut []);
    let parse = httparse::ParserConfig::default();
    let Ok(Status::Complete(head)) = parse.parse_response_with_uninit_headers(&mut parsed, read, &mut fields) else {
        return None;
    };
    let status = StatusCode::from_u16(parsed.code?).ok().filter(|status| !status.is_informational())?;
    let length = length(is_head, status, parsed.headers)?;
    let here = read.slice(head..);
    let left = length.checked_sub(here.len() as u64).filter(|_| head <= head_limit && parsed.version == Some(1))?;
    let mut answer = Response::new(AnswerBody::Sized { here, left });
    *answer.status_mut() = status;
    *answer.headers_mut() = header_map(read, parsed.headers, asked)?;
    // the server side writes it as it came
    if let Some(reason) = parsed.reason.filter(|reason| Some(*reason) != status.canonical_reason()) {
        answer.extensions_mut().insert(ReasonPhrase::try_from(reason.as_bytes()).ok()?);
    }
    Some(answer)
}

/// The length of a body that says it once (RFC 9112, 6.3).
fn length(is_head: bool, status: StatusCode, fields: &[httparse::Header<'_>]) -> Option<u64> {
    let is = |field: &httparse::Header<'_>, name: HeaderName| field.name.eq_ignore_ascii_case(name.as_str());
    if fields.iter().any(|field| is(field, header::TRANSFER_ENCODING)) {
        return None;
    }
    let mut lengths = fields.iter().filter(|field| is(field, header::CONTENT_LENGTH));
    let said = match (lengths.next(), lengths.next()) {
        (None, _) => None,
        (Some(_), Some(_)) => return None,
        (Some(one), None) => Some(decimal(one.value)?),
    };
    let has_no_body = is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if has_no_body { Some(0) } else { said }
}

/// hyper keeps the last two numbers for bodies that say no length.
fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?;
    number.filter(|number| *number <= u64::MAX - 2)
}

/// Some fields are added on the way back. Then the client's connection takes the map for its next request, to which as many are added as to
/// this one: mostly a few dozen, but there may be more than a map can have.
fn header_map(read: &Bytes, fields: &[httparse::Header<'_>], asked: usize) -> Option<HeaderMap> {
    let mut map = HeaderMap::with_capacity(fields.len().max(asked.min(FIELDS)) + 4);
    for field in fields {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        let value = if field.value.is_empty() { Bytes::new() } else { read.slice_ref(field.value) };
        map.append(name, HeaderValue::from_maybe_shared(value).ok()?);
    }
    Some(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_has_spoken_unasked_is_never_quiet_again() {
        let (ours, mut app) = tokio::io::duplex(99);
        let mut wire = PlainWire::new(Box::new(ours), AnswerLimits { fields: 9, bytes: 999 });
        assert!(wire.is_quiet(Waker::noop()));
        app.write_all(b"?").await.unwrap();
        assert!(!wire.is_quiet(Waker::noop()));
        assert!(!wire.is_quiet(Waker::noop()), "also when all that came was looked at");
    }
}
