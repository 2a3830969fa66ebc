//! The process: sockets, workers, signals, and how it ends.

mod accept;
mod run;
mod services;
mod signals;
mod sockets;

pub use run::{Bound, Ended, Sidecar, StartError};
pub use signals::pass_over_signals;
pub use sockets::BindError;
