//! A site with flags, and browsers that visit it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use flagstaff_flags::{Flag, Name, Percent, RecordedFacts, Snapshot, Variants};
use flagstaff_tag::{CompiledSnapshot, Directives, Flags, Peer, Tagger, TaggerSettings};
use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue, SET_COOKIE};
use http::{Request, Response};
use jiff::Timestamp;

pub(crate) const KEY: &str = "a key that everybody here knows well";
pub(crate) const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Friday noon; what the tests call now.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn percent(value: f64) -> Option<Percent> {
    Some(Percent::new(value).unwrap())
}

/// A flag of off and on for everybody.
pub(crate) fn on(text: &str) -> Flag {
    Flag::new(name(text))
}

/// A flag of off and on for nobody.
pub(crate) fn off(text: &str) -> Flag {
    Flag { enabled: false, ..on(text) }
}

/// A flag of off and on for half of the visitors.
pub(crate) fn half(text: &str) -> Flag {
    Flag { percent: percent(50.0), ..on(text) }
}

/// A flag of three variants for everybody.
pub(crate) fn three(text: &str) -> Flag {
    let variants = Variants::weighted([("classic", 50.0), ("simple", 25.0), ("annual_first", 25.0)]).unwrap();
    Flag { variants, percent: percent(100.0), ..on(text) }
}

pub(crate) fn with_key() -> TaggerSettings {
    TaggerSettings { keys: vec![KEY.into()], ..TaggerSettings::default() }
}

/// One site: a tagger and the compiled of its flags.
pub(crate) struct Site {
    pub(crate) tagger: Arc<Tagger>,
    pub(crate) compiled: Arc<CompiledSnapshot>,
}

impl Site {
    pub(crate) fn new(settings: &TaggerSettings, flags: Vec<Flag>) -> Self {
        let tagger = Arc::new(Tagger::new(settings).unwrap());
        Self::of(tagger, flags)
    }

    pub(crate) fn of(tagger: Arc<Tagger>, flags: Vec<Flag>) -> Self {
        let snapshot = Snapshot::new("test", flags, Vec::new(), Vec::new(), Vec::new()).unwrap();
        let compiled = Arc::new(tagger.compile(Arc::new(snapshot)));
        Self { tagger, compiled }
    }

    /// The same site when more is on record of its flags.
    pub(crate) fn knowing(&self, facts: &RecordedFacts) -> Self {
        let snapshot = Arc::new(self.compiled.snapshot().with_facts(facts));
        Self { tagger: Arc::clone(&self.tagger), compiled: Arc::new(self.tagger.compile(snapshot)) }
    }

    /// The same site after its flags were edited.
    pub(crate) fn edited(&self, flags: Vec<Flag>) -> Self {
        Self::of(Arc::clone(&self.tagger), flags)
    }

    /// Tags a request as it is.
    pub(crate) fn tag(&self, request: &mut Request<()>) -> Flags {
        self.tagger.tag(&self.compiled, request, now())
    }
}

/// The other end of a connection.
pub(crate) fn peer(trusted: bool) -> Peer {
    let address: IpAddr = [192, 0, 2, 7].into();
    Peer { address: SocketAddr::new(address, 4711), client: address, trusted, tls: false }
}

/// A browser with its cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) peer: Option<Peer>,
}

/// What came of one visit.
pub(crate) struct Visit {
    pub(crate) flags: Flags,
    /// What the app got.
    pub(crate) got: HeaderMap,
    /// What the browser got.
    pub(crate) answer: Response<()>,
    pub(crate) directives: Directives,
}

impl Browser {
    pub(crate) fn new() -> Self {
        let headers = HeaderMap::from_iter([(http::header::USER_AGENT, HeaderValue::from_static(BROWSER))]);
        Self { cookies: BTreeMap::new(), headers, peer: Some(peer(false)) }
    }

    pub(crate) fn trusted() -> Self {
        Self { peer: Some(peer(true)), ..Self::new() }
    }

    /// The same browser with one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
        self
    }

    /// The same browser with a cookie.
    pub(crate) fn holding(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.into(), value.into());
        self
    }

    pub(crate) fn request(&self, target: &str) -> Request<()> {
        let mut request = Request::builder().uri(target).body(()).unwrap();
        *request.headers_mut() = self.headers.clone();
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            request.headers_mut().append(COOKIE, HeaderValue::from_str(&pairs.join("; ")).unwrap());
        }
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(peer);
        }
        request
    }

    pub(crate) fn get(&mut self, site: &Site, target: &str) -> Visit {
        self.visit(site, target, &[])
    }

    /// Visits a page whose app answers with these headers.
    pub(crate) fn visit(&mut self, site: &Site, target: &str, answers: &[(&'static str, &str)]) -> Visit {
        self.visit_at(site, target, answers, now())
    }

    pub(crate) fn visit_at(
        &mut self,
        site: &Site,
        target: &str,
        answers: &[(&'static str, &str)],
        now: Timestamp,
    ) -> Visit {
        self.send_at(site, self.request(target), answers, now)
    }

    /// Sends a request as it is.
    pub(crate) fn send(&mut self, site: &Site, request: Request<()>) -> Visit {
        self.send_at(site, request, &[], now())
    }

    fn send_at(
        &mut self,
        site: &Site,
        mut request: Request<()>,
        answers: &[(&'static str, &str)],
        now: Timestamp,
    ) -> Visit {
        let flags = site.tagger.tag(&site.compiled, &mut request, now);
        let mut answer = Response::new(());
        for (name, value) in answers {
            if *name == ":status" {
                *answer.status_mut() = value.parse().unwrap();
            } else {
                answer.headers_mut().append(*name, HeaderValue::from_str(value).unwrap());
            }
        }
        let directives = site.tagger.answer(&flags, &mut answer, now);
        self.keep(&answer);
        Visit { flags, got: request.headers().clone(), answer, directives }
    }

    fn keep(&mut self, answer: &Response<()>) {
        for set in answer.headers().get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (pair, attributes) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.into(), value.into());
            }
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }
}

impl Visit {
    /// What the app got in a header.
    pub(crate) fn got(&self, name: &str) -> Option<&str> {
        self.got.get(name).map(|value| value.to_str().unwrap())
    }

    /// A header of the answer.
    pub(crate) fn answered(&self, name: &str) -> Option<&str> {
        self.answer.headers().get(name).map(|value| value.to_str().unwrap())
    }

    /// The `Set-Cookie` of a cookie.
    pub(crate) fn set(&self, name: &str) -> Option<&str> {
        let all = self.answer.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
        all.into_iter().find(|set| set.starts_with(&format!("{name}=")))
    }

    pub(crate) fn sets_cookies(&self) -> bool {
        self.answer.headers().contains_key(SET_COOKIE)
    }
}
