//! The vocabulary of the tests: a program, an app behind it, clients of several kinds.

pub(crate) mod api;
pub(crate) mod app;
pub(crate) mod browser;
pub(crate) mod checkout_app;
pub(crate) mod chromium;
pub(crate) mod command;
pub(crate) mod crowd;
pub(crate) mod edits;
pub(crate) mod fleet;
pub(crate) mod frames;
pub(crate) mod grpc;
pub(crate) mod h2c;
pub(crate) mod moving;
pub(crate) mod node;
pub(crate) mod operator;
#[path = "../../../crates/ledger/tests/ledger/server.rs"]
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod raw;
pub(crate) mod receiver;
pub(crate) mod redis;
pub(crate) mod stores;
pub(crate) mod tailing;
pub(crate) mod tls;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Long enough for anything that works at all, on a busy machine.
pub(crate) const WAIT_LIMIT: Duration = Duration::from_secs(20);

/// An address nobody listens on, another one each time.
pub(crate) fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, postgres::ports::free_port()).into()
}

/// Waits until something holds, and fails when it does not in time.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(WAIT_LIMIT, what, holds);
}

#[track_caller]
pub(crate) fn within(limit: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < limit, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs asynchronous code, bounded.
#[track_caller]
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(3 * WAIT_LIMIT, future).await.expect("not in time") })
}
