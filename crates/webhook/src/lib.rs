//! What happened to flags, told to other programs.
//!
//! ```text
//! Fact → Hook::message (its text, its body) → Client::send (signed) → Answer: taken, refused, or again later
//! ```
//!
//! A [`Hook`] is an address with what it is told of; everything about it is checked when it is made. Which message comes
//! next, and that each comes once, is the ledger's business; how long a failed one waits is told by [`wait`].

mod client;
mod event;
mod hook;
mod message;
mod retry;
mod sign;
mod template;
mod text;

pub use client::{Answer, Client};
pub use event::Event;
pub use hook::{Format, Hook, Options, twice};
pub use message::Message;
pub use retry::{LONGEST_ASKED, wait};
pub use sign::signature;
