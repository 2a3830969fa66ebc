//! `/api/v1/tail`: the last decisions, of one flag or of all that are met, of one visitor or of all.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::response::sse::Event;
use flagstaff_layer::TailReader;
use flagstaff_operations::traffic::{Missed, TailLine};
use flagstaff_operations::workspace::find;
use serde::Deserialize;

use super::stream::{Source, event, respond};
use crate::Context;
use crate::response::problem;

/// The most decisions of one look: four times as many a second are as many as anybody can use.
const MOST: usize = 250;

/// Which decisions.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    flag: Option<String>,
    visitor: Option<String>,
}

struct Tail {
    reader: TailReader,
    wanted: Wanted,
    begins: bool,
}

pub(super) async fn tail(
    State(context): State<Context>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let unknown = wanted.flag.as_deref().and_then(|flag| find(&context.snapshot(), flag).err());
    if let Some(unknown) = unknown {
        return problem(StatusCode::NOT_FOUND, &unknown.to_string(), "");
    }
    let Some(traffic) = context.traffic() else {
        return problem(StatusCode::NOT_FOUND, "this program watches no traffic", "");
    };
    let mut reader = traffic.listen();
    let before = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    if let Some(before) = before {
        reader.resume_after(before);
    }
    respond(Tail { reader, wanted, begins: true })
}

impl Source for Tail {
    fn look(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if std::mem::take(&mut self.begins) {
            events.push(Event::default().event("listening").data("{}"));
        }
        let read = self.reader.read(self.wanted.flag.as_deref(), self.wanted.visitor.as_deref(), MOST);
        if read.lost > 0 {
            let missed = Missed { missed: Some(read.lost) };
            events
                .extend(serde_json::to_string(&missed).ok().map(|data| Event::default().event("missed").data(data)));
        }
        events.extend(read.decisions.into_iter().filter_map(|one| {
            let id = one.request.to_string();
            event("decision", &id, &TailLine::from(one))
        }));
        events
    }
}
