//! `/api/v1/events`: other flags (`flags`), changed states (`facts`), requests by flag (`counts`).
//!
//! A new listener is told the state first, so one that comes again has missed nothing that still holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use axum::response::sse::Event;
use flagstaff_flags::Snapshot;
use flagstaff_operations::flags::list;
use flagstaff_operations::traffic::{FlagChange, FlagTraffic, FlagsChange, Missed};
use jiff::{Timestamp, Zoned};

use super::stream::{Source, event, respond};
use crate::Context;
use crate::access::Caller;

/// How often requests are counted out.
const COUNTS_PERIOD: Duration = Duration::from_secs(1);
/// States change by time alone, too, as when a rollout starts; and a listener that was not looked after for so long is told.
const LONG: Duration = Duration::from_secs(5);

/// Tells of all flags, or of one.
pub(crate) fn events(context: Context, caller: Caller, wanted: Option<String>) -> Response {
    let follower = Follower {
        context,
        wanted,
        seen: None,
        states: HashMap::new(),
        traffic: HashMap::new(),
        counted: None,
        looked: None,
        id: 0,
    };
    respond(follower, caller)
}

/// What one listener was told.
struct Follower {
    context: Context,
    /// The flag whose states and counts are told; none: those of all.
    wanted: Option<String>,
    seen: Option<(Arc<Snapshot>, Instant)>,
    states: HashMap<String, FlagChange>,
    traffic: HashMap<String, FlagTraffic>,
    counted: Option<Instant>,
    looked: Option<Instant>,
    id: i64,
}

impl Source for Follower {
    fn look(&mut self) -> Vec<Event> {
        let (now, snapshot) = (Instant::now(), self.context.snapshot());
        let was_away = self.looked.replace(now).is_some_and(|before| now - before >= LONG);
        // numbers that rise over all streams and starts, so that a client can tell which of two events is later
        self.id = Timestamp::now().as_microsecond().max(self.id + 1);
        let id = self.id.to_string();
        let missed = was_away.then(|| event("missed", &id, &Missed { missed: None })).flatten();
        let flags = self.flags(&snapshot).and_then(|change| event("flags", &id, &change));
        let facts = Some(self.facts(&snapshot, now)).filter(|facts| !facts.is_empty());
        let facts = facts.and_then(|facts| event("facts", &id, &facts));
        let counts = self.counts(&snapshot, now).and_then(|counts| event("counts", &id, &counts));
        [missed, flags, facts, counts].into_iter().flatten().collect()
    }
}

impl Follower {
    fn wants(&self, flag: &str) -> bool {
        self.wanted.as_deref().is_none_or(|wanted| wanted == flag)
    }

    fn flags(&self, snapshot: &Snapshot) -> Option<FlagsChange> {
        let is_known = self.seen.as_ref().is_some_and(|(seen, _)| seen.revision() == snapshot.revision());
        let (revision, flags) = (snapshot.revision().to_owned(), snapshot.flags().len());
        (!is_known).then_some(FlagsChange { revision, flags })
    }

    /// States that changed. A snapshot is another one whenever something is published or learned.
    fn facts(&mut self, snapshot: &Arc<Snapshot>, now: Instant) -> Vec<FlagChange> {
        let is_known = |(seen, at): &(Arc<Snapshot>, Instant)| Arc::ptr_eq(seen, snapshot) && now - *at < LONG;
        if self.seen.as_ref().is_some_and(is_known) {
            return Vec::new();
        }
        self.seen = Some((Arc::clone(snapshot), now));
        let all = list(snapshot, Timestamp::now(), Zoned::now().date());
        let all: Vec<_> = all.iter().filter(|one| self.wants(&one.name)).map(FlagChange::from).collect();
        let changed = all.iter().filter(|one| self.states.get(&one.flag) != Some(one)).cloned().collect();
        self.states = all.into_iter().map(|one| (one.flag.clone(), one)).collect();
        changed
    }

    /// The flags that are asked for otherwise than they were when they were last told; all at first.
    fn counts(&mut self, snapshot: &Arc<Snapshot>, now: Instant) -> Option<Vec<FlagTraffic>> {
        if self.counted.is_some_and(|before| now - before < COUNTS_PERIOD) {
            return None;
        }
        self.counted = Some(now);
        let mut all = self.context.flag_traffic(snapshot);
        all.retain(|one| self.wants(&one.flag));
        let changed: Vec<_> = all.iter().filter(|one| self.traffic.get(&one.flag) != Some(one)).cloned().collect();
        self.traffic = all.into_iter().map(|one| (one.flag.clone(), one)).collect();
        (!changed.is_empty()).then_some(changed)
    }
}
