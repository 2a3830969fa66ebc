//! Connections to the app that wait for the next request, per worker thread.
//!
//! A worker is one thread, and everything it serves stays on it, so no lock is needed and a connection never wakes up
//! on another core.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1, http2};
use tokio::time::{Instant, timeout_at};

use crate::body::{RequestBody, Reuse, empty_request};
use crate::io::Deadline;
use crate::proxy::head_copy::HeadCopy;

/// For how long it is remembered that the app closed a connection early.
const EARLY_CLOSE_REMEMBERED: Duration = Duration::from_secs(60);

/// One connection to the app, ready for a request.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(Box<Connection>),
    Http2(http2::SendRequest<RequestBody>),
}

/// What became of a request; nothing when its time was over before there was an answer.
pub(crate) type Sent = Option<Result<Response<Incoming>, TrySendError<Request<RequestBody>>>>;

impl Sender {
    /// Sends the request, and leaves nothing of it behind.
    pub(crate) async fn send(&mut self, request: &mut Request<RequestBody>, deadline: Instant) -> Sent {
        match self {
            Self::Http1(connection) => {
                let Connection { sender, timer, .. } = &mut **connection;
                timer.set(deadline);
                timer.with(pin!(sender.try_send_request(std::mem::replace(request, empty_request())))).await
            }
            Self::Http2(sender) => {
                let answer = sender.try_send_request(std::mem::replace(request, empty_request()));
                timeout_at(deadline, Box::pin(answer)).await.ok()
            }
        }
    }

    /// Prepares for a request that may have to be sent again, if it may. HTTP/2 needs a copy of it; over HTTP/1.1 it is noted as it goes
    /// out.
    pub(crate) fn note(&self, request: &Request<RequestBody>, may_repeat: bool) -> Option<Box<Request<RequestBody>>> {
        match self {
            Self::Http1(connection) => {
                connection.copy.begin(may_repeat);
                None
            }
            Self::Http2(_) => may_repeat.then(|| Box::new(copy(request))),
        }
    }

    /// The request that was sent last, where it was noted.
    pub(crate) fn noted(&self) -> Option<Request<RequestBody>> {
        match self {
            Self::Http1(connection) => connection.copy.request(),
            Self::Http2(_) => None,
        }
    }
}

/// A request without a body, once more.
pub(crate) fn copy(request: &Request<RequestBody>) -> Request<RequestBody> {
    let mut copy = empty_request();
    copy.method_mut().clone_from(request.method());
    copy.uri_mut().clone_from(request.uri());
    copy.headers_mut().clone_from(request.headers());
    *copy.version_mut() = request.version();
    copy
}

/// An HTTP/1.1 connection. In a box: it goes from hand to hand with every request.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: http1::SendRequest<RequestBody>,
    /// What is written of its requests.
    copy: HeadCopy,
    /// No other of the process has this number.
    number: u64,
    /// For how long an answer is waited for. It stays with the connection, whose requests follow each other closely: a
    /// timer of its own for each of them would cost more than they do.
    timer: Deadline,
    born: Instant,
    home: Home,
}

impl Connection {
    pub(crate) fn new(sender: http1::SendRequest<RequestBody>, copy: HeadCopy, number: u64, home: Home) -> Self {
        Self { sender, copy, number, timer: Deadline::default(), born: Instant::now(), home }
    }
}

impl Reuse for Connection {
    fn keep(self: Box<Self>) {
        if self.sender.is_closed() {
            return;
        }
        let (Home { key, keeping }, now) = (self.home, Instant::now());
        with_number(key, |slot| {
            slot.keeping = keeping;
            if slot.idle.len() < keeping.kept && !keeping.is_old(self.born, now) {
                slot.idle.push(Kept { connection: self, since: now });
            }
        });
    }
}

/// Where a connection is kept while it is not used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Home {
    /// The number of its [`PoolKey`].
    pub(crate) key: usize,
    pub(crate) keeping: Keeping,
}

/// How connections are kept.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Keeping {
    /// Unused connections at most, per worker and address.
    pub(crate) kept: usize,
    /// For how long one is kept unused.
    pub(crate) limit: Duration,
    /// For how long one is used at all, so that a name that moves to another address is followed; none: no limit.
    pub(crate) age: Option<Duration>,
}

impl Keeping {
    fn is_old(&self, born: Instant, now: Instant) -> bool {
        self.age.is_some_and(|age| now.duration_since(born) >= age)
    }
}

#[derive(Debug)]
struct Kept {
    connection: Box<Connection>,
    since: Instant,
}

/// The key of an address in the pools of all threads. When it is dropped, the connections kept there are closed.
#[derive(Debug)]
pub(crate) struct PoolKey {
    number: usize,
    life: Arc<()>,
}

impl PoolKey {
    pub(crate) fn new() -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        Self { number: NUMBERS.fetch_add(1, Relaxed), life: Arc::default() }
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }
}

/// The connections to one address.
#[derive(Debug, Default)]
struct Slot {
    life: Weak<()>,
    /// The one used last is at the end, and taken first: the others grow old and go.
    idle: Vec<Kept>,
    shared: Option<SharedConnection>,
    keeping: Keeping,
    /// Half the shortest time after which the app has closed an unused connection, and when it did so last.
    short: Option<(Duration, Instant)>,
}

/// A connection of HTTP/2, which all requests share.
#[derive(Debug)]
struct SharedConnection {
    sender: http2::SendRequest<RequestBody>,
    born: Instant,
}

impl Slot {
    /// A connection, and how long it was not used.
    fn take(&mut self, careful: bool) -> Option<(Sender, Duration)> {
        let now = Instant::now();
        if let Some(shared) = &self.shared {
            let sender = shared.sender.clone();
            return Some((Sender::Http2(sender), Duration::ZERO)).filter(|_| !self.drop_ended(now));
        }
        let within = if careful { self.safe(now) } else { self.keeping.limit };
        let fits = |kept: &Kept| {
            // One that still reads a late upload is not ready; it stays for another time. Those that are too old or
            // closed go when the worker sweeps.
            kept.connection.sender.is_ready()
                && now.duration_since(kept.since) < within
                && !self.keeping.is_old(kept.connection.born, now)
        };
        let kept = self.idle.remove(self.idle.iter().rposition(fits)?);
        Some((Sender::Http1(kept.connection), now.duration_since(kept.since)))
    }

    /// How long a connection may have been unused for a request that is sent only once.
    fn safe(&self, now: Instant) -> Duration {
        match self.short {
            Some((short, at)) if now.duration_since(at) < EARLY_CLOSE_REMEMBERED => short,
            _ => self.keeping.limit,
        }
    }

    /// The app has closed a connection that was unused for this long.
    fn learn(&mut self, unused: Duration, now: Instant) {
        self.short = Some((self.safe(now).min(unused / 2), now));
    }

    /// Lets go of a shared connection that is closed or old; what is under way on it goes on.
    fn drop_ended(&mut self, now: Instant) -> bool {
        let ended = |shared: &SharedConnection| shared.sender.is_closed() || self.keeping.is_old(shared.born, now);
        let ended = self.shared.as_ref().is_some_and(ended);
        if ended {
            self.shared = None;
        }
        ended
    }

    fn drop_old(&mut self, now: Instant) {
        let keeping = self.keeping;
        self.idle.retain(|kept| {
            !kept.connection.sender.is_closed()
                && now.duration_since(kept.since) < keeping.limit
                && !keeping.is_old(kept.connection.born, now)
        });
    }
}

thread_local! {
    static SLOTS: RefCell<BTreeMap<usize, Slot>> = const { RefCell::new(BTreeMap::new()) };
}

fn with_slot<T>(key: &PoolKey, act: impl FnOnce(&mut Slot) -> T) -> T {
    SLOTS.with_borrow_mut(|slots| {
        let slot =
            slots.entry(key.number).or_insert_with(|| Slot { life: Arc::downgrade(&key.life), ..Slot::default() });
        act(slot)
    })
}

/// Does nothing when the address is gone.
fn with_number(number: usize, act: impl FnOnce(&mut Slot)) {
    SLOTS.with_borrow_mut(|slots| slots.get_mut(&number).map(act));
}

/// A kept connection, if one is ready, and how long it was not used. A request that is sent only once is `careful`: it
/// takes none that the app may be about to close.
pub(crate) fn take(key: &PoolKey, careful: bool) -> Option<(Sender, Duration)> {
    with_slot(key, |slot| slot.take(careful))
}

/// A kept connection turned out dead after this time without use.
pub(crate) fn died(key: &PoolKey, unused: Duration) {
    with_slot(key, |slot| slot.learn(unused, Instant::now()));
}

/// A connection has ended. When it was kept at that time, the app has closed it.
pub(crate) fn ended(key: usize, number: u64) {
    let now = Instant::now();
    with_number(key, |slot| {
        let at = slot.idle.iter().position(|kept| kept.connection.number == number);
        if let Some(kept) = at.map(|at| slot.idle.remove(at)) {
            slot.learn(now.duration_since(kept.since), now);
        }
    });
}

/// An HTTP/2 connection is shared from its beginning.
pub(crate) fn share(key: &PoolKey, sender: &http2::SendRequest<RequestBody>, keeping: Keeping) {
    with_slot(key, |slot| {
        slot.keeping = keeping;
        slot.shared = Some(SharedConnection { sender: sender.clone(), born: Instant::now() });
    });
}

/// Closes what this thread has kept for too long, or to addresses that are gone.
pub(crate) fn sweep() {
    let now = Instant::now();
    SLOTS.with_borrow_mut(|slots| {
        slots.retain(|_, slot| slot.life.strong_count() > 0);
        slots.values_mut().for_each(|slot| slot.drop_old(now));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_the_app_closes_early_is_remembered_for_a_while() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut slot = Slot { keeping: Keeping { limit: ms(4000), ..Keeping::default() }, ..Slot::default() };
        assert_eq!(slot.safe(start), ms(4000));
        slot.learn(ms(2000), start);
        assert_eq!(slot.safe(start), ms(1000));
        // A longer time teaches nothing new, a shorter one does.
        slot.learn(ms(3000), start + ms(10));
        assert_eq!(slot.safe(start), ms(1000));
        slot.learn(ms(500), start + ms(20));
        assert_eq!(slot.safe(start + ms(20)), ms(250));
        assert_eq!(slot.safe(start + ms(20) + EARLY_CLOSE_REMEMBERED), ms(4000));
    }
}
