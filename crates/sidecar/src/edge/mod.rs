//! The edge: refuses what is wrong, makes the rest plain, and sends the answer out as it should be.
//!
//! Everything a client says about the connection is gone before the layer behind writes its first field, so that no
//! `Connection: X-Flag-A` can delete it.
//!
//! [`service`] is what hyper calls. [`normalize`] checks a request and brings it into one form, [`loop_detection`] refuses one that was
//! here before, [`forwarded`] finds the visitor's address, [`untrusted_proxies`] warns of proxies that `[trust]` does not name, and
//! [`tracked_body`] is the body on its way out.

mod forwarded;
mod loop_detection;
mod normalize;
mod service;
mod tracked_body;
mod untrusted_proxies;

pub(crate) use forwarded::{Forwarding, entry_address};
pub(crate) use loop_detection::LoopDetector;
pub(crate) use service::{Edge, EdgeContext, InnerService};
