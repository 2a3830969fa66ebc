//! Changes of flags in place: set, on, off, everyone, end.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::api::{ChangeRequest, EndRequest, OrderRequest, ProblemKind};
use flagstaff_operations::edit::{Answer, Change, Confirmation, Edited, Editor};
use flagstaff_operations::end::{self, End};
use flagstaff_operations::workspace::Workspace;
use schemars::JsonSchema;
use serde::Deserialize;

use super::endpoint::Endpoint;
use super::extract::{Asked, Named, Sent, wanted_revision};
use super::failure::Failure;
use super::orders::Orders;
use super::results::certainty;
use super::revision::{json, taken_up};
use crate::Context;
use crate::access::{Caller, Writer};

pub(super) fn endpoints(orders: &Arc<Orders>) -> Vec<Endpoint> {
    let switch = |endpoint: Endpoint| {
        endpoint.asks::<Confirmed>().takes::<OrderRequest>().answers::<Edited>().edits().once(orders)
    };
    vec![
        Endpoint::patch("/api/v1/flags/{flag}", set)
            .named("setFlag", "Set keys of a flag; comments and layout of the file stay")
            .asks::<Confirmed>()
            .needs::<ChangeRequest>()
            .answers::<Edited>()
            .edits()
            .once(orders),
        switch(Endpoint::post("/api/v1/flags/{flag}/off", off))
            .named("switchOff", "Switch a flag off for everyone, whatever else is wrong in the file"),
        switch(Endpoint::post("/api/v1/flags/{flag}/on", on))
            .named("switchOn", "Switch a flag on again, as it was before it was switched off"),
        switch(Endpoint::post("/api/v1/flags/{flag}/everyone", everyone))
            .named("switchOnForEveryone", "Switch a flag on for everyone, at 100 percent"),
        Endpoint::post("/api/v1/flags/{flag}/end", end_flag)
            .named("endFlag", "End an experiment: archive it, and give everyone the winner or take the flag out")
            .takes::<EndRequest>()
            .answers::<end::Answer>()
            .may_answer(&[409, 422])
            .once(orders),
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

/// An edit as it is asked for.
struct Edit {
    flag: String,
    wanted: Wanted,
    by: String,
    yes: bool,
    confirm: Option<String>,
    /// The revision that the flags must have.
    revision: Option<String>,
}

async fn set(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    Asked(Confirmed { confirm }): Asked<Confirmed>,
    headers: HeaderMap,
    Sent(asked): Sent<ChangeRequest>,
) -> Result<Response, Failure> {
    let wanted = Wanted::Set(asked.texts()?);
    let revision = wanted_revision(&headers)?;
    make(&context, Edit { flag, wanted, by: caller.name, yes: asked.yes, confirm, revision }).await
}

async fn off(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    Asked(confirmed): Asked<Confirmed>,
    headers: HeaderMap,
    Sent(asked): Sent<OrderRequest>,
) -> Result<Response, Failure> {
    switch(&context, flag, Wanted::Off, caller, confirmed, &headers, asked).await
}

async fn on(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    Asked(confirmed): Asked<Confirmed>,
    headers: HeaderMap,
    Sent(asked): Sent<OrderRequest>,
) -> Result<Response, Failure> {
    switch(&context, flag, Wanted::On, caller, confirmed, &headers, asked).await
}

async fn everyone(
    State(context): State<Context>,
    Named(flag): Named,
    Writer(caller): Writer,
    Asked(confirmed): Asked<Confirmed>,
    headers: HeaderMap,
    Sent(asked): Sent<OrderRequest>,
) -> Result<Response, Failure> {
    switch(&context, flag, Wanted::OnForEveryone, caller, confirmed, &headers, asked).await
}

async fn switch(
    context: &Context,
    flag: String,
    wanted: Wanted,
    caller: Caller,
    confirmed: Confirmed,
    headers: &HeaderMap,
    asked: OrderRequest,
) -> Result<Response, Failure> {
    let (confirm, revision) = (confirmed.confirm, wanted_revision(headers)?);
    make(context, Edit { flag, wanted, by: caller.name, yes: asked.yes, confirm, revision }).await
}

/// Makes an edit, and answers once it is in force.
async fn make(context: &Context, edit: Edit) -> Result<Response, Failure> {
    let expected = edit.revision.clone().or_else(|| edit.confirm.clone());
    let done = context.run(async move |workspace: &Workspace| applied(workspace, &edit).await).await;
    match done {
        Ok(Answer::Edited(edited)) => Ok(taken_up(context, edited).await),
        Ok(Answer::WouldUndo(undo)) => {
            let why = format!("this changes what decides about the flag: {}", undo.what);
            let failure = Failure::new(ProblemKind::WouldUndo, StatusCode::CONFLICT, why);
            Err(failure.help(format!("send it again with ?confirm={}", undo.revision)).with(|problem| {
                problem.undoes = Some(undo.what);
                problem.revision = Some(undo.revision);
            }))
        }
        Err(error) if ProblemKind::from(&error) == ProblemKind::Changed => {
            Err(changed(context, error, expected).await)
        }
        Err(error) => Err(error.into()),
    }
}

async fn applied(workspace: &Workspace, edit: &Edit) -> Result<Answer, Error> {
    let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
    let editor = Editor { workspace, flag: &edit.flag, by: &edit.by, warn: &warn };
    let keys: Vec<_> = match &edit.wanted {
        Wanted::Set(keys) => keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
        Wanted::Off | Wanted::On | Wanted::OnForEveryone => Vec::new(),
    };
    let change = match edit.wanted {
        Wanted::Set(_) => Change::Set(&keys),
        Wanted::Off => Change::Off,
        Wanted::On => Change::On,
        Wanted::OnForEveryone => Change::OnForEveryone,
    };
    let confirmation = match &edit.confirm {
        _ if edit.yes => Confirmation::Yes,
        Some(revision) => Confirmation::Of(revision),
        None => Confirmation::No,
    };
    editor.apply_to(edit.revision.as_deref().or(edit.confirm.as_deref()), &change, confirmation).await
}

/// The files are not those that the edit was made for.
pub(super) async fn changed(context: &Context, error: Error, expected: Option<String>) -> Failure {
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
    Sent(asked): Sent<EndRequest>,
) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let dry_run = asked.dry_run;
    let answer = context
        .run(async move |workspace: &Workspace| {
            let wanted = End {
                flag: &flag,
                winner: asked.winner.as_deref(),
                remove: asked.remove,
                force: asked.force,
                by: Some(caller.name),
                code: None,
                dry_run,
                certainty,
            };
            end::end(workspace, &wanted).await
        })
        .await?;
    context.reload();
    match &answer {
        end::Answer::Ended(ended) if ended.next.is_none() && !dry_run => {
            let failure = Failure::new(ProblemKind::Refused, StatusCode::CONFLICT, ended.objections.join("; "));
            let failure = failure.help("send \"force\": true to do it all the same");
            Err(failure.with(|problem| problem.answer = serde_json::to_value(&answer).ok()))
        }
        _ => Ok(json(&answer)),
    }
}
