#![doc = include_str!("../README.md")]
//!
//! ```text
//! request → strip → identify → Snapshot::decide → headers, Flags → app → Directives, cookies, what caches are told
//! ```
//!
//! A [`Tagger`] is made of [`TaggerSettings`] once, a [`CompiledSnapshot`] per snapshot. [`Tagger::tag`] is for the way in, [`Tagger::answer`] for the
//! way out, [`endpoint`] for the visitor's own addresses. Nothing here waits, keeps a clock or fails: what a client sends
//! wrongly is as if it were not there.

mod compiled;
mod endpoints;
mod header_list;
mod header_names;
mod identity;
mod protocols;
mod reply;
mod request;
mod response;
mod settings;
mod tagger;
mod waffle_cookies;

pub use compiled::{Asker, CompiledSnapshot, NotReached, PerSnapshot, UnknownName};
pub use endpoints::{
    MAX_BODY_BYTES, PREFIX, PostEndpoint, accepted, closed_gate, cross_site_refusal, endpoint, events, forgotten,
    is_own, not_read, post_endpoint, too_many,
};
pub use header_names::{begins, is_ours, same};
pub use identity::{Network, Peer, new_key};
pub use protocols::context::{ContextError, EvaluationContext};
pub use protocols::visitor::{ChangeQuestion, VisitorQuestion};
pub use protocols::{ofrep, unleash};
pub use reply::BodyError;
pub use request::{BodyProgress, Flags, LastFlags, LeftOut, MAX_OVERRIDES, NotCounted, is_bot};
pub use response::{AnsweredBy, Directives, GoalEvent, Identify, NoAnswer};
pub use settings::{
    CacheSettings, CountSettings, ExcludeSettings, HeaderSettings, IssueTo, JwtKey, JwtSettings, SameSite, SendFlags,
    TaggerSettings, TrustSettings, UserSettings, VisitorSettings, WhenFlagsDiffer,
};
pub use tagger::{Known, Tagger};

/// Readers of outside bytes by themselves, for fuzzing.
#[doc(hidden)]
pub mod parse {
    use flagstaff_flags::User;
    use jiff::Timestamp;

    pub use crate::header_list::items;
    pub use crate::identity::cookies::cookies;
    pub use crate::request::language::preferred;
    pub use crate::response::directives::{events, exposed, identify};

    /// The person a token names.
    #[must_use]
    pub fn jwt(settings: &crate::JwtSettings, token: &str, now: Timestamp) -> Option<User> {
        crate::identity::jwt::Jwt::new(settings, &mut Vec::new()).read(token, now)
    }

    /// Whether a text is valid inside the cookie that remembers a person.
    #[must_use]
    pub fn user_cookie(text: &[u8]) -> bool {
        crate::identity::user_cookie::UserCookie::read(text).is_some()
    }

    /// How many draws a text holds, which are as many when written again.
    #[must_use]
    pub fn draws(text: &str) -> [usize; 2] {
        let draws = crate::request::former_draws::read(text, false);
        [
            draws.len(),
            crate::request::former_draws::read(&crate::request::former_draws::write(&draws, false), false).len(),
        ]
    }

    /// How many overrides a query asks for.
    #[must_use]
    pub fn query(tagger: &crate::Tagger, query: &str, now: Timestamp) -> usize {
        crate::request::overrides::OverrideQuery::read(query, now, tagger.keys()).len()
    }
}
