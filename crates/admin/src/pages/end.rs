//! The end of a flag: everybody gets one variant, or the flag leaves the file. What speaks against it is shown first.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use flagstaff_experiment::AnalysisSettings;
use flagstaff_flags::Flag;
use flagstaff_operations::Error;
use flagstaff_operations::end::{End, EndAnswer, Ended, end};
use flagstaff_operations::workspace::{Workspace, find};

use super::failure::{Answered, Failure};
use super::flash::Said;
use super::form::Fields;
use super::frame::{Frame, Section, Visit, done, html};
use crate::Context;
use crate::access::Writer;
use crate::extract::{Form, Path};

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
    revision: String,
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
    /// The revision that the page showed.
    revision: Option<String>,
    /// What the page said speaks against it.
    objections: Vec<String>,
    /// The page was seen.
    is_confirmed: bool,
}

/// What came of it.
enum Outcome {
    Ask(Box<Ended>),
    /// The page was seen, and it is not as the page said any more.
    Conflict(Box<Ended>),
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
        revision: fields.get("revision").map(Into::into),
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
        Outcome::Ask(ended) => visit.show(&preview(&visit, *ended, false)),
        Outcome::Conflict(ended) => html(StatusCode::CONFLICT, &preview(&visit, *ended, true)),
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

/// Asks first what it would do; does it once the page was seen with all that speaks against it, and with the flags as they are.
async fn make(workspace: &Workspace, wanted: &Wanted) -> Result<Outcome, Error> {
    let planned = match end(workspace, &wanted.run(None)).await? {
        EndAnswer::Gone(gone) => return Ok(Outcome::Gone(gone.flag)),
        EndAnswer::Ended(planned) => planned,
    };
    if !wanted.is_confirmed {
        return Ok(Outcome::Ask(planned));
    }
    if planned.objections != wanted.objections || wanted.revision.as_deref() != Some(&planned.revision) {
        return Ok(Outcome::Conflict(planned));
    }
    Ok(match end(workspace, &wanted.run(Some(&planned.revision))).await? {
        EndAnswer::Gone(gone) => Outcome::Gone(gone.flag),
        EndAnswer::Ended(ended) => Outcome::Done(ended),
    })
}

impl Wanted {
    /// The end of a revision of the flags; without one it is only asked what it would do.
    fn run<'a>(&'a self, revision: Option<&'a str>) -> End<'a> {
        End {
            flag: &self.flag,
            winner: self.winner.as_deref(),
            remove: self.remove,
            force: true,
            by: Some(self.by.clone()),
            code: None,
            dry_run: revision.is_none(),
            revision,
            certainty: AnalysisSettings::default(),
        }
    }
}

fn preview(visit: &Visit, ended: Ended, notice: bool) -> PreviewPage {
    PreviewPage {
        frame: visit.frame(format!("End {}", ended.flag), Section::Flags),
        flag: ended.flag,
        winner: ended.winner,
        remove: ended.removed,
        verdict: ended.results.map(|results| results.report.verdict.text),
        objections: ended.objections,
        gone: ended.gone.unwrap_or_default(),
        unused_goals: ended.unused_goals,
        revision: ended.revision,
        delete: ended.delete,
        spellings: ended.spellings.into(),
        notice,
    }
}
