//! A stream of events. Nothing waits for a listener: a slow one loses the events that came in between.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::access::Caller;
use crate::response::{LongLived, no_store};

/// How often there may be something new.
const PERIOD: Duration = Duration::from_millis(250);
/// How often something is sent where nothing happens, so that nobody on the way takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// What a stream is made from.
pub(super) trait Source: Send + 'static {
    /// What is new since the last look.
    fn look(&mut self) -> Vec<Event>;
}

struct Listener<S> {
    source: S,
    caller: Caller,
    ticks: Interval,
    waiting: VecDeque<Event>,
}

/// The answer that goes on for as long as its client listens, and what let the client in is valid.
pub(super) fn respond(source: impl Source, caller: Caller) -> Response {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let listener = Listener { source, caller, ticks, waiting: VecDeque::new() };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let answer = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("still here"));
    let mut answer = no_store(answer.into_response());
    answer.extensions_mut().insert(LongLived);
    answer
}

impl<S: Source> Listener<S> {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if !self.caller.is_still_in() {
                return None;
            }
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            self.ticks.tick().await;
            self.waiting.extend(self.source.look());
        }
    }
}

/// An event; none where its data has no JSON, which ours always has.
pub(super) fn event(name: &str, id: &str, data: &impl Serialize) -> Option<Event> {
    let json = serde_json::to_string(data).ok()?;
    Some(Event::default().event(name).id(id).data(json))
}
