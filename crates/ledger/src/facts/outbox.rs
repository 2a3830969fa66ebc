//! Which facts a hook is still to be told of. Each is told by one program, once, in the order of a flag's facts where that can be.

use std::fmt;
use std::time::Duration;

use flagstaff_flags::Fact;
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Connection, Row};

use crate::facts::fact_store::fact;
use crate::store::connection::{Store, in_time};
use crate::store::error::Error;
use crate::store::location::Location;
use crate::store::query::query;

/// After so many tries in vain (about 17 minutes) a fact no longer holds up those of its flag that came later.
const TRIES_IN_ORDER: i64 = 11;

/// A quiet time or a next try further away than this was set before the clock was: nobody waits for longer than an hour.
const FAR: Duration = Duration::from_secs(2 * 60 * 60);

/// Names of flags with facts, found by one look into the index for each.
const NAMES: &str = "WITH RECURSIVE names (flag) AS (
    SELECT MIN(flag) FROM facts
    UNION ALL
    SELECT (SELECT MIN(facts.flag) FROM facts WHERE facts.flag > names.flag) FROM names WHERE names.flag IS NOT NULL)";

/// What one hook is still to be told of.
pub struct Outbox {
    store: Store,
    location: Location,
    hook: String,
    holder: String,
    claim: Duration,
}

/// A fact that is to be told now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    flag: String,
    number: i64,
    tries: u32,
    fact: Option<Fact>,
    age: Duration,
}

impl Delivery {
    /// The fact; nothing when it cannot be read.
    #[must_use]
    pub const fn fact(&self) -> Option<&Fact> {
        self.fact.as_ref()
    }

    /// How long ago it happened, by the store's time.
    #[must_use]
    pub const fn age(&self) -> Duration {
        self.age
    }

    /// How often it was tried in vain.
    #[must_use]
    pub const fn tries(&self) -> u32 {
        self.tries
    }
}

impl Outbox {
    /// A name for a program that claims hooks, unlike any other.
    ///
    /// # Errors
    /// When the system gives no random number.
    pub fn holder() -> std::io::Result<String> {
        getrandom::u64().map(|random| format!("{random:016x}")).map_err(std::io::Error::other)
    }

    /// Opens a ledger for a holder, and begins it where there is none. A hook that is seen for the first time is told of what
    /// happened from `since` on (by the clock of this machine), whenever it is written down: a program that finds a ledger lost writes
    /// again what it knows. A claim that is not renewed ends after `claim`.
    ///
    /// # Errors
    /// When the ledger cannot be reached, made or written to.
    pub async fn open(
        location: &Location,
        hook: &str,
        since: Timestamp,
        holder: &str,
        claim: Duration,
    ) -> Result<Self, Error> {
        let open = async {
            let store = Store::open(location).await?;
            let mut outbox =
                Self { store, location: location.clone(), hook: hook.into(), holder: holder.into(), claim };
            in_time(outbox.begin(since)).await?;
            Ok(outbox)
        };
        open.await.map_err(|error| Error::new(location, error))
    }

    async fn begin(&mut self, since: Timestamp) -> Result<(), sqlx::Error> {
        let now = self.store.now();
        let mut transaction = self.store.connection.begin_with(self.store.begin()).await?;
        let stored: i64 = query(format!("SELECT {now}")).fetch_one(&mut *transaction).await?.try_get(0)?;
        // facts carry the store's time, and the clock of this machine may be wrong
        let since = since.as_microsecond().saturating_add(stored.saturating_sub(Timestamp::now().as_microsecond()));
        // it began while a clock was ahead: nothing that happens would be told until then
        let ahead = query(format!("UPDATE hooks SET began = {now} WHERE hook = $1 AND began > {now}"));
        ahead.bind(self.hook.clone()).execute(&mut *transaction).await?;
        let insert =
            "INSERT INTO hooks (hook, holder, held, quiet, began) VALUES ($1, '', 0, 0, $2) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(self.hook.clone()).bind(since);
        let insert = insert.execute(&mut *transaction).await?;
        if insert.rows_affected() > 0 {
            let before = "INSERT INTO told (hook, flag, number)
                          SELECT $1, flag, MAX(number) FROM facts WHERE at < $2 GROUP BY flag";
            let before = sqlx::query(before).bind(self.hook.clone()).bind(since);
            before.execute(&mut *transaction).await?;
        }
        transaction.commit().await
    }

    /// Whether its file was deleted, or replaced by another.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.store.is_gone()
    }

    /// Whether there is something to tell now. Only reads, so it may be asked often.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn is_due(&mut self) -> Result<bool, Error> {
        let found = in_time(find(&mut self.store, &self.hook)).await;
        found.map(|found| found.is_some()).map_err(|error| self.error(error))
    }

    /// Claims the hook. Returns whether it did: not, while another program tells it.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn claim(&mut self) -> Result<bool, Error> {
        let now = self.store.now();
        let update = query(format!(
            "UPDATE hooks SET holder = $2, held = {now} + $3
             WHERE hook = $1 AND (holder = $2 OR held < {now} OR held > {now} + $3)"
        ));
        let update = update.bind(self.hook.clone()).bind(self.holder.clone()).bind(micros(self.claim));
        let done = in_time(update.execute(&mut self.store.connection)).await;
        done.map(|done| done.rows_affected() > 0).map_err(|error| self.error(error))
    }

    /// The next fact to tell, and the claim is renewed; nothing when there is none, or the claim was lost.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn next(&mut self) -> Result<Option<Delivery>, Error> {
        if !self.claim().await? {
            return Ok(None);
        }
        in_time(find(&mut self.store, &self.hook)).await.map_err(|error| self.error(error))
    }

    /// It was told, or never will be.
    ///
    /// # Errors
    /// When the store does not take that.
    pub async fn done(&mut self, delivery: &Delivery) -> Result<(), Error> {
        let now = self.store.now();
        let done = in_time(async {
            if delivery.tries == 0 {
                return advance(&mut self.store.connection, &self.hook, delivery).await.map(|_| ());
            }
            let mut transaction = self.store.connection.begin_with(self.store.begin()).await?;
            let delete = "DELETE FROM untold WHERE hook = $1 AND flag = $2 AND number = $3";
            let delete =
                sqlx::query(delete).bind(self.hook.clone()).bind(delivery.flag.clone()).bind(delivery.number);
            delete.execute(&mut *transaction).await?;
            // the receiver is back: what waits for it need not wait longer
            let all = query(format!("UPDATE untold SET next = {now} WHERE hook = $1 AND next > {now}"));
            all.bind(self.hook.clone()).execute(&mut *transaction).await?;
            transaction.commit().await
        });
        done.await.map_err(|error| self.error(error))
    }

    /// It was not taken, and is to be told again after a wait; with `quiet`, nothing else is told until then.
    ///
    /// # Errors
    /// When the store does not take that.
    pub async fn again(&mut self, delivery: &Delivery, wait: Duration, quiet: bool) -> Result<(), Error> {
        let now = self.store.now();
        let done = in_time(async {
            let mut transaction = self.store.connection.begin_with(self.store.begin()).await?;
            let sql = if delivery.tries == 0 {
                if !advance(&mut transaction, &self.hook, delivery).await? {
                    // another program, which took a claim that had ended, did this
                    return transaction.rollback().await;
                }
                format!("INSERT INTO untold (hook, flag, number, tries, next) VALUES ($1, $2, $3, 1, {now} + $4)")
            } else {
                format!(
                    "UPDATE untold SET tries = tries + 1, next = {now} + $4 WHERE hook = $1 AND flag = $2 AND number = $3"
                )
            };
            let row = query(sql).bind(self.hook.clone()).bind(delivery.flag.clone()).bind(delivery.number);
            row.bind(micros(wait)).execute(&mut *transaction).await?;
            if quiet {
                let update = query(format!("UPDATE hooks SET quiet = {now} + $2 WHERE hook = $1"));
                update.bind(self.hook.clone()).bind(micros(wait)).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        });
        done.await.map_err(|error| self.error(error))
    }

    /// Ends the claim.
    ///
    /// # Errors
    /// When the store does not take that; then it ends by itself.
    pub async fn release(&mut self) -> Result<(), Error> {
        let update = "UPDATE hooks SET holder = '', held = 0 WHERE hook = $1 AND holder = $2";
        let update = sqlx::query(update).bind(self.hook.clone()).bind(self.holder.clone());
        let done = in_time(update.execute(&mut self.store.connection)).await;
        done.map(|_| ()).map_err(|error| self.error(error))
    }

    /// Closes it.
    pub async fn close(self) {
        self.store.close().await;
    }

    fn error(&self, error: sqlx::Error) -> Error {
        Error::new(&self.location, error)
    }
}

/// The oldest fact that is to be told now: the first a flag's hook was not told of, or one whose wait is over.
async fn find(store: &mut Store, hook: &str) -> Result<Option<Delivery>, sqlx::Error> {
    let now = store.now();
    let select = format!(
        "{NAMES}, due (flag, number, tries) AS (
           SELECT names.flag,
                  (SELECT MIN(number) FROM facts WHERE facts.flag = names.flag AND number > COALESCE(told.number, 0)
                     AND at >= (SELECT began FROM hooks WHERE hook = $1)), 0
           FROM names LEFT JOIN told ON told.hook = $1 AND told.flag = names.flag
           WHERE names.flag IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM untold WHERE hook = $1 AND untold.flag = names.flag AND tries < {TRIES_IN_ORDER})
           UNION ALL
           SELECT flag, number, tries FROM untold WHERE hook = $1 AND (next <= {now} OR next > {now} + $2))
         SELECT facts.flag, facts.number, facts.at, facts.definition, facts.kind, facts.step, facts.author, facts.why,
                facts.evidence, due.tries, {now} - facts.at
         FROM due JOIN facts ON facts.flag = due.flag AND facts.number = due.number
         WHERE NOT EXISTS (SELECT 1 FROM hooks WHERE hook = $1 AND quiet > {now} AND quiet <= {now} + $2)
         ORDER BY facts.at, facts.flag, facts.number LIMIT 1"
    );
    let select = query(select).bind(hook.to_owned()).bind(micros(FAR));
    let row = select.fetch_optional(&mut store.connection).await?;
    row.as_ref().map(delivery).transpose()
}

fn delivery(row: &AnyRow) -> Result<Delivery, sqlx::Error> {
    let tries = u32::try_from(row.try_get::<i64, _>(9)?).unwrap_or(u32::MAX);
    let age = Duration::from_micros(u64::try_from(row.try_get::<i64, _>(10)?).unwrap_or_default());
    Ok(Delivery { flag: row.try_get(0)?, number: row.try_get(1)?, tries, fact: fact(row).ok(), age })
}

/// Notes that a hook is past a fact. Returns whether that is new.
async fn advance(store: &mut AnyConnection, hook: &str, delivery: &Delivery) -> Result<bool, sqlx::Error> {
    let upsert = "INSERT INTO told (hook, flag, number) VALUES ($1, $2, $3)
        ON CONFLICT (hook, flag) DO UPDATE SET number = excluded.number WHERE told.number < excluded.number";
    let upsert = sqlx::query(upsert).bind(hook.to_owned()).bind(delivery.flag.clone()).bind(delivery.number);
    upsert.execute(store).await.map(|done| done.rows_affected() > 0)
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({}, {})", self.location, self.hook)
    }
}
