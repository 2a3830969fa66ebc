//! The person or program that asks, as routes take it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;

use super::ended::EndedSessions;
use super::refused;
use super::session::Session;
use super::token::Token;
use crate::response::refusal;

/// The person or program that asks, once it is let in. A route may take one.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The name for the record.
    pub(crate) name: String,
    /// Whether it may change something.
    pub(crate) may_write: bool,
    /// What let it in; none where that is gone meanwhile.
    pub(super) token: Option<Arc<Token>>,
    /// The session of a browser.
    pub(super) session: Option<OpenSession>,
}

/// A session of a browser, and those that ended meanwhile.
#[derive(Clone, Debug)]
pub(super) struct OpenSession {
    pub(super) session: Session,
    pub(super) ended: Arc<EndedSessions>,
}

impl Caller {
    /// Whether what let it in still does: an answer that goes on ends when not.
    pub(crate) fn is_still_in(&self) -> bool {
        let is_ended = self.session.as_ref().is_some_and(|open| open.ended.has(&open.session.id));
        self.token.as_ref().is_some_and(|token| token.is_valid()) && !is_ended
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            refusal(&parts.headers, StatusCode::UNAUTHORIZED, "only operators with a token may use this address", "")
        })
    }
}

/// A caller who may change something. A route that takes one refuses every other.
pub(crate) struct Writer(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Writer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, state).await?;
        if caller.may_write {
            return Ok(Self(caller));
        }
        refused("read_only");
        let (detail, help) = ("this token may read and change nothing", "use the token that may also write");
        Err(refusal(&parts.headers, StatusCode::FORBIDDEN, detail, help))
    }
}
