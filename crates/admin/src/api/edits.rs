//! Changes of flags in place: set, on, off, everyone, end.

use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use flagstaff_operations::Error;
use flagstaff_operations::api::{ChangeRequest, EndRequest, OrderRequest, ProblemKind};
use flagstaff_operations::edit::{Change, Confirmation, EditAnswer, Edited, Editor};
use flagstaff_operations::end::{self, End};
use flagstaff_operations::workspace::Workspace;
use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::extract::{Named, QueryParams, Sent, wanted_revision};
use super::failure::Failure;
use super::idempotency::IdempotencyKeys;
use super::results::certainty;
use super::revision::{after_reload, json, of_revision};
use crate::Context;
use crate::access::Writer;

pub(super) fn endpoints(keys: &Arc<IdempotencyKeys>) -> Vec<Endpoint> {
    let switch = |endpoint: Endpoint| {
        endpoint.asks::<Confirmed>().takes::<OrderRequest>().answers::<Edited>().edits().once(keys)
    };
    vec![
        Endpoint::patch("/api/v1/flags/{flag}", set)
            .named("setFlag", "Set keys of a flag; comments and layout of the file stay")
            .asks::<Confirmed>()
            .needs::<ChangeRequest>()
            .answers::<Edited>()
            .edits()
            .once(keys),
        switch(Endpoint::post("/api/v1/flags/{flag}/off", off))
            .named("switchOff", "Switch a flag off for everyone, whatever else is wrong in the file"),
        switch(Endpoint::post("/api/v1/flags/{flag}/on", on))
            .named("switchOn", "Switch a flag on again, as it was before it was switched off"),
        switch(Endpoint::post("/api/v1/flags/{flag}/everyone", everyone))
            .named("switchOnForEveryone", "Switch a flag on for everyone, at 100 percent"),
        Endpoint::post("/api/v1/flags/{flag}/end", end_flag)
            .named("endFlag", "End an experiment: archive it, and give everyone the winner or take the flag out")
            .takes::<EndRequest>()
            .answers::<end::EndAnswer>()
            .edits()
            .once(keys),
    ]
}

/// The consent to what an edit undoes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Confirmed {
    /// The revision of the files that the refusal named: what the edit undoes may be undone.
    pub(super) confirm: Option<String>,
}

/// A change with its own texts.
enum Wanted {
    Set(Vec<(String, String)>),
    Off,
    On,
    OnForEveryone,
}

/// Which flag is edited, by whom, and of which revision: what every edit says alike.
struct Target {
    flag: String,
    by: String,
    confirm: Option<String>,
    /// The revision that the flags must have.
    revision: Option<String>,
}

impl FromRequestParts<Context> for Target {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let refuse = Failure::into_response;
        let Named(flag) = Named::from_request_parts(parts, context).await.map_err(refuse)?;
        let Writer(caller) = Writer::from_request_parts(parts, context).await?;
        let QueryParams(Confirmed { confirm }) =
            QueryParams::from_request_parts(parts, context).await.map_err(refuse)?;
        let revision = wanted_revision(&parts.headers).map_err(refuse)?;
        Ok(Self { flag, by: caller.name, confirm, revision })
    }
}

type Answered = Result<Response, Failure>;

async fn set(State(context): State<Context>, target: Target, Sent(asked): Sent<ChangeRequest>) -> Answered {
    make(&context, target, Wanted::Set(asked.texts()?), asked.yes).await
}

async fn off(State(context): State<Context>, target: Target, Sent(asked): Sent<OrderRequest>) -> Answered {
    make(&context, target, Wanted::Off, asked.yes).await
}

async fn on(State(context): State<Context>, target: Target, Sent(asked): Sent<OrderRequest>) -> Answered {
    make(&context, target, Wanted::On, asked.yes).await
}

async fn everyone(State(context): State<Context>, target: Target, Sent(asked): Sent<OrderRequest>) -> Answered {
    make(&context, target, Wanted::OnForEveryone, asked.yes).await
}

/// Makes an edit, and answers once it is in force.
async fn make(context: &Context, target: Target, wanted: Wanted, yes: bool) -> Answered {
    let expected = target.revision.clone().or_else(|| target.confirm.clone());
    let done = context.run(async move |workspace: &Workspace| applied(workspace, &target, &wanted, yes).await).await;
    match done {
        Ok(EditAnswer::Edited(edited)) => Ok(after_reload(context, edited).await),
        Ok(EditAnswer::WouldUndo(undo)) => {
            let why = format!("this changes what decides about the flag: {}", undo.what);
            Err(would_undo(why, undo.what, undo.revision))
        }
        Err(error) => Err(refused(context, error, expected).await),
    }
}

/// An edit that would undo something, and how to make it all the same.
pub(super) fn would_undo(why: String, what: String, revision: String) -> Failure {
    let failure = Failure::new(ProblemKind::WouldUndo, StatusCode::CONFLICT, why);
    failure.help(format!("send it again with ?confirm={revision}")).with(|problem| {
        problem.undoes = Some(what);
        problem.revision = Some(revision);
    })
}

async fn applied(workspace: &Workspace, target: &Target, wanted: &Wanted, yes: bool) -> Result<EditAnswer, Error> {
    let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
    let editor = Editor { workspace, flag: &target.flag, by: &target.by, warn: &warn };
    let keys: Vec<_> = match wanted {
        Wanted::Set(keys) => keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        Wanted::Off | Wanted::On | Wanted::OnForEveryone => Vec::new(),
    };
    let change = match wanted {
        Wanted::Set(_) => Change::Set(&keys),
        Wanted::Off => Change::Off,
        Wanted::On => Change::On,
        Wanted::OnForEveryone => Change::OnForEveryone,
    };
    let confirmation = match &target.confirm {
        _ if yes => Confirmation::Yes,
        Some(revision) => Confirmation::Of(revision),
        None => Confirmation::No,
    };
    editor.apply_to(target.revision.as_deref().or(target.confirm.as_deref()), &change, confirmation).await
}

/// Why an edit was not made.
pub(super) async fn refused(context: &Context, error: Error, expected: Option<String>) -> Failure {
    match ProblemKind::from(&error) {
        ProblemKind::Changed => changed(context, &error, expected).await,
        _ => error.into(),
    }
}

/// The files are not those that the edit was made for.
async fn changed(context: &Context, error: &Error, expected: Option<String>) -> Failure {
    let now = context.run(async |workspace: &Workspace| workspace.revision()).await.ok();
    let status = if expected.is_some() { StatusCode::PRECONDITION_FAILED } else { StatusCode::CONFLICT };
    let failure = Failure::new(ProblemKind::Changed, status, error.to_string());
    failure.help("read the flag again, and send the edit with its ETag").with(|problem| {
        problem.revision = now;
        problem.expected = expected;
    })
}

async fn end_flag(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    headers: HeaderMap,
    Sent(asked): Sent<EndRequest>,
) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let (dry_run, revision) = (asked.dry_run, wanted_revision(&headers)?);
    let expected = revision.clone();
    let ended = context
        .run(async move |workspace: &Workspace| {
            let wanted = End {
                flag: &flag,
                winner: asked.winner.as_deref(),
                remove: asked.remove,
                force: asked.force,
                by: Some(caller.name),
                code: None,
                dry_run,
                revision: revision.as_deref(),
                certainty,
            };
            end::end(workspace, &wanted).await
        })
        .await;
    let answer = match ended {
        Ok(answer) => answer,
        Err(error) => return Err(refused(&context, error, expected).await),
    };
    if !dry_run {
        context.takes_up_files().await;
    }
    match &answer {
        end::EndAnswer::Ended(ended) if ended.next.is_none() && !dry_run => {
            let failure = Failure::new(ProblemKind::Refused, StatusCode::CONFLICT, ended.objections.join("; "));
            let failure = failure.help("send \"force\": true to do it all the same");
            Err(failure.with(|problem| problem.answer = serde_json::to_value(&answer).ok()))
        }
        end::EndAnswer::Ended(ended) => Ok(of_revision(&ended.revision, &answer)),
        end::EndAnswer::Gone(_) => Ok(json(&answer)),
    }
}
