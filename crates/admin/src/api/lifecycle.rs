//! Flags that come and go: create one, delete one.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::api::{CreateRequest, DeleteQuery, ProblemKind};
use flagstaff_operations::edit::{Change, Confirmation, EditAnswer, Edited, Editor, Removal, Removed, remove};
use flagstaff_operations::workspace::Workspace;

use super::edits::{refused, would_undo};
use super::endpoint::Endpoint;
use super::extract::{Named, QueryParams, Sent, wanted_revision};
use super::failure::Failure;
use super::idempotency::IdempotencyKeys;
use super::revision::{after_reload, json};
use crate::Context;
use crate::access::Writer;

pub(super) fn endpoints(keys: &Arc<IdempotencyKeys>) -> Vec<Endpoint> {
    vec![
        Endpoint::post("/api/v1/flags", create)
            .named("createFlag", "Add a flag, or a copy of one; it is for nobody until that is said")
            .needs::<CreateRequest>()
            .answers::<Edited>()
            .may_answer(&[404])
            .edits()
            .once(keys),
        Endpoint::delete("/api/v1/flags/{flag}", delete)
            .named("deleteFlag", "Take a flag out of the file; code that asks for it gets `off` from then on")
            .asks::<DeleteQuery>()
            .answers::<Removed>()
            .edits()
            .once(keys),
    ]
}

async fn create(
    State(context): State<Context>,
    Writer(caller): Writer,
    headers: HeaderMap,
    Sent(asked): Sent<CreateRequest>,
) -> Result<Response, Failure> {
    let (texts, revision) = (asked.texts()?, wanted_revision(&headers)?);
    let expected = revision.clone();
    let created = context
        .run(async move |workspace: &Workspace| {
            let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
            let keys: Vec<_> = texts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let editor = Editor { workspace, flag: &asked.name, by: &caller.name, warn: &warn };
            let change = Change::Create { like: asked.like.as_deref(), keys: &keys };
            editor.apply_to(revision.as_deref(), &change, Confirmation::Yes).await
        })
        .await;
    match created {
        Ok(EditAnswer::Edited(edited)) => Ok(after_reload(&context, edited).await),
        Ok(EditAnswer::WouldUndo(undo)) => Err(Failure::new(ProblemKind::WouldUndo, StatusCode::CONFLICT, undo.what)),
        Err(error) => Err(refused(&context, error, expected).await),
    }
}

async fn delete(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    QueryParams(asked): QueryParams<DeleteQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let revision = wanted_revision(&headers)?;
    let expected = revision.clone().or_else(|| asked.confirm.clone());
    let name = flag.clone();
    let removed = context
        .run(async move |workspace: &Workspace| {
            let confirmation = match (asked.confirm.as_deref(), revision.as_deref()) {
                (Some(revision), _) => Confirmation::Of(revision),
                (None, Some(revision)) if asked.yes => Confirmation::Of(revision),
                (None, _) if asked.yes => Confirmation::Yes,
                (None, _) => Confirmation::No,
            };
            let is_other = revision.is_some() && workspace.revision().ok() != revision;
            if is_other && confirmation == Confirmation::No {
                // a revision that is only a condition is no consent
                return remove(workspace, &flag, &caller.name, Confirmation::Of("")).await;
            }
            remove(workspace, &flag, &caller.name, confirmation).await
        })
        .await;
    match removed {
        Ok(Removal::Removed(removed)) => {
            context.reload();
            context.comes(|snapshot| snapshot.find(&name).is_none()).await;
            Ok(json(&removed))
        }
        Ok(Removal::NotEnded(undo)) => Err(would_undo(undo.what.clone(), undo.what, undo.revision)),
        Err(error) => Err(refused(&context, error, expected).await),
    }
}
