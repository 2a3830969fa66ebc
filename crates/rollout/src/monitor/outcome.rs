//! What became of requests, seen from flags with a guard.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flagstaff_flags::{FlagId, Name, Snapshot, VariantId};
use flagstaff_tag::Network;
use jiff::Timestamp;

/// Is told how visitors of flags with a guard do. It is called on the request's own way, so it must return at once.
///
/// It is told of those who are part of the test (drawn, and by a unit that lasts) and were exposed to the flag: on this request, or
/// before as far as it remembers itself. What must not count (bots, prefetches, visitors without consent) is not told.
pub(crate) trait Outcomes: Send + Sync + 'static {
    /// What is looked at for all flags of a request.
    type Known;

    /// Looks once for all flags of a request.
    fn known(&self) -> Self::Known;

    /// Whether a unit was exposed to a flag before, as far as that is remembered.
    fn was_exposed(&self, known: &Self::Known, exposure: &Exposure<'_>) -> bool {
        let _ = (known, exposure);
        false
    }

    /// A request was answered, of a unit that is exposed to the flag by it or was before. An implementation that remembers it is told of the
    /// unit's later requests too.
    fn answered(&self, known: &Self::Known, outcome: &Outcome<'_>);

    /// A unit reached a goal that the flag's guard names.
    fn converted(&self, known: &Self::Known, conversion: &Conversion<'_>);
}

/// A unit and a flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposure<'a> {
    /// The flags the request was decided with.
    pub(crate) snapshot: &'a Arc<Snapshot>,
    /// Which of them.
    pub(crate) flag: FlagId,
    /// The variant the unit has.
    pub(crate) variant: VariantId,
    /// The variant that the draw gives it now. Another one for a unit that keeps a variant from before: of those there are as many
    /// as the share of that time made, so a test that goes by the present shares must go by this.
    pub(crate) drawn: VariantId,
    /// The unit, as [`flagstaff_flags::BucketBy::key`] names it.
    pub(crate) unit: &'a str,
    /// What tells it from others, as [`unit_key`](super::unit_key) makes it.
    pub(crate) key: u128,
    /// The network that the request came from; none where the server did not say.
    pub(crate) network: Option<Network>,
    /// When the request came, by the clock on the wall.
    pub(crate) at: Timestamp,
    /// When the request came, by a clock that nobody sets.
    pub(crate) since: Instant,
}

/// An answer, seen from one flag.
#[derive(Clone, Debug)]
pub(crate) struct Outcome<'a> {
    /// To whom.
    pub(crate) exposure: &'a Exposure<'a>,
    /// What became of the request; `None` where that says nothing of the flag.
    pub(crate) result: Option<Answered>,
    /// When, by a clock that nobody sets.
    pub(crate) at: Instant,
    /// Whether the answer came from the flag's own upstream of the variant.
    pub(crate) by_upstream: bool,
}

/// What became of a request, seen from one flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// Its status is one of the guard's `errors`, there was no answer, or the upstream of the variant gave none.
    Error,
    /// It was answered, with the time from the end of the request to the first byte of the answer. None for streams, for other
    /// protocols, and where the request was not complete when the answer came: that time is the client's.
    Fine(Option<Duration>),
    /// The client went away before there was an answer, after so long: nothing else is known.
    Abandoned(Duration),
    /// The upstream of the variant gave no answer, and the app answered in its place, after so long; none as with [`Self::Fine`].
    Fallback(Option<Duration>),
}

/// A unit reached a goal, seen from one flag.
#[derive(Clone, Debug)]
pub(crate) struct Conversion<'a> {
    /// Who reached it.
    pub(crate) exposure: &'a Exposure<'a>,
    /// The goal.
    pub(crate) goal: &'a Name,
}
