//! Who may ask, and who may change something.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::response::refusal;

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
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match parts.extensions.get::<Caller>() {
            Some(caller) if caller.may_write => Ok(Self(caller.clone())),
            Some(_) => Err(refusal(
                &parts.headers,
                StatusCode::FORBIDDEN,
                "this token may read and change nothing",
                "use the token that may write",
            )),
            None => Err(no_token(&parts.headers)),
        }
    }
}

/// Lets a request with the token through, with its [`Caller`].
pub(crate) async fn check(State(settings): State<Arc<AccessSettings>>, mut request: Request, next: Next) -> Response {
    let bearer =
        request.headers().get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let is_known =
        settings.token.as_ref().is_some_and(|token| bearer.is_some_and(|said| same(said, token.as_bytes())));
    if !is_known {
        return no_token(request.headers());
    }
    request.extensions_mut().insert(Caller { name: "operator".into(), may_write: true });
    next.run(request).await
}

fn no_token(headers: &HeaderMap) -> Response {
    let help = "send the header Authorization: Bearer TOKEN with the token of FLAGSTAFF_ADMIN_TOKEN";
    refusal(headers, StatusCode::UNAUTHORIZED, "only operators with a token may use this address", help)
}

/// Compares in a time that says nothing about where two texts differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
