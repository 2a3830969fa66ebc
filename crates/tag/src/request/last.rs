//! The flags of the last request of a connection, for the next one.
//!
//! A browser asks for a page and for all that belongs to it on one connection, with the same cookies. Then the visitor is the same and so
//! is every decision, and nothing of it has to be found out again. What is kept holds no snapshot: a connection may stay for hours.

use std::sync::{Arc, Weak};

use flagstaff_flags::{DecisionList, Decisions, FlagId, FormerDraw, KeptValues, User, VariantId};
use jiff::Timestamp;

use crate::compiled::CompiledSnapshot;
use crate::compiled::repeats::Repeats;
use crate::identity::Peer;
use crate::identity::id::Id;
use crate::identity::network::Network;
use crate::request::counting::Left;
use crate::request::flags::Tagged;
use crate::request::strip::Head;

/// More of a head is not kept (bytes).
const LONGEST_HEAD: usize = 2048;

/// Of more flags nothing is kept.
const MOST_FLAGS: usize = 512;

/// The flags of the last request of a connection. Each connection has its own; [`Tagger::tag_next`](crate::Tagger::tag_next) uses it.
///
/// Nothing is kept of the first request: many connections, and services that are cloned for each request, have no second one.
#[derive(Debug, Default)]
pub struct LastFlags {
    has_second: bool,
    kept: Option<Box<Kept>>,
}

#[derive(Debug)]
struct Kept {
    /// All of the head that has to be the same.
    told: Vec<u8>,
    peer: Option<Peer>,
    at: Timestamp,
    compiled: Weak<CompiledSnapshot>,
    found: Found,
}

/// What was found for a request and is the same for the next one.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) decisions: DecisionList,
    pub(crate) visitor: Id,
    pub(crate) session: Option<Id>,
    pub(crate) network: Option<Network>,
    pub(crate) user: Option<User>,
    pub(crate) units: Vec<(FlagId, Box<str>)>,
    pub(crate) former_draws: Vec<FormerDraw>,
    pub(crate) drawn: Vec<(FlagId, VariantId)>,
    pub(crate) values: Option<KeptValues>,
    pub(crate) counted: Result<(), Left>,
    pub(crate) secure: bool,
}

impl Found {
    fn of(tagged: &Tagged) -> Self {
        Self {
            decisions: tagged.decisions.list().clone(),
            visitor: tagged.visitor,
            session: tagged.session,
            network: tagged.network,
            user: tagged.user.clone(),
            units: tagged.units.clone(),
            former_draws: tagged.former_draws.clone(),
            drawn: tagged.drawn.clone(),
            values: tagged.values.clone(),
            counted: tagged.counted,
            secure: tagged.reply.secure,
        }
    }

    /// The decisions, with the snapshot that they were made from.
    pub(crate) fn decisions(&self, compiled: &CompiledSnapshot) -> Decisions {
        Decisions::of_list(Arc::clone(compiled.snapshot()), self.decisions.clone())
    }
}

impl LastFlags {
    /// What was found for the last request, where this one brings the same.
    pub(crate) fn find(&self, compiled: &Arc<CompiledSnapshot>, repeats: &Repeats, head: Head<'_>) -> Option<&Found> {
        let kept = self.kept.as_ref().filter(|kept| std::ptr::eq(kept.compiled.as_ptr(), Arc::as_ptr(compiled)))?;
        if kept.peer.as_ref() != head.peer || !repeats.are_alike(kept.at, head.now) {
            return None;
        }
        let mut left = kept.told.as_slice();
        let is_next = |part: &[u8]| {
            let rest = left.strip_prefix(part);
            left = rest.unwrap_or_default();
            rest.is_some()
        };
        let are_all = repeats.tell(head.method, head.uri, head.headers, is_next);
        (are_all && left.is_empty()).then_some(&kept.found)
    }

    /// Keeps what was found for a request in place of the one before; nothing where it may not be used again.
    pub(crate) fn keep(
        &mut self,
        compiled: &Arc<CompiledSnapshot>,
        repeats: &Repeats,
        head: Head<'_>,
        tagged: &Tagged,
    ) {
        if !std::mem::replace(&mut self.has_second, true) {
            return;
        }
        let mut told = self.kept.take().map(|kept| kept.told).unwrap_or_default();
        told.clear();
        let fits = |part: &[u8]| {
            let fits = told.len() + part.len() <= LONGEST_HEAD;
            if fits {
                told.extend_from_slice(part);
            }
            fits
        };
        let is_small = compiled.snapshot().flags().len() <= MOST_FLAGS;
        if tagged.repeats && is_small && repeats.tell(head.method, head.uri, head.headers, fits) {
            let (peer, at) = (head.peer.copied(), head.now);
            self.kept =
                Some(Box::new(Kept { told, peer, at, compiled: Arc::downgrade(compiled), found: Found::of(tagged) }));
        }
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Condition, Conditions, Flag, Key, Matcher, Name, Percent, Rule, Serve, Snapshot, Version};
    use http::{HeaderValue, Request};
    use jiff::SignedDuration;

    use super::*;
    use crate::{Tagger, TaggerSettings};

    fn snapshot() -> Arc<Snapshot> {
        let version = Matcher::AtLeast(Version::new("2").unwrap());
        let when = |condition| Rule::new(Conditions(vec![condition]), Serve::OFF);
        let rules = vec![
            when(Condition::Value(Key::Attribute("request_id".into()), version)),
            when(Condition::After("2026-06-01T00:00:00Z".parse().unwrap())),
        ];
        let half = Some(Percent::from_thousandths(50_000));
        let flag = Flag { percent: half, rules, ..Flag::new(Name::new("form").unwrap()) };
        Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap())
    }

    fn request(path: &str, fields: &[(&'static str, &'static str)]) -> Request<()> {
        let mut request = Request::get(path).body(()).unwrap();
        let usual = [
            ("host", "shop.example"),
            ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            ("cookie", "flagstaff_visitor=JhoB6FefJzcxCplLENynrQ"),
        ];
        for (name, value) in usual.iter().chain(fields) {
            request.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        request
    }

    #[test]
    fn what_brings_the_same_is_found_and_nothing_else() {
        let tagger = Tagger::new(&TaggerSettings::default()).unwrap();
        let compiled = Arc::new(tagger.compile(snapshot()));
        let now: Timestamp = "2026-05-31T23:00:00Z".parse().unwrap();
        let mut last = LastFlags::default();
        let is_found = |last: &LastFlags, compiled: &Arc<CompiledSnapshot>, request: &Request<()>, now| {
            let (method, uri, headers) = (request.method(), request.uri(), request.headers());
            let head = Head { method, uri, headers, peer: request.extensions().get(), now };
            last.find(compiled, compiled.repeats().unwrap(), head).is_some()
        };
        for n in 0..3 {
            tagger.tag_next(&compiled, &mut last, &mut request("/", &[]), now);
            assert_eq!(is_found(&last, &compiled, &request("/", &[]), now), n > 0, "nothing of the first one");
        }
        let found = |fields: &[(&'static str, &'static str)]| {
            is_found(&last, &compiled, &request("/style.css?v=2", fields), now)
        };
        assert!(found(&[("accept", "text/css"), ("referer", "/"), ("sec-fetch-dest", "style")]));
        for other in [
            ("cookie", "flagstaff_visitor=JhoB6FefJzcxCplLENynrR"),
            ("cookie", "flagstaff_visitor=JhoB6FefJzcxCplLENynrQ; a=b"),
            ("user-agent", "curl/8"),
            ("purpose", "prefetch"),
            ("accept-language", "de"),
            ("authorization", "Basic YTpi"),
            ("x-request-id", "2"),
        ] {
            assert!(!found(&[other]), "{other:?}");
        }
        let later = |minutes| now + SignedDuration::from_mins(minutes);
        assert!(is_found(&last, &compiled, &request("/", &[]), later(59)));
        assert!(!is_found(&last, &compiled, &request("/", &[]), later(60)), "a condition turns");
        let mut other_peer = request("/", &[]);
        let address: std::net::SocketAddr = "192.0.2.1:4711".parse().unwrap();
        other_peer.extensions_mut().insert(Peer { address, client: address.ip(), trusted: false, tls: false });
        assert!(!is_found(&last, &compiled, &other_peer, now));
        let anew = Arc::new(tagger.compile(snapshot()));
        assert!(!is_found(&last, &anew, &request("/", &[]), now), "flags were read again");
        let bot = || request("/", &[("user-agent", "curl/8")]);
        for _ in 0..2 {
            let flags = tagger.tag_next(&compiled, &mut last, &mut bot(), now);
            assert!(
                flags.counted().is_err() && is_found(&last, &compiled, &bot(), now),
                "bots are found, and do not count"
            );
        }
        let stranger = || request("/", &[("cookie", "theme=dark")]);
        tagger.tag_next(&compiled, &mut last, &mut stranger(), now);
        assert!(!is_found(&last, &compiled, &stranger(), now), "no id came");
    }
}
