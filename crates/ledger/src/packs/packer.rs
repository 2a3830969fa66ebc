//! When rows are packed: by writers, between two batches, and never for long.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::{AnyConnection, Row as _};
use tokio::time::Instant;

use crate::packs::backlog::{Packed, begin_anew, note_some, state};
use crate::packs::pack::pack_shard;
use crate::store::connection::{Store, in_time};
use crate::store::fault::Fault;
use crate::store::query::{is_file, query};
use crate::store::unit_hash::{SHARDS, UnitHash};

/// Of a large ledger one unit of so many may be unpacked.
const PART: i64 = 200;

/// How often it is looked whether there is something to do, where this program has not written much itself.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// And how long after it could not be done.
const AFTER_ERROR: Duration = Duration::from_secs(60);

/// How long events wait at once, at least and at most. A step that is begun goes on to its end.
const AT_ONCE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));

/// The turn of the program that packs: one of all that share a PostgreSQL.
const TURN: i64 = 0x666C_6167_7061_636B;

/// What a writer knows of packing.
pub(crate) struct Packer {
    /// What results may read one by one.
    few: Few,
    rests_until: Option<Instant>,
    /// Rows that this program wrote since it looked.
    wrote: usize,
    /// It could not be done the last time: then it rests, however much is written.
    failed: bool,
    /// The shard that is next, while all are brought up to date.
    next: Option<u8>,
    /// While rows that were there before are noted: how many may be before all are counted again. To count them before each step would take
    /// longer than to note them.
    room: Option<i64>,
}

impl Packer {
    pub(crate) fn new(unpacked: u32) -> Self {
        Self {
            few: Few { at_least: unpacked.into(), part: PART },
            rests_until: None,
            wrote: 0,
            failed: false,
            next: None,
            room: None,
        }
    }

    /// Packs for about so long, where there is something to pack. Where others are at the same, it gives way. Returns whether there is more.
    pub(crate) async fn work(&mut self, store: &mut Store, time: Duration) -> Result<bool, sqlx::Error> {
        let hurries = !self.failed && i64::try_from(self.wrote).unwrap_or(i64::MAX) > self.few.at_least;
        if !hurries && self.rests_until.is_some_and(|until| Instant::now() < until) {
            return Ok(false);
        }
        (self.rests_until, self.wrote, self.failed) = (None, 0, false);
        let time = time.clamp(AT_ONCE.0, AT_ONCE.1);
        match in_time(self.work_in_turn(store, time)).await {
            Ok(()) => {}
            Err(error) if matches!(Fault::of(&error), Fault::GaveWay | Fault::Locked) => self.rest(LOOK_EVERY),
            Err(sqlx::Error::Decode(why)) => {
                tracing::warn!(%why, "packed rows cannot be read; they are packed again");
                self.rest(LOOK_EVERY);
                begin_anew(store, now()).await?;
            }
            Err(error) => {
                self.failed = true;
                self.rest(AFTER_ERROR);
                return Err(error);
            }
        }
        Ok(self.rests_until.is_none())
    }

    /// So many rows were written.
    pub(crate) fn wrote(&mut self, rows: usize) {
        self.wrote = self.wrote.saturating_add(rows);
    }

    async fn work_in_turn(&mut self, store: &mut Store, time: Duration) -> Result<(), sqlx::Error> {
        if !turn(&mut store.connection, "pg_try_advisory_lock").await? {
            self.rest(LOOK_EVERY);
            return Ok(());
        }
        let done = self.some(store, time).await;
        turn(&mut store.connection, "pg_advisory_unlock").await?;
        done
    }

    async fn some(&mut self, store: &mut Store, time: Duration) -> Result<(), sqlx::Error> {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(shard) = self.next {
                let more = pack_shard(store, shard).await?;
                self.next = if more { Some(shard) } else { shard.checked_add(1) };
                continue;
            }
            match state(store, now()).await? {
                Packed::NotNow => {
                    self.rest(LOOK_EVERY);
                    break;
                }
                Packed::Whole if self.few.room(store).await? < 0 => (self.next, self.room) = (Some(0), None),
                Packed::InPart => self.note(store).await?,
                Packed::Whole => {
                    drop_forgotten(store).await?;
                    self.rest(LOOK_EVERY);
                    break;
                }
            }
        }
        Ok(())
    }

    /// Notes rows that were there before, until so many are noted that they are packed.
    async fn note(&mut self, store: &mut Store) -> Result<(), sqlx::Error> {
        if self.room.is_none_or(|room| room < 0) {
            let room = Few::WHILE_IN_PART.room(store).await?;
            self.room = Some(room).filter(|room| *room >= 0);
            if self.room.is_none() {
                self.next = Some(0);
                return Ok(());
            }
        }
        let rows = note_some(store).await?;
        self.room = self.room.map(|room| room - rows);
        Ok(())
    }

    fn rest(&mut self, time: Duration) {
        self.next = None;
        self.room = None;
        self.rests_until = Some(Instant::now() + time);
    }
}

/// So many units may be unpacked: some in any case, and of a large ledger one of so many that are packed.
#[derive(Clone, Copy)]
struct Few {
    at_least: i64,
    part: i64,
}

impl Few {
    /// Nobody reads packs before they are whole, and every round over them writes them all anew.
    const WHILE_IN_PART: Self = Self { at_least: 100_000, part: 4 };

    /// How many more may be noted; less than none where too many are.
    async fn room(self, store: &mut Store) -> Result<i64, sqlx::Error> {
        let select =
            "SELECT (SELECT COUNT(*) FROM unpacked), (SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM packs)";
        let row = sqlx::query(select).fetch_one(&mut store.connection).await?;
        let (noted, packed): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        Ok(self.at_least.max(packed / self.part) - noted)
    }
}

fn now() -> i64 {
    Timestamp::now().as_microsecond()
}

/// Takes the turn, or ends it, where there are others. Returns whether it is ours. After an error the connection is closed, which ends it.
async fn turn(store: &mut AnyConnection, function: &str) -> Result<bool, sqlx::Error> {
    if is_file(store) {
        return Ok(true);
    }
    let select = query(format!("SELECT {function}($1)")).bind(TURN);
    select.fetch_one(store).await?.try_get(0)
}

/// Takes units that were forgotten out of the packs.
async fn drop_forgotten(store: &mut Store) -> Result<(), sqlx::Error> {
    let select = "SELECT hash FROM unpacked WHERE unit = '' LIMIT 1";
    while let Some(hash) = sqlx::query_scalar(select).fetch_optional(&mut store.connection).await? {
        pack_shard(store, UnitHash(hash).shard()).await?;
    }
    Ok(())
}

const _: () = assert!(SHARDS == 256, "a byte tells the shard");
