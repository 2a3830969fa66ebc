//! The revision of the flags, as answers name it.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flagstaff_flags::printable_json;
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Edited, Way};
use serde::Serialize;

use super::failure::Failure;
use crate::Context;
use crate::response::no_store;

/// An answer in JSON. Of what steers a terminal nothing passes.
pub(super) fn json(answer: &impl Serialize) -> Response {
    let text = match serde_json::to_string(answer) {
        Ok(text) => printable_json(&text).into_owned(),
        Err(error) => return Failure::from(Error::Io(error.into())).into_response(),
    };
    no_store(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text))
}

/// An answer about the flags of a revision.
pub(super) fn of_revision(revision: &str, answer: &impl Serialize) -> Response {
    let mut response = json(answer);
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// Has the files read, waits until the edit is in force here, and answers.
pub(super) async fn after_reload(context: &Context, mut edited: Edited) -> Response {
    if !context.takes(&edited).await {
        edited.in_force = false;
        let away = |what: &str| format!("the program has not read the {what} yet; see /healthz");
        match &mut edited.way {
            Way::Files { problems, .. } => problems.extend([away("file")]),
            Way::Ledger { refused, .. } => *refused = Some(away("ledger")),
        }
    }
    match &edited.revision {
        Some(revision) => of_revision(revision, &edited),
        None => json(&edited),
    }
}
