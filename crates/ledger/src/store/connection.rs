//! One connection to a store, opened and kept the right way.

use std::time::{Duration, Instant, SystemTime};

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyConnectOptions;
use sqlx::{AnyConnection, ConnectOptions, Connection, Executor, Row};

use crate::store::fault::Fault;
use crate::store::location::Location;
use crate::store::migrate::update;
use crate::store::query::{now, query};
use crate::store::turns::Turn;

/// How long bringing tables up to date, or one batch, may take before the store counts as away.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// How long connecting to read may take: a person waits for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long opening waits for others who open the same file, and how long between two attempts.
const LOCKED: Duration = Duration::from_secs(3);
const TURN: Duration = Duration::from_millis(20);

/// How long a file may be locked by another connection.
const BUSY: &str = "PRAGMA busy_timeout = 3000";

/// An open store.
pub(crate) struct Store {
    pub(crate) connection: AnyConnection,
    location: Location,
    identity: Option<Identity>,
    /// Its turn among those who share the location, where they have a limit.
    _turn: Option<Turn>,
}

/// Which file it is: another one under the same name is another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
    /// A file that is deleted leaves its number to the next one.
    born: Option<SystemTime>,
}

impl Identity {
    fn of(location: &Location) -> Option<Self> {
        let metadata = std::fs::metadata(location.path()?).ok()?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Some(Self { device: metadata.dev(), inode: metadata.ino(), born: metadata.created().ok() })
        }
        #[cfg(not(unix))]
        Some(Self { born: metadata.created().ok() }).filter(|_| metadata.is_file())
    }
}

impl Store {
    /// Opens a store to write to, makes it when it is a file that is not there, and brings its tables up to date.
    pub(crate) async fn open(location: &Location) -> Result<Self, sqlx::Error> {
        let (turn, start) = (turn(location).await?, Instant::now());
        let connection = loop {
            let opened = in_time(begin(location)).await;
            // SQLite does not wait where several make one file at the same moment; PostgreSQL waited already
            let is_locked = opened.as_ref().is_err_and(|error| Fault::of(error) == Fault::Locked);
            if is_locked && location.path().is_some() && start.elapsed() < LOCKED {
                tokio::time::sleep(TURN).await;
            } else {
                break opened?;
            }
        };
        Ok(Self { connection, identity: Identity::of(location), location: location.clone(), _turn: turn })
    }

    /// Opens a store to read from; a file that is not there is an error.
    pub(crate) async fn open_to_read(location: &Location) -> Result<Self, sqlx::Error> {
        let turn = turn(location).await?;
        let connection = within(CONNECT_WITHIN, connect(location, false)).await?;
        Ok(Self { connection, identity: Identity::of(location), location: location.clone(), _turn: turn })
    }

    /// Which file it is; none for a database elsewhere.
    pub(crate) fn identity(&self) -> Option<Identity> {
        self.identity
    }

    /// Whether its file was deleted or replaced by another.
    pub(crate) fn is_gone(&self) -> bool {
        self.location.path().is_some() && Identity::of(&self.location) != self.identity
    }

    /// Whether it is a database, whose clock is another machine's and one for all who share it; a file goes by the clock of this machine.
    pub(crate) fn is_shared(&self) -> bool {
        self.location.path().is_none()
    }

    /// Begins to write. SQLite is told so at once: a reader cannot become a writer while another writes.
    pub(crate) fn begin(&self) -> &'static str {
        if self.location.path().is_some() { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// Begins to change what another program may change at the same time, by what was read of it: one of the two then gives way.
    pub(crate) fn begin_alone(&self) -> &'static str {
        if self.location.path().is_some() { "BEGIN IMMEDIATE" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ" }
    }

    /// Begins to read, all of it from one moment.
    pub(crate) fn begin_to_read(&self) -> &'static str {
        if self.location.path().is_some() { "BEGIN" } else { "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY" }
    }

    /// The store's own time (µs since 1970), which is one for all who share it.
    pub(crate) fn now(&self) -> &'static str {
        now(&self.connection)
    }

    /// The same, asked now.
    pub(crate) async fn time(&mut self) -> Result<i64, sqlx::Error> {
        let select = query(format!("SELECT {}", self.now()));
        in_time(select.fetch_one(&mut self.connection)).await?.try_get(0)
    }

    /// How far the clock of the store is ahead of this machine's, and by how much that may be wrong; nothing where it is a file here. Half of the time
    /// that the answer took is counted to the way there.
    pub(crate) async fn clock_ahead(&mut self) -> Result<(SignedDuration, SignedDuration), sqlx::Error> {
        if !self.is_shared() {
            return Ok((SignedDuration::ZERO, SignedDuration::ZERO));
        }
        let (before, start) = (Timestamp::now(), Instant::now());
        let there = self.time().await?;
        let way = SignedDuration::try_from(start.elapsed() / 2).unwrap_or_default();
        let ahead = SignedDuration::from_micros(there.saturating_sub(before.as_microsecond()));
        Ok((ahead.saturating_sub(way), way))
    }

    /// Closes it, before anyone opens another under its name.
    pub(crate) async fn close(self) {
        let _ = tokio::time::timeout(ANSWER_WITHIN, self.connection.close()).await;
    }
}

async fn turn(location: &Location) -> Result<Option<Turn>, sqlx::Error> {
    match location.turns() {
        Some(turns) => turns.next().await.map(Some),
        None => Ok(None),
    }
}

/// Connects to write, and brings the tables up to date.
async fn begin(location: &Location) -> Result<AnyConnection, sqlx::Error> {
    let mut connection = connect(location, true).await?;
    if location.path().is_some() {
        // readers and the writer do not wait for each other; a killed process loses nothing that was committed
        connection.execute("PRAGMA journal_mode = WAL").await?;
        connection.execute("PRAGMA synchronous = NORMAL").await?;
    }
    update(&mut connection, location.path().is_some()).await?;
    Ok(connection)
}

/// Makes a file that is not there, for its owner alone: who met what is nobody else's business. SQLite gives the files beside it
/// the same rights.
#[cfg(unix)]
fn make(path: &std::path::Path) {
    use std::os::unix::fs::OpenOptionsExt;
    // where this fails, opening says why
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

#[cfg(not(unix))]
fn make(_: &std::path::Path) {}

async fn connect(location: &Location, create: bool) -> Result<AnyConnection, sqlx::Error> {
    sqlx::any::install_default_drivers();
    if let Some(path) = location.path().filter(|_| create) {
        make(path);
    }
    let options: AnyConnectOptions = location.url(create).parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    if location.path().is_some() {
        connection.execute(BUSY).await?;
    }
    Ok(connection)
}

/// A store that does not answer is away.
pub(crate) async fn in_time<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    within(ANSWER_WITHIN, work).await
}

async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    let late = || sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer in time"));
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| Err(late()))
}
