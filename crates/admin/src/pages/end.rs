//! The end of a flag: everybody gets one variant, or the flag leaves the file. What speaks against it is shown first.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use axum::routing::get;
use flagstaff_experiment::AnalysisSettings;
use flagstaff_flags::Flag;
use flagstaff_operations::Error;
use flagstaff_operations::end::{End, EndAnswer, Ended, end};
use flagstaff_operations::workspace::{Workspace, find};

use super::failure::{Answered, Failure};
use super::flash::Said;
use super::form::Fields;
use super::frame::{Frame, Section, Visit, done};
use crate::Context;
use crate::access::Writer;

#[derive(Template)]
#[template(path = "end.html")]
struct EndPage {
    frame: Frame,
    flag: String,
    choices: Vec<String>,
}

#[derive(Template)]
#[template(path = "end_preview.html")]
struct PreviewPage {
    frame: Frame,
    flag: String,
    winner: String,
    remove: bool,
    verdict: Option<String>,
    objections: Vec<String>,
    gone: Vec<String>,
    unused_goals: Vec<String>,
    delete: Vec<String>,
    spellings: Vec<String>,
    notice: bool,
}

/// An end that was sent.
struct Wanted {
    flag: String,
    winner: Option<String>,
    remove: bool,
    by: String,
    /// What the page said speaks against it.
    objections: Vec<String>,
    /// The page was seen.
    is_confirmed: bool,
}

/// What came of it.
enum Outcome {
    Ask(Box<Ended>, bool),
    Done(Box<Ended>),
    Gone(String),
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags/{flag}/end", get(ask).post(answer))
}

async fn ask(State(context): State<Context>, visit: Visit, Path(name): Path<String>, Writer(_): Writer) -> Answered {
    let snapshot = context.snapshot();
    let (_, flag) = find(&snapshot, &name)?;
    let frame = visit.frame(format!("End {name}"), Section::Flags);
    Ok(visit.show(&EndPage { frame, flag: flag.name.to_string(), choices: choices(flag) }))
}

/// What everybody may get.
fn choices(flag: &Arc<Flag>) -> Vec<String> {
    if !flag.variants.are_named() {
        return vec!["on".into(), "off".into()];
    }
    flag.variants.weights().map(|(id, _)| flag.variants.name(id).to_owned()).collect()
}

async fn answer(
    State(context): State<Context>,
    visit: Visit,
    Path(flag): Path<String>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let fields = Fields(fields);
    let wanted = Wanted {
        winner: fields.get("winner").filter(|winner| !winner.is_empty()).map(Into::into),
        remove: fields.get("remove").is_some(),
        by: caller.name,
        objections: fields.all("objection").map(Into::into).collect(),
        is_confirmed: fields.get("confirmed").is_some(),
        flag,
    };
    let back = format!("/flags/{}/end", wanted.flag);
    let outcome = context.run(async move |workspace: &_| make(workspace, &wanted).await).await;
    if matches!(outcome, Ok(Outcome::Done(_) | Outcome::Gone(_))) {
        context.takes_up_files().await;
    }
    Ok(match outcome.map_err(|error| Failure::from(error).back(back))? {
        Outcome::Ask(ended, notice) => preview(&visit, *ended, notice),
        Outcome::Done(ended) => {
            let what = if ended.removed { "is out of the file" } else { "is ended" };
            let next = ended.next.map(|next| format!(" {next}")).unwrap_or_default();
            let text = format!("{} {what}: everybody gets {}.{next}", ended.flag, ended.winner);
            let to = if ended.removed { "/flags".to_owned() } else { format!("/flags/{}", ended.flag) };
            done(&to, &Said::new(text, ended.flag))
        }
        Outcome::Gone(flag) => {
            done("/flags", &Said::new(format!("{flag} was ended before, and is out of the file."), flag))
        }
    })
}

/// Asks first what it would do; does it once the page was seen with all that speaks against it.
async fn make(workspace: &Workspace, wanted: &Wanted) -> Result<Outcome, Error> {
    let run = |dry_run: bool| End {
        flag: &wanted.flag,
        winner: wanted.winner.as_deref(),
        remove: wanted.remove,
        force: true,
        by: Some(wanted.by.clone()),
        code: None,
        dry_run,
        certainty: AnalysisSettings::default(),
    };
    let planned = match end(workspace, &run(true)).await? {
        EndAnswer::Gone(gone) => return Ok(Outcome::Gone(gone.flag)),
        EndAnswer::Ended(planned) => planned,
    };
    if !wanted.is_confirmed || planned.objections != wanted.objections {
        return Ok(Outcome::Ask(planned, wanted.is_confirmed));
    }
    Ok(match end(workspace, &run(false)).await? {
        EndAnswer::Gone(gone) => Outcome::Gone(gone.flag),
        EndAnswer::Ended(ended) => Outcome::Done(ended),
    })
}

fn preview(visit: &Visit, ended: Ended, notice: bool) -> Response {
    visit.show(&PreviewPage {
        frame: visit.frame(format!("End {}", ended.flag), Section::Flags),
        flag: ended.flag,
        winner: ended.winner,
        remove: ended.removed,
        verdict: ended.results.map(|results| results.report.verdict.text),
        objections: ended.objections,
        gone: ended.gone.unwrap_or_default(),
        unused_goals: ended.unused_goals,
        delete: ended.delete,
        spellings: ended.spellings.into(),
        notice,
    })
}
