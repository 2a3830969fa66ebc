//! Reading and writing in time: what sockets, streams and bodies share.
//!
//! [`deadline`]: a time limit that moves with every request. [`coalesce`]: small messages in one write. [`stalled_streams`]: HTTP/2
//! streams whose client reads nothing.

pub(crate) mod coalesce;
mod deadline;
pub(crate) mod stalled_streams;

pub(crate) use coalesce::CoalescedWrites;
pub(crate) use deadline::Deadline;
