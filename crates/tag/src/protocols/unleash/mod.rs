//! Unleash's frontend API, as its web clients ask it.
//!
//! `route` is what is asked, `context` for whom, `toggles` the answer.

mod context;
mod route;
mod toggles;

pub use context::Context;
pub use route::{Route, Which};
pub use toggles::{accepted, not_read, refused, toggles, wrong_method};
