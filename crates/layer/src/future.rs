//! The answer in the making.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use flagstaff_flags::EventSource;
use flagstaff_tag::{AnsweredBy, Flags, GoalEvent, NoAnswer, NotCounted, NotReached};
use http::Response;
use jiff::Timestamp;
use pin_project_lite::pin_project;

use crate::layer::Shared;
use crate::observe::grpc::counted_status;
use crate::observe::{Answer, RequestContext};

pin_project! {
    /// The future of [`FlagService`](crate::FlagService): that of the service inside, and then what its answer says to us.
    pub struct FlagFuture<F> {
        #[pin]
        inner: F,
        in_flight: Option<InFlight>,
    }
}

/// A tagged request whose answer is awaited.
struct InFlight {
    flags: Flags,
    /// For observers; `None` where no observer is told.
    context: Option<RequestContext>,
    shared: Arc<Shared>,
}

impl<F> FlagFuture<F> {
    pub(crate) const fn new(inner: F, flags: Flags, context: Option<RequestContext>, shared: Arc<Shared>) -> Self {
        Self { inner, in_flight: Some(InFlight { flags, context, shared }) }
    }

    pub(crate) const fn untouched(inner: F) -> Self {
        Self { inner, in_flight: None }
    }
}

impl<F, R, E> Future for FlagFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let unwinding = Unwinding(this.in_flight);
        let polled = this.inner.poll(cx);
        std::mem::forget(unwinding);
        let mut answer = ready!(polled);
        if let Some(mut in_flight) = this.in_flight.take() {
            in_flight.finish(&mut answer);
            in_flight.context = None;
        }
        Poll::Ready(answer)
    }
}

/// Is dropped only when the service inside panics. What catches the panic may give an answer that no observer sees, or drop the future when
/// nothing tells of the panic any more.
struct Unwinding<'a>(&'a mut Option<InFlight>);

impl Drop for Unwinding<'_> {
    fn drop(&mut self) {
        if let Some(mut in_flight) = self.0.take() {
            in_flight.tell(Answer::FAILED);
            in_flight.context = None;
        }
    }
}

/// An app that hangs loses its clients before any limit ends the request. Observers are told of that too.
impl Drop for InFlight {
    fn drop(&mut self) {
        self.tell(Answer::ABANDONED);
    }
}

impl InFlight {
    /// Tells observers of the end of a request without an answer.
    fn tell(&self, answer: Answer<'_>) {
        if let Some(context) = &self.context {
            let exposed = context.confirmed(&[], false);
            self.shared.observers().answered(context, &Answer { exposed: &exposed, ..answer });
        }
    }

    /// Reads the answer. Request, answer and flags are known together here.
    fn finish<R, E>(&self, answer: &mut Result<Response<R>, E>) {
        let now = Timestamp::now();
        let observers = self.shared.observers();
        match (answer, &self.context) {
            (Ok(response), context) => {
                let answered_by: Option<AnsweredBy> = response.extensions_mut().remove();
                let mut directives = self.shared.tagger().answer(&self.flags, response, now);
                if let Some(context) = context {
                    let by_app = !matches!(answered_by, Some(AnsweredBy::Proxy(NoAnswer::App | NoAnswer::Canary(_))));
                    if by_app {
                        self.shared.confirmations().note(context, !directives.followed.is_empty());
                    }
                    directives.exposed.extend(context.confirmed(&directives.followed, by_app));
                    observers.answered(context, &Answer::of(response, answered_by, &directives.exposed));
                    observers.reached(context, counted_status(response), &directives.events, now);
                } else if !observers.ignore_goals() {
                    self.refuse(&directives.events, now);
                }
            }
            (Err(_), _) => self.tell(Answer::FAILED),
        }
    }

    /// Counts the events that the app reports on a request without an id: the log must say that they reach no goal. What is left out on
    /// purpose, such as bots, is counted elsewhere.
    fn refuse(&self, events: &[GoalEvent], now: Timestamp) {
        let why = match self.flags.counted() {
            Err(NotCounted::CrossSite) => NotReached::CrossSite,
            Err(NotCounted::NoId) => NotReached::NoId,
            _ => return,
        };
        let compiled = self.flags.compiled();
        let goals = events.iter().flat_map(|event| compiled.snapshot().goals_of_event(event.name.as_str()));
        for (goal, _) in goals.filter(|(_, wanted)| wanted.from.admits(EventSource::App)) {
            compiled.refuse(goal, why, now);
        }
    }
}

impl<F> fmt::Debug for FlagFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlagFuture").finish_non_exhaustive()
    }
}
