//! The next request of a connection: what was found for the last one is used again where both bring the same.

use std::sync::Arc;

use super::Tagger;
use crate::compiled::CompiledSnapshot;
use crate::endpoints::{PostEndpoint, is_own, post_endpoint};
use crate::identity::own_cookies::Brought;
use crate::identity::user_cookie::UserCookies;
use crate::request::attributes::host;
use crate::request::flags::{Reply, Tagged};
use crate::request::last::Found;
use crate::request::strip::{Head, Stripped};
use crate::request::{Flags, LastFlags, overrides};
use crate::response::caching;

/// The host that was asked, where a request may end cookies that were set with an earlier `domain`: by itself, or as a request to be
/// forgotten.
pub(super) fn ended_at(head: Head<'_>, ends_cookies: bool) -> Option<Box<str>> {
    let ends = ends_cookies || post_endpoint(head.method, head.uri.path()) == Some(PostEndpoint::Forget);
    ends.then(|| host(head.headers, head.uri)).flatten().map(Into::into)
}

impl Tagger {
    pub(super) fn decide_next(
        &self,
        compiled: &Arc<CompiledSnapshot>,
        last: &mut LastFlags,
        stripped: &Stripped<'_>,
    ) -> Flags {
        let head = stripped.head();
        let asks = head.uri.query().is_some_and(overrides::asks);
        let Some(repeats) = compiled.repeats().filter(|_| stripped.is_all() && !asks) else {
            return self.decide(compiled, stripped);
        };
        if let Some(found) = last.find(compiled, repeats, head) {
            return self.again(compiled, head, found);
        }
        let flags = self.decide(compiled, stripped);
        last.keep(compiled, repeats, head, flags.tagged());
        flags
    }

    /// The flags of a request for which all was found before. It counts, and its answer sets no cookie of ours.
    fn again(&self, compiled: &Arc<CompiledSnapshot>, head: Head<'_>, found: &Found) -> Flags {
        let reply = Reply {
            method: head.method.clone(),
            differs: compiled.differs(head.method, head.uri.path()),
            has_person_by_peer: self.identifier.has_person_by_peer(found.user.as_ref(), head.peer),
            forced: false,
            authorized: caching::is_authorized(head.headers),
            secure: found.secure,
            may_set: true,
            is_new_visitor: false,
            is_new_session: false,
            sticky: None,
            overrides: None,
            user_cookies: UserCookies::default(),
            brought: Brought::default(),
            ended_at: ended_at(head, false),
            withheld: None,
        };
        Flags::new(Tagged {
            compiled: Arc::clone(compiled),
            decisions: found.decisions(compiled),
            visitor: found.visitor,
            session: found.session,
            network: found.network,
            units: found.units.clone(),
            former_draws: found.former_draws.clone(),
            drawn: found.drawn.clone(),
            values: found.values.clone(),
            counted: found.counted.inspect_err(|left| self.exclusions.count(*left)),
            is_own: is_own(head.uri.path()),
            is_waffle: self.headers.waffle,
            is_confirmed: self.headers.waffle && self.headers.waffle_confirms,
            user: found.user.clone(),
            repeats: true,
            reply,
        })
    }
}
