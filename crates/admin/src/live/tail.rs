//! `/api/v1/tail`: the last decisions and those to come, of one flag or of all that are met, of one visitor or of all.

use axum::response::Response;
use axum::response::sse::Event;
use flagstaff_layer::{TailDecision, TailReader};
use flagstaff_operations::api::TailQuery;
use flagstaff_operations::traffic::{Missed, TailLine, TailStart};
use jiff::Timestamp;

use super::stream::{Source, event, respond};
use crate::Context;
use crate::access::Caller;

/// The most decisions of one look: four times as many a second are as many as anybody can use.
const MOST_AT_ONCE: usize = 250;
/// The most of the last decisions that are told at first.
const MOST_LAST: usize = 1000;

struct Tail {
    reader: TailReader,
    wanted: TailQuery,
    begin: Option<TailStart>,
    since: Timestamp,
}

/// Goes on after the event with the id `before`, or the one that the query names. None where the program watches no traffic.
pub(crate) fn tail(context: &Context, caller: Caller, wanted: TailQuery, before: Option<&str>) -> Option<Response> {
    let (snapshot, traffic) = (context.snapshot(), context.traffic()?);
    let mut reader = traffic.listen();
    let since = traffic.since();
    let said = before.or(wanted.after.as_deref());
    let resumes = said.is_some();
    match said.map(parsed) {
        Some(Some((of, request))) if of == since.as_microsecond() => reader.resume_after(request),
        // the listener has seen nothing of this start of the program
        Some(Some(_)) => reader.begin_with_first(),
        Some(None) | None => {}
    }
    let wanted = if resumes { TailQuery { last: 0, ..wanted } } else { wanted };
    let begin = TailStart { since: since.to_string(), revision: snapshot.revision().into() };
    Some(respond(Tail { reader, wanted, begin: Some(begin), since }, caller))
}

/// The start of the program and the number of the request, of an event's id.
fn parsed(id: &str) -> Option<(i64, u64)> {
    let (start, request) = id.split_once('-')?;
    Some((start.parse().ok()?, request.parse().ok()?))
}

/// The id of a decision's event: when the program started, and the number of the request.
pub(crate) fn event_id(since: Timestamp, request: u64) -> String {
    format!("{}-{request}", since.as_microsecond())
}

impl Tail {
    /// What is told once, at first.
    fn begin(&mut self, begin: &TailStart) -> Vec<Event> {
        let TailQuery { flag, visitor, last, .. } = &self.wanted;
        let last = match *last {
            0 => Vec::new(),
            last => self.reader.last(flag.as_deref(), visitor.as_deref(), last.min(MOST_LAST)),
        };
        let mut events: Vec<_> = data("listening", begin).into_iter().collect();
        events.extend(last.into_iter().filter_map(|one| self.decision(one)));
        events
    }

    fn decision(&self, one: TailDecision) -> Option<Event> {
        let id = event_id(self.since, one.request);
        event("decision", &id, &TailLine::from(one))
    }
}

impl Source for Tail {
    fn look(&mut self) -> Vec<Event> {
        let mut events = self.begin.take().map(|begin| self.begin(&begin)).unwrap_or_default();
        let read = self.reader.read(self.wanted.flag.as_deref(), self.wanted.visitor.as_deref(), MOST_AT_ONCE);
        if read.lost > 0 {
            events.extend(data("missed", &Missed { missed: Some(read.lost) }));
        }
        events.extend(read.decisions.into_iter().filter_map(|one| self.decision(one)));
        events
    }
}

/// An event that moves no client's place in the stream.
fn data(name: &str, data: &impl serde::Serialize) -> Option<Event> {
    let json = serde_json::to_string(data).ok()?;
    Some(Event::default().event(name).data(json))
}
