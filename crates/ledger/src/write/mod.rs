//! From a request to rows: a recorder that never waits, a bounded queue, and the writer's own thread.

pub(crate) mod batch;
pub(crate) mod clock;
pub(crate) mod event;
pub(crate) mod experiment;
pub(crate) mod expire;
pub(crate) mod limits;
pub(crate) mod period;
pub(crate) mod piece;
pub(crate) mod recorder;
pub(crate) mod rows;
pub(crate) mod seen;
pub(crate) mod start;
pub(crate) mod status;
pub(crate) mod visit;
pub(crate) mod writer;
