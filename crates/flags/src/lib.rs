#![doc = include_str!("../README.md")]
//!
//! ## The way of a decision
//!
//! ```text
//! Flag … → Snapshot::new → Publisher ⇒ Reader → Snapshot::decide(&Subject) → Decisions
//! ```
//!
//! Rooms, each using only those after it: `evaluate` (the steps of a decision), `snapshot` (one checked set of flags), `model` (what
//! is written of flags), `conditions` (subjects, and what holds for them), `history` (what happened to flags), `text`.
//!
//! Everything in a snapshot is checked when the snapshot is made, so nothing downstream checks again: a decision cannot fail.

mod conditions;
mod draw;
mod evaluate;
mod former_draw;
mod history;
mod ids;
mod log_throttle;
mod model;
mod name;
mod percent;
mod problem;
mod snapshot;
mod text;

pub use conditions::{
    Attributes, Audience, Condition, Conditions, ForcedVariant, IpRanges, Key, KeyError, Matcher, MatcherError,
    NoAttributes, Segment, StickyVariant, Subject, User, Version, WordList,
};
pub use draw::Draw;
pub use evaluate::{Decision, Decisions, Explanation, Outcome, Reason, Step, TraceStep};
pub use former_draw::FormerDraw;
pub use history::{Fact, FactKind, FactKindError, Standing};
pub use ids::{Definition, ExperimentId, FlagId, VariantId};
pub use log_throttle::LogThrottle;
pub use model::{
    Arm, BucketBy, EventFrom, EventGoal, EventSource, EventValue, ExclusionLayer, Flag, FlagMode, Gate, GateAnswer,
    Goal, Guard, GuardError, Hold, Holdout, LARGEST_VALUE, OnTrip, Origin, Pin, Requirement, Rollout, RolloutError,
    RolloutStep, Rule, Serve, Slice, SlowerThan, StatusSet, StatusSetError, Sticky, Trigger, Variants, VariantsError,
    is_value,
};
pub use name::{Name, NameError};
pub use percent::{Percent, PercentError};
pub use problem::{Problem, ProblemKind};
pub use snapshot::{Facts, Publisher, Reader, Snapshot, publisher};
pub use text::{
    Glob, MASK, PlainPath, Route, RouteError, brief, is_hidden, is_secret, nearest, plain_host, typed, userinfo,
    visible, visible_but, visible_json, without_userinfo,
};
