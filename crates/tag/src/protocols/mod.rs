//! What clients of other systems ask, and what they are answered.
//!
//! [`context`] reads what a client says of a subject, [`ofrep`] is the protocol of OpenFeature, [`unleash`] that of its web clients, and [`visitor`] finds the questions that a
//! visitor's browser puts, which are answered as the request is tagged.

pub(crate) mod context;
pub mod ofrep;
pub(crate) mod origin;
pub mod unleash;
pub(crate) mod visitor;
