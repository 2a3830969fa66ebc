//! The process: sockets, workers, signals, and how it ends.
//!
//! [`run`] builds and runs it all. [`sockets`] binds addresses, [`takeover`] takes them from the process before
//! this one, [`services`] are the threads, [`accept`] takes
//! connections and gives each to the wire, [`signals`] says when to stop.

mod accept;
mod run;
mod services;
mod signals;
mod sockets;
mod takeover;

pub use run::{Bound, Ended, Sidecar, StartError};
pub use signals::pass_over_signals;
pub use sockets::BindError;
