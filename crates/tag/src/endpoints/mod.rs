//! What needs no app: the visitor's own endpoints, and gates that are closed.

pub(crate) mod body;
pub(crate) mod gate;
pub(crate) mod pages;

pub use body::{MOST_BYTES, Posted, cut_off, events, foreign, forgotten, posted, taken, too_large, too_many};
pub use gate::closed_gate;
pub use pages::{PREFIX, endpoint, is_own};
