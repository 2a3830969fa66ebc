//! Ports of loopback for the servers of tests.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// How many ports one process of tests has.
const BLOCK: u16 = 2_000;

const NONE_LEFT: &str =
    "eleven other processes of tests run, or their locks in the temporary folder are another user's";

/// A port nobody listens on. It comes again only after all the others, so that no two servers of a test get the same one; and no
/// other process of tests, and no connection of a client, takes it between its choice and its use.
pub(crate) fn free_port() -> u16 {
    // all below 32,768, where the kernel begins to take ports for clients
    static OURS: LazyLock<(u16, File)> = LazyLock::new(|| (5..16).find_map(locked).ok_or(NONE_LEFT).unwrap());
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let ports = || OURS.0 + NEXT.fetch_add(1, Ordering::Relaxed) % BLOCK;
    std::iter::repeat_with(ports)
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .unwrap_or_default()
}

/// The first port of a block, and the lock that keeps it until this process ends.
fn locked(block: u16) -> Option<(u16, File)> {
    let path = std::env::temp_dir().join(format!("flagstaff-tests-ports-{block}.lock"));
    let file = File::create(path).ok()?;
    file.try_lock().ok()?;
    Some((block * BLOCK, file))
}

#[test]
fn a_port_does_not_come_twice_in_a_row_of_many() {
    let ports: Vec<u16> = std::iter::repeat_with(free_port).take(300).collect();
    let different: std::collections::HashSet<_> = ports.iter().collect();
    assert_eq!(different.len(), ports.len());
    assert!(ports.iter().all(|port| (10_000..32_768).contains(port)), "{ports:?}");
}
