//! The answer in the making.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use flagstaff_tag::Flags;
use http::Response;
use jiff::Timestamp;
use pin_project_lite::pin_project;

use crate::layer::Shared;

pin_project! {
    /// The future of [`FlagService`](crate::FlagService): that of the service inside, and then what its answer says to us.
    pub struct FlagFuture<F> {
        #[pin]
        inner: F,
        tagged: Option<(Flags, Arc<Shared>)>,
    }
}

impl<F> FlagFuture<F> {
    pub(crate) const fn new(inner: F, flags: Flags, shared: Arc<Shared>) -> Self {
        Self {
            inner,
            tagged: Some((flags, shared)),
        }
    }

    pub(crate) const fn untouched(inner: F) -> Self {
        Self { inner, tagged: None }
    }
}

impl<F, R, E> Future for FlagFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx));
        if let (Ok(response), Some((flags, shared))) = (&mut answer, this.tagged.take()) {
            // Exposures, goals and the rest of what was said are known here: request, answer and flags together.
            let _directives = shared.tagger().answer(&flags, response, Timestamp::now());
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for FlagFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagFuture").finish_non_exhaustive()
    }
}
