//! What happens right now, as server-sent events, and what traffic teaches.
//!
//! - `stream.rs`: a stream of events, with heartbeats, that is looked after a few times a second.
//! - `events.rs`: `/api/v1/events`: other flags, changed states, requests by flag.
//! - `tail.rs`: `/api/v1/tail`: decisions as they are made.

mod events;
mod stream;
mod tail;

use axum::Router;
use axum::routing::get;

pub(crate) use self::tail::event_id;
use crate::Context;

pub(crate) fn router(context: Context) -> Router {
    Router::new()
        .route("/api/v1/events", get(events::events))
        .route("/api/v1/tail", get(tail::tail))
        .with_state(context)
}
