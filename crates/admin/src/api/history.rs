//! Which revisions of the flags there were, in what they differ, and the way back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::api::{DiffQuery, HistoryQuery, RollbackQuery, RollbackRequest};
use flagstaff_operations::edit::Confirmation;
use flagstaff_operations::history::{self, Difference, History, Rollback, RollbackAnswer, RollbackPreview};
use flagstaff_operations::workspace::Workspace;

use super::edits::{Confirmed, refused, would_undo};
use super::endpoint::Endpoint;
use super::extract::{QueryParams, Sent, wanted_revision};
use super::failure::Failure;
use super::idempotency::IdempotencyKeys;
use super::revision::{json, of_revision};
use crate::Context;
use crate::access::Writer;

/// Entries, where it is not said how many.
const ENTRIES: u16 = 20;
/// The most entries.
const MAX_ENTRIES: u16 = 10_000;

pub(super) fn endpoints(keys: &Arc<IdempotencyKeys>) -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/history", revisions)
            .named("getHistory", "Which revisions of the flags there were, and what else happened, the newest first")
            .asks::<HistoryQuery>()
            .answers::<History>()
            .may_answer(&[404, 409, 422]),
        Endpoint::get("/api/v1/diff", diff)
            .named("getDiff", "The lines and keys in which two revisions differ")
            .asks::<DiffQuery>()
            .answers::<Difference>()
            .may_answer(&[404, 409, 422]),
        Endpoint::get("/api/v1/rollback", preview)
            .named("previewRollback", "What putting a revision back would do; nothing is changed")
            .asks::<RollbackQuery>()
            .answers::<RollbackPreview>()
            .may_answer(&[404, 409, 422]),
        Endpoint::post("/api/v1/rollback", rollback)
            .named("rollBack", "Put a revision back, or one flag of it; later edits of other flags stay")
            .asks::<Confirmed>()
            .needs::<RollbackRequest>()
            .answers::<RollbackAnswer>()
            .may_answer(&[404])
            .edits()
            .once(keys),
    ]
}

async fn revisions(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<HistoryQuery>,
) -> Result<Response, Failure> {
    let limit = asked.limit.unwrap_or(ENTRIES);
    if !(1..=MAX_ENTRIES).contains(&limit) {
        return Err(Error::Input(format!("limit: 1 to {MAX_ENTRIES} entries")).into());
    }
    let history = context
        .run(async move |workspace: &Workspace| {
            history::history(workspace, asked.flag.as_deref(), limit.into()).await
        })
        .await?;
    Ok(json(&history))
}

async fn diff(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<DiffQuery>,
) -> Result<Response, Failure> {
    let difference = context
        .run(async move |workspace: &Workspace| {
            history::diff(workspace, &asked.from, asked.to.as_deref().unwrap_or("now")).await
        })
        .await?;
    Ok(json(&difference))
}

async fn preview(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<RollbackQuery>,
) -> Result<Response, Failure> {
    let preview = context
        .run(async move |workspace: &Workspace| {
            let wanted = Rollback { revision: &asked.revision, flag: asked.flag.as_deref(), by: "" };
            history::preview(workspace, &wanted).await
        })
        .await?;
    Ok(json(&preview))
}

async fn rollback(
    State(context): State<Context>,
    Writer(caller): Writer,
    QueryParams(confirmed): QueryParams<Confirmed>,
    headers: HeaderMap,
    Sent(asked): Sent<RollbackRequest>,
) -> Result<Response, Failure> {
    let (confirm, revision) = (confirmed.confirm, wanted_revision(&headers)?);
    let expected = revision.clone().or_else(|| confirm.clone());
    let done = context
        .run(async move |workspace: &Workspace| {
            let wanted = Rollback { revision: &asked.revision, flag: asked.flag.as_deref(), by: &caller.name };
            put_back(workspace, &wanted, asked.yes, confirm.as_deref(), revision.as_deref()).await
        })
        .await;
    match done {
        Ok(RollbackAnswer::Done(done)) => {
            context.takes_up(&done.revision).await;
            Ok(of_revision(&done.revision.clone(), &RollbackAnswer::Done(done)))
        }
        Ok(RollbackAnswer::WouldUndo(preview)) => Err(undoes(preview)),
        Err(error) => Err(refused(&context, error, expected).await),
    }
}

/// Puts it back: of the files of one revision alone, where one is named.
async fn put_back(
    workspace: &Workspace,
    wanted: &Rollback<'_>,
    yes: bool,
    confirm: Option<&str>,
    revision: Option<&str>,
) -> Result<RollbackAnswer, Error> {
    let confirmation = match (confirm.or(revision), yes) {
        (None, true) => Confirmation::Yes,
        (None, false) => Confirmation::No,
        // a revision that is only a condition is no consent
        (Some(revision), false) if confirm.is_none() => {
            let preview = history::preview(workspace, wanted).await?;
            if !preview.undoes.is_empty() {
                return Ok(RollbackAnswer::WouldUndo(preview));
            }
            Confirmation::Of(revision)
        }
        (Some(revision), _) => Confirmation::Of(revision),
    };
    history::rollback(workspace, wanted, confirmation).await
}

fn undoes(preview: RollbackPreview) -> Failure {
    let all: Vec<_> = preview.undoes.iter().map(|one| format!("{}: {}", one.flag, one.what)).collect();
    let what = all.join("; ");
    would_undo(format!("this also affects {what}"), what, preview.revision.clone())
        .with(|problem| problem.answer = serde_json::to_value(RollbackAnswer::WouldUndo(preview)).ok())
}
