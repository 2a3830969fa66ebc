//! The two addresses that are asked regularly.

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::get;
use flagstaff_flags::{printable, printable_json};

use crate::health::report::Health;
use crate::response::no_store;

/// The routes. `health` is asked anew each time.
pub(crate) fn router(health: impl Fn() -> Health + Send + Sync + 'static) -> Router {
    let healthz = Arc::new(health);
    let readyz = Arc::clone(&healthz);
    Router::new()
        .route("/healthz", get(move || async move { whole(&healthz()) }))
        .route("/readyz", get(move || async move { readiness(&readyz()) }))
}

fn whole(health: &Health) -> Response {
    let json = serde_json::to_string(health).unwrap_or_default();
    let format = HeaderValue::from_static("application/json");
    no_store(([(header::CONTENT_TYPE, format)], printable_json(&json).into_owned()))
}

fn readiness(health: &Health) -> Response {
    if health.ready {
        let waiting = health
            .waiting_for_ledger
            .iter()
            .map(|flag| format!("off until the ledger answers: {}\n", printable(flag)));
        return no_store(format!("ready\n{}", waiting.collect::<String>()));
    }
    let reasons = health.not_ready.iter().map(|reason| format!("not ready: {}\n", printable(reason)));
    no_store((StatusCode::SERVICE_UNAVAILABLE, reasons.collect::<String>()))
}
