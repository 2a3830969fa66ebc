//! Why a subject gets a variant, step by step.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decide::{Evaluation, Trace};
use crate::{Decision, DecisionStep, Draw, Formula, HashedNumber, Snapshot, Subject};

/// A decision with everything that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The flag that was asked for.
    pub flag: String,
    /// The variant's name.
    pub variant: String,
    /// The decision.
    pub decision: Decision,
    /// The id that is hashed, when known.
    pub unit: Option<String>,
    /// Where it falls, when known: for the rule that decided, or a layer with a formula, or else for the flag.
    pub draw: Option<Draw>,
    /// The formula that says so.
    pub formula: Formula,
    /// The numbers that the draw was read off. None for a draw that was kept from an earlier id.
    pub numbers: Vec<HashedNumber>,
    /// Every step that was asked; the last one decided.
    pub trace: Vec<TraceStep>,
}

/// One step that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// The step.
    pub step: DecisionStep,
    /// Whether it decided.
    pub outcome: StepOutcome,
    /// What it found.
    pub detail: String,
}

/// Whether a step decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepOutcome {
    /// It did not apply.
    Passed,
    /// It decided.
    Decided,
}

impl StepOutcome {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Decided => "decided",
        }
    }
}

struct Steps(Vec<TraceStep>);

impl Trace for Steps {
    fn note(&mut self, step: DecisionStep, decided: bool, detail: impl FnOnce() -> String) {
        let outcome = if decided { StepOutcome::Decided } else { StepOutcome::Passed };
        self.0.push(TraceStep { step, outcome, detail: detail() });
    }
}

impl Snapshot {
    /// Decides one flag and tells each step on the way.
    #[must_use]
    pub fn explain(self: &Arc<Self>, flag: &str, subject: &Subject<'_>) -> Explanation {
        let unknown = || Explanation {
            flag: flag.into(),
            variant: "off".into(),
            decision: Decision::UNKNOWN,
            unit: None,
            draw: None,
            formula: Formula::default(),
            numbers: Vec::new(),
            trace: vec![TraceStep {
                step: DecisionStep::Unknown,
                outcome: StepOutcome::Decided,
                detail: format!("no flag `{flag}` in revision {}", self.revision()),
            }],
        };
        let Some(id) = self.find(flag) else {
            return unknown();
        };
        let made = self.decisions_by_steps(subject);
        let Some(evaluation) = Evaluation::new(self, id, subject, &made, self.holds_out(subject)) else {
            return unknown();
        };
        let mut steps = Steps(Vec::new());
        steps.note(DecisionStep::Unknown, false, || format!("defined in revision {}", self.revision()));
        let decision = evaluation.evaluate(&mut steps);
        let with = evaluation.decided_with(decision);
        Explanation {
            flag: flag.into(),
            variant: evaluation.flag.variants.name(decision.variant()).into(),
            decision,
            unit: evaluation.unit().map(Into::into),
            draw: evaluation.draw_by(with),
            formula: with.formula(),
            numbers: evaluation.numbers(with),
            trace: steps.0,
        }
    }
}
