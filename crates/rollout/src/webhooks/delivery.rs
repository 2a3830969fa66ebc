//! One receiver's deliverer.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use flagstaff_flags::{Fact, FactKind, Percent, Reader, Snapshot};
use flagstaff_ledger::Error;
use flagstaff_webhook::{Client, Hook, Message, ReceiverAnswer, wait};
use jiff::Timestamp;

use super::outbox::{Delivery, Outbox};

/// How often the outbox is asked for what other programs added.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a ledger that is away is left alone.
const AWAY_PAUSE: Duration = Duration::from_secs(5);
/// What happened longer ago is no longer told.
const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
/// When stopping, nothing is begun after this.
const LAST_ROUND: Duration = Duration::from_secs(1);

/// Tells one receiver.
pub(super) struct Deliverer {
    client: Client,
    outbox: Outbox,
    flags: Reader,
    stop: Arc<AtomicBool>,
    /// What was taken or given up while the ledger could not be told so.
    settled: HashSet<String>,
    is_away: bool,
}

impl Deliverer {
    pub(super) fn new(hook: Hook, outbox: Outbox, flags: Reader, stop: Arc<AtomicBool>) -> Self {
        Self { client: Client::new(hook), outbox, flags, stop, settled: HashSet::new(), is_away: false }
    }

    /// Tells until it is to stop. Drops `ready` once the ledger knows the hook, or is away.
    pub(super) fn run(&mut self, woken: &Receiver<()>, ready: Option<Sender<()>>) {
        let known = self.outbox.is_due().map(|_| ());
        self.look_at(known);
        drop(ready);
        while !self.is_stopping() {
            let round = self.round(None);
            let pause = if self.look_at(round) { LOOK_EVERY } else { AWAY_PAUSE };
            if !self.is_stopping() && woken.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
                break;
            }
        }
        let last = self.round(Some(Instant::now() + LAST_ROUND));
        self.look_at(last);
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Tells all that is due; when stopping, until then.
    fn round(&mut self, until: Option<Instant>) -> Result<(), Error> {
        if !self.outbox.is_due()? {
            return Ok(());
        }
        let goes_on = |this: &Self| until.map_or(!this.is_stopping(), |until| Instant::now() < until);
        while goes_on(self) {
            let Some(delivery) = self.outbox.next()? else { break };
            self.deliver(&delivery)?;
        }
        self.outbox.release()
    }

    /// Tells one fact, or passes it by.
    fn deliver(&mut self, delivery: &Delivery) -> Result<(), Error> {
        let told = delivery.fact().and_then(|fact| self.message(fact));
        let Some(message) = told else {
            return self.outbox.done(delivery);
        };
        if delivery.age() > MAX_AGE {
            self.give_up(&message, "it happened more than a day ago");
            return self.outbox.done(delivery);
        }
        if !self.settled.contains(message.id()) && !self.send(delivery, &message)? {
            return Ok(());
        }
        self.outbox.done(delivery)?;
        self.settled.remove(message.id());
        Ok(())
    }

    fn message(&self, fact: &Fact) -> Option<Message> {
        self.client.hook().message(fact, percent(&self.flags.load(), fact))
    }

    /// Returns whether the receiver is done with it.
    fn send(&mut self, delivery: &Delivery, message: &Message) -> Result<bool, Error> {
        let (host, id) = (self.client.hook().host(), message.id());
        match self.client.send(message, Timestamp::now()) {
            ReceiverAnswer::Taken { .. } => {
                tracing::info!(host, id, event = message.event().as_str(), "webhook told");
                count(message, "delivered");
                self.settled.insert(id.into());
                Ok(true)
            }
            ReceiverAnswer::Refused { why } => {
                self.give_up(message, &why);
                self.settled.insert(id.into());
                Ok(true)
            }
            ReceiverAnswer::Failed { why, asked } => {
                let pause = wait(delivery.tries().saturating_add(1), asked);
                let seconds = pause.as_secs();
                if delivery.tries() == 0 {
                    tracing::warn!(host, id, why, seconds, "a webhook's receiver did not take it; it is told again");
                } else {
                    tracing::debug!(host, id, why, seconds, "a webhook's receiver did not take it again");
                }
                count(message, "failed");
                self.outbox.again(delivery, pause, asked.is_some()).map(|()| false)
            }
        }
    }

    fn give_up(&self, message: &Message, why: &str) {
        let host = self.client.hook().host();
        tracing::error!(host, id = message.id(), why, "a webhook's receiver did not take it; it is given up");
        count(message, "given_up");
    }

    /// Says once when the ledger is away, and when it is back. Returns whether it is there.
    fn look_at(&mut self, done: Result<(), Error>) -> bool {
        let was_away = std::mem::replace(&mut self.is_away, done.is_err());
        match done {
            Err(error) if !was_away => tracing::warn!(%error, "webhooks wait for the ledger"),
            Ok(()) if was_away => tracing::info!("webhooks go on"),
            _ => {}
        }
        !self.is_away
    }
}

fn count(message: &Message, result: &'static str) {
    metrics::counter!("flagstaff_webhooks_total", "event" => message.event().as_str(), "result" => result)
        .increment(1);
}

/// The percentage at which something happened to a flag, as long as the flag is still the one it happened to.
fn percent(snapshot: &Snapshot, fact: &Fact) -> Option<Percent> {
    let flag = snapshot.find(fact.flag.as_str()).and_then(|id| snapshot.flag(id))?;
    if matches!(fact.kind, FactKind::SwitchedOff | FactKind::Disabled) {
        return Some(Percent::ZERO);
    }
    if flag.definition != fact.definition {
        return None;
    }
    flag.rollout.as_ref().map(|rollout| rollout.percent(fact.at, fact.step)).or(flag.percent)
}
