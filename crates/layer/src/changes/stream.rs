//! One stream: silent but for a sign of life, until flags may be decided in another way.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::sleep;

use super::streams::Seat;

/// How often a stream gives a sign of life. Proxies end streams that are silent for a minute. Flags that change by the clock alone
/// are looked at then.
const HEARTBEAT: Duration = Duration::from_secs(25);

type Next = Option<(Bytes, Watcher)>;

/// The body of an answer that goes on: events for a browser whose flags may have changed.
pub struct ChangeStream(Pin<Box<dyn Future<Output = Next> + Send>>);

/// What a stream remembers between two events.
struct Watcher {
    seat: Seat,
    signal: watch::Receiver<bool>,
    /// The state that the client knows of.
    known: String,
}

/// What the protocol has a client do.
#[derive(Debug, Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    etag: &'a str,
}

impl ChangeStream {
    /// Begins with the state of now, and an event for a client that has flags of another.
    pub(crate) fn new(seat: Seat, known: Option<&str>) -> Self {
        let signal = seat.streams().signal();
        let state = seat.streams().state();
        let is_behind = known.is_some_and(|known| known != state);
        let event = if is_behind { changed(&state) } else { String::new() };
        // A client waits before it comes back: the process that ended its stream is still about to go.
        let first = Bytes::from(format!("retry: 3000\nid: {state}\n\n{event}"));
        let watcher = Watcher { seat, signal, known: state };
        Self(Box::pin(std::future::ready(Some((first, watcher)))))
    }

    /// The next bytes; nothing once the stream has ended.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let next = ready!(self.0.as_mut().poll(cx));
        Poll::Ready(match next {
            Some((bytes, watcher)) => {
                self.0 = Box::pin(watcher.next());
                Some(bytes)
            }
            None => {
                self.0 = Box::pin(std::future::ready(None));
                None
            }
        })
    }
}

impl Watcher {
    async fn next(mut self) -> Next {
        loop {
            if *self.signal.borrow_and_update() {
                return None;
            }
            let state = self.seat.streams().state();
            if state != self.known {
                let event = changed(&state);
                self.known = state;
                return Some((event.into(), self));
            }
            tokio::select! {
                changed = self.signal.changed() => changed.ok()?,
                () = sleep(HEARTBEAT) => {
                    if self.seat.streams().state() == self.known {
                        return Some((Bytes::from_static(b":\n\n"), self));
                    }
                }
            }
        }
    }
}

fn changed(state: &str) -> String {
    let message = Message { kind: "refetchEvaluation", etag: state };
    let data = serde_json::to_string(&message).unwrap_or_default();
    format!("id: {state}\nevent: message\ndata: {data}\n\n")
}

impl fmt::Debug for ChangeStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeStream").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use flagstaff_flags::{Publisher, RecordedFacts, Snapshot, publisher};

    use super::super::streams::ChangeStreams;
    use super::*;

    fn snapshot(revision: &str) -> Snapshot {
        Snapshot::new(revision, vec![], vec![], vec![], vec![]).unwrap()
    }

    fn streams() -> (Publisher, ChangeStreams) {
        let (publisher, reader) = publisher(snapshot("a"));
        (publisher, ChangeStreams::new(reader, 4))
    }

    async fn next(stream: &mut ChangeStream) -> Option<String> {
        let bytes = poll_fn(|cx| stream.poll_next(cx)).await?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn tells_of_changes_and_of_nothing_else() {
        let (publisher, streams) = streams();
        let before = streams.state();
        let mut stream = streams.open(None, Some(&before)).unwrap();
        assert_eq!(next(&mut stream).await.unwrap(), format!("retry: 3000\nid: {before}\n\n"));
        publisher.publish(&snapshot("a"));
        publisher.learn(RecordedFacts::default());
        assert_eq!(next(&mut stream).await.unwrap(), ":\n\n", "nothing changed");
        publisher.publish(&snapshot("b"));
        let (event, after) = (next(&mut stream).await.unwrap(), streams.state());
        assert!(before != after && event.starts_with(&format!("id: {after}\n")), "{event}");
        assert!(
            event.ends_with(&format!("data: {{\"type\":\"refetchEvaluation\",\"etag\":\"{after}\"}}\n\n")),
            "{event}"
        );
        streams.close();
        assert!(next(&mut stream).await.is_none() && next(&mut stream).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_missed_a_change_hears_of_it_at_once() {
        let (_publisher, streams) = streams();
        let first = next(&mut streams.open(None, Some("0123")).unwrap()).await.unwrap();
        assert!(first.contains("refetchEvaluation"), "{first}");
        let first = next(&mut streams.open(None, None).unwrap()).await.unwrap();
        assert!(!first.contains("refetchEvaluation"), "{first}");
    }
}
