//! Tells receivers what happens to flags.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flagstaff_flags::{Fact, Reader};
use flagstaff_ledger::Location;
use flagstaff_webhook::Hook;

use super::delivery::Deliverer;
use super::memory_outbox::MemoryOutbox;
use super::outbox::Outbox;

/// How long the start waits for the ledger to know the hooks, so that what happens from then on is told.
const FIRST_READING: Duration = Duration::from_secs(2);

/// Tells receivers that something happened. Cheap to clone; never waits. The default has no receivers.
#[derive(Clone, Debug, Default)]
pub(crate) struct WebhookSender(Arc<[Line]>);

/// The way to one deliverer.
#[derive(Debug)]
struct Line {
    wake: SyncSender<()>,
    memory: Option<Arc<MemoryOutbox>>,
}

impl WebhookSender {
    /// These facts were added. With a ledger they are in it already, and this only saves the time until it is looked at again.
    pub(crate) fn send(&self, facts: &[Fact]) {
        for line in self.0.iter() {
            if let Some(memory) = &line.memory {
                memory.add(facts);
            }
            // one that is to wake up already needs no second call
            let _ = line.wake.try_send(());
        }
    }
}

/// The deliverers of all hooks, each on a thread of its own, so that no receiver waits for another.
#[derive(Debug)]
pub(crate) struct Webhooks {
    sender: WebhookSender,
    stop: Arc<AtomicBool>,
    ended: Vec<Mutex<Receiver<()>>>,
}

impl Webhooks {
    /// Starts a deliverer for each hook. Without a ledger they tell what this program says, and forget it when it ends.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(hooks: Vec<Hook>, ledger: Option<&Location>, flags: &Reader) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (ready, all_ready) = mpsc::channel();
        let (mut lines, mut ended) = (Vec::new(), Vec::new());
        for hook in hooks {
            let (wake, woken) = mpsc::sync_channel(1);
            let (end, ending) = mpsc::channel();
            let (outbox, memory) = match ledger {
                Some(place) => (Outbox::ledger(place.clone(), hook.id())?, None),
                None => {
                    let memory = Arc::new(MemoryOutbox::default());
                    (Outbox::InMemory(Arc::clone(&memory)), Some(memory))
                }
            };
            let mut deliverer = Deliverer::new(hook, outbox, flags.clone(), Arc::clone(&stop));
            let mut ready = Some(ready.clone());
            flagstaff_supervise::thread("webhooks", move || {
                // dropped with the thread
                let _end = &end;
                deliverer.run(&woken, ready.take());
            })?;
            lines.push(Line { wake, memory });
            ended.push(Mutex::new(ending));
        }
        drop(ready);
        // ends early when all have dropped their sender
        let _ = all_ready.recv_timeout(FIRST_READING);
        Ok(Self { sender: WebhookSender(lines.into()), stop, ended })
    }

    /// What tells them.
    #[must_use]
    pub(crate) fn sender(&self) -> WebhookSender {
        self.sender.clone()
    }

    /// Has them tell what is due and end, waits for that as long as `wait` at most, and returns whether they did. What is not told by then
    /// stays in the ledger.
    pub(crate) fn stop(self, wait: Duration) -> bool {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.send(&[]);
        let until = Instant::now() + wait;
        let ended = |ended: &Mutex<Receiver<()>>| {
            let ended = ended.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let left = until.saturating_duration_since(Instant::now());
            ended.recv_timeout(left) != Err(mpsc::RecvTimeoutError::Timeout)
        };
        self.ended.iter().all(ended)
    }
}
