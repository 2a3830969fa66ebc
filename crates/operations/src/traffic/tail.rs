//! Decisions, as they are shown to those who watch.

use flagstaff_flags::{DecisionStep, Reason};
use flagstaff_layer::TailDecision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which decisions are told as they are made.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TailQuery {
    /// The flag; each that a request meets where none is named.
    pub flag: Option<String>,
    /// The visitor's id or pseudonym; all where none is named.
    pub visitor: Option<String>,
    /// So many of the last decisions are told first; 0: none.
    pub last: usize,
    /// The id of an event: goes on after it, as the header `Last-Event-ID` does.
    pub after: Option<String>,
}

/// The first that a listener is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TailStart {
    /// When the program began to watch its traffic (RFC 3339). Another time is another start of the program.
    pub since: String,
    /// The revision of the flags in force.
    pub revision: String,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TailLine {
    /// When (RFC 3339).
    pub at: String,
    /// The visitor's id. Of a request that came while nobody watched it is a pseudonym that begins with `~`.
    pub visitor: String,
    /// The method of the request.
    pub method: String,
    /// Its path, without the query.
    pub path: String,
    /// The flag.
    pub flag: String,
    /// The variant.
    pub variant: String,
    /// The step that decided.
    pub step: String,
    /// Why, in OpenFeature's word.
    pub reason: String,
    /// Why, in words.
    pub why: String,
    /// The revision of the flags.
    pub revision: String,
    /// Why the request counts nowhere, such as `bot`; none where it does.
    pub not_counted: Option<String>,
}

impl From<TailDecision> for TailLine {
    fn from(one: TailDecision) -> Self {
        Self {
            at: format!("{:.3}", one.at),
            visitor: one.visitor,
            method: one.method,
            path: one.path,
            flag: one.flag,
            variant: one.variant,
            step: one.step.as_str().into(),
            reason: one.reason.as_str().into(),
            why: why(one.step, one.reason).into(),
            revision: one.revision,
            not_counted: one.not_counted.map(Into::into),
        }
    }
}

/// Why a visitor has a variant.
const fn why(step: DecisionStep, reason: Reason) -> &'static str {
    match step {
        DecisionStep::Unknown => "no flag has this name",
        DecisionStep::Pinned => "pinned on this machine",
        DecisionStep::Disabled => "switched off in its file",
        DecisionStep::Tripped => "rolled back, or switched off",
        DecisionStep::Requires => "a flag that it requires is not as it must be",
        DecisionStep::Override => "forced on this request",
        DecisionStep::Deny => "on the deny list",
        DecisionStep::Allow => "on the allow list",
        DecisionStep::Rule => "a rule fits",
        DecisionStep::Holdout => "held out of experiments",
        DecisionStep::Layer => "outside its part of the layer",
        DecisionStep::Sticky => "remembered from before",
        DecisionStep::Percent => match reason {
            Reason::Split => "drawn by percent",
            Reason::Static => "the same for everyone",
            Reason::TargetingMatch | Reason::Disabled | Reason::Default => "the default",
        },
    }
}
