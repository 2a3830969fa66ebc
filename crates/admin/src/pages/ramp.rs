//! A rollout as a line of steps: done, now, next.

use flagstaff_operations::rollout::{PlannedStep, RolloutState, RolloutStatus};
use jiff::Timestamp;

use super::bars;
use super::words::{capitalised, grouped, spaced, until};

/// A rollout.
pub(super) struct Ramp {
    pub(super) why: String,
    /// What comes next, in words.
    pub(super) next: Option<String>,
    pub(super) steps: Vec<Step>,
    /// The state that is shown: its commands are for it.
    pub(super) number: u64,
    /// What may be asked of it: the word, and what the button says.
    pub(super) commands: Vec<(&'static str, &'static str)>,
}

/// One of its steps.
pub(super) struct Step {
    pub(super) class: &'static str,
    pub(super) mark: &'static str,
    pub(super) words: &'static str,
    pub(super) percent: String,
    pub(super) hold: String,
    /// How far it is.
    pub(super) progress: Option<String>,
    pub(super) bar: String,
}

impl Ramp {
    /// Of a flag that has a rollout.
    pub(super) fn of(status: &RolloutStatus, is_on: bool, now: Timestamp) -> Option<Self> {
        if status.plan.is_empty() {
            return None;
        }
        let steps =
            status.plan.iter().enumerate().map(|(number, step)| Step::of(status, number, step, now)).collect();
        Some(Self {
            why: why(status),
            next: next(status, now),
            steps,
            number: status.number,
            commands: commands(status, is_on),
        })
    }
}

/// Why it stands where it stands. On pages a button takes the place of the command that approves.
pub(super) fn why(status: &RolloutStatus) -> String {
    match status.state {
        RolloutState::Approval => "A person must approve the next step".into(),
        _ => capitalised(&status.why),
    }
}

impl Step {
    fn of(status: &RolloutStatus, number: usize, step: &PlannedStep, now: Timestamp) -> Self {
        let is_here = status.done == Some(number) && status.state != RolloutState::Tripped;
        let (class, mark, words) = match status.done {
            _ if is_here => ("now", "▶", "now"),
            Some(done) if number < done => ("done", "●", "done"),
            _ => ("next", "○", "to come"),
        };
        let hold = match step.hold.as_deref() {
            Some("approval") => "until somebody approves".into(),
            Some(time) => format!("for at least {}, and {} visitors", spaced(time), grouped(step.min_visitors)),
            None => "to stay".into(),
        };
        let part = status.visitors.map(|came| came as f64 / step.min_visitors.max(1) as f64);
        Self {
            class,
            mark,
            words,
            percent: step.percent.to_string(),
            hold,
            progress: is_here.then(|| progress(status, step, now)).filter(|text| !text.is_empty()),
            bar: part.map(|part| bars::filled(part, false)).unwrap_or_default(),
        }
    }
}

/// How far the present step is.
fn progress(status: &RolloutStatus, step: &PlannedStep, now: Timestamp) -> String {
    let came =
        status.visitors.map(|came| format!("{} of {} visitors came", grouped(came), grouped(step.min_visitors)));
    let left = status.advances_at.map(|at| format!("{} left", until(at, now)));
    [came, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What comes next, as the end of a headline.
fn next(status: &RolloutStatus, now: Timestamp) -> Option<String> {
    let next = status.plan.get(status.done? + 1)?;
    match (status.state, status.advances_at) {
        (RolloutState::Advancing, Some(at)) => Some(format!("{} to {} %", until(at, now), next.percent)),
        (RolloutState::Approval, _) => Some(format!("{} % waits for an approval", next.percent)),
        _ => None,
    }
}

/// What makes sense to ask of it now. A command that the flag's state does not allow is refused by the operation in any case.
fn commands(status: &RolloutStatus, is_on: bool) -> Vec<(&'static str, &'static str)> {
    let is_running =
        is_on && matches!(status.state, RolloutState::Advancing | RolloutState::Holding | RolloutState::Approval);
    let all = [
        (status.state == RolloutState::Approval, ("approve", "Approve the next step")),
        (is_running && status.state != RolloutState::Approval, ("advance", "Go to the next step now")),
        (is_running && !status.paused, ("pause", "Pause")),
        (status.paused, ("resume", "Go on")),
        (
            matches!(status.state, RolloutState::Tripped | RolloutState::Done),
            ("reset", "Start again at the first step"),
        ),
    ];
    all.into_iter().filter(|(fits, _)| *fits && status.done.is_some()).map(|(_, command)| command).collect()
}
