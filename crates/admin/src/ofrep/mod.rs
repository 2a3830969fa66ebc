//! OFREP for servers, `/ofrep/v1/…`.

use axum::Router;

use crate::Context;

pub(crate) fn router(context: Context) -> Router {
    Router::new().with_state(context)
}
