//! What `tonic-service` and its callers speak.

pub mod shop;
