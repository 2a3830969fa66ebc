//! The service.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use flagstaff_tag::{Flags, LastFlags};
use http::{Request, Response};
use http_body::Body;
use jiff::Timestamp;
use tower::Service;

use crate::FlagFuture;
use crate::layer::Shared;

/// Tags requests on their way to the service inside, and reads its answers.
pub struct FlagService<S> {
    inner: S,
    shared: Arc<Shared>,
    last: LastFlags,
}

/// A clone has its own requests.
impl<S: Clone> Clone for FlagService<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.shared))
    }
}

impl<S> FlagService<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared, last: LastFlags::default() }
    }

    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside, to be changed.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside, alone.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, B, R> Service<Request<B>> for FlagService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = FlagFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // A layer further out has tagged it, and will read the answer.
        if request.extensions().get::<Flags>().is_some() {
            return FlagFuture::untouched(self.inner.call(request));
        }
        let now = Timestamp::now();
        let flags = self.shared.tagger().tag_next(&self.shared.compiled(), &mut self.last, &mut request, now);
        let observers = self.shared.observers();
        let context = observers.requested(&request, &flags, now);
        if !observers.ignore_goals() && flags.are_for_own_endpoint() {
            request.extensions_mut().insert(observers.clone());
        }
        FlagFuture::new(self.inner.call(request), flags, context, Arc::clone(&self.shared))
    }
}

impl<S: fmt::Debug> fmt::Debug for FlagService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
