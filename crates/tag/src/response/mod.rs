//! What the app answers, and what its answer tells browsers and caches.

pub(crate) mod caching;
pub(crate) mod directives;
pub(crate) mod fault_origin;
pub(crate) mod login;
pub(crate) mod write;

pub use directives::{Directives, Event, Identify};
pub use fault_origin::Blame;
