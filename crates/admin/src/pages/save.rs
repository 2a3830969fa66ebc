//! A change of keys: a page says what it would do, and then it is made, unless the file or the flag changed meanwhile.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Change, Confirmation, DryRun, EditAnswer, Edited, Editor, KeyChange};
use flagstaff_operations::preview::{self, RecentVisitors};
use flagstaff_operations::workspace::Workspace;
use flagstaff_source::edit::Refused;

use super::failure::{Answered, Failure};
use super::flash::Said;
use super::form::{Fields, SetKey};
use super::frame::{Frame, Section, Visit, done, html};
use super::switch::{said, taken_up};
use crate::Context;
use crate::access::Writer;
use crate::extract::{Form, Path};

#[derive(Template)]
#[template(path = "preview.html")]
struct PreviewPage {
    frame: Frame,
    flag: String,
    notice: Option<&'static str>,
    changes: Vec<KeyChange>,
    effects: Vec<String>,
    undoes: Option<String>,
    revision: String,
}

#[derive(Template)]
#[template(path = "conflict.html")]
struct ConflictPage {
    frame: Frame,
    flag: String,
    keys: Vec<Contested>,
    advice: &'static str,
}

/// A key that two people want to set.
struct Contested {
    key: String,
    seen: String,
    now: String,
    yours: String,
}

/// An edit that was sent.
#[derive(Clone)]
struct Wanted {
    flag: String,
    by: String,
    keys: Vec<SetKey>,
    revision: Option<String>,
    /// What the page said that it undoes.
    undoes: Option<String>,
}

/// What came of a save.
enum Outcome {
    Edited(Box<(Edited, DryRun)>),
    /// It undoes something else than the page said.
    Ask(DryRun),
    /// The file changed since the page was made: what the edit would do to it now.
    Conflict(DryRun),
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags/{flag}/preview", post(preview)).route("/flags/{flag}/save", post(save))
}

async fn preview(
    State(context): State<Context>,
    visit: Visit,
    Path(flag): Path<String>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let wanted = Wanted::read(flag, caller.name, &Fields(fields))?;
    let back = format!("/flags/{}/edit", wanted.flag);
    if wanted.keys.is_empty() {
        return Ok(visit.show(&nothing(&visit, &wanted)));
    }
    let (again, recent) = (wanted.clone(), context.recent_visitors());
    let planned = context.run(async move |workspace: &_| {
        let planned = plan(workspace, &wanted).await?;
        Ok((planned, on_visitors(workspace, &wanted, &recent).await))
    });
    match planned.await.map_err(|error| Failure::from(error).back(back))? {
        (Ok(dry_run), moves) => Ok(visit.show(&preview_page(&visit, dry_run, moves, None))),
        (Err(dry_run), _) => Ok(conflict(&visit, &again, dry_run)),
    }
}

async fn save(
    State(context): State<Context>,
    visit: Visit,
    Path(flag): Path<String>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let wanted = Wanted::read(flag, caller.name, &Fields(fields))?;
    if wanted.keys.is_empty() {
        return Ok(visit.show(&nothing(&visit, &wanted)));
    }
    let again = wanted.clone();
    match context.run(async move |workspace: &_| make(workspace, &wanted).await).await? {
        Outcome::Edited(made) => {
            let (edited, dry_run) = *made;
            taken_up(&context, &edited).await;
            Ok(done(&format!("/flags/{}", edited.flag), &undoable(&edited, &dry_run)))
        }
        Outcome::Ask(dry_run) => {
            let notice = "Something happened to the flag meanwhile. Nothing was written yet.";
            Ok(visit.show(&preview_page(&visit, dry_run, None, Some(notice))))
        }
        Outcome::Conflict(dry_run) => Ok(conflict(&visit, &again, dry_run)),
    }
}

/// What an edit would do to the files that the page showed; `Err`: to those that are there now.
async fn plan(workspace: &Workspace, wanted: &Wanted) -> Result<Result<DryRun, DryRun>, Error> {
    let editor = wanted.editor(workspace);
    match editor.dry_run(&wanted.pairs(), wanted.revision.as_deref()).await {
        Err(error) if is_conflict(&error) => editor.dry_run(&wanted.pairs(), None).await.map(Err),
        planned => planned.map(Ok),
    }
}

/// What an edit would do to the last visitors, in words; none where that cannot be told.
async fn on_visitors(workspace: &Workspace, wanted: &Wanted, recent: &RecentVisitors) -> Option<String> {
    let tried = preview::preview(&wanted.editor(workspace), &Change::Put(&wanted.pairs()), recent).await;
    tried.ok().map(|preview| format!("Tried on real requests: {}.", preview.means))
}

async fn make(workspace: &Workspace, wanted: &Wanted) -> Result<Outcome, Error> {
    let dry_run = match plan(workspace, wanted).await? {
        Ok(dry_run) if dry_run.undoes == wanted.undoes => dry_run,
        Ok(dry_run) => return Ok(Outcome::Ask(dry_run)),
        Err(dry_run) => return Ok(Outcome::Conflict(dry_run)),
    };
    let (editor, keys) = (wanted.editor(workspace), wanted.pairs());
    match editor.apply(&Change::Put(&keys), Confirmation::Of(&dry_run.revision)).await {
        Ok(EditAnswer::Edited(edited)) => Ok(Outcome::Edited(Box::new((edited, dry_run)))),
        Ok(EditAnswer::WouldUndo(undo)) => Ok(Outcome::Ask(DryRun { undoes: Some(undo.what), ..dry_run })),
        Err(error) if is_conflict(&error) => editor.dry_run(&keys, None).await.map(Outcome::Conflict),
        Err(error) => Err(error),
    }
}

const fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::NotEdited { why: Refused::Changed, .. })
}

impl Wanted {
    fn read(flag: String, by: String, fields: &Fields) -> Result<Self, Failure> {
        let keys = fields.keys().map_err(|why| Failure::input(why).back(format!("/flags/{flag}/edit")))?;
        let filled = |name| fields.get(name).filter(|value| !value.is_empty()).map(Into::into);
        Ok(Self { flag, by, keys, revision: filled("revision"), undoes: filled("undoes") })
    }

    fn editor<'a>(&'a self, workspace: &'a Workspace) -> Editor<'a> {
        let warn = &|error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
        Editor { workspace, flag: &self.flag, by: &self.by, warn }
    }

    fn pairs(&self) -> Vec<(&str, Option<&str>)> {
        self.keys
            .iter()
            .map(|one| (one.key.as_str(), Some(one.value.as_str()).filter(|text| !text.is_empty())))
            .collect()
    }
}

/// What was done, with the values that undo it.
fn undoable(edited: &Edited, dry_run: &DryRun) -> Said {
    let before = |(key, value): &(String, Option<String>)| (key.clone(), value.clone().unwrap_or_default());
    let keys = if edited.changed { dry_run.undo.iter().map(before).collect() } else { Vec::new() };
    Said { keys, ..said(edited) }
}

fn nothing(visit: &Visit, wanted: &Wanted) -> PreviewPage {
    PreviewPage {
        frame: visit.frame(format!("Change {}", wanted.flag), Section::Flags),
        flag: wanted.flag.clone(),
        notice: None,
        changes: Vec::new(),
        effects: Vec::new(),
        undoes: None,
        revision: String::new(),
    }
}

fn preview_page(visit: &Visit, dry_run: DryRun, moves: Option<String>, notice: Option<&'static str>) -> PreviewPage {
    let frame = visit.frame(format!("Change {}", dry_run.flag), Section::Flags);
    let effects = effects(&dry_run).into_iter().chain(moves).collect();
    let DryRun { flag, revision, changes, undoes, keys, .. } = dry_run;
    let changes = if changes { keys } else { Vec::new() };
    PreviewPage { frame, flag, notice, changes, effects, undoes, revision }
}

/// What an edit would do, line by line.
fn effects(dry_run: &DryRun) -> Vec<String> {
    let means = match &dry_run.means_now {
        Some(now) if *now == dry_run.means_then => format!("For visitors nothing changes: {now}."),
        Some(now) => format!("Now {now}; then {}.", dry_run.means_then),
        None => format!("Then {}.", dry_run.means_then),
    };
    vec![means]
}

fn conflict(visit: &Visit, wanted: &Wanted, now: DryRun) -> Response {
    let contested = |(change, sent): (KeyChange, &SetKey)| {
        let now = change.before.unwrap_or_default();
        let seen = sent.was.clone().unwrap_or_else(|| now.clone());
        Contested { key: change.key, seen, yours: change.after.unwrap_or_default(), now }
    };
    let keys: Vec<_> = now.keys.into_iter().zip(&wanted.keys).map(contested).collect();
    let advice = if keys.iter().any(|one| one.now != one.seen) {
        "The same key was changed. Look at both before you decide."
    } else {
        "They changed something else, so yours can still be saved beside it."
    };
    let frame = visit.frame("The file changed meanwhile", Section::Flags);
    html(StatusCode::CONFLICT, &ConflictPage { frame, flag: now.flag, keys, advice })
}
