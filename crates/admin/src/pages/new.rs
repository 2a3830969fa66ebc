//! A new flag: of its own, or as a copy of another. Nobody has it before its percentage is raised.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Change, Confirmation, EditAnswer, Editor};

use super::failure::{Answered, Failure};
use super::flash::{Said, UNDO};
use super::form::{Fields, SetKey};
use super::frame::{Frame, Section, Visit, done};
use super::switch::taken_up;
use crate::Context;
use crate::access::Writer;
use crate::extract::{Form, Query};

#[derive(Template)]
#[template(path = "new.html")]
struct NewPage {
    frame: Frame,
    flags: Vec<String>,
    like: String,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/new-flag", get(ask).post(create))
}

async fn ask(
    State(context): State<Context>,
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
    Writer(_): Writer,
) -> Answered {
    let flags = context.snapshot().flags().iter().map(|flag| flag.name.to_string()).collect();
    let like = Fields(fields).get("like").unwrap_or_default().to_owned();
    Ok(visit.show(&NewPage { frame: visit.frame("New flag", Section::Flags), flags, like }))
}

async fn create(
    State(context): State<Context>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let fields = Fields(fields);
    let refuse = |why: String| Failure::input(why).back("/new-flag");
    let name = fields.get("name").map(str::trim).unwrap_or_default().to_owned();
    if name.is_empty() {
        return Err(refuse("the flag has no name: write one such as new_checkout".into()));
    }
    let keys = fields.keys().map_err(refuse)?;
    let like = fields.get("like").filter(|like| !like.is_empty()).map(ToOwned::to_owned);
    let made = context.run(async move |workspace: &_| {
        let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
        let editor = Editor { workspace, flag: &name, by: &caller.name, warn: &warn };
        let pairs: Vec<_> = keys.iter().filter(|one| !one.value.is_empty()).map(SetKey::pair).collect();
        editor.apply(&Change::Create { like: like.as_deref(), keys: &pairs }, Confirmation::No).await
    });
    match made.await.map_err(|error| Failure::from(error).back("/new-flag"))? {
        EditAnswer::Edited(edited) => {
            taken_up(&context, &edited).await;
            let text = format!("{} is there now: {}{UNDO}{}", edited.flag, edited.means, edited.undo);
            let is_here = context.snapshot().flag_named(&edited.flag).is_some();
            let to = if is_here { format!("/flags/{}", edited.flag) } else { "/flags".into() };
            Ok(done(&to, &Said::new(text, edited.flag)))
        }
        EditAnswer::WouldUndo(undo) => Err(Failure::input(undo.what).back("/new-flag")),
    }
}
