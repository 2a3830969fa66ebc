//! One decision, as it is shown to those who watch.

use flagstaff_layer::TailDecision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TailLine {
    /// When (RFC 3339).
    pub at: String,
    /// The visitor's id.
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
            step: one.step.into(),
            reason: one.reason.into(),
            revision: one.revision,
            not_counted: one.not_counted.map(Into::into),
        }
    }
}
