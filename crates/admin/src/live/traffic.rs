//! Requests by flag, and what an edit would do to the last visitors.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Change, Editor};
use flagstaff_operations::{hygiene, preview};
use jiff::Zoned;
use serde::Deserialize;

use crate::Context;
use crate::response::{no_store, problem};

pub(super) async fn traffic(State(context): State<Context>) -> Response {
    no_store(Json(context.flag_traffic(&context.snapshot())))
}

pub(super) async fn hygiene(State(context): State<Context>) -> Response {
    let (snapshot, watched) = (context.snapshot(), context.watched());
    let today = Zoned::now().date();
    let ask = async move |workspace: &_| hygiene::report(workspace, &snapshot, watched.as_ref(), None, today);
    match context.run(ask).await {
        Ok(report) => no_store(Json(report)),
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string(), ""),
    }
}

/// An edit that is only asked about.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    flag: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    switch: Option<Switch>,
}

/// A switch.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Switch {
    Off,
    On,
    Everyone,
}

pub(super) async fn preview(State(context): State<Context>, Json(asked): Json<Asked>) -> Response {
    let recent = context.recent_visitors();
    let ask = async move |workspace: &_| {
        let keys: Vec<_> = asked.set.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
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
    match context.run(ask).await {
        Ok(preview) => no_store(Json(preview)),
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string(), ""),
    }
}
