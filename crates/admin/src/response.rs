//! What all answers for operators have in common.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// An answer that no cache keeps.
pub(crate) fn no_store(answer: impl IntoResponse) -> Response {
    let mut answer = answer.into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
