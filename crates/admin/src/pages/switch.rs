//! A flag is turned off, or on again. Each asks first; the answer says how to undo it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Change, Confirmation, EditAnswer, Edited, Editor, Way};
use flagstaff_operations::workspace::find;

use super::failure::{Answered, Failure};
use super::flash::{Said, UNDO};
use super::frame::{Frame, Section, Visit, done};
use super::listed::one;
use crate::Context;
use crate::access::Writer;
use crate::extract::Path;

#[derive(Template)]
#[template(path = "switch.html")]
struct SwitchPage {
    frame: Frame,
    flag: String,
    means: String,
    then: &'static str,
    undo: String,
    action: &'static str,
    class: &'static str,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags/{flag}/off", get(ask_off).post(off)).route("/flags/{flag}/on", get(ask_on).post(on))
}

async fn ask_off(State(context): State<Context>, visit: Visit, Path(name): Path<String>, _: Writer) -> Answered {
    let then = "Nobody has it any more, within a second, whatever else is written.";
    ask(&context, &visit, &name, false, then)
}

async fn ask_on(State(context): State<Context>, visit: Visit, Path(name): Path<String>, _: Writer) -> Answered {
    let then = "Those for whom it was on have it again, as its file says.";
    ask(&context, &visit, &name, true, then)
}

fn ask(context: &Context, visit: &Visit, name: &str, on: bool, then: &'static str) -> Answered {
    let snapshot = context.snapshot();
    let (_, flag) = find(&snapshot, name)?;
    let seen = one(&snapshot, name);
    let (action, other, class) = if on { ("on", "off", "main-act") } else { ("off", "on", "alarm-act") };
    let title = match &seen {
        Some(seen) if !on && seen.is_rolling_out() => format!("Roll back {name} now"),
        _ => format!("Turn {action} {name}"),
    };
    let means = seen.map(|seen| seen.means).unwrap_or_default();
    let undo = format!("To undo it: the button \"Turn {other}\" in its place, or `flagstaff {other} {}`.", flag.name);
    let frame = visit.frame(title, Section::Flags);
    Ok(visit.show(&SwitchPage { frame, flag: flag.name.to_string(), means, then, undo, action, class }))
}

async fn off(State(context): State<Context>, Path(flag): Path<String>, Writer(caller): Writer) -> Answered {
    switch(&context, flag, caller.name, false).await
}

async fn on(State(context): State<Context>, Path(flag): Path<String>, Writer(caller): Writer) -> Answered {
    switch(&context, flag, caller.name, true).await
}

async fn switch(context: &Context, flag: String, by: String, on: bool) -> Answered {
    let edit = async move |workspace: &_| {
        let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
        let editor = Editor { workspace, flag: &flag, by: &by, warn: &warn };
        editor.apply(if on { &Change::On } else { &Change::Off }, Confirmation::Yes).await
    };
    match context.run(edit).await? {
        EditAnswer::Edited(edited) => {
            taken_up(context, &edited).await;
            Ok(done(&format!("/flags/{}", edited.flag), &said(&edited)))
        }
        EditAnswer::WouldUndo(undo) => Err(Failure::input(undo.what)),
    }
}

/// Waits until an edit is in force, so that the page that follows shows it.
pub(super) async fn taken_up(context: &Context, edited: &Edited) {
    context.takes(edited).await;
}

/// What was done, and how to undo it.
pub(super) fn said(edited: &Edited) -> Said {
    let verb = if edited.changed { "is now" } else { "was already" };
    let mut text = format!("{} {verb} {}", edited.flag, edited.means);
    let problems: Vec<String> = match &edited.way {
        Way::Files { problems, .. } => problems.iter().map(ToString::to_string).collect(),
        Way::Ledger { why, refused, .. } => {
            why.iter().map(ToString::to_string).chain(refused.iter().cloned()).collect()
        }
    };
    if !problems.is_empty() {
        text += &format!(", but {}", problems.join("; "));
    } else if !edited.in_force {
        text += &format!(", but {} says otherwise", edited.origin);
    }
    if edited.changed {
        text += UNDO;
        text += &edited.undo;
    }
    Said::new(text, edited.flag.clone())
}
