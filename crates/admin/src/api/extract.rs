//! What a request says: its flag, its query, its body, and the revision that it is about.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use flagstaff_flags::json_by_name;
use flagstaff_operations::api::ProblemKind;
use serde::de::DeserializeOwned;

use super::failure::Failure;

/// The largest body of a request in JSON, in bytes.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The flag that the path names.
pub(super) struct Named(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let flag = Path::<String>::from_request_parts(parts, state).await;
        flag.map(|Path(flag)| Self(flag)).map_err(|error| bad(error.body_text()))
    }
}

/// The query, where it says what it may.
pub(super) struct QueryParams<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for QueryParams<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = Query::<T>::try_from_uri(&parts.uri);
        query.map(|Query(asked)| Self(asked)).map_err(|error| bad(error.body_text()))
    }
}

/// The body, in JSON. One that is empty says nothing.
pub(super) struct Sent<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let is_json = says_json(request.headers());
        let body = body(request, state).await?;
        let text: &[u8] = match (is_json, body.as_ref()) {
            (_, []) => b"{}",
            (true, text) => text,
            (false, _) => {
                let why = "the body is not JSON, as far as its Content-Type says";
                let failure = Failure::new(ProblemKind::Request, StatusCode::UNSUPPORTED_MEDIA_TYPE, why);
                return Err(failure.help("send it with Content-Type: application/json"));
            }
        };
        json_by_name(text).map(Self).map_err(|error| bad(format!("the body cannot be read: {error}")))
    }
}

/// The body as it is, up to the limit of the route.
///
/// # Errors
/// When it is too large, or does not arrive.
pub(super) async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Failure> {
    Bytes::from_request(request, state).await.map_err(|error| not_read(&error))
}

fn not_read(error: &BytesRejection) -> Failure {
    let status = error.status();
    let failure = Failure::new(ProblemKind::Request, status, error.body_text());
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => failure.help("a body may have 64 KiB, a draft that is checked 4 MiB"),
        _ => failure,
    }
}

fn says_json(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// A request that cannot be read.
pub(super) fn bad(why: impl Into<String>) -> Failure {
    Failure::new(ProblemKind::Request, StatusCode::BAD_REQUEST, why)
}

/// The revision that the flags must have, where the request says so by `If-Match`.
///
/// # Errors
/// When the field names several, or none.
pub(super) fn wanted_revision(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let mut all = headers.get_all(header::IF_MATCH).iter();
    let (Some(field), None) = (all.next(), all.next()) else {
        return if headers.contains_key(header::IF_MATCH) { Err(no_revision()) } else { Ok(None) };
    };
    let text = field.to_str().map_err(|_| no_revision())?.trim();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap_or(tag);
    if revision.is_empty() || revision.contains(['"', ',']) { Err(no_revision()) } else { Ok(Some(revision.into())) }
}

/// Refuses an order that has a condition and cannot have one: a condition that is passed over in silence protects nothing.
pub(super) async fn unconditional(request: Request, next: Next) -> Response {
    if matches!(wanted_revision(request.headers()), Ok(None)) {
        return next.run(request).await;
    }
    bad("this order is about no revision, so If-Match cannot hold").help("leave If-Match out").into_response()
}

fn no_revision() -> Failure {
    bad("If-Match names no revision, or several").help("send the ETag of the answer that you looked at, in quotes")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn one_revision_is_named_or_none() {
        let of = |all: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for one in all {
                headers.append(header::IF_MATCH, HeaderValue::from_static(one));
            }
            wanted_revision(&headers).map_err(|_| ())
        };
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&["*"]), Ok(None));
        for same in ["\"abc\"", "W/\"abc\"", "abc", " \"abc\" "] {
            assert_eq!(of(&[same]), Ok(Some("abc".into())), "{same}");
        }
        for wrong in [&["\"a\", \"b\""][..], &["\"a\"", "\"b\""], &[""], &["\""]] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
