//! How visitors of guarded flags fare, for whoever watches them.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{FlagId, Name, Snapshot, VariantId};
use jiff::Timestamp;

/// Hears how visitors of flags with a guard fare. It is called on the request's own way, so it must return at once.
///
/// It hears of those who are part of the test (drawn, and by a unit that lasts) and have met the flag: on this request, or
/// before as far as the recorder remembers; without one, only on this request. What must not count (bots, prefetches, who has
/// not consented) is not told.
pub trait Outcomes: Send + Sync + 'static {
    /// Whether it wants to hear about a flag now.
    fn wants(&self, snapshot: &Snapshot, flag: FlagId) -> bool {
        let _ = (snapshot, flag);
        true
    }

    /// A request was answered.
    fn answered(&self, outcome: &Outcome<'_>);

    /// A unit reached a goal that the flag's guard names.
    fn converted(&self, conversion: &Conversion<'_>);
}

/// An answer, seen from one flag.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    /// The flags the request was decided with.
    pub snapshot: &'a Arc<Snapshot>,
    /// Which of them.
    pub flag: FlagId,
    /// The variant the unit has.
    pub variant: VariantId,
    /// The variant that the draw gives it now. Another than it has for who keeps one from before: of those there are as many
    /// as the share of that time made, so a test that goes by the present shares must go by this.
    pub drawn: VariantId,
    /// The unit, as [`flagstaff_flags::BucketBy::key`] names it.
    pub unit: &'a str,
    /// Its status is one of the guard's `errors`, there was no answer, or the upstream of the variant gave none.
    pub error: bool,
    /// Time to the first byte of the answer; none for errors, streams and other protocols.
    pub latency: Option<Duration>,
    /// Whoever asked went away before there was an answer: `latency` is how long that took, and nothing else is known.
    pub abandoned: bool,
    /// When it was asked.
    pub at: Timestamp,
}

/// A unit reached a goal, seen from one flag.
#[derive(Clone, Debug)]
pub struct Conversion<'a> {
    /// The flags of now.
    pub snapshot: &'a Arc<Snapshot>,
    /// Which of them.
    pub flag: FlagId,
    /// The variant the unit has now.
    pub variant: VariantId,
    /// The variant that the draw gives it now, as in [`Outcome::drawn`].
    pub drawn: VariantId,
    /// The unit, as [`flagstaff_flags::BucketBy::key`] names it.
    pub unit: &'a str,
    /// The goal.
    pub goal: &'a Name,
    /// When.
    pub at: Timestamp,
}
