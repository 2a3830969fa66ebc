//! Errors as pages: what is wrong, and how to mend it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use flagstaff_flags::printable_except;
use flagstaff_operations::Error;
use flagstaff_source::edit::Refused;

use super::frame::{Frame, html};

/// The answer of a page, or why there is none.
pub(super) type Answered = Result<Response, Failure>;

/// Why a page gives no answer.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    title: &'static str,
    detail: String,
    help: &'static str,
    back: String,
}

#[derive(Template)]
#[template(path = "refused.html")]
struct RefusedPage {
    frame: Frame,
    detail: String,
    help: &'static str,
    back: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, title, detail: detail.into(), help: "", back: "/".into() }
    }

    /// An input that makes no sense.
    pub(super) fn input(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done", detail)
    }

    /// The same, with a page to go back to.
    pub(super) fn back(self, back: impl Into<String>) -> Self {
        Self { back: back.into(), ..self }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let detail = printable_except(&error.to_string(), &['\n']).into_owned();
        let (status, title, help) = match &error {
            Error::NoFlag { .. } => (StatusCode::NOT_FOUND, "There is no such flag", ""),
            Error::NoVariant { .. } => (StatusCode::NOT_FOUND, "There is no such variant", ""),
            Error::NoRevision(_) | Error::ManyRevisions { .. } | Error::RevisionGone(_) => {
                (StatusCode::NOT_FOUND, "There is no such revision", "The history lists those that are kept.")
            }
            Error::Archive(_) | Error::StillOn { .. } => (StatusCode::CONFLICT, "That cannot be done", ""),
            Error::NotEdited { why: Refused::Changed, .. } => {
                (StatusCode::CONFLICT, "The file changed meanwhile", "Nothing was written. Look at the flag again.")
            }
            Error::NotWritten(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The file would be wrong",
                "Nothing was written. Go back and write what the message says.",
            ),
            Error::Input(_) | Error::NotEdited { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "That cannot be done", "Nothing was written.")
            }
            Error::NoLedger => (
                StatusCode::CONFLICT,
                "Nothing is recorded here",
                "Set `ledger` in the settings to a file, and start again.",
            ),
            Error::Flags(_) | Error::Overlay { .. } | Error::NoFlagFile(_) => (
                StatusCode::CONFLICT,
                "The flag file cannot be used",
                "Programs go on with the last good flags. Mend the file; `flagstaff check` shows every mistake in it.",
            ),
            Error::LedgerSilent(_) | Error::Ledger(_) | Error::NotRecorded(_) => (
                StatusCode::SERVICE_UNAVAILABLE,
                "The ledger gives no answer",
                "Visitors are served all the same. Try it again in a moment.",
            ),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "That did not work", ""),
        };
        Self { status, title, detail, help, back: "/flags".into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, title, detail, help, back } = self;
        html(status, &RefusedPage { frame: Frame::plain(title), detail, help, back })
    }
}
