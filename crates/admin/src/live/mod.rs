//! What happens right now, as server-sent events, and what traffic teaches.
//!
//! - `stream.rs`: a stream of events, with heartbeats, that is looked after a few times a second.
//! - `events.rs`: `/api/v1/events`: other flags, changed states, requests by flag.
//! - `tail.rs`: `/api/v1/tail`: decisions as they are made.

mod events;
mod stream;
mod tail;

pub(crate) use self::events::events;
pub(crate) use self::tail::{event_id, tail};
