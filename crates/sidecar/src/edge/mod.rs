//! The edge: refuses what is wrong, makes the rest plain, and sends the answer out as it should be.
//!
//! Everything a client says about the connection is gone before the layer behind writes its first field, so that no
//! `Connection: X-Flag-A` can delete it.

mod answer;
mod forwarded;
mod hop;
mod request;
mod ring;
mod service;
mod strangers;
mod survey;
pub(crate) mod trailers;

pub(crate) use forwarded::{Forwarding, entry_address};
pub(crate) use hop::{has_token, strip_connection};
pub(crate) use request::WEBSOCKET;
pub(crate) use ring::Mark;
pub(crate) use service::{Edge, Shared, Stack, Tunnel};
