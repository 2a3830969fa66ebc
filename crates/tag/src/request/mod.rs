//! A request on its way in: `strip` removes what a client must not say, `identify` finds out who asks, [`Flags`] holds what was decided,
//! `app_headers` tells the app. The other files read one thing each from a request: `attributes`, `language`, `overrides`, `sticky` with
//! `former_draws`, `issuance` (which requests get an id), `counting` with `bots` and `prefetch`, `body_progress`. `last` keeps what was found for the next request of a connection.

pub(crate) mod app_headers;
pub(crate) mod attributes;
pub(crate) mod body_progress;
pub(crate) mod bots;
pub(crate) mod counting;
pub(crate) mod flags;
pub(crate) mod former_draws;
pub(crate) mod identify;
pub(crate) mod issuance;
pub(crate) mod language;
pub(crate) mod last;
pub(crate) mod overrides;
pub(crate) mod prefetch;
pub(crate) mod sticky;
pub(crate) mod strip;

pub use body_progress::BodyProgress;
pub use bots::is_bot;
pub use counting::{LeftOut, NotCounted};
pub use flags::Flags;
pub use last::LastFlags;
pub use overrides::MAX_OVERRIDES;
