//! An answer on its way out: `directives` reads what the app tells us, `login` keeps the person, `caching` tells caches, `cookies` sets
//! ours. [`FaultOrigin`] says whose fault an answer is.

pub(crate) mod caching;
pub(crate) mod cookies;
pub(crate) mod directives;
pub(crate) mod fault_origin;
pub(crate) mod login;

pub use directives::{Directives, GoalEvent, Identify};
pub use fault_origin::FaultOrigin;
