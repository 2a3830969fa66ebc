//! Streams of HTTP/2 whose client takes no bytes.
//!
//! On HTTP/1.1 such a client blocks its socket, which the guard sees. On HTTP/2 it can leave one stream's window shut
//! while others go on; then nothing asks the answer's body for more, so nobody would notice. hyper runs every stream
//! as a task of the executor it is given, and this executor looks at how each task ends its turns.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::rt::Executor;
use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::io::Deadline;
use crate::meters::METERS;
use crate::refusal::Refusal;

/// What the body of the stream that runs now said last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    Nothing,
    /// It gave bytes: the stream has to get rid of them before it asks again.
    Bytes,
    /// It has none yet.
    Wait,
}

thread_local! {
    static SAID: Cell<Said> = const { Cell::new(Said::Nothing) };
}

/// A body notes what it says when it is asked.
pub(crate) fn note<T>(polled: &Poll<T>) {
    SAID.set(if polled.is_ready() { Said::Bytes } else { Said::Wait });
}

/// Runs streams, each watched.
#[derive(Clone, Debug)]
pub(crate) struct Streams {
    pub(crate) limit: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future<Output: Send> + Send + 'static,
{
    fn execute(&self, stream: F) {
        let watched = Watched { stream, limit: self.limit, timer: Deadline::default() };
        drop(tokio::spawn(watched));
    }
}

pin_project! {
    struct Watched<F> {
        #[pin]
        stream: F,
        limit: Duration,
        timer: Deadline,
    }
}

impl<F: Future> Future for Watched<F> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        SAID.set(Said::Nothing);
        if this.stream.poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match SAID.get() {
            Said::Bytes => this.timer.set(Instant::now() + *this.limit),
            Said::Wait => this.timer.clear(),
            Said::Nothing => {}
        }
        // Dropping the stream resets it.
        this.timer.poll(cx).map(|()| METERS.refuse(Refusal::WriteTimeout))
    }
}
