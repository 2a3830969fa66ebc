//! The process: sockets, workers, signals, and how it ends.
//!
//! [`run`] builds and runs it all. [`sockets`] binds addresses or takes them over, [`services`] are the threads, [`accept`] takes
//! connections, [`serve_connection`] gives each to the wire with the services that were handed in, [`signals`] says when to stop.

mod accept;
mod run;
mod serve_connection;
mod services;
mod signals;
mod sockets;

pub use run::{Bound, Ended, Sidecar, StartError};
pub use signals::pass_over_signals;
pub use sockets::BindError;
