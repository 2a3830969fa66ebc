//! The wrapper around a client's socket: framing, time limits, and closing so that the last answer arrives.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::client::Client;
use crate::io::Deadline;
use crate::io::coalesce;
use crate::refusal::Refusal;
use crate::settings::Timeouts;
use crate::wire::framing::{Framing, Reading, Violation};

/// What hyper gets to read in place of a violation: no method, no field, no chunk may hold a zero byte, so it answers
/// 400 in its turn, after the answers that are due before it, and closes.
const POISON: &[u8] = b"\0\r\n\r\n";
/// What it gets in place of a request whose target it could not read: the edge knows that it is refused, and says why.
const STAND_IN: &[u8] = b"GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";
/// How long an answer is still worked on for a client that has closed its side, while no byte of it leaves.
const HALF_CLOSED: Duration = Duration::from_secs(5);
/// How much of a body nobody wants is taken from the socket before it is closed.
const LEFTOVER_LIMIT: usize = 4 << 20;
/// For how long.
const LEFTOVER_TIME: Duration = Duration::from_secs(2);

/// A client's socket, watched.
#[derive(Debug)]
pub(crate) struct ClientSocket<T> {
    io: T,
    client: Arc<Client>,
    /// Bytes that were read to tell the protocol. They come with those that follow, so that a line is seen whole.
    first: Bytes,
    /// Bytes that were checked and put back, then what replaces a violation.
    ahead: Bytes,
    /// Nothing for HTTP/2, which has frames.
    framing: Option<Framing>,
    timeouts: Arc<Timeouts>,
    read: Deadline,
    write: Deadline,
    ended: bool,
    leftover: Leftover,
}

/// What the client sends after our last word.
#[derive(Debug, PartialEq, Eq)]
enum Leftover {
    /// We still speak.
    Unknown,
    /// This much was taken.
    Taken(usize),
}

impl<T> ClientSocket<T> {
    pub(crate) fn new(io: T, client: Arc<Client>, framing: Option<Framing>, timeouts: Arc<Timeouts>) -> Self {
        Self {
            io,
            client,
            first: Bytes::new(),
            ahead: Bytes::new(),
            framing,
            timeouts,
            read: Deadline::default(),
            write: Deadline::default(),
            ended: false,
            leftover: Leftover::Unknown,
        }
    }

    /// Puts bytes that were already read before those to come. They are checked like all others.
    pub(crate) fn with_first(mut self, bytes: &[u8]) -> Self {
        self.first = Bytes::copy_from_slice(bytes);
        self
    }

    /// Checks bytes as they come; on a violation, says how many were fine, and what comes in place of the rest.
    fn check(&mut self, bytes: &[u8]) -> Option<(usize, &'static [u8])> {
        let framing = self.framing.as_mut()?;
        let Violation { at, refusal } = framing.pass(bytes).err()?;
        let is_target = refusal == Refusal::TargetBytes;
        match framing.in_body_of().or_else(|| is_target.then(|| framing.next_request())) {
            Some(request) => self.client.refuse_request(request, refusal),
            None => self.client.refuse(refusal),
        }
        self.ended = true;
        Some((at, if is_target { STAND_IN } else { POISON }))
    }

    /// Puts back bytes that were read and checked, but not used.
    pub(crate) fn put_back(&mut self, bytes: &[u8]) {
        // Copied: even an empty part of hyper's buffer would keep the whole of it.
        if !bytes.is_empty() {
            self.ahead = [bytes, &self.ahead].concat().into();
        }
    }

    fn copy_ahead(&mut self, buf: &mut ReadBuf<'_>) {
        let count = self.ahead.len().min(buf.remaining());
        if let Some(bytes) = self.ahead.get(..count) {
            buf.put_slice(bytes);
        }
        self.ahead.advance(count);
    }

    /// Nothing to read now: for how long?
    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reading = self.framing.as_ref().map_or(Reading::Open, Framing::reading);
        let (limit, refusal) = match reading {
            Reading::Open => return Poll::Pending,
            Reading::Nothing => (self.timeouts.idle, None),
            Reading::Head => (self.timeouts.head, Some(Refusal::HeadTimeout)),
            Reading::Body => (self.timeouts.body, Some(Refusal::BodyTimeout)),
        };
        // While an answer is under way the client has nothing to say. A connection without a request is put aside soon,
        // and asked again then, so no timer is set for each request.
        if reading == Reading::Nothing && self.client.is_busy() {
            return Poll::Pending;
        }
        if self.read.is_unset() {
            self.read.set(Instant::now() + limit);
        }
        ready!(self.read.poll(cx));
        if let Some(refusal) = refusal {
            self.client.refuse(refusal);
        }
        self.ended = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// The client sends no more. That is no reason to give its answer up: it may wait for it with its own side closed. One that has
    /// gone altogether looks the same until something is written, so an answer of which nothing leaves is not worked on for long.
    fn end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let whole = self.framing.as_ref().is_some_and(|framing| framing.reading() == Reading::Nothing);
        if whole && self.client.is_busy() {
            if self.read.is_unset() {
                self.read.set(Instant::now() + HALF_CLOSED);
            }
            ready!(self.read.poll(cx));
        }
        Poll::Ready(Ok(()))
    }

    fn came(&mut self, before: Option<Reading>) {
        let now = self.framing.as_ref().map(Framing::reading);
        // A head's time runs from its first byte; everything else starts anew with each byte.
        if !(before == Some(Reading::Head) && now == Some(Reading::Head)) {
            self.read.clear();
        }
    }

    fn written(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if result.is_ready() {
            // Bytes that leave show that the client may still be there.
            if self.ended && matches!(result, Poll::Ready(Ok(1..))) {
                self.read.clear();
            }
            if !self.write.is_unset() {
                self.write.clear();
                self.client.blocked(false);
            }
            return result;
        }
        if self.write.is_unset() {
            self.client.blocked(true);
            self.write.set(Instant::now() + self.timeouts.write);
        }
        ready!(self.write.poll(cx));
        self.client.refuse(Refusal::WriteTimeout);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> ClientSocket<T> {
    /// Whether there is something to read, once that is clear; not when the client has gone or is too late.
    pub(crate) fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        if !self.ahead.is_empty() {
            return Poll::Ready(true);
        }
        let mut piece = [0; 512];
        let mut buf = ReadBuf::new(&mut piece);
        let read = ready!(Pin::new(&mut *self).poll_read(cx, &mut buf));
        self.put_back(buf.filled());
        Poll::Ready(read.is_ok() && !self.ahead.is_empty())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for ClientSocket<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.ahead.is_empty() {
            this.copy_ahead(buf);
            return Poll::Ready(Ok(()));
        }
        if this.ended {
            return this.end(cx);
        }
        let before = this.framing.as_ref().map(Framing::reading);
        let start = buf.filled().len();
        buf.put_slice(&this.first.split_to(this.first.len().min(buf.remaining())));
        let result = match Pin::new(&mut this.io).poll_read(cx, buf) {
            _ if buf.filled().len() > start => Poll::Ready(Ok(())),
            result => result,
        };
        if result.is_pending() {
            return this.wait(cx);
        }
        let came = buf.filled().get(start..).unwrap_or_default();
        if came.is_empty() && buf.remaining() > 0 && matches!(result, Poll::Ready(Ok(()))) {
            this.ended = true;
            this.read.clear();
            return this.end(cx);
        }
        if let Some((fine, instead)) = this.check(came) {
            buf.set_filled(start + fine);
            this.ahead = Bytes::from_static(instead);
            this.copy_ahead(buf);
        }
        this.came(before);
        result
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ClientSocket<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write(cx, buf);
        this.written(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = coalesce::write(Pin::new(&mut this.io), cx, bufs);
        this.written(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_flush(cx).map_ok(|()| 0);
        this.written(cx, result).map_ok(|_| ())
    }

    /// Closes our side, then takes what the client still sends: a socket closed with unread bytes in it is reset,
    /// and a reset can destroy the answer on its way (RFC 9112 §9.6).
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.leftover == Leftover::Unknown {
            ready!(Pin::new(&mut this.io).poll_shutdown(cx))?;
            this.leftover = Leftover::Taken(0);
            this.read.set(Instant::now() + LEFTOVER_TIME);
        }
        let between = this.framing.as_ref().is_none_or(|framing| framing.reading() == Reading::Nothing);
        let mut scratch = [0; 8192];
        while let Leftover::Taken(taken @ ..LEFTOVER_LIMIT) = this.leftover
            && this.read.poll(cx).is_pending()
        {
            let mut buf = ReadBuf::new(&mut scratch);
            match Pin::new(&mut this.io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    this.leftover = Leftover::Taken(taken + buf.filled().len());
                }
                Poll::Ready(_) => break,
                // Between requests, with nothing there: nothing is to be expected.
                Poll::Pending if between && taken == 0 && this.client.refused().is_none() => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}
