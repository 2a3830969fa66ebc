//! What needs no app: `pages` and `body` are the visitor's own endpoints below `/.flagstaff/`, `waffle` what django-waffle's views
//! would answer, `gate` the answer of a closed gate.

pub(crate) mod body;
pub(crate) mod gate;
pub(crate) mod pages;
pub(crate) mod waffle;

pub use body::{
    MAX_BODY_BYTES, PostEndpoint, accepted, cross_site_refusal, events, forgotten, not_read, post_endpoint, too_many,
};
pub use gate::closed_gate;
pub use pages::{PREFIX, endpoint, is_own};
