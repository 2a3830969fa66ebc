//! A rollout for people and for scripts.

use flagstaff_experiment::guard::Evidence;
use flagstaff_experiment::rollout::{MIN_VISITORS, State};
use flagstaff_flags::{Fact, Hold, RolloutStep};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::status::Status;
use crate::print::{BAD, FAINT, GOOD, ODD, STRONG, bar, grouped, styled, table};

/// Characters of a bar.
const WIDTH: usize = 20;
/// As many facts are shown to people; scripts get all.
const FACTS: usize = 12;

pub(super) fn json(status: &Status) -> Value {
    let standing = status.standing.as_ref();
    let trip = standing
        .and_then(|standing| standing.trip.as_ref().or(standing.hold.as_ref()).or(standing.observed.as_ref()));
    json!({
        "flag": status.flag.name.as_str(),
        "step": step(status),
        "steps": steps(status).len(),
        "percent": status.percent.as_f64(),
        "since": standing.map(|standing| time(standing.since)),
        "advances_at": status.outlook.advances_at.map(time),
        "state": status.outlook.state.as_str(),
        "why": status.outlook.why,
        "evidence": trip.and_then(evidence),
        "paused": standing.is_some_and(|standing| standing.paused),
        "visitors": status.visitors,
        "plan": steps(status).iter().map(planned).collect::<Vec<_>>(),
        "guard": status.guard,
        "history": status.history.iter().map(|one| fact(one, steps(status).len().max(1))).collect::<Vec<_>>(),
    })
}

/// The step it is at, from 1; the last one once all are behind.
fn step(status: &Status) -> usize {
    let step = status.standing.as_ref().map_or(0, |standing| standing.step);
    (step + 1).min(steps(status).len().max(1))
}

fn steps(status: &Status) -> &[RolloutStep] {
    status.flag.rollout.as_ref().map_or(&[], |rollout| rollout.steps())
}

fn planned(step: &RolloutStep) -> Value {
    json!({
        "percent": step.percent.as_f64(),
        "hold": hold(step.hold),
        "min_visitors": step.min_visitors.unwrap_or(MIN_VISITORS),
    })
}

fn fact(fact: &Fact, steps: usize) -> Value {
    json!({
        "number": fact.number,
        "at": time(fact.at),
        "kind": fact.kind.as_str(),
        "step": (fact.step + 1).min(steps),
        "by": fact.by,
        "why": fact.why,
        "definition": fact.definition.to_string(),
        "evidence": evidence(fact),
    })
}

fn evidence(fact: &Fact) -> Option<Value> {
    fact.evidence.as_ref().and_then(|text| serde_json::from_str(text).ok())
}

fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

fn hold(hold: Hold) -> Option<String> {
    match hold {
        Hold::For(time) => Some(humantime::format_duration(time).to_string()),
        Hold::Approval => Some("approval".into()),
        Hold::End => None,
    }
}

pub(super) fn text(status: &Status) -> String {
    let state = status.outlook.state;
    let style = match state {
        State::Climbing | State::Done => GOOD,
        State::Holding | State::Approval => ODD,
        State::Tripped => BAD,
    };
    let mut text = format!(
        "{}: {} at {} %{}\n{}\n",
        styled(STRONG, status.flag.name.as_str()),
        styled(style, state.as_str()),
        status.percent,
        place(status),
        status.outlook.why
    );
    let sections = [picture(status), guard(&status.guard), history(&status.history, steps(status).len().max(1))];
    for section in sections.iter().filter(|section| !section.is_empty()) {
        text.push('\n');
        text.push_str(section);
    }
    text
}

fn place(status: &Status) -> String {
    if steps(status).is_empty() {
        return String::new();
    }
    format!(", step {} of {}", step(status), steps(status).len())
}

/// A line for each step: what is behind, where it is, what is to come.
fn picture(status: &Status) -> String {
    let at = status.standing.as_ref().map_or(0, |standing| standing.step);
    let row = |(number, step): (usize, &RolloutStep)| {
        let here = number == at && status.standing.is_some();
        let mark = if number < at {
            styled(GOOD, "●")
        } else if here {
            styled(STRONG, "▶")
        } else {
            "○".into()
        };
        let hold = hold(step.hold).unwrap_or_else(|| "for good".into());
        let more = if here { progress(status, step) } else { String::new() };
        vec![format!("{mark} {} %", step.percent), bar(step.percent.as_f64() / 100.0, WIDTH), hold, more]
    };
    let rows: Vec<_> = steps(status).iter().enumerate().map(|(number, step)| row((number, step))).collect();
    if rows.is_empty() {
        return String::new();
    }
    let heading = ["  STEP", "SHARE", "HOLD", "NOW"].map(Into::into).into();
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

/// How far the present step is.
fn progress(status: &Status, step: &RolloutStep) -> String {
    let needed = step.min_visitors.unwrap_or(MIN_VISITORS);
    let came = status.visitors.map(|came| format!("{} of {} visitors", grouped(came), grouped(needed)));
    let left = status.outlook.advances_at.map(|at| {
        let left = at.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
        format!("{} to go", humantime::format_duration(std::time::Duration::from_secs(left.unsigned_abs().as_secs())))
    });
    [came, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn guard(guard: &[Evidence]) -> String {
    if guard.is_empty() {
        return String::new();
    }
    let row = |evidence: &Evidence| {
        let full = (evidence.log_evidence / evidence.threshold).clamp(0.0, 1.0);
        vec![
            evidence.sign.to_string(),
            format!("{} {}", evidence.variant, grouped(evidence.treatment_visitors)),
            format!("{} {}", evidence.control, grouped(evidence.control_visitors)),
            bar(full, WIDTH),
            format!("{:.0} %", full * 100.0),
        ]
    };
    let heading = ["GUARD", "VISITORS", "CONTROL", "EVIDENCE", "OF A TRIP"].map(Into::into).into();
    table(&std::iter::once(heading).chain(guard.iter().map(row)).collect::<Vec<_>>())
}

fn history(facts: &[Fact], steps: usize) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let row = |fact: &Fact| {
        let at = styled(FAINT, &format!("{:.0}", fact.at));
        vec![at, fact.kind.to_string(), (fact.step + 1).min(steps).to_string(), fact.by.clone(), fact.why.clone()]
    };
    let heading = ["WHEN", "WHAT", "STEP", "BY", "WHY"].map(Into::into).into();
    let rows = facts.iter().skip(facts.len().saturating_sub(FACTS)).map(row);
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}
