//! The process: sockets, workers, signals, and how it ends.
//!
//! [`run`] builds and runs it all. [`sockets`] binds addresses, [`handover`] passes them from one process to the
//! next, [`services`] are the threads, [`accept`] takes
//! connections and gives each to the wire, [`signals`] says when to stop.

mod accept;
mod handover;
mod run;
mod services;
mod signals;
mod sockets;

pub use run::{Bound, Ended, Sidecar, StartError};
pub use signals::pass_over_signals;
pub use sockets::BindError;
