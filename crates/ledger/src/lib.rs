//! What happened: exposures, conversions and counts, in SQLite or PostgreSQL.
//!
//! ```text
//! request → Recorder (never waits) → bounded queue → writer's own thread → batches → store
//! store → Ledger → Tally, rows for export
//! ```
//!
//! Requests never wait for the ledger. What the queue cannot take is dropped and counted; while the store is away the
//! writer keeps trying, says so once, and goes on by itself when it is back. A batch is one transaction and every row
//! says by itself whether it is there already, so nothing is ever written twice, also after `kill -9`.

mod batch;
mod clock;
mod count;
mod counts;
mod event;
mod experiment;
mod expire;
mod export;
mod fault;
mod forget;
mod latency;
mod ledger;
mod limits;
mod memory;
mod name;
mod outbox;
mod past;
mod period;
mod piece;
mod place;
mod query;
mod recorded;
mod recorder;
mod register;
mod schema;
mod served;
mod status;
mod store;
mod sums;
mod tally;
mod write;
mod writer;

pub use event::Event;
pub use experiment::Experiment;
pub use export::{Export, Format};
pub use latency::Latency;
pub use ledger::{Error, Ledger};
pub use name::stored_name;
pub use outbox::{Delivery, Outbox};
pub use past::Past;
pub use place::{Place, PlaceError};
pub use recorder::{Dropped, Keeper, NotTaken, Recorder, Settings, Visit, record};
pub use register::{FirstSign, Register, came_at};
pub use served::Served;
pub use status::{Health, Status};
pub use tally::{Arm, GoalKind, GoalTally, Question, Step, Tally, TallyGoal, VariantTally};
