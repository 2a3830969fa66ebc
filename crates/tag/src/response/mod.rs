//! An answer on its way out: `directives` reads what the app tells us, `login` keeps the person, `caching` tells caches, `cookies` sets
//! ours. [`AnsweredBy`] says who answered in its place.

pub(crate) mod answered_by;
pub(crate) mod caching;
pub(crate) mod cookies;
pub(crate) mod directives;
pub(crate) mod login;

pub use answered_by::{AnsweredBy, NoAnswer};
pub use directives::{Directives, GoalEvent, Identify};
