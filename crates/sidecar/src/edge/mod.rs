//! The edge: refuses what is wrong, makes the rest plain, and sends the answer out as it should be.
//!
//! Everything a client says about the connection is gone before the layer behind writes its first field, so that no
//! `Connection: X-Flag-A` can delete it.

mod answer;
mod forwarded;
mod loop_detection;
mod normalize;
mod service;
mod untrusted_proxies;

pub(crate) use forwarded::{Forwarding, entry_address};
pub(crate) use loop_detection::LoopDetector;
pub(crate) use service::{Edge, EdgeContext, Stack};
