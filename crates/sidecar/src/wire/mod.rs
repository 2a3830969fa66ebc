//! One client's connection, from its first byte to its last.

pub(crate) mod framing;
mod http1;
mod preface;
mod serve;
mod socket;
mod wake_filter;

pub(crate) use serve::{Wire, handshake, serve};
