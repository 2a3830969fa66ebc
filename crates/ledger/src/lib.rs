#![doc = include_str!("../README.md")]
//!
//! ```text
//! request → Recorder (never waits) → bounded queue → writer's own thread → batches → store
//! store → Ledger → Tally, rows for export
//! flags are accepted → RevisionQueue → the same thread → the log of revisions
//! ```
//!
//! Requests never wait for the ledger. What the queue cannot take is dropped and counted; while the store is away the
//! writer keeps trying, says so once, and goes on by itself when it is back. A batch is one transaction and every row
//! says by itself whether it is there already, so nothing is ever written twice, also after `kill -9`.

mod app_tables;
mod facts;
mod packs;
mod programs;
mod read;
mod revisions;
mod store;
mod write;

pub use app_tables::{TablesError, waffle_dump};
pub use facts::fact_store::FactStore;
pub use facts::news::{News, NewsListener};
pub use facts::outbox::{Delivery, Outbox};
pub use facts::signs::{FirstSign, FlagEpoch, NumberedSigns, came_at};
pub use programs::presence::{BEAT as PRESENCE_BEAT, Presence, SeenPrograms};
pub use programs::program::{Program, SeenProgram};
pub use programs::program_store::ProgramStore;
pub use read::count::Counted;
pub use read::export::{Export, Format};
pub use read::ledger::Ledger;
pub use read::question::{Question, goals_of};
pub use read::replica::Replica;
pub use revisions::revision::{Compare, NewRevision, RecordedRevision, RevisionChanges};
pub use revisions::revision_store::{BeforeEdit, RevisionStore};
pub use store::error::Error;
pub use store::location::{Location, LocationError};
pub use store::name::stored_name;
pub use write::event::RecordedEvent;
pub use write::experiment::Experiment;
pub use write::recorder::{Dropped, Recorder};
pub use write::start::{Keeper, LedgerSettings};
pub use write::status::{StoreHealth, WriterStatus};
pub use write::visit::{NotTaken, Visit};
