//! Trouble that keeps a flag at its step: an outage that all variants share, or an upstream that is away.

use std::time::Duration;

use flagstaff_experiment::rollout::{SHARED_OUTAGE, Trouble, UPSTREAM_AWAY};
use flagstaff_flags::Name;
use tokio::time::Instant;

use crate::monitor::OutcomeMonitor;

/// Trouble that was seen here is over after so long without it: what comes and goes is one trouble, and is told once.
const CALM: Duration = Duration::from_mins(1);
/// Trouble that others saw, and do not say to be over, is over after so long.
const FORGOTTEN: Duration = Duration::from_mins(5);

/// What keeps a flag where it is, as it is seen here.
pub(crate) fn seen(monitor: &OutcomeMonitor, flag: &Name) -> Option<Trouble> {
    let outage = monitor.outage(flag.as_str());
    let outage = outage.map(|outage| Trouble { reason: SHARED_OUTAGE, words: outage.words() });
    let away = || {
        let away = monitor.upstream(flag.as_str())?;
        Some(Trouble { reason: UPSTREAM_AWAY, words: away.words() })
    };
    outage.or_else(away)
}

/// Trouble of a flag that was told: the program that saw it says when it is over.
#[derive(Debug, Default)]
pub(crate) struct TroubleTracker(Option<Noticed>);

/// Trouble, as this program came to know of it.
#[derive(Clone, Copy, Debug)]
struct Noticed {
    /// It was seen here.
    here: bool,
    at: Instant,
}

impl TroubleTracker {
    /// It is seen here, now.
    pub(crate) fn is_seen(&mut self) {
        self.0 = Some(Noticed { here: true, at: Instant::now() });
    }

    /// Why trouble that was told and is not seen now is over; `None` while it may come again. The program that saw it says so after a
    /// while, or nobody does for long.
    pub(crate) fn over(&mut self, told: &'static str) -> Option<&'static str> {
        let noticed = *self.0.get_or_insert_with(|| Noticed { here: false, at: Instant::now() });
        let long = if noticed.here { CALM } else { FORGOTTEN };
        if noticed.at.elapsed() <= long {
            return None;
        }
        self.0 = None;
        Some(match told {
            _ if !noticed.here => "no program has told for five minutes that it still has trouble",
            UPSTREAM_AWAY => "the upstream of the variant answers again",
            _ => "the outage that treatment and control shared is over",
        })
    }
}
