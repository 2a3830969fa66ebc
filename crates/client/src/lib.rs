#![doc = include_str!("../README.md")]
//!
//! - `connection.rs`: a request and its answer, or the problem.
//! - `questions.rs`: what can be asked.
//! - `orders.rs`: what can be changed.
//! - `tail.rs`: decisions as they are made.

mod connection;
mod orders;
mod questions;
mod tail;

pub use connection::Client;
pub use orders::Switch;
pub use tail::{TailEvent, TailStream};
