//! What was written of a request, for the case that it has to be sent again.
//!
//! A kept connection may turn out dead when a request is on it, and hyper does not give back what it has begun to write. So the bytes of
//! its head are noted as they go out. To clone each request, field by field, would cost more than that.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use http::Request;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::body::{RequestBody, empty_request};

/// Room for more than so many bytes is not kept for the next request.
const MOST_KEPT: usize = 16 << 10;

/// The head that was written last on a connection. All clones are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeadCopy(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    /// The request has no body and may be sent again: else nothing is noted.
    is_wanted: bool,
    bytes: Vec<u8>,
    /// How many of them the socket took.
    written: usize,
}

impl HeadCopy {
    /// Forgets the request before. Notes the next one where it is wanted: it must have no body.
    pub(crate) fn begin(&self, is_wanted: bool) {
        let mut noted = self.noted();
        noted.is_wanted = is_wanted;
        noted.written = 0;
        noted.bytes.clear();
        noted.bytes.shrink_to(MOST_KEPT);
    }

    /// The request whose head was written, or was about to be; none where it was not wanted.
    pub(crate) fn request(&self) -> Option<Request<RequestBody>> {
        let noted = self.noted();
        read_request(&noted.bytes).filter(|_| noted.is_wanted)
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    /// Notes what is to be written: all that the socket has not taken of it comes again with the next try.
    fn note<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>) {
        let mut known = self.bytes.len().saturating_sub(self.written);
        for piece in pieces {
            self.bytes.extend_from_slice(piece.get(known..).unwrap_or_default());
            known = known.saturating_sub(piece.len());
        }
    }
}

/// Reads the head of a request without a body, as hyper writes it.
pub(crate) fn read_request(head: &[u8]) -> Option<Request<RequestBody>> {
    let lines = memchr::memchr_iter(b'\n', head).count();
    let mut fields = vec![httparse::EMPTY_HEADER; lines];
    let mut parsed = httparse::Request::new(&mut fields);
    let is_whole = parsed.parse(head).is_ok_and(|read| read.is_complete());
    let mut request = empty_request();
    *request.method_mut() = parsed.method.filter(|_| is_whole)?.parse().ok()?;
    *request.uri_mut() = parsed.path?.parse().ok()?;
    for field in parsed.headers {
        let name = http::HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        request.headers_mut().append(name, http::HeaderValue::from_bytes(field.value).ok()?);
    }
    Some(request)
}

/// A connection that notes the heads of requests as they are written.
#[derive(Debug)]
pub(crate) struct NotesHead<T> {
    io: T,
    copy: HeadCopy,
}

impl<T> NotesHead<T> {
    pub(crate) const fn new(io: T, copy: HeadCopy) -> Self {
        Self { io, copy }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for NotesHead<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for NotesHead<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut noted = this.copy.noted();
        if !noted.is_wanted {
            return Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        }
        noted.note(bufs.iter().map(|buf| &**buf));
        let result = Pin::new(&mut this.io).poll_write_vectored(cx, bufs);
        if let Poll::Ready(Ok(count)) = &result {
            noted.written += count;
        }
        result
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Takes so many bytes at a time, and then no more.
    struct Slow(Vec<usize>);

    impl AsyncWrite for Slow {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(self.0.pop().map(|room| room.min(buf.len())).ok_or_else(|| io::ErrorKind::BrokenPipe.into()))
        }
        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    const HEAD: &[u8] =
        b"PUT /a?b=%20 HTTP/1.1\r\nhost: shop.example\r\ncookie: a=\xfc\r\ncookie: b\r\ncontent-length: 0\r\n\r\n";

    #[tokio::test]
    async fn a_request_is_read_from_what_was_written_however_much_the_socket_took() {
        for room in [vec![], vec![9], vec![1000], vec![7, 20, 1, 3], vec![1; 1000]] {
            let copy = HeadCopy::default();
            copy.begin(true);
            let mut io = NotesHead::new(Slow(room), copy.clone());
            let _ = io.write_all(HEAD).await;
            let request = copy.request().unwrap();
            assert_eq!((request.method().as_str(), request.uri().to_string().as_str()), ("PUT", "/a?b=%20"));
            let fields: Vec<_> =
                request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
            let wanted: [(_, &[u8]); 4] =
                [("host", b"shop.example"), ("cookie", b"a=\xfc"), ("cookie", b"b"), ("content-length", b"0")];
            assert_eq!(fields, wanted);
        }
    }

    #[tokio::test]
    async fn pieces_are_noted_once_and_what_is_not_wanted_is_not() {
        let copy = HeadCopy::default();
        copy.begin(true);
        let mut io = NotesHead::new(Slow(vec![1000; 9]), copy.clone());
        let (first, rest) = HEAD.split_at(30);
        poll_fn(|cx| Pin::new(&mut io).poll_write_vectored(cx, &[IoSlice::new(first), IoSlice::new(rest)]))
            .await
            .unwrap();
        assert!(copy.request().is_some(), "the socket took the first piece, and the other was to go with it");
        poll_fn(|cx| Pin::new(&mut io).poll_write_vectored(cx, &[IoSlice::new(rest)])).await.unwrap();
        assert_eq!(copy.request().unwrap().headers().len(), 4, "what comes again is not noted again");
        copy.begin(false);
        io.write_all(HEAD).await.unwrap();
        assert!(copy.request().is_none());
        copy.begin(true);
        assert!(copy.request().is_none(), "nothing was written yet");
        io.write_all(&HEAD[..40]).await.unwrap();
        assert!(copy.request().is_none(), "half a head is no request");
    }
}
