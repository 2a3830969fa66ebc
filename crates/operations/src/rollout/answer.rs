//! What is answered of a rollout: its status, its steps and its history.

use flagstaff_experiment::guard::Evidence;
use flagstaff_experiment::rollout::{MIN_VISITORS, NextStep, RolloutState};
use flagstaff_flags::{Fact, FactKind, Flag, Hold, Percent, RolloutStep, Standing};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::course::{GuardCourse, Replayed};
use crate::json;

/// Where a rollout stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RolloutStatus {
    /// The flag.
    pub flag: String,
    /// The number of its newest fact, 0 without any: it names this state. A command can be given to this state alone.
    #[serde(default)]
    pub number: u64,
    /// The step it is at, from 1; the last one once all are done.
    pub step: usize,
    /// The number of steps; 0 without a rollout.
    pub steps: usize,
    /// The share of visitors that is served now (0 to 100).
    #[serde(with = "json::percent")]
    #[schemars(with = "f64")]
    pub percent: Percent,
    /// When it came to this step; none until a running program has read the flag.
    #[serde(with = "json::optional_time")]
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// When it goes on by itself.
    #[serde(with = "json::optional_time")]
    #[schemars(with = "Option<String>")]
    pub advances_at: Option<Timestamp>,
    /// Where it stands, in one word.
    pub state: RolloutState,
    /// Why, in words.
    pub why: String,
    /// What the last decision of its guard rests on.
    pub evidence: Option<Value>,
    /// Somebody paused it.
    pub paused: bool,
    /// Visitors of the treatment who came at this step.
    pub visitors: Option<u64>,
    /// Its steps.
    pub plan: Vec<PlannedStep>,
    /// What its guard has seen so far.
    pub guard: Vec<Evidence>,
    /// How that moved.
    #[serde(default)]
    pub guard_course: Vec<GuardCourse>,
    /// All its facts, the oldest first.
    pub history: Vec<HistoryEntry>,
    /// The number of steps that are done; none until a running program has read the flag.
    pub done: Option<usize>,
}

/// A step of a rollout.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PlannedStep {
    /// The share of visitors (0 to 100).
    #[serde(with = "json::percent")]
    #[schemars(with = "f64")]
    pub percent: Percent,
    /// How long it is held: a time, `approval`, or none at the end.
    pub hold: Option<String>,
    /// Visitors of the treatment who must have come before it goes on.
    pub min_visitors: u64,
}

/// What happened to a flag.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RolloutHistoryEntry")]
pub struct HistoryEntry {
    /// The number of the fact, from 1.
    pub number: u64,
    /// When.
    #[serde(with = "json::time")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// What.
    #[serde(with = "json::text")]
    #[schemars(with = "String")]
    pub kind: FactKind,
    /// The step after it, from 1.
    pub step: usize,
    /// A person, or what did it.
    pub by: String,
    /// Why, in words.
    pub why: String,
    /// The fingerprint of the flag's definition.
    pub definition: String,
    /// What it rests on.
    pub evidence: Option<Value>,
}

impl RolloutStatus {
    pub(super) fn new(
        flag: &Flag,
        standing: Option<&Standing>,
        next: NextStep,
        percent: Percent,
        visitors: Option<u64>,
        seen: Replayed,
        history: &[Fact],
    ) -> Self {
        let steps = flag.rollout.as_ref().map_or(&[][..], |rollout| rollout.steps());
        let last = steps.len().max(1);
        let decided = |standing: &Standing| {
            let facts = [&standing.trip, &standing.hold, &standing.observed];
            facts.into_iter().flatten().next().and_then(evidence)
        };
        Self {
            flag: flag.name.to_string(),
            number: history.last().map_or(0, |fact| fact.number),
            step: (standing.map_or(0, |standing| standing.step) + 1).min(last),
            steps: steps.len(),
            percent,
            since: standing.map(|standing| standing.since),
            advances_at: next.advances_at,
            state: next.state,
            why: next.why,
            evidence: standing.and_then(decided),
            paused: standing.is_some_and(|standing| standing.paused),
            visitors,
            plan: steps.iter().map(PlannedStep::of).collect(),
            guard: seen.guard,
            guard_course: seen.courses,
            history: recorded(history),
            done: standing.map(|standing| standing.step),
        }
    }
}

impl PlannedStep {
    fn of(step: &RolloutStep) -> Self {
        let hold = match step.hold {
            Hold::For(time) => Some(humantime::format_duration(time).to_string()),
            Hold::Approval => Some("approval".into()),
            Hold::End => None,
        };
        Self { percent: step.percent, hold, min_visitors: step.min_visitors.unwrap_or(MIN_VISITORS) }
    }
}

/// Facts with the step after each, by the plan of their own time: the present one may have fewer steps.
fn recorded(history: &[Fact]) -> Vec<HistoryEntry> {
    let mut standing: Option<Standing> = None;
    let entry = |fact: &Fact| {
        let now = standing.get_or_insert_with(|| Standing::from(fact));
        now.add(fact);
        HistoryEntry::of(fact, now.shown_step())
    };
    history.iter().map(entry).collect()
}

impl HistoryEntry {
    fn of(fact: &Fact, step: usize) -> Self {
        Self {
            number: fact.number,
            at: fact.at,
            kind: fact.kind,
            step,
            by: fact.by.clone(),
            why: fact.why.clone(),
            definition: fact.definition.to_string(),
            evidence: evidence(fact),
        }
    }
}

fn evidence(fact: &Fact) -> Option<Value> {
    serde_json::from_str(fact.evidence.as_ref()?).ok()
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Definition, Name};

    use super::*;

    /// An edit of the plan changes nothing of what was before it.
    #[test]
    fn each_fact_has_the_step_of_its_own_time() {
        use FactKind::{Changed, Defined, Disabled, Done, Reset, Step};
        let told = [
            (Defined, 0, 1),
            (Step, 1, 2),
            (Step, 2, 3),
            (Done, 3, 3),
            (Disabled, 3, 3),
            (Changed, 0, 1),
            (Step, 1, 2),
            (Reset, 0, 1),
        ];
        let fact = |(number, (kind, step, _)): (u64, &(FactKind, usize, usize))| Fact {
            flag: Name::new("a").unwrap(),
            number,
            at: Timestamp::UNIX_EPOCH,
            definition: Definition(1),
            kind: *kind,
            step: *step,
            by: String::new(),
            why: String::new(),
            evidence: None,
        };
        let history: Vec<_> = (1..).zip(&told).map(fact).collect();
        let shown: Vec<_> = recorded(&history).iter().map(|entry| entry.step).collect();
        assert_eq!(shown, told.map(|(_, _, shown)| shown));
    }
}
