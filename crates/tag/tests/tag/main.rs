//! Tags requests and answers as a server would, and plays the browser in between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

mod caching;
mod counting;
mod domain;
mod endpoints;
mod headers;
mod identity;
mod issuing;
mod laws;
mod overrides;
mod repeats;
mod settings;
mod spoofing;
mod sticky;
mod user_cookie;
mod vocabulary;
mod waffle;
