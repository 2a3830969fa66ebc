//! The JSON API, `/api/v1/…`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use flagstaff_operations::edit::{Answer, Change, Confirmation, Editor};
use flagstaff_operations::{Error, flags};
use jiff::{Timestamp, Zoned};

use crate::Context;
use crate::access::Writer;
use crate::response::{no_store, problem};

pub(crate) fn router(context: Context) -> Router {
    Router::new().route("/api/v1/flags", get(list)).route("/api/v1/flags/{flag}/off", post(off)).with_state(context)
}

async fn list(State(context): State<Context>) -> Response {
    no_store(Json(flags::list(&context.snapshot(), Timestamp::now(), Zoned::now().date())))
}

async fn off(State(context): State<Context>, Path(flag): Path<String>, Writer(caller): Writer) -> Response {
    let edit = async move |workspace: &_| {
        let warn = |error: &Error| tracing::warn!("the edit is not recorded in the ledger: {error}");
        let editor = Editor { workspace, flag: &flag, by: &caller.name, warn: &warn };
        editor.apply(&Change::Off, Confirmation::Yes).await
    };
    let done = context.run(edit).await;
    context.reload();
    match done {
        Ok(Answer::Edited(edited)) => no_store(Json(edited)),
        Ok(Answer::WouldUndo(undo)) => problem(StatusCode::CONFLICT, &undo.what, ""),
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string(), ""),
    }
}
