//! `flagstaff rollout`: where a rollout stands, and commands to it.

use flagstaff_experiment::guard::{Evidence, Sign};
use flagstaff_operations::rollout::{self, Command, HistoryEntry, PlannedStep, RolloutState, RolloutStatus};
use jiff::{SignedDuration, Timestamp};

use crate::cli::{Action, Rollout};
use crate::commands::{Outcome, person};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, bar, err, grouped, json as print_json, out, styled, table};
use crate::workspace::{Opened, block_on};

/// Characters of a bar.
const WIDTH: usize = 20;
/// As many facts are shown to people; scripts get all.
const FACTS: usize = 12;

pub(crate) fn run(args: &Rollout) -> anyhow::Result<Outcome> {
    let (status, refused) = match Remote::ledger(&args.ledger)? {
        Some(remote) => far(args, remote)?,
        None => here(args)?,
    };
    if let Some(why) = &refused {
        err(&format!("{}: {why}\n", styled(BAD, "not done")));
    }
    if args.json {
        print_json(&status)?;
    } else {
        out(&text(&status))?;
    }
    Ok(if refused.is_some() { Outcome::No } else { Outcome::Yes })
}

/// Where a rollout stands, and why the command was refused.
type Said = (RolloutStatus, Option<String>);

fn here(args: &Rollout) -> anyhow::Result<Said> {
    let opened = Opened::ledger(&args.ledger)?;
    let snapshot = opened.in_force()?;
    let (workspace, flag) = (&opened.workspace, args.flag.as_str());
    let Some(command) = command(args.action) else {
        return Ok((opened.answer(block_on(rollout::status(workspace, &snapshot, flag))?)?, None));
    };
    let by = person(args.by.as_deref());
    let applied = opened.answer(block_on(rollout::apply(workspace, &snapshot, flag, command, None, &by))?)?;
    Ok((applied.status, applied.refused))
}

fn far(args: &Rollout, remote: Remote) -> anyhow::Result<Said> {
    let Some(command) = command(args.action) else {
        return Ok((remote.answer(remote.client.rollout(&args.flag))?, None));
    };
    let remote = remote.by(&person(args.by.as_deref()));
    let applied = remote.answer(remote.client.command(&args.flag, command))?;
    Ok((applied.status, applied.refused))
}

const fn command(action: Action) -> Option<Command> {
    match action {
        Action::Status => None,
        Action::Advance => Some(Command::Advance),
        Action::Approve => Some(Command::Approve),
        Action::Pause => Some(Command::Pause),
        Action::Resume => Some(Command::Resume),
        Action::Reset => Some(Command::Reset),
    }
}

fn text(status: &RolloutStatus) -> String {
    let style = match status.state {
        RolloutState::Advancing | RolloutState::Done => GOOD,
        RolloutState::Holding | RolloutState::Approval => ODD,
        RolloutState::Tripped => BAD,
    };
    let step = match status.steps {
        0 => String::new(),
        steps => format!(", step {} of {steps}", status.step),
    };
    let (flag, state) = (styled(STRONG, &status.flag), styled(style, status.state.as_str()));
    let mut text = format!("{flag}: {state} at {} %{step}\n{}\n", status.percent, status.why);
    for section in [steps(status), guard(status), history(&status.history)] {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&section);
        }
    }
    text
}

/// A line for each step: what is done, where it is, what is to come.
fn steps(status: &RolloutStatus) -> String {
    let row = |(number, step): (usize, &PlannedStep)| {
        let is_here = status.done == Some(number);
        let mark = if status.done.is_some_and(|done| number < done) {
            styled(GOOD, "●")
        } else if is_here {
            styled(STRONG, "▶")
        } else {
            "○".into()
        };
        let hold = step.hold.clone().unwrap_or_else(|| "for good".into());
        let now = if is_here { progress(status, step) } else { String::new() };
        vec![format!("{mark} {} %", step.percent), bar(step.percent.as_f64() / 100.0, WIDTH), hold, now]
    };
    if status.plan.is_empty() {
        return String::new();
    }
    let heading = ["  STEP", "SHARE", "HOLD", "NOW"].map(Into::into).into();
    table(&std::iter::once(heading).chain(status.plan.iter().enumerate().map(row)).collect::<Vec<_>>())
}

/// How far the present step is.
fn progress(status: &RolloutStatus, step: &PlannedStep) -> String {
    let came = status.visitors.map(|came| format!("{} of {} visitors", grouped(came), grouped(step.min_visitors)));
    let left = status.advances_at.map(|at| {
        let left = at.duration_since(Timestamp::now()).max(SignedDuration::ZERO);
        format!("{} to go", humantime::format_duration(std::time::Duration::from_secs(left.unsigned_abs().as_secs())))
    });
    [came, left].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn guard(status: &RolloutStatus) -> String {
    if status.guard.is_empty() {
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
            bound(status, evidence),
        ]
    };
    let heading = ["GUARD", "VISITORS", "CONTROL", "EVIDENCE", "OF A TRIP", "RATIO"].map(Into::into).into();
    table(&std::iter::once(heading).chain(status.guard.iter().map(row)).collect::<Vec<_>>())
}

/// The end of the interval of the risk ratio, and where the guard trips.
fn bound(status: &RolloutStatus, evidence: &Evidence) -> String {
    let course = status.guard_course.iter().find(|one| one.sign == evidence.sign && one.variant == evidence.variant);
    let side = if matches!(evidence.sign, Sign::Goal(_)) { "at most" } else { "at least" };
    match course.and_then(|course| course.points.last()?.bound) {
        Some(bound) => format!("{side} {bound:.2}, trips at {}", evidence.tolerated),
        None => format!("trips at {}", evidence.tolerated),
    }
}

fn history(all: &[HistoryEntry]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let row = |one: &HistoryEntry| {
        let at = styled(FAINT, &format!("{:.0}", one.at));
        vec![at, one.kind.to_string(), one.step.to_string(), one.by.clone(), one.why.clone()]
    };
    let heading = ["WHEN", "WHAT", "STEP", "BY", "WHY"].map(Into::into).into();
    let rows = all.iter().skip(all.len().saturating_sub(FACTS)).map(row);
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}
