//! Why a route gives no answer, as a problem with its status.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flagstaff_flags::printable_json;
use flagstaff_operations::Error;
use flagstaff_operations::api::{Problem, ProblemKind};

use crate::response::no_store;

/// Why a route gives no answer.
#[derive(Debug)]
pub(super) struct Failure(Box<Problem>);

impl Failure {
    pub(super) fn new(kind: ProblemKind, status: StatusCode, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(kind, status.as_u16(), title(status), detail)))
    }

    /// The same, with what to do about it.
    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self(Box::new(self.0.help(help)))
    }

    /// The same, with more about it.
    pub(super) fn with(mut self, more: impl FnOnce(&mut Problem)) -> Self {
        more(&mut self.0);
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = status(ProblemKind::from(&error));
        if status.is_server_error() {
            tracing::warn!(%error, "an operator's request was not carried out");
        }
        Self(Box::new(Problem::of(&error, status.as_u16(), title(status))))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let json = serde_json::to_string(&self.0).unwrap_or_default();
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let format = HeaderValue::from_static("application/problem+json");
        no_store((status, [(header::CONTENT_TYPE, format)], printable_json(&json).into_owned()))
    }
}

/// The status that says what kind of problem it is.
const fn status(kind: ProblemKind) -> StatusCode {
    match kind {
        ProblemKind::Request => StatusCode::BAD_REQUEST,
        ProblemKind::NoFlag | ProblemKind::NoRevision | ProblemKind::NothingRecorded => StatusCode::NOT_FOUND,
        ProblemKind::NoVariant | ProblemKind::Input | ProblemKind::NotWritten | ProblemKind::Idempotency => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ProblemKind::Document | ProblemKind::WouldUndo | ProblemKind::Refused | ProblemKind::Changed => {
            StatusCode::CONFLICT
        }
        ProblemKind::Ledger | ProblemKind::Storage => StatusCode::SERVICE_UNAVAILABLE,
        ProblemKind::Settings | ProblemKind::Status => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Problem")
}
