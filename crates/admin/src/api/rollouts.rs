//! Where rollouts stand, and commands to them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_operations::api::ProblemKind;
use flagstaff_operations::rollout::{self, Command, RolloutStatus};
use flagstaff_operations::workspace::Workspace;

use super::endpoint::Endpoint;
use super::extract::{Named, bad, wanted_revision};
use super::failure::Failure;
use super::idempotency::IdempotencyKeys;
use super::revision::of_revision;
use crate::Context;
use crate::access::Writer;

/// Each command with its path, its name for programs, and what it does.
const COMMANDS: [(Command, &str, &str, &str); 5] = [
    (
        Command::Advance,
        "/api/v1/flags/{flag}/rollout/advance",
        "advanceRollout",
        "Go to the next step now, whatever the hold says",
    ),
    (
        Command::Approve,
        "/api/v1/flags/{flag}/rollout/approve",
        "approveRollout",
        "Go to the next step from one that waits for an approval",
    ),
    (Command::Pause, "/api/v1/flags/{flag}/rollout/pause", "pauseRollout", "Stay at this step"),
    (Command::Resume, "/api/v1/flags/{flag}/rollout/resume", "resumeRollout", "Continue after a pause"),
    (
        Command::Reset,
        "/api/v1/flags/{flag}/rollout/reset",
        "resetRollout",
        "Start again at the first step; a rollback is cleared, and what the guard saw is forgotten",
    ),
];

pub(super) fn endpoints(keys: &Arc<IdempotencyKeys>) -> Vec<Endpoint> {
    let status = Endpoint::get("/api/v1/flags/{flag}/rollout", status)
        .named("getRollout", "Where a rollout stands, and why")
        .answers::<RolloutStatus>()
        .names_rollout()
        .may_answer(&[409]);
    let command = |(command, path, name, summary): &(Command, &'static str, &'static str, &'static str)| {
        let command = *command;
        let give = async move |context: State<Context>, flag: Named, writer: Writer, headers: HeaderMap| {
            give(command, context, flag, writer, headers).await
        };
        Endpoint::post(path, give).named(name, summary).answers::<RolloutStatus>().commands_rollout().once(keys)
    };
    std::iter::once(status).chain(COMMANDS.iter().map(command)).collect()
}

async fn status(State(context): State<Context>, Named(flag): Named) -> Result<Response, Failure> {
    let status = context
        .run(async move |workspace: &Workspace| {
            let snapshot = workspace.in_force()?.snapshot;
            rollout::status(workspace, &snapshot, &flag).await
        })
        .await?;
    Ok(of_revision(&status.number.to_string(), &status))
}

/// The state that a command is meant for, where the request says so by `If-Match`.
fn seen(headers: &HeaderMap) -> Result<Option<u64>, Failure> {
    let Some(tag) = wanted_revision(headers)? else { return Ok(None) };
    tag.parse().map(Some).map_err(|_| {
        let failure = bad("If-Match names no state of a rollout");
        failure.help("send the ETag of GET /api/v1/flags/{flag}/rollout: the number of its newest fact, in quotes")
    })
}

async fn give(
    command: Command,
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let seen = seen(&headers)?;
    let applied = context
        .run(async move |workspace: &Workspace| {
            let snapshot = workspace.in_force()?.snapshot;
            rollout::apply(workspace, &snapshot, &flag, command, seen, &caller.name).await
        })
        .await?;
    let Some(why) = applied.refused else {
        return Ok(of_revision(&applied.status.number.to_string(), &applied.status));
    };
    let failure = if applied.has_moved && seen.is_some() {
        let failure = Failure::new(ProblemKind::Changed, StatusCode::PRECONDITION_FAILED, why);
        failure.help("read where the rollout stands, and send the command with that answer's ETag")
    } else {
        Failure::new(ProblemKind::Refused, StatusCode::CONFLICT, why)
    };
    Err(failure.with(|problem| problem.answer = serde_json::to_value(&applied.status).ok()))
}
