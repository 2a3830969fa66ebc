//! The flags as an argument of axum's handlers.

use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use flagstaff_tag::Flags;
use http::StatusCode;
use http::request::Parts;

/// The flags of a request: `async fn page(flags: VisitorFlags) { flags.is_on("new_form"); … }`.
#[derive(Clone, Debug)]
pub struct VisitorFlags(pub Flags);

impl Deref for VisitorFlags {
    type Target = Flags;

    fn deref(&self) -> &Flags {
        &self.0
    }
}

/// The handler is not inside a [`FlagLayer`](crate::FlagLayer). Answers 500, as only the code can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotTagged;

impl IntoResponse for NotTagged {
    fn into_response(self) -> Response {
        (StatusCode::INTERNAL_SERVER_ERROR, "the route is not inside FlagLayer").into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for VisitorFlags {
    type Rejection = NotTagged;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotTagged> {
        parts.extensions.get::<Flags>().cloned().map(Self).ok_or(NotTagged)
    }
}
