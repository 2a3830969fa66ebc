//! Connections that have switched to another protocol: bytes both ways, until both ends or the silence is too long.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};

use crate::client::Tunnel;
use crate::meters::METERS;

/// Joins the two halves once both have switched.
pub(crate) fn join<B>(client: OnUpgrade, answer: &mut Response<B>, tunnel: Option<Tunnel>, silence: Duration) {
    let app = hyper::upgrade::on(answer);
    tokio::spawn(async move {
        let _open = (tunnel, Open::new());
        let Ok((client, app)) = tokio::try_join!(client, app) else {
            return;
        };
        let moved = Arc::new(AtomicU64::new(0));
        let mut client = Counted { io: TokioIo::new(client), moved: Arc::clone(&moved) };
        let mut app = TokioIo::new(app);
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut app) => {}
            () = silent(&moved, silence) => tracing::debug!("an upgraded connection fell silent"),
        }
    });
}

/// Ends when nothing has moved for this long; never when it is zero. It looks four times within it.
async fn silent(moved: &AtomicU64, limit: Duration) {
    if limit.is_zero() {
        return std::future::pending().await;
    }
    let (mut before, mut quiet) = (moved.load(Relaxed), 0);
    while quiet < 4 {
        tokio::time::sleep(limit / 4).await;
        let now = moved.load(Relaxed);
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
    }
}

struct Open;

impl Open {
    fn new() -> Self {
        METERS.tunnels.increment(1.0);
        Self
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        METERS.tunnels.decrement(1.0);
    }
}

/// Everything that moves either way passes the client's side.
struct Counted<T> {
    io: T,
    moved: Arc<AtomicU64>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.io).poll_read(cx, buf);
        if polled.is_ready() {
            self.moved.fetch_add(1, Relaxed);
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, buf);
        if polled.is_ready() {
            self.moved.fetch_add(1, Relaxed);
        }
        polled
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
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_from_traffic() {
        let moved = Arc::new(AtomicU64::new(0));
        let start = tokio::time::Instant::now();
        let traffic = Arc::clone(&moved);
        tokio::spawn(async move {
            for _ in 0..5 {
                tokio::time::sleep(Duration::from_secs(3)).await;
                traffic.fetch_add(1, Relaxed);
            }
        });
        silent(&moved, Duration::from_secs(4)).await;
        assert!((19..=20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    }
}
