//! How many connections and streams may be open at once, and who makes room.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

/// Connections that may be open at once, besides streams; further ones wait.
pub(super) const MAX_CONNECTIONS: usize = 64;
/// Streams that may be open at once.
pub(super) const MAX_STREAMS: usize = 32;
/// How long a connection may take to ask its first question when others wait for its place.
const PATIENCE: Duration = Duration::from_millis(250);

/// The places of connections and of streams.
pub(super) struct Places {
    connections: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    /// Connections that have not asked anything yet, the oldest first.
    silent: VecDeque<Weak<Place>>,
}

impl Default for Places {
    fn default() -> Self {
        let places = |number| Arc::new(Semaphore::new(number));
        Self { connections: places(MAX_CONNECTIONS), streams: places(MAX_STREAMS), silent: VecDeque::new() }
    }
}

impl Places {
    /// The next connection, once there is room for it. One that was opened and asks nothing makes room for it.
    pub(super) async fn next(&mut self, listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr, Arc<Place>)> {
        let (io, peer) = listener.accept().await?;
        let seat = self.seat().await.ok_or_else(|| io::Error::other("the places are gone"))?;
        let place = Arc::new(Place {
            seat: Mutex::new(Some(seat)),
            streams: Arc::clone(&self.streams),
            since: Instant::now(),
            has_asked: AtomicBool::new(false),
            leave: Notify::new(),
        });
        self.silent.push_back(Arc::downgrade(&place));
        Ok((io, peer, place))
    }

    async fn seat(&mut self) -> Option<OwnedSemaphorePermit> {
        loop {
            let connections = Arc::clone(&self.connections);
            let seat = || Arc::clone(&connections).acquire_owned();
            let Some(oldest) = self.oldest_silent() else {
                return seat().await.ok();
            };
            if let Ok(seat) = timeout_at(oldest.since + PATIENCE, seat()).await {
                return seat.ok();
            }
            oldest.make_room();
            // its place is free as soon as its task has run, and nobody else holds it
            drop(oldest);
            if let Ok(seat) = timeout(PATIENCE, seat()).await {
                return seat.ok();
            }
        }
    }

    /// The connection that has been silent for longest, taken out of the list.
    fn oldest_silent(&mut self) -> Option<Arc<Place>> {
        let is_silent = |place: &Weak<Place>| place.upgrade().is_some_and(|place| !place.has_asked.load(Relaxed));
        self.silent.retain(is_silent);
        self.silent.front()?.upgrade()
    }
}

/// The place of one connection.
pub(super) struct Place {
    seat: Mutex<Option<OwnedSemaphorePermit>>,
    streams: Arc<Semaphore>,
    since: Instant,
    has_asked: AtomicBool,
    leave: Notify,
}

impl Place {
    /// The connection asks something: it no longer has to make room.
    pub(super) fn asks(&self) {
        self.has_asked.store(true, Relaxed);
    }

    fn make_room(&self) {
        if !self.has_asked.swap(true, Relaxed) {
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
        drop(self.seat.lock().unwrap_or_else(PoisonError::into_inner).take());
        Some(stream)
    }
}
