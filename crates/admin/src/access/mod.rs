//! Who may ask, and who may change something.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::response::no_store;

/// Who may use this address.
#[derive(Clone, Debug, Default)]
pub struct AccessSettings {
    /// The token that allows everything; none: nobody is let in.
    pub token: Option<String>,
}

/// The person or program that asks, once it is let in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The name for the record.
    pub(crate) name: String,
    /// Whether it may change something.
    pub(crate) may_write: bool,
}

/// A caller who may change something. A route that takes one refuses every other.
pub(crate) struct Writer(pub(crate) Caller);

impl<S: Sync> FromRequestParts<S> for Writer {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let caller = parts.extensions.get::<Caller>().ok_or(StatusCode::UNAUTHORIZED)?;
        if caller.may_write { Ok(Self(caller.clone())) } else { Err(StatusCode::FORBIDDEN) }
    }
}

/// Lets a request with the token through, with its [`Caller`].
pub(crate) async fn check(State(settings): State<Arc<AccessSettings>>, mut request: Request, next: Next) -> Response {
    let bearer =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let is_known =
        settings.token.as_ref().is_some_and(|token| bearer.is_some_and(|said| same(said, token.as_bytes())));
    if !is_known {
        return no_store(StatusCode::UNAUTHORIZED.into_response());
    }
    request.extensions_mut().insert(Caller { name: "operator".into(), may_write: true });
    next.run(request).await
}

/// Compares in a time that says nothing about where two texts differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
