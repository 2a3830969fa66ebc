//! The whole document, from a file into the store of a fleet, and back.
//!
//! - `push.rs`: [`push`]: a file takes the place of what is there.
//! - `pull.rs`: [`pull`]: what is there, as a text.

mod pull;
mod push;

pub use pull::{Pulled, pull};
pub use push::{Push, PushAnswer, PushConflict, PushPreview, Pushed, push};
