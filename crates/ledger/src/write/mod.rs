//! From a request to rows: a recorder that never waits, a bounded queue, and the writer's own thread.
//!
//! `visit.rs` and `recorder.rs` are called by requests; `seen.rs` keeps repeats off the queue, `limits.rs` bounds each network. `start.rs`
//! starts the thread of `writer.rs`, which collects events (`batch.rs`), writes them piece by piece (`piece.rs`, `rows.rs`), opens
//! periods (`period.rs`), keeps time (`clock.rs`), and looks after the store (`upkeep.rs`): it deletes what is too old (`age.rs`, `expire.rs`). `status.rs` says how it does.

pub(crate) mod age;
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
pub(crate) mod upkeep;
pub(crate) mod visit;
pub(crate) mod writer;
