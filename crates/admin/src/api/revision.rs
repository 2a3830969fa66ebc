//! The revision of the flags, as answers name it; and whether one that was written is in force.

use std::time::Duration;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flagstaff_flags::{Snapshot, printable_json};
use flagstaff_operations::Error;
use flagstaff_operations::edit::{Edited, Way};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use super::failure::Failure;
use crate::Context;
use crate::response::no_store;

/// How long an edit waits until it is in force here.
const IN_FORCE_TIMEOUT: Duration = Duration::from_secs(2);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(5);

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
    context.reload();
    let Some(revision) = edited.revision.clone() else {
        return json(&edited);
    };
    if !is_in_force(context, &revision).await {
        edited.in_force = false;
        if let Way::Files { problems, .. } = &mut edited.way {
            problems.push("the program has not read the file yet; see /healthz".into());
        }
    }
    of_revision(&revision, &edited)
}

/// Whether a revision comes into force in time.
pub(super) async fn is_in_force(context: &Context, revision: &str) -> bool {
    comes(context, |snapshot| snapshot.revision() == revision).await
}

/// Whether the flags in force come to be like this in time.
pub(super) async fn comes(context: &Context, is_like_this: impl Fn(&Snapshot) -> bool) -> bool {
    let end = Instant::now() + IN_FORCE_TIMEOUT;
    while !is_like_this(&context.snapshot()) {
        if Instant::now() > end {
            return false;
        }
        sleep(LOOK_EVERY).await;
    }
    true
}
