//! Head and body of a small message in one piece: the kernel takes one piece for less than several, by more than it costs
//! to put them together.

use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More bytes than these are left where they are.
const SMALL: usize = 4096;

thread_local! {
    static PIECE: RefCell<Vec<u8>> = RefCell::new(Vec::with_capacity(SMALL));
}

/// Writes buffers as one, where they are small.
pub(crate) fn write<T: AsyncWrite>(
    io: Pin<&mut T>,
    cx: &mut Context<'_>,
    bufs: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    if let [one] = bufs {
        return io.poll_write(cx, one);
    }
    if bufs.iter().map(|buf| buf.len()).sum::<usize>() > SMALL {
        return io.poll_write_vectored(cx, bufs);
    }
    PIECE.with_borrow_mut(|piece| {
        piece.clear();
        bufs.iter().for_each(|buf| piece.extend_from_slice(buf));
        io.poll_write(cx, piece)
    })
}

/// A socket whose small messages are written in one piece.
#[derive(Debug)]
pub(crate) struct CoalescedWrites<T>(pub(crate) T);

impl<T: AsyncRead + Unpin> AsyncRead for CoalescedWrites<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for CoalescedWrites<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        write(Pin::new(&mut self.0), cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// Notes how many bytes came with each write, and takes at most so many.
    #[derive(Debug)]
    struct Notes(Vec<(bool, usize)>, usize, Vec<u8>);

    impl AsyncWrite for Notes {
        fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            let taken = buf.len().min(self.1);
            self.0.push((false, taken));
            self.2.extend_from_slice(&buf[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.to_vec()).collect();
            let taken = all.len().min(self.1);
            self.0.push((true, taken));
            self.2.extend_from_slice(&all[..taken]);
            Poll::Ready(Ok(taken))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    async fn written(limit: usize, pieces: [&[u8]; 2]) -> (Vec<(bool, usize)>, Vec<u8>) {
        let mut io = CoalescedWrites(Notes(Vec::new(), limit, Vec::new()));
        let mut all = bytes::Buf::chain(pieces[0], pieces[1]);
        io.write_all_buf(&mut all).await.unwrap();
        (io.0.0, io.0.2)
    }

    #[tokio::test]
    async fn small_messages_are_one_piece_and_large_ones_are_not_copied() {
        assert_eq!(written(usize::MAX, [b"head", b"body"]).await, (vec![(false, 8)], b"headbody".to_vec()));
        let large = [b'x'; SMALL];
        let (writes, bytes) = written(usize::MAX, [b"head", &large]).await;
        assert_eq!((writes, bytes.len()), (vec![(true, 4 + SMALL)], 4 + SMALL));
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_comes_again() {
        let (writes, bytes) = written(3, [b"head", b"body"]).await;
        assert_eq!((writes.len(), bytes.as_slice()), (3, &b"headbody"[..]));
    }
}
