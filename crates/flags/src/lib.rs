#![doc = include_str!("../README.md")]
//!
//! ## The way of a decision
//!
//! ```text
//! Flag … → Snapshot::new → Publisher ⇒ Reader → Snapshot::decide(&Subject) → Decisions
//! ```
//!
//! Rooms, each using only those after it: `evaluate` (the steps of a decision), `snapshot` (one checked set of flags), `plan` (what of
//! decisions is known before anybody asks), `model` (what is written of flags), `hashing` (formulas of other systems), `conditions`
//! (subjects, and what holds for them), `lanes` (many hashes at once), `history` (what happened to flags), `text`.
//!
//! Everything in a snapshot is checked when the snapshot is made, so nothing downstream checks again: a decision cannot fail.

mod allocation;
mod by_name;
mod conditions;
mod decision;
mod decision_list;
mod draw;
mod evaluate;
mod former_draw;
mod hashing;
mod history;
mod ids;
mod lanes;
mod log_throttle;
mod model;
mod name;
mod percent;
mod plan;
mod problem;
mod snapshot;
mod text;

pub use allocation::Allocation;
pub use by_name::{ByName, json_by_name};
pub use conditions::{
    AskedKeys, Attributes, Audience, Condition, Conditions, ForcedVariant, IpRanges, KeptValues, Key, KeyError,
    Matcher, MatcherError, NoAttributes, Segment, StickyVariant, Subject, User, Version, WordList,
};
pub use decision::{Decision, DecisionStep, Reason};
pub use decision_list::DecisionList;
pub use draw::Draw;
pub use evaluate::{Decisions, Explanation, KeptSubject, StepOutcome, TraceStep};
pub use former_draw::FormerDraw;
pub use hashing::{Formula, Hash, HashError, HashSeed, HashSettings, HashedNumber};
pub use history::{Fact, FactKind, FactKindError, FlagTexts, RevisionSource, RevisionSourceError, Standing};
pub use ids::{Definition, ExperimentId, FlagId, VariantId};
pub use lanes::hash_kernel;
pub use log_throttle::LogThrottle;
pub use model::{
    BucketBy, EventFrom, EventGoal, EventSource, EventValue, ExclusionLayer, Flag, FlagMode, Gate, GateAnswer, Goal,
    Guard, GuardError, Hold, Holdout, LARGEST_VALUE, OnTrip, Origin, Otherwise, Pin, Requirement, Rollout,
    RolloutError, RolloutStep, Rule, Serve, Slice, SlowerThan, StatusSet, StatusSetError, Sticky, Trigger, Variants,
    VariantsError, is_value,
};
pub use name::{Name, NameError};
pub use percent::{Percent, PercentError};
pub use problem::{Problem, ProblemKind};
pub use snapshot::{MetFlags, Publisher, Reader, RecordedFacts, Snapshot, publisher};
pub use text::{
    BehindPath, Glob, MASK, PlainPath, Route, RouteError, brief, is_hidden, is_method, is_secret, method_meant,
    nearest, plain_host, printable, printable_except, printable_json, typed, userinfo, without_userinfo,
};
