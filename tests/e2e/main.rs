//! The built program, seen from outside: real sockets, real files, real signals.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests may fail loudly"
)]

mod harness;

mod apps_headers;
mod apps_streams;
mod apps_waffle;
mod commands;
mod flags_demo;
mod flags_headers;
mod flags_identity;
mod flags_spoofing;
mod parity;
mod reload;
mod wire_basics;
mod wire_framing;
