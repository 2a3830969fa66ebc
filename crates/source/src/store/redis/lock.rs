//! One edit at a time: a key that one of them holds.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use redis::cmd;

use super::server::Server;
use crate::store::replace::Hold;

/// The part of the key.
pub(super) const LOCK: &str = "edit";
/// A program that holds the key and ends lets go of it after so long (milliseconds).
const HELD_FOR: u64 = 10_000;
/// Lets go of the key, unless another program holds it by now.
const LET_GO: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// A key that is held until this is dropped.
#[derive(Debug)]
pub(super) struct HeldKey {
    server: Server,
    key: String,
    holder: String,
}

impl HeldKey {
    /// Takes hold of the key; none where another program has it.
    ///
    /// # Errors
    /// When the server gives no answer.
    pub(super) fn take(server: &Server) -> io::Result<Option<Box<dyn Hold>>> {
        let (key, holder) = (server.address.key_of(LOCK), holder());
        let (wanted, by) = (key.clone(), holder.clone());
        let taken = server.ask(move |session| {
            let said: Option<String> =
                session.query(cmd("SET").arg(wanted).arg(by).arg("NX").arg("PX").arg(HELD_FOR))?;
            Ok(said.is_some())
        });
        let is_taken = taken.map_err(io::Error::other)?;
        let held = || Box::new(Self { server: server.clone(), key, holder }) as Box<dyn Hold>;
        Ok(is_taken.then(held))
    }
}

impl Hold for HeldKey {}

impl Drop for HeldKey {
    fn drop(&mut self) {
        let (key, holder) = (self.key.clone(), self.holder.clone());
        // it lets go by itself in a while
        let _: Result<i64, _> =
            self.server.ask(move |session| session.query(cmd("EVAL").arg(LET_GO).arg(1).arg(key).arg(holder)));
    }
}

/// A name that no other edit has.
fn holder() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos()).unwrap_or_default();
    format!("{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}
