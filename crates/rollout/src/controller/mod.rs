//! The controller: it is told what happens, decides, and has its decisions published and written down. It does no input and output,
//! so tests run it without a thread and without a ledger.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`Controller`]: messages in, facts out |
//! | `in_force.rs` | begins with what is recorded, and takes over new flags |
//! | `guards.rs` | what guards make of messages: evidence, and a trip |
//! | `guard_watch.rs` | the tests of a flag's guard, in the order of the ledger |
//! | `facts.rs` | follows a fact, publishes it and has it written down |
//! | `ledger_events.rs` | what it does with what becomes known of the ledger |
//! | `flag_state.rs` | one flag: where it stands, what its guard saw |
//! | `reconcile.rs` | the facts that a new snapshot makes |
//! | `lagging.rs` | flags that are here as they were earlier, because this program has an older file |
//! | `advance.rs` | whether a flag goes on to its next step |
//! | `alarm.rs` | what a guard does when it trips |
//! | `trouble.rs`, `hold_clock.rs` | what keeps a flag at its step, and for how long |
//! | `clock.rs` | the time of the ledger |
//! | `notice.rs`, `report.rs` | what operators, the log and the metrics are told |

mod advance;
mod alarm;
mod clock;
mod facts;
mod flag_state;
mod guard_watch;
mod guards;
mod hold_clock;
mod in_force;
mod lagging;
mod ledger_events;
mod notice;
mod reconcile;
mod report;
#[cfg(test)]
mod tests;
mod trouble;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{Fact, Flag, Name, Publisher, Snapshot};
use metrics::counter;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use self::advance::{LedgerAccess, Surroundings, advance};
use self::alarm::{Alarm, lost_upstream};
use self::clock::LedgerClock;
use self::flag_state::FlagState;
use self::notice::Notice;
use self::report::measure;
use crate::messages::{LedgerCommand, LedgerLink, Message};
use crate::monitor::OutcomeMonitor;
use crate::webhooks::WebhookSender;

/// How often rollouts are looked at.
const TICK: Duration = Duration::from_millis(250);
/// How long a sign waits for others before all of them go to the ledger.
const KEEP_WITHIN: Duration = Duration::from_millis(50);
/// How often metrics show where flags stand, and dates are looked at.
const MEASURE_EVERY: Duration = Duration::from_secs(2);

/// Where a flag began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Began {
    /// Here and now: nothing was seen before.
    Here,
    /// In what is recorded.
    Elsewhere,
}

/// Decides what becomes of flags.
pub(crate) struct Controller {
    publisher: Arc<Publisher>,
    monitor: Arc<OutcomeMonitor>,
    ledger: Option<LedgerLink>,
    webhooks: WebhookSender,
    /// Is sent to once, when what is recorded is known.
    ready: Option<std::sync::mpsc::Sender<()>>,
    states: HashMap<Name, FlagState>,
    /// The flags in force.
    snapshot: Arc<Snapshot>,
    /// Signs of each of them that may wait for the ledger.
    waiting_each: usize,
    measured: Instant,
    ledger_is_away: bool,
    clock: LedgerClock,
    /// The flags in force are the last good ones, until their file is good again.
    is_last_good: bool,
}

impl Controller {
    pub(crate) fn new(
        publisher: Arc<Publisher>,
        monitor: Arc<OutcomeMonitor>,
        ledger: Option<LedgerLink>,
        webhooks: WebhookSender,
        ready: std::sync::mpsc::Sender<()>,
        is_last_good: bool,
    ) -> Self {
        Self {
            snapshot: publisher.current(),
            waiting_each: 0,
            publisher,
            monitor,
            ledger,
            webhooks,
            ready: Some(ready),
            states: HashMap::new(),
            measured: Instant::now(),
            ledger_is_away: false,
            clock: LedgerClock::default(),
            is_last_good,
        }
    }

    /// Works until it is told to stop.
    pub(crate) async fn run(&mut self, messages: &mut mpsc::Receiver<Message>) {
        if self.ledger.is_none() && !self.is_ready() {
            self.begin(HashMap::new());
        }
        let (mut next_tick, mut next_keeping) = (Instant::now() + TICK, None);
        loop {
            match timeout_at(next_keeping.unwrap_or(next_tick).min(next_tick), messages.recv()).await {
                Ok(None | Some(Message::Stop)) => break,
                Ok(Some(message)) => {
                    let is_sign = matches!(message, Message::Sign { .. } | Message::Arrived(..));
                    self.handle(message);
                    next_keeping = next_keeping.or(is_sign.then(|| Instant::now() + KEEP_WITHIN));
                }
                Err(_) => {}
            }
            if next_keeping.take_if(|at| Instant::now() >= *at).is_some() {
                self.keep_signs();
            }
            if Instant::now() >= next_tick {
                self.tick();
                next_tick = Instant::now() + TICK;
            }
        }
        // also while it is away: it may come back in time
        self.ledger_is_away = false;
        self.keep_signs();
        // the ledger closes after what it was given
        self.ledger = None;
    }

    /// Goes on after a panic: what was decided stands, what was seen is read again, and the flags are those in force.
    pub(crate) fn recover(&mut self) {
        self.snapshot = self.publisher.current();
        if !self.is_ready() {
            return;
        }
        self.states.values_mut().for_each(FlagState::recover);
        let names: Vec<_> = self.states.keys().cloned().collect();
        names.iter().for_each(|name| self.watch_anew(name));
        self.reconcile(None);
        self.publish();
    }

    /// Whether what is recorded is known.
    pub(crate) const fn is_ready(&self) -> bool {
        self.ready.is_none()
    }

    /// All facts since each flag began.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        self.states.values().flat_map(FlagState::facts).cloned().collect()
    }

    /// Takes a message.
    pub(crate) fn handle(&mut self, message: Message) {
        match message {
            Message::Published(snapshot) => {
                self.is_last_good = false;
                let before = std::mem::replace(&mut self.snapshot, snapshot);
                if self.is_ready() {
                    self.reconcile(Some(&before));
                }
            }
            Message::Sign { window, sign, limited } => self.observe(&window, sign, limited),
            Message::Arrived(window, sign) => self.arrived(&window, sign),
            Message::FuseBlown(window, blown) => {
                if self.state_of(&window).is_some() {
                    self.trip(&window.flag, Alarm::from(&blown));
                }
            }
            Message::Ledger(event) => self.handle_ledger(event),
            Message::Alone => self.take_back(),
            Message::Stop => {}
            #[cfg(test)]
            Message::Panic => unreachable!("a test asks for it"),
        }
    }

    /// Looks at every flag with a rollout or a guard.
    pub(crate) fn tick(&mut self) {
        self.keep_signs();
        if !self.is_ready() {
            return;
        }
        let moves = |flag: &&Arc<Flag>| flag.rollout.is_some() || flag.guard.is_some();
        let names: Vec<_> = self.snapshot.flags().iter().filter(moves).map(|flag| flag.name.clone()).collect();
        for name in &names {
            let lost = self.states.get(name).and_then(|state| lost_upstream(state, &self.monitor));
            lost.into_iter().for_each(|alarm| self.trip(name, alarm));
        }
        let facts: Vec<_> = names.iter().filter_map(|name| self.advance(name)).collect();
        self.add_facts(facts);
        if self.measured.elapsed() > MEASURE_EVERY {
            self.measured = Instant::now();
            self.states.values_mut().for_each(measure);
            self.tell_lagging();
            self.tell_forgotten();
            self.tell_expired();
        }
    }

    /// Whether a flag goes on, and if so, the fact with which it does.
    fn advance(&mut self, name: &Name) -> Option<Fact> {
        let trouble = trouble::seen(&self.monitor, name);
        let experiment = self.snapshot.find(name.as_str()).map(|id| self.snapshot.experiment_id(id));
        let ledger = match (&self.ledger, self.ledger_is_away) {
            (None, _) => LedgerAccess::None,
            (Some(_), false) => LedgerAccess::Reachable,
            (Some(_), true) => LedgerAccess::Unreachable,
        };
        let next =
            advance(self.states.get_mut(name)?, Surroundings { trouble, experiment, ledger, now: self.clock.now() });
        if let Some(question) = next.ask {
            self.send(LedgerCommand::CountArrivals(question));
        }
        next.fact
    }

    /// Says once of each guard that it cannot remember every visitor, and counts those that it forgot. Shows what guards say.
    fn tell_forgotten(&mut self) {
        for (name, forgotten) in self.monitor.forgotten() {
            counter!("flagstaff_guard_forgotten_total", "flag" => name.to_string()).absolute(forgotten);
            if let Some(state) = self.states.get_mut(&name) {
                state.say_once(Notice::Forgets);
            }
        }
        self.monitor.set_notices(self.states.values().flat_map(FlagState::notices).collect());
    }

    fn send(&self, command: LedgerCommand) {
        if let Some(ledger) = &self.ledger {
            // it closes after the controller
            let _ = ledger.commands.send(command);
        }
    }

    /// Has signs written down. While the ledger is away they wait here, where their number is bounded.
    fn keep_signs(&mut self) {
        if self.ledger.is_some() && self.ledger_is_away {
            return;
        }
        let unsaved = |state: &mut FlagState| (state.epoch(), state.take_unsaved());
        let signs: Vec<_> = self.states.values_mut().map(unsaved).filter(|(_, signs)| !signs.is_empty()).collect();
        if !signs.is_empty() {
            self.send(LedgerCommand::KeepSigns(signs));
        }
    }
}
