//! One connection to SQLite or PostgreSQL, its tables, and what its errors mean.

pub(crate) mod connection;
pub(crate) mod error;
pub(crate) mod fault;
pub(crate) mod forget;
pub(crate) mod location;
pub(crate) mod migrate;
pub(crate) mod name;
pub(crate) mod note;
pub(crate) mod query;
pub(crate) mod schema;
pub(crate) mod turns;
pub(crate) mod unit_hash;
