//! The answer in the making.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use flagstaff_flags::EventSource;
use flagstaff_tag::{FaultOrigin, Flags, GoalEvent, NotCounted, NotReached};
use http::Response;
use jiff::Timestamp;
use pin_project_lite::pin_project;

use crate::layer::Shared;
use crate::observe::context::Asked;

pin_project! {
    /// The future of [`FlagService`](crate::FlagService): that of the service inside, and then what its answer says to us.
    pub struct FlagFuture<F> {
        #[pin]
        inner: F,
        tagged: Option<Tagged>,
    }
}

/// What the answer needs to know of the request.
struct Tagged {
    flags: Flags,
    asked: Option<Asked>,
    shared: Arc<Shared>,
}

impl<F> FlagFuture<F> {
    pub(crate) const fn new(inner: F, flags: Flags, asked: Option<Asked>, shared: Arc<Shared>) -> Self {
        Self { inner, tagged: Some(Tagged { flags, asked, shared }) }
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
        if let Some(mut tagged) = this.tagged.take() {
            tagged.finish(&mut answer);
            tagged.asked = None;
        }
        Poll::Ready(answer)
    }
}

/// What hangs is given up by those who wait, before any limit ends it: that must not look as if nobody had asked.
impl Drop for Tagged {
    fn drop(&mut self) {
        if let Some(asked) = &self.asked {
            self.shared.hearing().abandoned(&self.flags, asked);
        }
    }
}

impl Tagged {
    /// Reads the answer. Request, answer and flags are known together here.
    fn finish<R, E>(&self, answer: &mut Result<Response<R>, E>) {
        let now = Timestamp::now();
        let hearing = self.shared.hearing();
        match (answer, &self.asked) {
            (Ok(response), asked) => {
                let blamed = response.extensions_mut().remove::<FaultOrigin>();
                let directives = self.shared.tagger().answer(&self.flags, response, now);
                if let Some(asked) = asked {
                    hearing.answered(&self.flags, asked, response, &directives, blamed);
                    hearing.reached(&self.flags, asked, response, &directives, now);
                } else if !hearing.is_nobody() {
                    self.refuse(&directives.events, now);
                }
            }
            (Err(_), Some(asked)) => hearing.failed(&self.flags, asked),
            (Err(_), None) => {}
        }
    }

    /// Counts what the app says happened on a request without an id: a conversion that reaches no goal must not go unsaid. What is left
    /// out on purpose, such as bots, is told elsewhere.
    fn refuse(&self, events: &[GoalEvent], now: Timestamp) {
        let why = match self.flags.counted() {
            Err(NotCounted::CrossSite) => NotReached::CrossSite,
            Err(NotCounted::NoId) => NotReached::NoId,
            _ => return,
        };
        let plan = self.flags.compiled();
        let goals = events.iter().flat_map(|event| plan.snapshot().goals_of_event(event.name.as_str()));
        for (goal, _) in goals.filter(|(_, wanted)| wanted.from.admits(EventSource::App)) {
            plan.refuse(goal, why, now);
        }
    }
}

impl<F> fmt::Debug for FlagFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagFuture").finish_non_exhaustive()
    }
}
