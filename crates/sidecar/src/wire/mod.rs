//! One client's connection, from its first byte to its last.

pub(crate) mod client;
pub(crate) mod framing;
mod gather;
mod guard;
mod http1;
mod patience;
mod preface;
mod seldom;
mod serve;
pub(crate) mod streams;

pub(crate) use gather::Gathering;
pub(crate) use patience::Patience;
pub(crate) use serve::{Wire, handshake, serve};
