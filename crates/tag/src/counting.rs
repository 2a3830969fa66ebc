//! Who is never counted.

use std::fmt;
use std::net::IpAddr;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use flagstaff_flags::{Glob, Problem};
use http::header::{HeaderMap, HeaderValue, USER_AGENT};
use ipnet::IpNet;

use crate::Peer;
use crate::settings::ExcludeSettings;

/// Longer user agents are cut before they are looked at.
const LONGEST_AGENT: usize = 1024;

/// Why a request gets decisions but is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NotCounted {
    /// A program, by its user agent or for want of one.
    Bot,
    /// The browser fetched a page nobody looks at yet.
    Prefetch,
    /// The settings leave it out.
    Excluded,
    /// The visitor has not consented.
    Consent,
    /// One of the visitor's own endpoints, not a page.
    Endpoint,
}

impl NotCounted {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Prefetch => "prefetch",
            Self::Excluded => "excluded",
            Self::Consent => "consent",
            Self::Endpoint => "endpoint",
        }
    }
}

impl fmt::Display for NotCounted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who the settings leave out.
#[derive(Debug, Default)]
pub(crate) struct Exclude {
    paths: Vec<Glob>,
    addresses: Vec<IpNet>,
    user_agents: Vec<Glob>,
}

impl Exclude {
    pub(crate) fn new(settings: &ExcludeSettings, problems: &mut Vec<Problem>) -> Self {
        let mut address = |text: &String| {
            let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok();
            if range.is_none() {
                let message = format!("`{text}` is no address or range");
                problems.push(Problem::new(["exclude", "addresses"], message).help("such as \"10.0.0.0/8\""));
            }
            range
        };
        let addresses = settings.addresses.iter().filter_map(&mut address).collect();
        for path in settings.paths.iter().filter(|path| !path.starts_with(['/', '*'])) {
            let message = format!("the path `{path}` does not begin with `/` or `*`");
            problems.push(Problem::new(["exclude", "paths"], message).help(format!("\"/{path}\"")));
        }
        Self {
            paths: settings.paths.iter().map(|path| Glob::new(path)).collect(),
            addresses,
            user_agents: settings.user_agents.iter().map(|agent| Glob::any_case(agent)).collect(),
        }
    }

    fn holds(&self, path: &str, agent: &str, peer: Option<&Peer>) -> bool {
        let client = peer.map(|peer| peer.client.to_canonical());
        self.paths.iter().any(|glob| glob.fits(path))
            || client.is_some_and(|client| self.addresses.iter().any(|range| range.contains(&client)))
            || self.user_agents.iter().any(|glob| glob.fits(agent))
    }

    /// Whether a request counts, as far as it tells by itself.
    pub(crate) fn judge(&self, path: &str, headers: &HeaderMap, peer: Option<&Peer>) -> Result<(), NotCounted> {
        let agent = headers.get(USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        let agent = agent.get(..LONGEST_AGENT).unwrap_or(agent);
        if is_bot(agent) {
            return Err(NotCounted::Bot);
        }
        if is_prefetch(headers) {
            return Err(NotCounted::Prefetch);
        }
        if self.holds(path, &String::from_utf8_lossy(agent), peer) {
            return Err(NotCounted::Excluded);
        }
        Ok(())
    }
}

/// The words of `bots.txt`, and whether each is an exception.
struct Words {
    find: Option<AhoCorasick>,
    exception: Vec<bool>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let lines = include_str!("bots.txt").lines().map(str::trim);
    let words: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let mut find = AhoCorasick::builder();
    find.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest);
    Words {
        exception: words.iter().map(|word| word.starts_with('!')).collect(),
        find: find.build(words.iter().map(|word| word.trim_start_matches('!'))).ok(),
    }
});

/// Whether a user agent is a program's: it has a word of the list, or is empty.
#[must_use]
pub fn is_bot(agent: &[u8]) -> bool {
    let words = &*WORDS;
    let is_one = |place: usize| words.exception.get(place) == Some(&false);
    let found = words.find.as_ref().is_some_and(|find| find.find_iter(agent).any(|m| is_one(m.pattern().as_usize())));
    agent.trim_ascii().is_empty() || found
}

/// Whether a browser fetches ahead (`Sec-Purpose`, and what came before it).
fn is_prefetch(headers: &HeaderMap) -> bool {
    let says = |name: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let mut words = values.flat_map(|value| value.split([',', ';', ' ']));
        words.any(|word| ["prefetch", "prerender", "preview"].iter().any(|p| word.eq_ignore_ascii_case(p)))
    };
    ["sec-purpose", "purpose", "x-purpose", "x-moz"].into_iter().any(says)
}
