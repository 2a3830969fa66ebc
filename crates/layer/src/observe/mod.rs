//! What observers are told of a request and of its answer.
//!
//! [`Observe`] is the trait, [`RequestContext`] and [`Answer`] are what its hooks get. `observers` calls them; `ledger_observer`,
//! `metrics` and `traffic` are implementations here, and the crate `flagstaff-rollout` has one for guards. `confirmations` warns where
//! django-waffle shows nothing of what it follows.

use flagstaff_flags::{EventSource, Goal};
use flagstaff_tag::{Flags, NotReached};
use jiff::Timestamp;

pub(crate) mod answer;
pub(crate) mod confirmations;
pub(crate) mod context;
pub(crate) mod grpc;
#[cfg(feature = "ledger")]
pub(crate) mod ledger_observer;
pub(crate) mod metrics;
pub(crate) mod observers;
pub(crate) mod traffic;

pub use answer::{Answer, AnswerResult};
pub use context::{RequestContext, is_page};
pub use metrics::Answers;
pub use traffic::{AskedFlag, AskedVariant, TailDecision, TailRead, TailReader, Traffic, TrafficSettings};

/// Is told of requests that count, of their answers and of goals that were reached.
///
/// Every hook runs on the request's own way, between the client and the app. It returns at once: it may count, compare, and put
/// something into a queue that drops when it is full. It must not wait, do I/O, panic, or hold a lock that something slow holds too.
/// What must not count (bots, prefetches, visitors without consent) is told to [`Observe::left_out`] alone.
pub trait Observe: Send + Sync + 'static {
    /// Whether requests with these flags are of interest. Asked before each hook.
    fn observes(&self, flags: &Flags) -> bool {
        let _ = flags;
        true
    }

    /// Whether it looks at [`Flags::values`]. Asked when a layer is made.
    fn keeps_values(&self) -> bool {
        false
    }

    /// Whether requests that do not count are of interest, too. Asked before each [`Observe::left_out`].
    fn looks_at_all(&self) -> bool {
        false
    }

    /// A request came that does not count. Nothing of a visitor without consent may be kept.
    fn left_out(&self, request: &RequestContext) {
        let _ = request;
    }

    /// A request came. The app has not seen it yet, so nothing the app does can lose what is noted here.
    fn requested(&self, request: &RequestContext) {
        let _ = request;
    }

    /// The request ended: with an answer, without one, or because the client went away.
    fn answered(&self, request: &RequestContext, answer: &Answer<'_>);

    /// A goal was reached, by a request or by an event. It comes after [`Observe::answered`].
    ///
    /// # Errors
    /// With the reason why it does not count. Observers that come later are not told then.
    fn reached(&self, reached: &ReachedGoal<'_>) -> Result<(), NotReached> {
        let _ = reached;
        Ok(())
    }

    /// A visitor asks to be forgotten: deletes what is kept of the visitor, the session and the person. Returns whether that will be done;
    /// not, when too many ask at once.
    fn forget(&self, flags: &Flags) -> bool {
        let _ = flags;
        true
    }

    /// Events that were accepted and are neither written nor lost yet; `None` for an observer that writes nothing.
    fn pending(&self) -> Option<u64> {
        None
    }
}

/// A goal that was reached.
#[derive(Clone, Copy, Debug)]
pub struct ReachedGoal<'a> {
    /// The flags of the visitor who reached it.
    pub flags: &'a Flags,
    /// Which goal.
    pub goal: &'a Goal,
    /// Where the event came from; `None` for a goal that the request itself reached.
    pub source: Option<EventSource>,
    /// The event's value, as the goal counts it.
    pub value: Option<f64>,
    /// What makes it the same event when it is reported again.
    pub key: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}
