//! How many connections and streams may be open at once, and who makes room.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// Connections that may be open at once, besides streams; further ones wait.
pub(super) const MAX_CONNECTIONS: usize = 64;
/// Streams that may be open at once.
pub(super) const MAX_STREAMS: usize = 32;
/// How long a connection may ask nothing when others wait for its place: before its first question, after each answer, and while the body
/// of a question is on its way.
const MAX_SILENCE: Duration = Duration::from_millis(250);

/// The places of connections and of streams.
pub(super) struct ConnectionLimit {
    connections: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    open: Vec<Weak<Admission>>,
}

impl Default for ConnectionLimit {
    fn default() -> Self {
        let limit = |number| Arc::new(Semaphore::new(number));
        Self { connections: limit(MAX_CONNECTIONS), streams: limit(MAX_STREAMS), open: Vec::new() }
    }
}

impl ConnectionLimit {
    /// The next connection, once there is room for it. One that asks nothing makes room for it.
    pub(super) async fn next(
        &mut self,
        listener: &TcpListener,
    ) -> io::Result<(TcpStream, SocketAddr, Arc<Admission>)> {
        let (io, peer) = listener.accept().await?;
        let permit = self.permit().await.ok_or_else(|| io::Error::other("the places are gone"))?;
        let admission = Arc::new(Admission {
            permit: Mutex::new(Some(permit)),
            streams: Arc::clone(&self.streams),
            silent_since: Mutex::new(Some(Instant::now())),
            leave: Notify::new(),
        });
        self.open.push(Arc::downgrade(&admission));
        Ok((io, peer, admission))
    }

    async fn permit(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            let connections = Arc::clone(&self.connections);
            let permit = || Arc::clone(&connections).acquire_owned();
            let Some((since, silent)) = self.longest_silent() else {
                // one that is answered now may be silent after that
                if let Ok(permit) = timeout(MAX_SILENCE, permit()).await {
                    return permit.ok();
                }
                continue;
            };
            if let Ok(permit) = timeout_at(since + MAX_SILENCE, permit()).await {
                return permit.ok();
            }
            silent.make_room(since);
            // its place is free as soon as its task has run, and nobody else holds it
            drop(silent);
            if let Ok(permit) = timeout(MAX_SILENCE, permit()).await {
                return permit.ok();
            }
        }
    }

    /// The connection that has been silent for longest, and since when.
    fn longest_silent(&mut self) -> Option<(Instant, Arc<Admission>)> {
        self.open.retain(|admission| admission.strong_count() > 0);
        let silent = |admission: Arc<Admission>| {
            let since = *admission.silent_since();
            Some((since?, admission))
        };
        self.open.iter().filter_map(Weak::upgrade).filter_map(silent).min_by_key(|(since, _)| *since)
    }
}

/// The place of one connection.
pub(super) struct Admission {
    permit: Mutex<Option<OwnedSemaphorePermit>>,
    streams: Arc<Semaphore>,
    /// None while a question is being answered, which has arrived as a whole.
    silent_since: Mutex<Option<Instant>>,
    leave: Notify,
}

impl Admission {
    fn silent_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.silent_since.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A question begins: the connection has been silent from now on, until the question has arrived with its body.
    pub(super) fn request_begins(self: &Arc<Self>) -> RequestInProgress {
        *self.silent_since() = Some(Instant::now());
        RequestInProgress(Arc::clone(self))
    }

    /// A question has arrived: the connection does not have to make room until that is answered.
    pub(super) fn request_arrived(&self) {
        *self.silent_since() = None;
    }

    /// Some of a question that has not arrived yet came.
    pub(super) fn part_came(&self) {
        if let Some(since) = &mut *self.silent_since() {
            *since = Instant::now();
        }
    }

    /// Makes room, unless something came since it was chosen.
    fn make_room(&self, chosen: Instant) {
        let mut since = self.silent_since();
        if *since == Some(chosen) {
            *since = None;
            self.leave.notify_one();
        }
    }

    /// Done when the connection has to make room.
    pub(super) async fn leaves(&self) {
        self.leave.notified().await;
    }

    /// A place among the streams, and the one among the connections is free again; none where too many streams are open.
    pub(super) fn stream(&self) -> Option<OwnedSemaphorePermit> {
        let stream = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        drop(self.permit.lock().unwrap_or_else(PoisonError::into_inner).take());
        Some(stream)
    }
}

/// A question, until its answer is sent.
pub(super) struct RequestInProgress(Arc<Admission>);

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        *self.0.silent_since() = Some(Instant::now());
    }
}
