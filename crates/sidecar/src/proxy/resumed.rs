//! A connection on which hyper goes on in the middle of an exchange.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Where the request is written already, hyper writes it into nothing, and reads what came of the answer first.
#[derive(Debug)]
pub(crate) struct Resumed<T> {
    io: T,
    read: Bytes,
    /// What reading ended with already: some connections do not say it again.
    failed: Option<io::Error>,
    request: Request,
    /// Who waits for the answer.
    reader: Option<Waker>,
}

/// How far the request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// It is out, and hyper does not know it.
    Out,
    /// hyper has begun to write it.
    WrittenAgain,
    /// hyper knows of it; or there is none yet.
    Known,
}

impl<T> Resumed<T> {
    /// With what was read already, what that ended with, and whether a request is out.
    pub(crate) const fn new(io: T, read: Bytes, is_asked: bool, failed: Option<io::Error>) -> Self {
        let request = if is_asked { Request::Out } else { Request::Known };
        Self { io, read, failed, request, reader: None }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Resumed<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.request != Request::Known {
            // an answer before its request would look as if the app spoke first
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        if self.read.is_empty() {
            return match self.failed.take() {
                Some(error) => Poll::Ready(Err(error)),
                None => Pin::new(&mut self.io).poll_read(cx, buf),
            };
        }
        let count = self.read.len().min(buf.remaining());
        buf.put_slice(self.read.get(..count).unwrap_or_default());
        self.read.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Resumed<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.request == Request::Known {
            return Pin::new(&mut self.io).poll_write(cx, buf);
        }
        self.request = Request::WrittenAgain;
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.request == Request::Known {
            return Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        }
        self.request = Request::WrittenAgain;
        Poll::Ready(Ok(bufs.iter().map(|buf| buf.len()).sum()))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    /// hyper flushes when it has written all. What was written in its place may have failed: that is told by what is read.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.request {
            Request::Known => return Pin::new(&mut self.io).poll_flush(cx),
            Request::WrittenAgain => {
                self.request = Request::Known;
                self.reader.take().into_iter().for_each(Waker::wake);
            }
            Request::Out => {}
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
