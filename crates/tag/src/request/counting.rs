//! Which requests are not counted, and how many there were of each kind.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use flagstaff_flags::{BehindPath, Glob, Problem};
use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use ipnet::IpNet;
use metrics::Counter;

use crate::compiled::repeats::RepeatRules;
use crate::identity::Peer;
use crate::request::bots;
use crate::request::prefetch::{self, PrefetchHeader};
use crate::settings::{CountSettings, ExcludeSettings};

/// Longer user agents are cut before they are looked at.
const MAX_AGENT_BYTES: usize = 1024;

/// Why a request gets decisions but is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotCounted {
    /// A bot: by its user agent, or because it sends none.
    Bot,
    /// The browser fetched a page before the visitor asks for it.
    Prefetch,
    /// The settings leave it out.
    Excluded,
    /// The visitor has not consented.
    Consent,
    /// One of the visitor's own endpoints, not a page.
    Endpoint,
    /// It comes from another site and brings no id: the browser may have kept the id back.
    CrossSite,
    /// It brings no id and is not for a document, so it is given none.
    NoId,
}

impl NotCounted {
    /// Its name in metrics and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Prefetch => "prefetch",
            Self::Excluded => "excluded",
            Self::Consent => "consent",
            Self::Endpoint => "endpoint",
            Self::CrossSite => "cross_site",
            Self::NoId => "no_id",
        }
    }
}

impl fmt::Display for NotCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How many requests one reason, and one pattern of it, left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Why.
    pub reason: NotCounted,
    /// The word of our list, the header or the setting that said so; empty where there is only one.
    pub pattern: String,
    /// How many requests since the start.
    pub requests: u64,
}

/// Requests of one reason and pattern.
#[derive(Debug, Default)]
struct Tally {
    requests: AtomicU64,
    metric: OnceLock<Counter>,
}

impl Tally {
    fn metric(&self, reason: NotCounted, pattern: &str) -> &Counter {
        let labels = || [("reason", reason.as_str().to_owned()), ("pattern", pattern.to_owned())];
        self.metric.get_or_init(|| metrics::counter!("flagstaff_not_counted_total", &labels()))
    }
}

/// Why a request is left out, and where such requests are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    pub(crate) why: NotCounted,
    tally: Option<usize>,
}

/// Tallies, and their places by reason and pattern. All are there from the start, so nothing that is sent makes them more.
#[derive(Debug, Default)]
struct Tallies {
    all: Vec<(NotCounted, Box<str>, Tally)>,
    places: HashMap<NotCounted, HashMap<Box<str>, usize>>,
}

impl Tallies {
    fn add(&mut self, reason: NotCounted, pattern: &str) {
        let places = self.places.entry(reason).or_default();
        if !places.contains_key(pattern) {
            places.insert(pattern.into(), self.all.len());
            self.all.push((reason, pattern.into(), Tally::default()));
        }
    }

    fn left(&self, why: NotCounted, pattern: &str) -> Left {
        Left { why, tally: self.places.get(&why).and_then(|places| places.get(pattern)).copied() }
    }

    fn count(&self, left: Left) {
        if let Some((reason, pattern, tally)) = left.tally.and_then(|place| self.all.get(place)) {
            tally.requests.fetch_add(1, Relaxed);
            tally.metric(*reason, pattern).increment(1);
        }
    }

    fn begin_counters(&self) {
        self.all.iter().for_each(|(reason, pattern, tally)| tally.metric(*reason, pattern).increment(0));
    }

    fn all(&self) -> Vec<LeftOut> {
        let each = self.all.iter().map(|(reason, pattern, tally)| LeftOut {
            reason: *reason,
            pattern: pattern.to_string(),
            requests: tally.requests.load(Relaxed),
        });
        let mut all: Vec<_> = each.filter(|one| one.requests > 0).collect();
        all.sort_by(|a, b| b.requests.cmp(&a.requests).then_with(|| a.pattern.cmp(&b.pattern)));
        all
    }
}

/// What leaves a request out: the list of bots, prefetches and the settings.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    paths: Vec<Glob>,
    addresses: Vec<(IpNet, String)>,
    user_agents: Vec<Glob>,
    prefetch_headers: Vec<PrefetchHeader>,
    counted_agents: Vec<Glob>,
    tallies: Tallies,
}

impl Exclusions {
    pub(crate) fn new(settings: &ExcludeSettings, count: &CountSettings, problems: &mut Vec<Problem>) -> Self {
        for path in settings.paths.iter().filter(|path| !path.starts_with(['/', '*'])) {
            let message = format!("the path `{path}` does not begin with `/` or `*`");
            problems.push(Problem::new(["exclude", "paths"], message).help(format!("\"/{path}\"")));
        }
        for behind in settings.paths.iter().filter_map(|path| BehindPath::find(path)) {
            problems.push(Problem::new(["exclude", "paths"], behind.to_string()));
        }
        let addresses = settings.addresses.iter().filter_map(|text| Some((range(text, problems)?, text.clone())));
        let mut exclusions = Self {
            paths: settings.paths.iter().map(|path| Glob::new(path)).collect(),
            addresses: addresses.collect(),
            user_agents: settings.user_agents.iter().map(|agent| Glob::any_case(agent)).collect(),
            counted_agents: count.user_agents.iter().map(|agent| Glob::any_case(agent)).collect(),
            ..Self::default()
        };
        exclusions.prefetch_headers =
            settings.prefetch_headers.iter().filter_map(|text| PrefetchHeader::read(text, problems)).collect();
        exclusions.tally(settings);
        exclusions
    }

    /// What it looks at besides user agents and what browsers say of prefetches.
    pub(crate) fn repeat_rules(&self) -> RepeatRules {
        let headers = self.prefetch_headers.iter().map(|header| header.name().clone());
        RepeatRules { headers: headers.collect(), path: !self.paths.is_empty() }
    }

    /// Everything that can leave a request out.
    fn tally(&mut self, settings: &ExcludeSettings) {
        let ExcludeSettings { paths, addresses, user_agents, .. } = settings;
        bots::lines().for_each(|line| self.tallies.add(NotCounted::Bot, line));
        prefetch::names(&self.prefetch_headers).for_each(|name| self.tallies.add(NotCounted::Prefetch, name));
        let own = paths.iter().chain(addresses).chain(user_agents);
        own.for_each(|pattern| self.tallies.add(NotCounted::Excluded, pattern));
        for reason in [NotCounted::Consent, NotCounted::CrossSite, NotCounted::NoId] {
            self.tallies.add(reason, "");
        }
    }

    /// A request is left out for a reason without a pattern.
    pub(crate) fn left(&self, why: NotCounted) -> Left {
        self.tallies.left(why, "")
    }

    /// Counts a request that is left out.
    pub(crate) fn count(&self, left: Left) {
        self.tallies.count(left);
    }

    pub(crate) fn left_out(&self) -> Vec<LeftOut> {
        self.tallies.all()
    }

    pub(crate) fn begin_counters(&self) {
        self.tallies.begin_counters();
    }

    /// The setting that leaves a request out.
    fn excluded(&self, path: &str, agent: &str, peer: Option<&Peer>) -> Option<&str> {
        let client = peer.map(|peer| peer.client.to_canonical());
        let by_path = || self.paths.iter().find(|glob| glob.fits(path)).map(Glob::as_str);
        let by_address = || {
            let mut ranges = self.addresses.iter();
            ranges
                .find(|(range, _)| client.is_some_and(|client| range.contains(&client)))
                .map(|(_, text)| text.as_str())
        };
        let by_agent = || self.user_agents.iter().find(|glob| glob.fits(agent)).map(Glob::as_str);
        by_path().or_else(by_address).or_else(by_agent)
    }

    /// Whether a request counts, by its path, its headers and its peer.
    pub(crate) fn check(&self, path: &str, headers: &HeaderMap, peer: Option<&Peer>) -> Result<(), Left> {
        let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        let agent = agent.get(..MAX_AGENT_BYTES).unwrap_or(agent);
        let text = String::from_utf8_lossy(agent);
        let is_counted = || self.counted_agents.iter().any(|glob| glob.fits(&text));
        let bot = || bots::bot(agent).filter(|_| !is_counted()).map(|line| (NotCounted::Bot, line));
        let ahead = || prefetch::prefetch(headers, &self.prefetch_headers).map(|name| (NotCounted::Prefetch, name));
        let excluded = || self.excluded(path, &text, peer).map(|pattern| (NotCounted::Excluded, pattern));
        match bot().or_else(ahead).or_else(excluded) {
            Some((reason, pattern)) => Err(self.tallies.left(reason, pattern)),
            None => Ok(()),
        }
    }
}

fn range(text: &str, problems: &mut Vec<Problem>) -> Option<IpNet> {
    let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
    if range.is_none() {
        let message = format!("`{text}` is not an address or range");
        problems.push(Problem::new(["exclude", "addresses"], message).help("such as \"10.0.0.0/8\""));
    }
    range
}
