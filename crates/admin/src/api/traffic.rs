//! What the running program knows of its traffic: requests by flag, what should be tidied up, what an edit would do to the last visitors.

use axum::extract::State;
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::api::{PreviewRequest, Switch};
use flagstaff_operations::edit::{Change, Editor};
use flagstaff_operations::fleet::{Fleet, fleet};
use flagstaff_operations::hygiene::{self, HygieneReport};
use flagstaff_operations::preview::{self, Preview};
use flagstaff_operations::traffic::{FlagTraffic, NotCountedRequests};
use flagstaff_operations::workspace::Workspace;
use jiff::Zoned;

use super::endpoint::Endpoint;
use super::extract::Sent;
use super::failure::Failure;
use super::revision::json;
use crate::Context;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/traffic", traffic)
            .named("flagTraffic", "How often each flag was asked for, by variant")
            .answers::<Vec<FlagTraffic>>(),
        Endpoint::get("/api/v1/not-counted", not_counted)
            .named("notCounted", "How many requests were not counted since the program started, and why")
            .answers::<Vec<NotCountedRequests>>(),
        Endpoint::get("/api/v1/hygiene", hygiene)
            .named("hygiene", "What should be tidied up, with what the program has seen since it started")
            .answers::<HygieneReport>()
            .may_answer(&[409]),
        Endpoint::get("/api/v1/fleet", programs)
            .named("fleet", "Which programs share the ledger, and what is wrong between them")
            .answers::<Fleet>()
            .may_answer(&[409, 503]),
        Endpoint::post("/api/v1/preview", preview)
            .named("previewEdit", "What an edit would do to the last visitors; nothing is written")
            .needs::<PreviewRequest>()
            .answers::<Preview>()
            .may_answer(&[404, 409, 422]),
    ]
}

async fn traffic(State(context): State<Context>) -> Response {
    json(&context.flag_traffic(&context.snapshot()))
}

async fn not_counted(State(context): State<Context>) -> Response {
    json(&context.not_counted())
}

async fn hygiene(State(context): State<Context>) -> Result<Response, Failure> {
    let (snapshot, watched, today) = (context.snapshot(), context.watched(), Zoned::now().date());
    let ask = async move |workspace: &Workspace| hygiene::report(workspace, &snapshot, watched.as_ref(), None, today);
    Ok(json(&context.run(ask).await?))
}

async fn programs(State(context): State<Context>) -> Result<Response, Failure> {
    Ok(json(&context.run(async |workspace: &Workspace| fleet(workspace).await).await?))
}

async fn preview(State(context): State<Context>, Sent(asked): Sent<PreviewRequest>) -> Result<Response, Failure> {
    let (recent, texts) = (context.recent_visitors(), asked.texts()?);
    let ask = async move |workspace: &Workspace| {
        let keys: Vec<_> = texts.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let change = match asked.switch {
            Some(Switch::Off) => Change::Off,
            Some(Switch::On) => Change::On,
            Some(Switch::Everyone) => Change::OnForEveryone,
            None => Change::Set(&keys),
        };
        let warn = |error: &Error| tracing::warn!("what is recorded of the flag is not known: {error}");
        let editor = Editor { workspace, flag: &asked.flag, by: "nobody", warn: &warn };
        preview::preview(&editor, &change, &recent).await
    };
    Ok(json(&context.run(ask).await?))
}
