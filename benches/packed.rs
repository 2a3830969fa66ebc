//! When results of a ledger are read from packs.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    reason = "two benches have this file as a module, and may fail loudly"
)]

use std::time::{Duration, Instant};

use flagstaff_ledger::{Ledger, Location};

/// Visitors who are not packed.
pub async fn unpacked(place: &Location) -> u64 {
    let mut ledger = Ledger::open(place).await.unwrap();
    let unpacked = ledger.unpacked().await.unwrap();
    ledger.close().await;
    unpacked
}

/// Waits until so much of a ledger with so many visitors is packed as a program leaves unpacked, at most so long.
pub async fn until_packed(place: &Location, visitors: u64, longest: Duration) {
    let start = Instant::now();
    while unpacked(place).await > 5_000.max(visitors / 200) {
        assert!(start.elapsed() < longest, "it is not packed in time");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
