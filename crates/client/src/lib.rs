#![doc = include_str!("../README.md")]
//!
//! - `connection.rs`: a request and its answer, or the problem.
//! - `questions.rs`: what can be asked.
//! - `orders.rs`: what can be changed.

mod connection;
mod orders;
mod questions;

pub use connection::Client;
pub use orders::Switch;
