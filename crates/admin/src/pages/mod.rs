//! The pages, for people with a browser.

use axum::Router;

use crate::Context;

pub(crate) fn router(context: Context) -> Router {
    Router::new().with_state(context)
}
