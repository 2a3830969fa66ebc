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

mod audience;
mod bucket_by;
mod condition;
mod decide;
mod decision;
mod draw;
mod explain;
mod exposure;
mod fact;
mod flag;
mod flag_layer;
mod glob;
mod goal;
mod guard;
mod holdout;
mod kept;
mod links;
mod live;
mod matcher;
mod name;
mod parts;
mod percent;
mod place;
mod problem;
mod rollout;
mod secret;
mod segment;
mod seldom;
mod snapshot;
mod state;
mod subject;
mod variants;
mod version;
mod visible;
mod words;

pub use audience::Audience;
pub use bucket_by::{BucketBy, Sticky};
pub use condition::{Condition, Conditions, Key, KeyError};
pub use decision::{Decision, Decisions, Reason, Step};
pub use draw::Draw;
pub use explain::{Explanation, Outcome, TraceStep};
pub use exposure::{Arm, Trial};
pub use fact::{Fact, FactKind, FactKindError, Standing};
pub use flag::Flag;
pub use flag_layer::{FlagLayer, Slice};
pub use glob::{Glob, Route, RouteError};
pub use goal::{
    EventFrom, EventGoal, EventValue, Goal, LARGEST_VALUE, StatusSet, StatusSetError, Teller, Trigger, is_value,
};
pub use guard::{Guard, GuardError, OnTrip, SlowerThan};
pub use holdout::Holdout;
pub use kept::KeptDraw;
pub use live::{Publisher, Reader, publisher};
pub use matcher::{Matcher, MatcherError};
pub use name::{Name, NameError};
pub use parts::{Definition, Gate, GateAnswer, Origin, Pin, Requirement, Rule, Serve};
pub use percent::{Percent, PercentError};
pub use place::{PlainPath, plain_host};
pub use problem::{Problem, nearest};
pub use rollout::{Hold, Rollout, RolloutError, RolloutStep};
pub use secret::{MASK, is_secret, userinfo, without_userinfo};
pub use segment::Segment;
pub use seldom::Seldom;
pub use snapshot::{Facts, FlagId, Snapshot};
pub use state::State;
pub use subject::{Attributes, Forced, Held, NoAttributes, Subject, User};
pub use variants::{VariantId, Variants, VariantsError};
pub use version::Version;
pub use visible::{brief, is_hidden, visible, visible_but, visible_json};
pub use words::{Ranges, Words};
