//! One client's connection, from its first byte to its last.
//!
//! [`serve`] finds the protocol ([`preface`]) and has hyper speak it, over a [`socket`] that keeps time limits and checks the
//! [`framing`]. [`http1`] gives back the memory of connections that wait, with a [`wake_filter`] for events that are rare.

pub(crate) mod framing;
mod http1;
mod preface;
mod serve;
mod socket;
mod wake_filter;

pub(crate) use serve::{Wire, handshake, serve};
