//! What is read from and written on one request and one answer.
//!
//! ```text
//! request → strip → who asks → Snapshot::decide → headers, Flags → app → Directives, cookies, what caches are told
//! ```
//!
//! A [`Tagger`] is made of [`Settings`] once, a [`Plan`] per snapshot. [`Tagger::tag`] is for the way in, [`Tagger::answer`] for the
//! way out, [`endpoint`] for the visitor's own addresses. Nothing here waits, keeps a clock or fails: what a client sends
//! wrongly is as if it were not there.

mod attributes;
mod blame;
mod body_progress;
mod bots;
mod cache;
mod cookies;
mod counting;
mod directives;
mod draws;
mod endpoint;
mod flags;
mod gate;
mod goals;
mod hear;
mod id;
mod issue;
mod jwt;
mod keys;
mod language;
mod lasting;
mod list;
mod named;
mod network;
mod overrides;
mod own;
mod peer;
mod plan;
mod posted;
mod prefetch;
mod see;
mod settings;
mod statements;
mod sticky;
mod strip;
mod tagger;
mod unknown;
mod user;
mod visitor;
mod write;

pub use blame::Blame;
pub use body_progress::BodyProgress;
pub use bots::is_bot;
pub use counting::{LeftOut, NotCounted};
pub use directives::{Directives, Event, Identify};
pub use endpoint::{PREFIX, endpoint, is_own};
pub use flags::Flags;
pub use gate::closed_gate;
pub use goals::NotReached;
pub use network::Network;
pub use overrides::MOST as MOST_OVERRIDES;
pub use peer::Peer;
pub use plan::Plan;
pub use posted::{MOST_BYTES, Posted, cut_off, events, foreign, forgotten, posted, taken, too_large, too_many};
pub use settings::{
    CacheSettings, CountSettings, ExcludeSettings, HeaderSettings, IssueTo, JwtKey, JwtSettings, SameSite, SendFlags,
    Settings, TrustSettings, UserSettings, VisitorSettings, WhenFlagsDiffer,
};
pub use strip::{begins, is_ours, same};
pub use tagger::{Known, Tagger};

/// Readers of outside bytes by themselves, for fuzzing.
#[doc(hidden)]
pub mod parse {
    use flagstaff_flags::User;
    use jiff::Timestamp;

    pub use crate::cookies::cookies;
    pub use crate::directives::{events, exposed, identify};
    pub use crate::language::preferred;
    pub use crate::list::items;

    /// The person a token names.
    #[must_use]
    pub fn jwt(settings: &crate::JwtSettings, token: &str, now: Timestamp) -> Option<User> {
        crate::jwt::Jwt::new(settings, &mut Vec::new()).read(token, now)
    }

    /// Whether a text inside the cookie that remembers a person is one.
    #[must_use]
    pub fn named(text: &[u8]) -> bool {
        crate::named::Named::read(text).is_some()
    }

    /// How many draws a text holds, which are as many when written again.
    #[must_use]
    pub fn draws(text: &str) -> [usize; 2] {
        let draws = crate::draws::read(text, false);
        [draws.len(), crate::draws::read(&crate::draws::write(&draws, false), false).len()]
    }

    /// How many overrides a query asks for.
    #[must_use]
    pub fn query(tagger: &crate::Tagger, query: &str, now: Timestamp) -> usize {
        crate::overrides::Query::read(query, now, &tagger.keys).len()
    }
}
