//! What the flags are, and what would be decided.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use flagstaff_flags::{Percent, Snapshot, User};
use flagstaff_operations::Error;
use flagstaff_operations::api::{CheckQuery, ExplainRequest, SimulationQuery};
use flagstaff_operations::flags::{self, CheckAnswer, Explainer, HeldOut, ListedFlag, Query, Simulated, Simulation};
use flagstaff_operations::history::{AsOf, Explained, FlagsAsOf, flags_as_of};
use flagstaff_operations::workspace::Workspace;
use flagstaff_tag::TaggerSettings;
use jiff::{Timestamp, Zoned};

use super::endpoint::Endpoint;
use super::extract::{Named, QueryParams, Sent, body};
use super::failure::Failure;
use super::revision::{json, of_revision};
use crate::Context;

/// Visitors who meet a flag, where it is not said how many.
const VISITORS: u32 = 10_000;
/// The largest draft, in bytes: as large as a flag file may be.
const MAX_DRAFT: usize = 4 * 1024 * 1024;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/flags", list)
            .named("listFlags", "Every flag with its state, percentage, owner and expiry")
            .answers::<Vec<ListedFlag>>()
            .with_revision(),
        Endpoint::get("/api/v1/flags/{flag}", one)
            .named("getFlag", "One flag with its state, percentage, owner and expiry")
            .answers::<ListedFlag>()
            .with_revision(),
        Endpoint::get("/api/v1/holdout", held_out)
            .named("getHoldout", "The share of visitors who are held out of all experiments")
            .answers::<HeldOut>()
            .with_revision(),
        Endpoint::post("/api/v1/flags/{flag}/explain", explain)
            .named("explainFlag", "Why a visitor gets a variant, step by step; a flag that is not there is off")
            .takes::<ExplainRequest>()
            .answers::<Explained>()
            .may_answer(&[409, 422]),
        Endpoint::post("/api/v1/explain", explain_all)
            .named("explainFlags", "The variant of every flag for a visitor, and why")
            .takes::<ExplainRequest>()
            .answers::<Vec<Explained>>()
            .may_answer(&[404, 409, 422]),
        Endpoint::get("/api/v1/flags/{flag}/simulation", simulate)
            .named("simulateFlag", "How many made-up visitors get each variant")
            .asks::<SimulationQuery>()
            .answers::<Simulated>()
            .may_answer(&[409, 422]),
        Endpoint::post("/api/v1/check", check)
            .named("checkDraft", "Every mistake in a draft of the flag file; nothing is written")
            .asks::<CheckQuery>()
            .needs_text("text/plain", MAX_DRAFT)
            .answers::<CheckAnswer>(),
    ]
}

async fn list(State(context): State<Context>) -> Response {
    let snapshot = context.snapshot();
    of_revision(snapshot.revision(), &flags::list(&snapshot, Timestamp::now(), Zoned::now().date()))
}

async fn one(State(context): State<Context>, Named(flag): Named) -> Result<Response, Failure> {
    let snapshot = context.snapshot();
    let listed = flags::one(&snapshot, &flag, Timestamp::now(), Zoned::now().date())?;
    Ok(of_revision(snapshot.revision(), &listed))
}

async fn held_out(State(context): State<Context>) -> Response {
    let snapshot = context.snapshot();
    of_revision(snapshot.revision(), &flags::held_out(&snapshot))
}

async fn explain(
    State(context): State<Context>,
    Named(flag): Named,
    Sent(asked): Sent<ExplainRequest>,
) -> Result<Response, Failure> {
    let (snapshot, settings) = (context.snapshot(), context.tagger_settings().clone());
    let explained = context
        .run(async move |workspace: &Workspace| {
            let (explainer, as_of) = explainer(workspace, &snapshot, settings, &asked).await?;
            Ok(Explained { explanation: explainer.explain(&flag), as_of })
        })
        .await?;
    Ok(json(&explained))
}

async fn explain_all(State(context): State<Context>, Sent(asked): Sent<ExplainRequest>) -> Result<Response, Failure> {
    let (snapshot, settings) = (context.snapshot(), context.tagger_settings().clone());
    let all = context
        .run(async move |workspace: &Workspace| {
            let (explainer, as_of) = explainer(workspace, &snapshot, settings, &asked).await?;
            let all = explainer.explain_all().into_iter();
            Ok(all.map(|explanation| Explained { explanation, as_of: as_of.clone() }).collect::<Vec<_>>())
        })
        .await?;
    Ok(json(&all))
}

/// One visitor, and the flags in force with what is known of them; or those of an earlier revision, and when that was.
async fn explainer(
    workspace: &Workspace,
    in_force: &Arc<Snapshot>,
    settings: TaggerSettings,
    asked: &ExplainRequest,
) -> Result<(Explainer, Option<AsOf>), Error> {
    let (snapshot, facts, as_of) = match &asked.revision {
        None => (Arc::clone(in_force), in_force.recorded(), None),
        Some(revision) => {
            let FlagsAsOf { snapshot, facts, as_of } = flags_as_of(workspace, revision, asked.at).await?;
            (snapshot, facts, Some(as_of))
        }
    };
    let headers: Vec<_> = asked.headers.iter().map(|field| (field.name.clone(), field.value.clone())).collect();
    let user = asked.user.clone();
    let query = Query {
        visitor: asked.visitor.clone(),
        user: user.map(|id| User { id, groups: asked.groups.clone(), roles: asked.roles.clone() }),
        sticky: &asked.sticky,
        tripped: &asked.tripped,
        request: flags::Request {
            method: asked.method.as_deref().unwrap_or("GET"),
            path: asked.path.as_deref().unwrap_or("/"),
            headers: &headers,
            address: asked.ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            country: asked.country.as_deref(),
        },
        at: as_of.as_ref().map(|as_of| as_of.at).or(asked.at).unwrap_or_else(Timestamp::now),
    };
    Ok((Explainer::new(&snapshot, facts, settings, &query)?, as_of))
}

async fn simulate(
    State(context): State<Context>,
    Named(flag): Named,
    QueryParams(asked): QueryParams<SimulationQuery>,
) -> Result<Response, Failure> {
    let simulated = context
        .run(async move |workspace: &Workspace| {
            let percent = asked.percent.map(Percent::new).transpose();
            let percent = percent.map_err(|error| Error::Input(format!("percent: {error}")))?;
            let visitors = asked.visitors.unwrap_or(VISITORS);
            if !(1..=SimulationQuery::MAX_VISITORS).contains(&visitors) {
                let most = SimulationQuery::MAX_VISITORS;
                return Err(Error::Input(format!("visitors: a running program simulates 1 to {most}")));
            }
            let mut simulation = Simulation::new(&workspace.in_force()?.snapshot, &flag, percent)?;
            (0..visitors).for_each(|_| simulation.add_visitor());
            Ok(simulation.answer())
        })
        .await?;
    Ok(json(&simulated))
}

async fn check(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<CheckQuery>,
    request: Request,
) -> Result<Response, Failure> {
    let draft = body(request, &context).await?;
    let name = asked.name.unwrap_or_else(|| "draft".into());
    let checked = context
        .run(async move |workspace: &Workspace| {
            flags::check_draft(workspace, &name, &draft).map(|checked| CheckAnswer::from(&checked))
        })
        .await?;
    Ok(json(&checked))
}
