//! Hears on a channel that something changed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use redis::{ErrorKind, RedisError, RedisResult, cmd};

use super::server::{Server, Session};
use super::words::in_words;
use crate::store::document_store::{Wake, Watcher};

/// How long it waits for a message before it looks whether it should end.
const LISTEN: Duration = Duration::from_millis(500);
/// A connection on which nothing was heard for so long is asked whether it is alive.
const SILENCE: Duration = Duration::from_secs(10);
/// The first wait before it connects again, and the longest one.
const WAITS: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// What is shared with the thread that listens.
#[derive(Debug, Default)]
struct Shared {
    is_ending: AtomicBool,
    is_subscribed: AtomicBool,
    /// The thread that looks was woken, and has not begun to look: it need not be woken again, however much is said.
    is_woken: AtomicBool,
    /// Why the server refuses to be listened to.
    refusal: Mutex<Option<String>>,
}

impl Shared {
    fn refusal(&self) -> MutexGuard<'_, Option<String>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Listens until it is dropped.
pub(super) struct Subscription {
    server: Server,
    channel: String,
    wakes: Sender<Wake>,
    shared: Arc<Shared>,
    is_started: bool,
}

impl Subscription {
    /// To a channel of a server, once it is renewed.
    pub(super) fn new(server: Server, channel: String, wakes: Sender<Wake>) -> Self {
        Self { server, channel, wakes, shared: Arc::default(), is_started: false }
    }

    fn start(&self) -> std::io::Result<()> {
        let (server, channel) = (self.server.clone(), self.channel.clone());
        let listener = Listener { server, channel, wakes: self.wakes.clone(), shared: Arc::clone(&self.shared) };
        // it ends by itself within a few seconds: nobody waits for it
        flagstaff_supervise::thread("flags-subscription", move || listener.run()).map(drop)
    }
}

impl Watcher for Subscription {
    fn renew(&mut self) -> Result<bool, String> {
        if !self.is_started {
            self.start().map_err(|error| error.to_string())?;
            self.is_started = true;
        }
        self.shared.is_woken.store(false, Ordering::SeqCst);
        if let Some(why) = &*self.shared.refusal() {
            return Err(why.clone());
        }
        Ok(self.shared.is_subscribed.load(Ordering::Relaxed))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.is_ending.store(true, Ordering::Relaxed);
    }
}

struct Listener {
    server: Server,
    channel: String,
    wakes: Sender<Wake>,
    shared: Arc<Shared>,
}

impl Listener {
    fn run(&self) {
        let mut wait = WAITS.0;
        while !self.is_ending() {
            let began = Instant::now();
            // that it is away is said by the next reading
            if let Some(error) = self.listen().err().filter(is_refusal) {
                self.is_refused(in_words(&error, &self.server.address));
            }
            if self.shared.is_subscribed.swap(false, Ordering::Relaxed) {
                wait = WAITS.0;
                self.wake();
            }
            self.rest(began + wait);
            wait = (wait * 2).min(WAITS.1);
        }
    }

    /// Subscribes, and wakes the thread that looks: what was said before was not heard.
    fn listen(&self) -> RedisResult<()> {
        let mut session = Session::open(Arc::clone(&self.server.address))?;
        // asked as any question: the library's own way takes a refusal for a yes
        session.query::<redis::Value>(cmd("SUBSCRIBE").arg(&self.channel))?;
        let mut channel = session.connection().as_pubsub();
        channel.set_read_timeout(Some(LISTEN))?;
        self.shared.is_subscribed.store(true, Ordering::Relaxed);
        *self.shared.refusal() = None;
        self.wake();
        let mut heard = Instant::now();
        while !self.is_ending() {
            match channel.get_message() {
                Ok(_) => self.wake(),
                Err(error) if error.is_timeout() && heard.elapsed() < SILENCE => continue,
                Err(error) if error.is_timeout() => channel.ping::<redis::Value>().map(drop)?,
                Err(error) => return Err(error),
            }
            heard = Instant::now();
        }
        Ok(())
    }

    /// Has it said, once.
    fn is_refused(&self, why: String) {
        let before = self.shared.refusal().replace(why);
        if before.is_none() {
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.shared.is_woken.swap(true, Ordering::SeqCst) {
            // nobody looks any more when this ends
            let _ = self.wakes.send(Wake::Changed);
        }
    }

    fn rest(&self, until: Instant) {
        while !self.is_ending() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            thread::sleep(left.min(LISTEN));
        }
    }

    fn is_ending(&self) -> bool {
        self.shared.is_ending.load(Ordering::Relaxed)
    }
}

/// Whether a server that is there says no: its user has too few rights, as a rule.
fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension)
}
