//! Every answer comes here, in the request's way: it is counted, and what matters is told to the controller.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use flagstaff_experiment::guard::{Outage, Sign, UpstreamAway};
use flagstaff_flags::{Definition, Flag, Name, Reader, Snapshot};
use flagstaff_ledger::{FirstSign, came_at};
use metrics::counter;
use tokio::sync::mpsc;

use super::flag_window::{FlagWindow, KnownVisitors, Signals};
use super::outcome::{Conversion, Exposure, Outcome, Outcomes};
use crate::messages::{Message, WindowId};

/// Counts what becomes of requests, by flag.
pub struct OutcomeMonitor {
    messages: mpsc::Sender<Message>,
    reader: Reader,
    /// Read on every request; replaced when a flag begins.
    windows: ArcSwap<HashMap<Name, Arc<FlagWindow>>>,
    /// Held while they are replaced.
    change: Mutex<()>,
    /// The number of the newest window.
    newest: AtomicU64,
    started: Instant,
    notices: Mutex<Vec<String>>,
}

impl OutcomeMonitor {
    pub(crate) fn new(messages: mpsc::Sender<Message>, reader: Reader) -> Self {
        Self {
            messages,
            reader,
            windows: ArcSwap::default(),
            change: Mutex::default(),
            newest: AtomicU64::new(0),
            started: Instant::now(),
            notices: Mutex::default(),
        }
    }

    /// What operators should know of guards, each in a sentence.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_notices(&self, notices: Vec<String>) {
        *self.notices.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    /// The outage that treatment and control of a flag share just now.
    pub(crate) fn outage(&self, flag: &str) -> Option<Outage> {
        self.windows.load().get(flag)?.outage(self.now())
    }

    /// The upstream of a flag's variant, where it is away.
    pub(crate) fn upstream(&self, flag: &str) -> Option<UpstreamAway> {
        self.windows.load().get(flag)?.upstream()
    }

    /// How many units each guard had to forget, where it had to.
    pub(crate) fn forgotten(&self) -> Vec<(Name, u64)> {
        let windows = self.windows.load();
        let each = windows.iter().map(|(name, window)| (name.clone(), window.forgotten()));
        each.filter(|(_, forgotten)| *forgotten > 0).collect()
    }

    /// Whether a window is the present one of its flag.
    pub(crate) fn is_current(&self, id: &WindowId) -> bool {
        self.windows.load().get(&id.flag).is_some_and(|window| window.number == id.number)
    }

    /// A flag begins anew: what was seen of it says nothing any more, but the visitors who saw it stay known.
    pub(crate) fn begin(&self, flag: &Flag, step: usize) {
        self.change(|windows| {
            if let Some(window) = windows.get(&flag.name).filter(|window| window.definition == flag.definition) {
                let window = window.restarted(self.next(), flag, step);
                windows.insert(flag.name.clone(), Arc::new(window));
            } else {
                windows.remove(&flag.name);
            }
        });
    }

    /// So many visitors are recorded at a step of a flag: where more were counted here, they are counted anew.
    pub(crate) fn recount(&self, flag: &Name, step: usize, recorded: u64) {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(window) = self.windows.load().get(flag) {
            window.recount(step, recorded);
        }
    }

    /// Forgets what was seen of other definitions of a flag than this.
    pub(crate) fn forget_others(&self, flag: &Name, definition: Definition) {
        if self.windows.load().get(flag).is_some_and(|window| window.definition != definition) {
            self.change(|windows| {
                windows.remove(flag);
            });
        }
    }

    /// Forgets flags that are not in force.
    pub(crate) fn retain(&self, snapshot: &Snapshot) {
        self.change(|windows| windows.retain(|name, _| snapshot.find(name.as_str()).is_some()));
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<Name, Arc<FlagWindow>>)) {
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let mut windows = HashMap::clone(&self.windows.load());
        change(&mut windows);
        self.windows.store(Arc::new(windows));
    }

    fn next(&self) -> u64 {
        self.newest.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Microseconds by a clock that nobody sets.
    fn now(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    /// What is known of a flag as a request was decided with it. None where that is another definition than the one in force, or
    /// where the flag has begun anew since: then the answer comes too late to say anything.
    fn with_window<T>(&self, flag: &Flag, exposure: &Exposure<'_>, tell: impl FnOnce(&FlagWindow) -> T) -> Option<T> {
        // looked at where it is: to count all who hold it would have all threads write to one place
        let windows = self.windows.load();
        let first = if known(&windows, flag).is_none() { self.first(flag) } else { None };
        let window = known(&windows, flag).or(first.as_ref())?;
        self.follow_step(window, flag, exposure);
        window.covers(exposure.since).then(|| tell(window))
    }

    /// The first answer of a flag as it is in force now.
    fn first(&self, flag: &Flag) -> Option<Arc<FlagWindow>> {
        let current = self.reader.load();
        let id = current.find(flag.name.as_str())?;
        current.flag(id).filter(|current| current.definition == flag.definition)?;
        let is_watched = |flag: &&Arc<Flag>| flag.guard.is_some() || flag.rollout.is_some();
        let flags = current.flags().iter().filter(is_watched).count();
        self.change(|windows| {
            if known(windows, flag).is_none() {
                let window = FlagWindow::new(self.next(), flag, current.step(id), KnownVisitors::of_one_in(flags));
                windows.insert(flag.name.clone(), Arc::new(window));
            }
        });
        known(&self.windows.load(), flag).map(Arc::clone)
    }

    /// A request of another step than the present one is late, or the first of a new step: the snapshot in force says which.
    fn follow_step(&self, window: &FlagWindow, flag: &Flag, exposure: &Exposure<'_>) {
        if window.step() == exposure.snapshot.step(exposure.flag) {
            return;
        }
        let current = self.reader.load();
        let Some(step) = current.find(flag.name.as_str()).map(|id| current.step(id)) else { return };
        let _one_at_a_time = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        if window.step() != step {
            window.begin_step(flag, step);
        }
    }

    fn tell(&self, message: Message) {
        // a text no store takes would keep all others from being written down
        if let Message::Sign { sign, .. } | Message::Arrived(_, sign) = &message
            && sign.unit.contains('\0')
        {
            return;
        }
        if self.messages.try_send(message).is_err() {
            counter!("flagstaff_guard_dropped_total").increment(1);
        }
    }

    fn sign(&self, sign: &Sign, window: &FlagWindow, flag: &Flag, exposure: &Exposure<'_>, arm: u8) {
        let first = first_sign(sign.to_string(), exposure, arm);
        let limited = window.limited(exposure.network);
        self.tell(Message::Sign { window: window.id(flag), sign: first, limited });
    }
}

impl fmt::Debug for OutcomeMonitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutcomeMonitor").finish_non_exhaustive()
    }
}

/// What is known of a flag by this definition.
fn known<'a>(windows: &'a HashMap<Name, Arc<FlagWindow>>, flag: &Flag) -> Option<&'a Arc<FlagWindow>> {
    windows.get(&flag.name).filter(|window| window.definition == flag.definition)
}

fn first_sign(sign: String, exposure: &Exposure<'_>, arm: u8) -> FirstSign {
    let step = exposure.snapshot.step(exposure.flag);
    FirstSign { sign, unit: exposure.unit.into(), variant: arm, step, at: exposure.at.as_microsecond() }
}

fn guarded<'a>(exposure: &Exposure<'a>) -> Option<(&'a Arc<Flag>, u8)> {
    let flag = exposure.snapshot.flag(exposure.flag)?;
    Some((flag, flag.arm(exposure.drawn)?))
}

impl Outcomes for OutcomeMonitor {
    fn exposed(&self, exposure: &Exposure<'_>) {
        if let Some((flag, _)) = guarded(exposure) {
            self.with_window(flag, exposure, |window| window.exposed(exposure));
        }
    }

    fn was_exposed(&self, exposure: &Exposure<'_>) -> bool {
        let flag = exposure.snapshot.flag(exposure.flag);
        let was = flag.and_then(|flag| self.with_window(flag, exposure, |window| window.was_exposed(exposure)));
        was.unwrap_or_default()
    }

    fn answered(&self, outcome: &Outcome<'_>) {
        let exposure = &outcome.exposure;
        let Some((flag, arm)) = guarded(exposure) else { return };
        self.with_window(flag, exposure, |window| {
            let step = exposure.snapshot.step(exposure.flag);
            let Signals { arrives, sign, blown } = window.answered(outcome, arm, step, self.now());
            if arrives {
                self.tell(Message::Arrived(window.id(flag), first_sign(came_at(step), exposure, arm)));
            }
            if let Some(sign) = sign {
                self.sign(&sign, window, flag, exposure, arm);
            }
            if let Some(blown) = blown {
                self.tell(Message::FuseBlown(window.id(flag), blown));
            }
        });
    }

    fn converted(&self, conversion: &Conversion<'_>) {
        let exposure = &conversion.exposure;
        let Some((flag, arm)) = guarded(exposure) else { return };
        self.with_window(flag, exposure, |window| {
            self.sign(&Sign::Goal(conversion.goal.to_string()), window, flag, exposure, arm);
        });
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Hold, publisher};

    use super::*;
    use crate::fixtures::{FINE, Visitor, in_steps, name, snapshot};

    /// Visitors who were forgotten, or whose record is lost, count when they come again: no rollout waits for those it counted before.
    #[test]
    fn forgotten_visitors_are_counted_again() {
        let flag = in_steps([(50.0, Hold::Approval), (100.0, Hold::Approval)]);
        let (publisher, reader) = publisher(snapshot(flag));
        let snapshot = publisher.current();
        let (messages, mut received) = mpsc::channel(64);
        let monitor = OutcomeMonitor::new(messages, reader);
        let mut come = || {
            for number in 0..3 {
                Visitor { snapshot: &snapshot, number, has_flag: true, shares_network: false }.does(&monitor, FINE);
            }
            std::iter::from_fn(|| received.try_recv().ok())
                .filter(|message| matches!(message, Message::Arrived(..)))
                .count()
        };
        assert_eq!((come(), come()), (3, 0), "once each");
        monitor.recount(&name(), 0, 3);
        monitor.recount(&name(), 1, 2);
        assert_eq!(come(), 0, "all are recorded");
        monitor.recount(&name(), 0, 2);
        assert_eq!((come(), come()), (3, 0), "one is missing");
    }
}
