//! Every answer comes here, in the request's way: it is counted, and what matters is told to the controller.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::Guard;
use flagstaff_experiment::guard::{Outage, Sign, UpstreamAway};
use flagstaff_flags::{Definition, Flag, Name, Reader};
use flagstaff_ledger::{FirstSign, came_at};
use metrics::counter;
use tokio::sync::mpsc;

use super::flag_window::{FlagWindow, Signals};
use super::outcome::{Answered, Conversion, Exposure, Outcome, Outcomes};
use super::windows::{WindowTable, Windows};
use crate::messages::{Message, WindowId};

/// Counts what becomes of requests, by flag.
pub struct OutcomeMonitor {
    messages: mpsc::Sender<Message>,
    reader: Reader,
    windows: Arc<Windows>,
    started: Instant,
    notices: Mutex<Vec<String>>,
    lagging: Mutex<Vec<String>>,
}

impl OutcomeMonitor {
    pub(crate) fn new(messages: mpsc::Sender<Message>, reader: Reader) -> Self {
        let windows = Arc::new(Windows::new(reader.load()));
        let following = Arc::downgrade(&windows);
        reader.before_change(move |snapshot| following.upgrade().iter().for_each(|windows| windows.follow(snapshot)));
        // one that came in between
        windows.follow(&reader.load());
        Self {
            messages,
            reader,
            windows,
            started: Instant::now(),
            notices: Mutex::default(),
            lagging: Mutex::default(),
        }
    }

    /// What operators should know of guards, each in a sentence.
    #[must_use]
    pub fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Flags of which this program has another state than the one that is on record, each in a sentence.
    #[must_use]
    pub fn lagging(&self) -> Vec<String> {
        self.lagging.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_lagging(&self, lagging: Vec<String>) {
        *self.lagging.lock().unwrap_or_else(PoisonError::into_inner) = lagging;
    }

    pub(crate) fn set_notices(&self, notices: Vec<String>) {
        *self.notices.lock().unwrap_or_else(PoisonError::into_inner) = notices;
    }

    /// The outage that treatment and control of a flag share just now.
    pub(crate) fn outage(&self, flag: &str) -> Option<Outage> {
        self.windows.load().named(flag)?.outage(self.microseconds(Instant::now()))
    }

    /// The upstream of a flag's variant, where it is away.
    pub(crate) fn upstream(&self, flag: &str) -> Option<UpstreamAway> {
        self.windows.load().named(flag)?.upstream()
    }

    /// How many units each guard had to forget, where it had to.
    pub(crate) fn forgotten(&self) -> Vec<(Name, u64)> {
        let windows = self.windows.load();
        let each = windows.all().map(|(name, window)| (name.clone(), window.forgotten()));
        each.filter(|(_, forgotten)| *forgotten > 0).collect()
    }

    /// Whether a window is the present one of its flag.
    pub(crate) fn is_current(&self, id: &WindowId) -> bool {
        self.windows.load().named(id.flag.as_str()).is_some_and(|window| window.number == id.number)
    }

    /// A flag begins anew: what was seen of it says nothing any more, but the visitors who saw it stay known.
    pub(crate) fn begin(&self, flag: &Flag, step: usize) {
        self.windows.begin(flag, step);
    }

    /// So many visitors are recorded at a step of a flag: where more were counted here, they are counted anew.
    pub(crate) fn recount(&self, flag: &Name, step: usize, recorded: u64) {
        let _one_at_a_time = self.windows.one_at_a_time();
        if let Some(window) = self.windows.load().named(flag.as_str()) {
            window.recount(step, recorded);
        }
    }

    /// Forgets what was seen of other definitions of a flag than this.
    pub(crate) fn forget_others(&self, flag: &Name, definition: Definition) {
        self.windows.forget_others(flag, definition);
    }

    /// Watches the flags that are in force, or will be in a moment, and forgets others.
    pub(crate) fn take_over(&self) {
        self.windows.take_over();
    }

    /// A time in microseconds since the start, by a clock that nobody sets.
    fn microseconds(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.started).as_micros()).unwrap_or(i64::MAX)
    }

    /// What is known of a flag as a request was decided with it. None where that is another definition than the one in force, or
    /// where the flag has begun anew since: then the answer comes too late to say anything.
    fn with_window<T>(
        &self,
        windows: &WindowTable,
        exposure: &Exposure<'_>,
        tell: impl FnOnce(&FlagWindow) -> T,
    ) -> Option<T> {
        if let Some(window) = windows.of(exposure.snapshot, exposure.flag) {
            return self.tell_window(window, exposure, tell);
        }
        // of a snapshot that came into force before the controller took it over, or another flag of this request has begun all
        if self.windows.load().of(exposure.snapshot, exposure.flag).is_none() && self.is_in_force(exposure) {
            self.windows.take_over();
        }
        let windows = self.windows.load();
        self.tell_window(windows.of(exposure.snapshot, exposure.flag)?, exposure, tell)
    }

    fn tell_window<T>(
        &self,
        window: &FlagWindow,
        exposure: &Exposure<'_>,
        tell: impl FnOnce(&FlagWindow) -> T,
    ) -> Option<T> {
        self.follow_step(window, exposure);
        window.covers(exposure.since).then(|| tell(window))
    }

    /// Whether the flag of a request is defined in this way still.
    fn is_in_force(&self, exposure: &Exposure<'_>) -> bool {
        let current = self.reader.load();
        let flag = exposure.snapshot.flag(exposure.flag);
        let defined = flag.and_then(|flag| current.flag_named(flag.name.as_str()));
        flag.zip(defined).is_some_and(|(flag, defined)| flag.definition == defined.definition)
    }

    /// A request of another step than the present one is late, or the first of a new step: the snapshot in force says which.
    fn follow_step(&self, window: &FlagWindow, exposure: &Exposure<'_>) {
        if window.step() == exposure.snapshot.step(exposure.flag) {
            return;
        }
        let Some(flag) = exposure.snapshot.flag(exposure.flag) else { return };
        // who comes later looks later: no step is begun after one that follows it
        let _one_at_a_time = self.windows.one_at_a_time();
        let current = self.reader.load();
        let Some(step) = current.find(flag.name.as_str()).map(|id| current.step(id)) else { return };
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

    /// Counts an answer for an arm of a flag.
    fn count(&self, window: &FlagWindow, flag: &Flag, arm: u8, outcome: &Outcome<'_>, result: Answered) {
        let exposure = outcome.exposure;
        let step = exposure.snapshot.step(exposure.flag);
        let now = self.microseconds(outcome.at);
        let Signals { arrives, sign, blown } = window.answered(outcome, result, arm, step, now);
        if arrives {
            self.tell(Message::Arrived(window.id(flag), first_sign(came_at(step), exposure, arm)));
        }
        if let Some(sign) = sign {
            self.sign(&sign, window, flag, exposure, arm);
        }
        if let Some(blown) = blown {
            self.tell(Message::FuseBlown(window.id(flag), blown));
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

fn first_sign(sign: String, exposure: &Exposure<'_>, arm: u8) -> FirstSign {
    let step = exposure.snapshot.step(exposure.flag);
    FirstSign { sign, unit: exposure.unit.into(), variant: arm, step, at: exposure.at.as_microsecond() }
}

fn guarded<'a>(exposure: &Exposure<'a>) -> Option<(&'a Arc<Flag>, u8)> {
    let flag = exposure.snapshot.flag(exposure.flag)?;
    Some((flag, flag.arm(exposure.drawn)?))
}

impl Outcomes for OutcomeMonitor {
    type Known = Guard<Arc<WindowTable>>;

    fn known(&self) -> Self::Known {
        self.windows.load()
    }

    fn was_exposed(&self, known: &Self::Known, exposure: &Exposure<'_>) -> bool {
        self.with_window(known, exposure, |window| window.was_exposed(exposure)).unwrap_or_default()
    }

    fn answered(&self, known: &Self::Known, outcome: &Outcome<'_>) {
        let exposure = outcome.exposure;
        self.with_window(known, exposure, |window| {
            window.exposed(exposure);
            if let (Some(result), Some((flag, arm))) = (outcome.result, guarded(exposure)) {
                self.count(window, flag, arm, outcome, result);
            }
        });
    }

    fn converted(&self, known: &Self::Known, conversion: &Conversion<'_>) {
        let exposure = conversion.exposure;
        let Some((flag, arm)) = guarded(exposure) else { return };
        self.with_window(known, exposure, |window| {
            self.sign(&Sign::Goal(conversion.goal.to_string()), window, flag, exposure, arm);
        });
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Hold, RecordedFacts, Snapshot, publisher};

    use super::*;
    use crate::fixtures::{FINE, Visitor, flag, in_steps, name, snapshot};

    fn monitor(first: Snapshot) -> (flagstaff_flags::Publisher, OutcomeMonitor) {
        let (publisher, reader) = publisher(first);
        (publisher, OutcomeMonitor::new(mpsc::channel(64).0, reader))
    }

    fn meets(monitor: &OutcomeMonitor, snapshot: &Arc<Snapshot>) {
        Visitor { snapshot, number: 1, has_flag: true, shares_network: false }.does(monitor, FINE);
    }

    fn window(monitor: &OutcomeMonitor, flag: &str) -> Option<u64> {
        monitor.windows.load().named(flag).map(|window| window.number)
    }

    /// With a thousand guards the first request does not begin a thousand times.
    #[test]
    fn the_first_request_begins_all_flags_at_once() {
        let flags = (0..3).map(|n| Flag { name: Name::new(&format!("other_{n}")).unwrap(), ..flag(n) });
        let flags = flags.chain([flag(9)]).collect();
        let (publisher, monitor) = monitor(Snapshot::new("test", flags, vec![], vec![], vec![]).unwrap());
        assert_eq!(window(&monitor, "other_2"), None);
        meets(&monitor, &publisher.current());
        assert!(["other_0", "other_1", "other_2", "checkout"].iter().all(|flag| window(&monitor, flag).is_some()));
    }

    /// What is known of a flag is found from the snapshot in force, from one before it, and from one that is about to be.
    #[test]
    fn a_flag_is_found_from_every_snapshot_that_defines_it_so() {
        let (publisher, monitor) = monitor(snapshot(flag(1)));
        let before = publisher.current();
        meets(&monitor, &before);
        let first = window(&monitor, "checkout");
        publisher.learn(RecordedFacts::default());
        let now = publisher.current();
        assert!(!Arc::ptr_eq(&before, &now), "another one with the same flag");
        for snapshot in [&before, &now] {
            meets(&monitor, snapshot);
            assert_eq!(window(&monitor, "checkout"), first);
            let id = snapshot.find("checkout").unwrap();
            assert_eq!(monitor.windows.load().of(snapshot, id).map(|window| window.number), first);
        }
        publisher.publish(&snapshot(flag(2)));
        let edited = publisher.current();
        let id = edited.find("checkout").unwrap();
        assert!(monitor.windows.load().of(&edited, id).is_none(), "another definition begins anew");
        meets(&monitor, &edited);
        assert_ne!(window(&monitor, "checkout"), first);
        let second = window(&monitor, "checkout");
        meets(&monitor, &before);
        assert_eq!(window(&monitor, "checkout"), second, "and what comes late of the one before says nothing");
        monitor.take_over();
        monitor.forget_others(&name(), Definition(1));
        monitor.begin(&flag(1), 0);
        assert_eq!(window(&monitor, "checkout"), second, "a controller that hears of it later begins nothing anew");
        publisher.publish(&snapshot(flag(3)));
        monitor.forget_others(&name(), Definition(3));
        assert_eq!(window(&monitor, "checkout"), None, "what is not the newest goes");
    }

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
