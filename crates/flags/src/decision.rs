//! Answers: a variant, and the reason for it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::VariantId;

/// Why a variant was chosen, in the words of OpenFeature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The same for everybody.
    Static,
    /// The subject was named, or fits a rule.
    TargetingMatch,
    /// A draw.
    Split,
    /// Switched off.
    Disabled,
    /// Nothing else applied.
    Default,
}

impl Reason {
    /// The word OpenFeature uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Static => "STATIC",
            Self::TargetingMatch => "TARGETING_MATCH",
            Self::Split => "SPLIT",
            Self::Disabled => "DISABLED",
            Self::Default => "DEFAULT",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The step that decided, in the order in which they are asked. A test holds this order to the one of `decide`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionStep {
    /// No such flag.
    Unknown,
    /// An environment variable of this machine.
    Pinned,
    /// `enabled = false`.
    Disabled,
    /// Its guard rolled it back, or a person switched it off beside its file, or the ledger, which would say so, is not read yet. The
    /// detail of an explanation says which.
    Tripped,
    /// A flag it needs is not as it must be.
    Requires,
    /// Forced in this request.
    Override,
    /// `deny`.
    Deny,
    /// `allow`.
    Allow,
    /// A rule.
    Rule,
    /// A visitor who is in no experiment.
    Holdout,
    /// Outside its slice of the layer.
    Layer,
    /// Remembered from an earlier request.
    Sticky,
    /// The share and the weights.
    Percent,
}

impl DecisionStep {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pinned => "pinned",
            Self::Disabled => "disabled",
            Self::Tripped => "tripped",
            Self::Requires => "requires",
            Self::Override => "override",
            Self::Deny => "deny",
            Self::Allow => "allow",
            Self::Rule => "rule",
            Self::Holdout => "holdout",
            Self::Layer => "layer",
            Self::Sticky => "sticky",
            Self::Percent => "percent",
        }
    }
}

impl fmt::Display for DecisionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A variant of a flag for one subject, and the reason for it. It takes four bytes: a request makes one for each flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    variant: VariantId,
    reason: Reason,
    step: DecisionStep,
    marks: u8,
}

/// Marks of a decision.
const COUNTED: u8 = 1;
const UNIT_MISSING: u8 = 1 << 1;
const IN_EXPERIMENT: u8 = 1 << 2;

impl Decision {
    /// The decision for a flag that does not exist.
    pub const UNKNOWN: Self = Self::new(VariantId::OFF, Reason::Default, DecisionStep::Unknown);

    pub(crate) const fn new(variant: VariantId, reason: Reason, step: DecisionStep) -> Self {
        Self { variant, reason, step, marks: 0 }
    }

    pub(crate) const fn counted(mut self) -> Self {
        self.marks |= COUNTED;
        self
    }

    pub(crate) const fn uncounted(mut self) -> Self {
        self.marks &= !COUNTED;
        self
    }

    /// The flag is an experiment, and nothing before the holdout decided.
    pub(crate) const fn in_experiment(mut self) -> Self {
        self.marks |= IN_EXPERIMENT;
        self
    }

    pub(crate) const fn is_in_experiment(self) -> bool {
        self.marks & IN_EXPERIMENT != 0
    }

    pub(crate) const fn without_unit(step: DecisionStep) -> Self {
        Self { marks: UNIT_MISSING, ..Self::new(VariantId::OFF, Reason::Default, step) }
    }

    /// The variant.
    #[must_use]
    pub const fn variant(self) -> VariantId {
        self.variant
    }

    /// Why.
    #[must_use]
    pub const fn reason(self) -> Reason {
        self.reason
    }

    /// The step that decided.
    #[must_use]
    pub const fn step(self) -> DecisionStep {
        self.step
    }

    /// Whether the subject is part of the test: drawn, now or earlier, not named.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        self.marks & COUNTED != 0
    }

    /// Whether it is off because the id to be hashed is not known.
    #[must_use]
    pub const fn is_unit_missing(self) -> bool {
        self.marks & UNIT_MISSING != 0
    }
}
