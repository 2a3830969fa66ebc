//! What is read from and written on one request and one answer.

mod peer;

pub use peer::Peer;
