//! What a request says, for routes of pages and sessions: what cannot be read is refused in the form that the client reads.

use axum::extract::rejection::{FormRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::de::DeserializeOwned;

use crate::response::refusal;

/// The parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let read = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        let why = |error: PathRejection| refused(&parts.headers, error.status(), &error.body_text(), "");
        read.map(|axum::extract::Path(said)| Self(said)).map_err(why)
    }
}

/// The query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let read = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        let why = |error: QueryRejection| refused(&parts.headers, error.status(), &error.body_text(), "");
        read.map(|axum::extract::Query(said)| Self(said)).map_err(why)
    }
}

/// The fields of a form.
pub(crate) struct Form<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let read = axum::Form::<T>::from_request(request, state).await;
        read.map(|axum::Form(said)| Self(said)).map_err(|error: FormRejection| {
            let help = match error.status() {
                StatusCode::UNSUPPORTED_MEDIA_TYPE => "send it with Content-Type: application/x-www-form-urlencoded",
                StatusCode::PAYLOAD_TOO_LARGE => "a form may have 64 KiB",
                _ => "send the fields that the page's form has",
            };
            refused(&headers, error.status(), &error.body_text(), help)
        })
    }
}

fn refused(headers: &HeaderMap, status: StatusCode, why: &str, help: &str) -> Response {
    refusal(headers, status, &flagstaff_flags::printable(&flagstaff_flags::brief(why)), help)
}
