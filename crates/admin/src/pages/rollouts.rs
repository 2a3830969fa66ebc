//! Rollouts, and commands to them.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use flagstaff_operations::rollout::{Command, RolloutState, RolloutStatus, apply, status};
use jiff::Timestamp;

use super::bars;
use super::failure::{Answered, Failure};
use super::flash::Said;
use super::form::Fields;
use super::frame::{Frame, Section, Visit, done};
use super::ramp::{Ramp, why};
use crate::Context;
use crate::access::Writer;
use crate::extract::{Form, Path};

/// A rollout in the list.
struct Row {
    flag: String,
    state: &'static str,
    is_alarm: bool,
    step: String,
    percent: String,
    bar: String,
    why: String,
    number: u64,
    commands: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "rollouts.html")]
struct RolloutsPage {
    frame: Frame,
    rows: Vec<Row>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/rollouts", get(list)).route("/flags/{flag}/rollout", post(command))
}

async fn list(State(context): State<Context>, visit: Visit) -> Answered {
    let snapshot = context.snapshot();
    let rows = context.run(async move |workspace: &_| {
        let mut rows = Vec::new();
        for flag in snapshot.flags().iter().filter(|flag| flag.rollout.is_some()) {
            let stands = status(workspace, &snapshot, flag.name.as_str()).await?;
            rows.push(row(&stands, flag.enabled, Timestamp::now()));
        }
        Ok(rows)
    });
    let rows = rows.await?;
    Ok(visit.show(&RolloutsPage { frame: visit.frame("Rollouts", Section::Rollouts), rows }))
}

fn row(stands: &RolloutStatus, is_on: bool, now: Timestamp) -> Row {
    let ramp = Ramp::of(stands, is_on, now);
    Row {
        flag: stands.flag.clone(),
        state: words(stands.state),
        is_alarm: stands.state == RolloutState::Tripped,
        step: format!("step {} of {}", stands.step, stands.steps),
        percent: stands.percent.to_string(),
        bar: bars::share(stands.percent.as_f64()),
        why: why(stands),
        number: stands.number,
        commands: ramp.map(|ramp| ramp.commands).unwrap_or_default(),
    }
}

/// Where a rollout stands, as people say it.
const fn words(state: RolloutState) -> &'static str {
    match state {
        RolloutState::Advancing => "Advancing",
        RolloutState::Holding => "Holding",
        RolloutState::Approval => "Waits for an approval",
        RolloutState::Tripped => "Rolled back",
        RolloutState::Done => "Done",
    }
}

async fn command(
    State(context): State<Context>,
    Path(flag): Path<String>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let fields = Fields(fields);
    let word = fields.get("command").unwrap_or_default();
    let command = meant(word).ok_or_else(|| Failure::input(format!("`{word}` is nothing a rollout knows")))?;
    let seen = fields.get("seen").and_then(|seen| seen.parse().ok());
    // a form without the state that its page showed is none of ours: 0 is no state in which a rollout takes a command
    let seen = Some(seen.unwrap_or(0));
    let (snapshot, name) = (context.snapshot(), flag.clone());
    let applied = context
        .run(async move |workspace: &_| apply(workspace, &snapshot, &name, command, seen, &caller.name).await)
        .await?;
    if let Some(why) = applied.refused {
        if applied.has_moved {
            let text =
                format!("Nothing was done: {why}. It is at {} % now: {}", applied.status.percent, applied.status.why);
            return Ok(done(&format!("/flags/{flag}"), &Said::new(text, flag)));
        }
        return Err(Failure::input(why).back(format!("/flags/{flag}")));
    }
    let status = applied.status;
    let text = format!("{} is at {} % now: {}", status.flag, status.percent, status.why);
    Ok(done(&format!("/flags/{}", status.flag), &Said::new(text, status.flag)))
}

fn meant(word: &str) -> Option<Command> {
    Some(match word {
        "advance" => Command::Advance,
        "approve" => Command::Approve,
        "pause" => Command::Pause,
        "resume" => Command::Resume,
        "reset" => Command::Reset,
        _ => return None,
    })
}
