//! Connections to the app that wait for the next request, per worker thread.
//!
//! A worker is one thread, and everything it serves stays on it, so no lock is needed and a connection never wakes up
//! on another core.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use hyper::client::conn::{http1, http2};
use tokio::time::Instant;

use crate::body::{RequestBody, Reuse};
use crate::io::Deadline;
use crate::proxy::head_copy::HeadCopy;
use crate::proxy::plain_wire::{PlainWire, Watch};

/// For how long it is remembered that the app closed a connection early.
const EARLY_CLOSE_REMEMBERED: Duration = Duration::from_secs(60);

/// One connection to the app, ready for a request.
#[derive(Debug)]
pub(crate) enum Sender {
    Http1(Box<Connection>),
    Http2(http2::SendRequest<RequestBody>),
}

/// An HTTP/1.1 connection. In a box: it goes from hand to hand with every request.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) wire: Wire,
    /// For how long an answer is waited for. It stays with the connection, whose requests follow each other closely: a
    /// timer of its own for each of them would cost more than they do.
    pub(crate) timer: Deadline,
    /// It is not kept: this answer is its last one.
    pub(crate) is_last: bool,
    /// No other of the process has this number.
    number: u64,
    born: Instant,
    home: Home,
    /// Tells the pool that something came while it was kept.
    watch: Waker,
}

/// Who writes and reads on a connection.
#[derive(Debug)]
pub(crate) enum Wire {
    /// The task of each request.
    Plain(PlainWire),
    /// hyper, in a task of its own.
    Hyper(HyperWire),
    /// Nobody: it could not be handed over.
    Lost,
}

/// The way to hyper's task.
#[derive(Debug)]
pub(crate) struct HyperWire {
    pub(crate) sender: http1::SendRequest<RequestBody>,
    /// What is written of its requests.
    pub(crate) copy: HeadCopy,
}

impl Connection {
    pub(crate) fn new(wire: PlainWire, home: Home) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Relaxed);
        let watch = Waker::from(Arc::new(Watch(move || woken(home.key, number))));
        let (wire, timer) = (Wire::Plain(wire), Deadline::default());
        Self { wire, timer, is_last: false, number, born: Instant::now(), home, watch }
    }

    /// The numbers of its address, and its own: what [`ended`] is told.
    pub(crate) const fn numbers(&self) -> (usize, u64) {
        (self.home.key, self.number)
    }

    /// Whether the app has not closed it, as far as is known.
    fn is_alive(&mut self) -> bool {
        match &mut self.wire {
            Wire::Plain(wire) => wire.is_quiet(&self.watch),
            Wire::Hyper(wire) => !wire.sender.is_closed(),
            Wire::Lost => false,
        }
    }

    /// Whether it can take a request. One that still reads a late upload is not ready.
    fn is_ready(&mut self) -> bool {
        match &self.wire {
            Wire::Hyper(wire) => wire.sender.is_ready(),
            Wire::Plain(_) | Wire::Lost => self.is_alive(),
        }
    }
}

impl Reuse for Connection {
    fn keep(mut self: Box<Self>) {
        if self.is_last || !self.is_alive() {
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

    fn poll_more(&mut self, cx: &mut Context<'_>, most: u64) -> Poll<io::Result<Bytes>> {
        match &mut self.wire {
            Wire::Plain(wire) => wire.poll_more(cx, most),
            Wire::Hyper(_) | Wire::Lost => Poll::Ready(Ok(Bytes::new())),
        }
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
    fn take(&mut self, careful: bool, is_plain: bool, now: Instant) -> Option<(Sender, Duration)> {
        if let Some(shared) = &self.shared {
            let sender = shared.sender.clone();
            return Some((Sender::Http2(sender), Duration::ZERO)).filter(|_| !self.drop_ended(now));
        }
        let within = if careful { self.safe(now) } else { self.keeping.limit };
        let keeping = self.keeping;
        let fits = |kept: &mut Kept| {
            // One that is not ready stays for another time. Those that are too old or closed go when the worker sweeps.
            now.duration_since(kept.since) < within
                && !keeping.is_old(kept.connection.born, now)
                && kept.connection.is_ready()
        };
        let is_best = |kept: &mut Kept| matches!(kept.connection.wire, Wire::Plain(_)) == is_plain && fits(kept);
        let best = self.idle.iter_mut().rposition(is_best);
        let at = best.or_else(|| self.idle.iter_mut().rposition(fits))?;
        let kept = self.idle.remove(at);
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

    /// Lets go of a kept connection that the app has closed.
    fn end(&mut self, mut is_it: impl FnMut(&mut Connection) -> bool) {
        let now = Instant::now();
        if let Some(at) = self.idle.iter_mut().position(|kept| is_it(&mut kept.connection)) {
            let kept = self.idle.remove(at);
            self.learn(now.duration_since(kept.since), now);
        }
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
        self.idle.retain_mut(|kept| {
            kept.connection.is_alive()
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

/// Does nothing when the address is gone, or the thread ends.
fn with_number(number: usize, act: impl FnOnce(&mut Slot)) {
    let _ = SLOTS.try_with(|slots| slots.try_borrow_mut().map(|mut slots| slots.get_mut(&number).map(act)));
}

/// A kept connection, if one is ready, and how long it was not used. A request that is sent only once is `careful`: it
/// takes none that the app may be about to close. One that is `is_plain` is best sent by its own task.
pub(crate) fn take(key: &PoolKey, careful: bool, is_plain: bool, now: Instant) -> Option<(Sender, Duration)> {
    with_slot(key, |slot| slot.take(careful, is_plain, now))
}

/// A kept connection turned out dead after this time without use.
pub(crate) fn died(key: &PoolKey, unused: Duration) {
    with_slot(key, |slot| slot.learn(unused, Instant::now()));
}

/// A connection has ended. When it was kept at that time, the app has closed it.
pub(crate) fn ended((key, number): (usize, u64)) {
    with_number(key, |slot| slot.end(|kept| kept.number == number));
}

/// Something has come on a kept connection. When it is no false alarm, the app has closed it, or spoken where it should not.
fn woken(key: usize, number: u64) {
    with_number(key, |slot| slot.end(|kept| kept.number == number && !kept.is_alive()));
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
    use crate::proxy::plain_wire::AnswerLimits;

    #[tokio::test(start_paused = true)]
    async fn a_kept_connection_that_the_app_closes_or_speaks_on_is_gone() {
        let keeping = Keeping { kept: 9, limit: Duration::from_secs(60), age: None };
        let limits = AnswerLimits { fields: 9, bytes: 999 };
        for speaks in [false, true] {
            let key = PoolKey::new();
            with_slot(&key, |_| ());
            let (ours, mut app) = tokio::io::duplex(99);
            let home = Home { key: key.number(), keeping };
            Box::new(Connection::new(PlainWire::new(Box::new(ours), limits), home)).keep();
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert_eq!(with_slot(&key, |slot| slot.idle.len()), 1);
            if speaks {
                tokio::io::AsyncWriteExt::write_all(&mut app, b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
            } else {
                drop(app);
            }
            assert_eq!(with_slot(&key, |slot| slot.idle.len()), 0, "its waker tells the pool at once");
            assert_eq!(with_slot(&key, |slot| slot.safe(Instant::now())), Duration::from_secs(5));
            assert!(take(&key, false, true, Instant::now()).is_none());
        }
    }

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
