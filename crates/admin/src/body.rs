//! Bodies of evaluations.

use axum::body::{Body, Bytes};
use flagstaff_tag::BodyError;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Bytes of a body: contexts are written by hand, or by a program that knows a lot of a person.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Reads a body to its end, as far as it may go.
pub(crate) async fn read(body: Body) -> Result<Bytes, BodyError> {
    let read = Limited::new(body, MAX_BODY_BYTES).collect().await;
    let why = |error: Box<dyn std::error::Error + Send + Sync>| {
        if error.is::<LengthLimitError>() { BodyError::TooLarge } else { BodyError::Incomplete }
    };
    read.map(http_body_util::Collected::to_bytes).map_err(why)
}
