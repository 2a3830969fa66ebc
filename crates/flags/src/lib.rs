//! What a flag is and who gets which variant.
//!
//! The heart of Flagstaff is pure: no clock, no files, no network. A [`Snapshot`] is one whole, valid, immutable set
//! of flags. Asked with a [`Subject`] (who asks, with what, at what time) it answers with a [`Decision`] per flag, and
//! with [`Snapshot::explain`] it tells how it came to one.
//!
//! ```text
//! Flag … → Snapshot::new → Publisher ⇒ Reader → Snapshot::decide(&Subject) → Decisions
//! ```
//!
//! Everything a snapshot is made of is checked when it is made, so nothing downstream checks again: a decision cannot
//! fail.

mod conditions;
mod draw;
mod evaluate;
mod facts;
mod model;
mod name;
mod percent;
mod problem;
mod snapshot;
mod text;
mod throttle;

pub use conditions::{
    Attributes, Audience, Condition, Conditions, Forced, Held, Key, KeyError, Matcher, MatcherError, NoAttributes,
    Ranges, Segment, Subject, User, Version, Words,
};
pub use draw::Draw;
pub use evaluate::{Decision, Decisions, Explanation, KeptDraw, Outcome, Reason, Step, TraceStep};
pub use facts::{Fact, FactKind, FactKindError, Standing};
pub use model::{
    Arm, BucketBy, Definition, EventFrom, EventGoal, EventValue, Flag, FlagLayer, Gate, GateAnswer, Goal, Guard,
    GuardError, Hold, Holdout, LARGEST_VALUE, OnTrip, Origin, Pin, Requirement, Rollout, RolloutError, RolloutStep,
    Rule, Serve, Slice, SlowerThan, State, StatusSet, StatusSetError, Sticky, Teller, Trial, Trigger, VariantId,
    Variants, VariantsError, is_value,
};
pub use name::{Name, NameError};
pub use percent::{Percent, PercentError};
pub use problem::{Problem, nearest};
pub use snapshot::{Facts, FlagId, Publisher, Reader, Snapshot, publisher};
pub use text::{
    Glob, MASK, PlainPath, Route, RouteError, brief, is_hidden, is_secret, plain_host, userinfo, visible,
    visible_but, visible_json, without_userinfo,
};
pub use throttle::Seldom;
