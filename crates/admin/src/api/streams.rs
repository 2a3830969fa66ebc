//! Streams of events: what changes, and what is decided.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::Response;
use flagstaff_operations::api::{EventsQuery, ProblemKind, TailQuery};
use flagstaff_operations::workspace::find;

use super::endpoint::Endpoint;
use super::extract::QueryParams;
use super::failure::Failure;
use crate::access::Caller;
use crate::{Context, live};

/// The media type of server-sent events.
const EVENTS: &str = "text/event-stream";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get("/api/v1/events", events)
            .named(
                "followEvents",
                "Other flags, changed states and requests by flag, as they happen: events `flags`, `facts`, `counts`",
            )
            .asks::<EventsQuery>()
            .answers_text(EVENTS)
            .may_answer(&[404]),
        Endpoint::get("/api/v1/tail", tail)
            .named(
                "followDecisions",
                "Decisions as they are made: events `decision`, and `missed` where some were lost",
            )
            .asks::<TailQuery>()
            .resumes()
            .answers_text(EVENTS)
            .may_answer(&[404]),
    ]
}

async fn events(
    State(context): State<Context>,
    caller: Caller,
    QueryParams(asked): QueryParams<EventsQuery>,
) -> Result<Response, Failure> {
    is_there(&context, asked.flag.as_deref())?;
    Ok(live::events(context, caller, asked.flag))
}

async fn tail(
    State(context): State<Context>,
    caller: Caller,
    QueryParams(asked): QueryParams<TailQuery>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    is_there(&context, asked.flag.as_deref())?;
    let before = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    live::tail(&context, caller, asked, before)
        .ok_or_else(|| Failure::new(ProblemKind::Status, StatusCode::NOT_FOUND, "this program watches no traffic"))
}

fn is_there(context: &Context, flag: Option<&str>) -> Result<(), Failure> {
    flag.map_or(Ok(()), |flag| find(&context.snapshot(), flag).map(drop))?;
    Ok(())
}
