//! Whether experiments' variants differ, and how many visitors it takes.

use axum::extract::State;
use axum::response::Response;
use flagstaff_experiment::AnalysisSettings;
use flagstaff_operations::Error;
use flagstaff_operations::api::{CompareQuery, PowerQuery, ResultsQuery};
use flagstaff_operations::results::{self, Experiments, Needed, Plan, Results, TwoCounts};
use flagstaff_operations::workspace::Workspace;

use super::endpoint::Endpoint;
use super::extract::{Named, QueryParams};
use super::failure::Failure;
use super::revision::json;
use crate::Context;

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/flags/{flag}/results", of_flag)
            .named("getResults", "Whether an experiment's variants differ")
            .asks::<ResultsQuery>()
            .answers::<Results>()
            .may_answer(&[409, 422]),
        Endpoint::get("/api/v1/results", of_all)
            .named("listResults", "What is known of every experiment")
            .asks::<ResultsQuery>()
            .answers::<Experiments>()
            .may_answer(&[409, 422]),
        Endpoint::get("/api/v1/holdout/results", of_holdout)
            .named("getHoldoutResults", "Visitors who are held out against everyone else, on every goal")
            .asks::<ResultsQuery>()
            .answers::<Results>()
            .may_answer(&[409, 422]),
        Endpoint::get("/api/v1/power", power)
            .named("calculatePower", "How many visitors and days an experiment needs")
            .asks::<PowerQuery>()
            .answers::<Needed>()
            .may_answer(&[422]),
        Endpoint::get("/api/v1/compare", compare)
            .named("compareCounts", "Two counts that are given by hand, compared")
            .asks::<CompareQuery>()
            .answers::<TwoCounts>()
            .may_answer(&[422]),
    ]
}

/// How sure results must be.
///
/// # Errors
/// When a value makes no sense.
pub(super) fn certainty(alpha: Option<f64>, planned: Option<u32>) -> Result<AnalysisSettings, Error> {
    AnalysisSettings::new(alpha, planned.map(f64::from), None).map_err(|error| Error::Input(error.to_string()))
}

async fn of_flag(
    State(context): State<Context>,
    Named(flag): Named,
    QueryParams(asked): QueryParams<ResultsQuery>,
) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let results = context
        .run(async move |workspace: &Workspace| {
            let snapshot = workspace.in_force()?.snapshot;
            results::of_flag(workspace, &snapshot, &flag, &certainty).await
        })
        .await?;
    Ok(json(&results))
}

async fn of_all(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<ResultsQuery>,
) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let results = context
        .run(async move |workspace: &Workspace| {
            let snapshot = workspace.in_force()?.snapshot;
            results::experiments(workspace, &snapshot, &certainty).await
        })
        .await?;
    Ok(json(&results))
}

async fn of_holdout(
    State(context): State<Context>,
    QueryParams(asked): QueryParams<ResultsQuery>,
) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let results = context
        .run(async move |workspace: &Workspace| {
            let snapshot = workspace.in_force()?.snapshot;
            results::of_holdout(workspace, &snapshot, &certainty).await
        })
        .await?;
    Ok(json(&results))
}

async fn power(QueryParams(asked): QueryParams<PowerQuery>) -> Result<Response, Failure> {
    let usual = Plan::default();
    let plan = Plan {
        baseline: asked.baseline,
        lift: asked.lift,
        alpha: asked.alpha.unwrap_or(usual.alpha),
        power: asked.power.unwrap_or(usual.power),
        variants: asked.variants.unwrap_or(usual.variants),
        goals: asked.goals.unwrap_or(usual.goals),
        read_daily: asked.read_daily,
        planned: asked.planned.unwrap_or(usual.planned),
        per_day: asked.per_day,
    };
    let needed = plan.needed().map_err(|error| Error::Input(error.to_string()))?;
    Ok(json(&needed))
}

async fn compare(QueryParams(asked): QueryParams<CompareQuery>) -> Result<Response, Failure> {
    let certainty = certainty(asked.alpha, asked.planned)?;
    let control = (asked.control_conversions, asked.control_visitors);
    let treatment = (asked.treatment_conversions, asked.treatment_visitors);
    Ok(json(&results::compare(control, treatment, asked.share.unwrap_or(0.5), &certainty)?))
}
