//! What was answered, per variant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;

use crate::Latency;
use crate::read::ledger::{Error, Ledger};
use crate::write::counts::MINUTE;

/// Answers of one variant in one minute, of all instances.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The variant.
    pub variant: String,
    /// When the minute began (µs since 1970).
    pub minute: i64,
    /// Requests answered.
    pub requests: u64,
    /// By class of status, 1xx to 5xx.
    pub classes: [u64; 5],
    /// Slow ones.
    pub slow: u64,
    /// How long they took.
    pub latency: Latency,
}

impl Ledger {
    /// Answers of a flag from a time on, by minute and variant.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn served(&mut self, flag: &str, since: Timestamp) -> Result<Vec<Served>, Error> {
        let select = "SELECT variant, minute, requests, informational, successes, redirects, client_errors, server_errors, slow, latency
                      FROM counts WHERE flag = $1 AND minute >= $2";
        let select = sqlx::query(select).bind(flag.to_owned()).bind(since.as_microsecond().div_euclid(MINUTE));
        let rows = select.fetch_all(self.connection()).await.map_err(|error| self.error(error))?;
        let mut all = BTreeMap::new();
        for row in rows {
            add(&mut all, &row).map_err(|error| self.error(error))?;
        }
        Ok(all.into_values().collect())
    }
}

fn add(all: &mut BTreeMap<(i64, String), Served>, row: &sqlx::any::AnyRow) -> Result<(), sqlx::Error> {
    let (variant, minute): (String, i64) = (row.try_get(0)?, row.try_get(1)?);
    let number = |at: usize| row.try_get::<i64, _>(at).map(|n| n.max(0).unsigned_abs());
    let served = all.entry((minute, variant.clone())).or_default();
    served.variant = variant;
    served.minute = minute.saturating_mul(MINUTE);
    served.requests += number(2)?;
    for (class, at) in served.classes.iter_mut().zip(3..) {
        *class += number(at)?;
    }
    served.slow += number(8)?;
    served.latency.merge(&Latency::read(row.try_get(9)?));
    Ok(())
}
