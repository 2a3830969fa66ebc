//! What happens right now, as server-sent events, and what traffic teaches.
//!
//! - `stream.rs`: a stream of events, with heartbeats, that is looked after a few times a second.
//! - `events.rs`: `/api/v1/events`: other flags, changed states, requests by flag.
//! - `tail.rs`: `/api/v1/tail`: the last decisions.
//! - `traffic.rs`: `/api/v1/traffic`: requests by flag; `/api/v1/hygiene`: what to clear away;
//!   `/api/v1/preview`: what an edit would do to the last visitors.

mod events;
mod stream;
mod tail;
mod traffic;

use axum::Router;
use axum::routing::{get, post};

use crate::Context;

pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/tail", get(tail::tail))
        .route("/api/v1/traffic", get(traffic::traffic))
        .route("/api/v1/hygiene", get(traffic::hygiene))
        .route("/api/v1/preview", post(traffic::preview))
        .with_state(context)
}
