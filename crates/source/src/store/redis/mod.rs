//! A flag document under keys of Redis, or of what speaks as Redis does, such as Valkey.
//!
//! An [`address`] says which servers, and which keys. A [`server`] is asked over a connection of its own each time, so that nothing is lost with one
//! that breaks. [`keys`] reads and changes the document; a [`lock`] keeps edits in a row, and a [`subscription`] hears that it changed. A [`channel`] beside it is for facts. [`words`] says what went wrong.

mod address;
mod channel;
mod keys;
mod lock;
mod server;
mod subscription;
mod words;

pub(super) use keys::RedisKeys;
