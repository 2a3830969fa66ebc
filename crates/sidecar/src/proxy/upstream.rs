//! The app's addresses: which is next, and which are left out for now.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use metrics::{Gauge, gauge};

use crate::address::Origin;
use crate::proxy::connect::Connector;
use crate::proxy::pool::PoolKey;
use crate::settings::ProxySettings;
use crate::settings::upstream_policy::UpstreamPolicy;

/// How long an address is left out after its first failure; doubled with each further one.
const FIRST_REST: Duration = Duration::from_secs(1);
/// The longest rest.
const LONGEST_REST: Duration = Duration::from_secs(30);

/// One address of the app.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) origin: Origin,
    pub(crate) key: PoolKey,
    /// For one that a flag names: where it may be.
    pub(crate) policy: Option<Arc<UpstreamPolicy>>,
    failures: AtomicU32,
    /// The end of its rest, in milliseconds since the start; 0: it has none.
    rests_until: AtomicU64,
    /// When the next request may try it. It moves on with each try, so that one tries at a time.
    due: AtomicU64,
    /// Registered with the first request: the recorder may be installed after the proxy is made.
    up: OnceLock<Gauge>,
}

impl Upstream {
    pub(crate) fn new(origin: Origin, policy: Option<Arc<UpstreamPolicy>>) -> Self {
        Self {
            origin,
            key: PoolKey::new(),
            policy,
            failures: AtomicU32::new(0),
            rests_until: AtomicU64::new(0),
            due: AtomicU64::new(0),
            up: OnceLock::new(),
        }
    }

    fn up(&self) -> &Gauge {
        self.up.get_or_init(|| gauge!("flagstaff_upstream_up", "upstream" => self.origin.authority.to_string()))
    }

    /// It could not be reached by a request that began at a time. Those that began before the end of a rest tell of the trouble that
    /// caused it: with many under way at once, each would double the rest. Returns the rest, when it begins one.
    fn failed(&self, began: u64, now: u64) -> Option<Duration> {
        let before = self.rests_until.load(Relaxed);
        if before != 0 && began < before {
            return None;
        }
        let failures = self.failures.load(Relaxed);
        let rest = FIRST_REST.saturating_mul(1 << failures.min(5)).min(LONGEST_REST);
        let until = now + millis(rest);
        self.rests_until.compare_exchange(before, until, Relaxed, Relaxed).ok()?;
        self.failures.store(failures.saturating_add(1), Relaxed);
        self.due.store(until, Relaxed);
        self.up().set(0.0);
        Some(rest)
    }

    /// It answered.
    pub(crate) fn answered(&self) {
        if self.up.get().is_none() {
            self.up().set(1.0);
        }
        if self.failures.load(Relaxed) != 0 && self.failures.swap(0, Relaxed) != 0 {
            self.rests_until.store(0, Relaxed);
            self.due.store(0, Relaxed);
            self.up().set(1.0);
            tracing::info!(upstream = %self.origin.authority, "answers again");
        }
    }

    /// Its rest is over, or it has none. Of several requests only one is let through to try after a rest.
    fn is_due(&self, now: u64) -> bool {
        let due = self.due.load(Relaxed);
        if due == 0 {
            return true;
        }
        let later = now + millis(FIRST_REST);
        due <= now && self.due.compare_exchange(due, later, Relaxed, Relaxed).is_ok()
    }
}

/// All addresses of the app.
#[derive(Debug)]
pub(crate) struct Upstreams {
    all: Vec<Upstream>,
    next: AtomicUsize,
    started: Instant,
    pub(crate) http2: bool,
    pub(crate) connector: Connector,
    /// The access log asks which address answered.
    pub(crate) notes_address: bool,
}

impl Upstreams {
    /// # Errors
    ///
    /// When the certificates to trust cannot be used.
    pub(crate) fn new(settings: &ProxySettings) -> Result<Self, String> {
        Ok(Self {
            all: settings.upstream.iter().cloned().map(|origin| Upstream::new(origin, None)).collect(),
            next: AtomicUsize::new(0),
            started: Instant::now(),
            http2: settings.upstream_http2,
            connector: Connector::new(settings)?,
            notes_address: settings.access_log.is_some(),
        })
    }

    /// The next in turn that was not tried for this request and does not rest; when all rest, the next in turn.
    pub(crate) fn choose(&self, tried: &Tried) -> Option<&Upstream> {
        if let [only] = self.all.as_slice() {
            return Some(only).filter(|only| !tried.has(only));
        }
        let start = self.next.fetch_add(1, Relaxed);
        let now = self.now();
        let count = self.all.len();
        let mut in_turn = (0..count).filter_map(|n| self.all.get((start + n) % count)).filter(|u| !tried.has(u));
        let first = in_turn.clone().next()?;
        Some(in_turn.find(|upstream| upstream.is_due(now)).unwrap_or(first))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn is_due(&self, upstream: &Upstream) -> bool {
        upstream.is_due(self.now())
    }

    /// A request that began at a time ([`Upstreams::at`]) could not reach it.
    pub(crate) fn failed(&self, upstream: &Upstream, began: u64) {
        let Some(rest) = upstream.failed(began, self.now()) else {
            return;
        };
        let address = &*upstream.origin.authority;
        if upstream.policy.is_none() && self.all.len() == 1 {
            tracing::warn!(
                upstream = address,
                "cannot be reached; it is the only one, so each request tries it again"
            );
        } else {
            tracing::warn!(upstream = address, "cannot be reached; left out for {rest:?}, then one request tries it");
        }
    }

    /// Milliseconds since the start.
    fn now(&self) -> u64 {
        millis(self.started.elapsed())
    }

    /// The same of another time.
    pub(crate) fn at(&self, time: tokio::time::Instant) -> u64 {
        millis(time.into_std().duration_since(self.started))
    }
}

/// The addresses one request has tried.
#[derive(Debug, Default)]
pub(crate) struct Tried(Vec<usize>);

impl Tried {
    pub(crate) fn add(&mut self, upstream: &Upstream) {
        self.0.push(upstream.key.number());
    }

    pub(crate) fn has(&self, upstream: &Upstream) -> bool {
        self.0.contains(&upstream.key.number())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::RawSettings;

    fn upstreams(count: u16) -> Upstreams {
        let upstream = (1..=count).map(|port| format!("127.0.0.1:{port}")).collect();
        let options = RawSettings { listen: vec!["127.0.0.1:0".into()], upstream, ..RawSettings::default() };
        Upstreams::new(&ProxySettings::new(options).unwrap()).unwrap()
    }

    fn ports(upstreams: &Upstreams, count: usize) -> Vec<u16> {
        (0..count).filter_map(|_| upstreams.choose(&Tried::default())).map(|u| u.origin.port).collect()
    }

    #[test]
    fn they_take_turns() {
        assert_eq!(ports(&upstreams(3), 6), [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn one_that_fails_is_left_out_and_rolled_back() {
        let upstreams = upstreams(2);
        upstreams.failed(&upstreams.all[0], 0);
        assert_eq!(ports(&upstreams, 4), [2, 2, 2, 2]);
        // Its rest is over: one request may try, the others still go elsewhere.
        upstreams.all[0].due.store(1, Relaxed);
        std::thread::sleep(Duration::from_millis(2));
        let tries = ports(&upstreams, 6).into_iter().filter(|port| *port == 1).count();
        assert_eq!(tries, 1);
        upstreams.all[0].answered();
        assert_eq!(ports(&upstreams, 4).into_iter().filter(|port| *port == 1).count(), 2);
    }

    #[test]
    fn when_all_rest_each_is_tried_once() {
        let upstreams = upstreams(2);
        upstreams.all.iter().for_each(|u| upstreams.failed(u, 0));
        let mut tried = Tried::default();
        tried.add(upstreams.choose(&tried).unwrap());
        tried.add(upstreams.choose(&tried).unwrap());
        assert!(upstreams.choose(&tried).is_none());
    }

    #[test]
    fn rests_grow_with_each_try_after_one_and_to_a_limit() {
        let upstreams = upstreams(2);
        let (one, mut now) = (&upstreams.all[0], 500);
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            // All that were under way fail at once, and some that had to be sent there during the rest.
            let rests: Vec<_> = (0..32).filter_map(|_| one.failed(now - 500, now)).collect();
            assert_eq!(rests, [Duration::from_secs(seconds)]);
            assert_eq!(one.failed(now + 1, now + 900), None);
            now += seconds * 1000 + 500;
        }
        one.answered();
        assert_eq!(one.failed(now, now), Some(FIRST_REST));
    }
}
