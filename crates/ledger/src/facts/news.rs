//! What other programs write is told at once, by LISTEN and NOTIFY of PostgreSQL. Who hears it looks for itself: what is told is only
//! that there is something.

use std::fmt;

use sqlx::postgres::PgListener;
use sqlx::{AnyConnection, Executor, Row};

use crate::store::connection::in_time;
use crate::store::error::Error;
use crate::store::location::Location;

/// Channels belong to a database: a ledger in another schema of it wakes its neighbours for nothing, no more.
const FACTS: &str = "flagstaff_facts";
const SIGNS: &str = "flagstaff_signs";

/// Something was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Facts.
    Facts,
    /// Signs of guards.
    Signs,
}

/// Tells what is written to a ledger while it is listened to, over a connection of its own.
pub struct NewsListener {
    listener: PgListener,
    location: Location,
}

impl NewsListener {
    /// Listens, where the ledger can tell: a file cannot.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn connect(location: &Location) -> Result<Option<Self>, Error> {
        let Some(url) = location.server() else { return Ok(None) };
        let connecting = async {
            let mut listener = PgListener::connect(url).await?;
            // what is missed meanwhile must be known
            listener.eager_reconnect(false);
            listener.listen_all([FACTS, SIGNS]).await?;
            Ok(listener)
        };
        let listener = in_time(connecting).await.map_err(|error| Error::new(location, error))?;
        Ok(Some(Self { listener, location: location.clone() }))
    }

    /// Waits for the next that is told; none when the connection was lost, and with it whatever was told since.
    ///
    /// # Errors
    /// When the connection fails.
    pub async fn next(&mut self) -> Result<Option<News>, Error> {
        let told = self.listener.try_recv().await.map_err(|error| Error::new(&self.location, error))?;
        Ok(told.map(|told| if told.channel() == SIGNS { News::Signs } else { News::Facts }))
    }
}

impl fmt::Debug for NewsListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewsListener({})", self.location)
    }
}

/// Whether a store can tell. Some that speak PostgreSQL's language have no NOTIFY, and would refuse all that is written with it.
pub(super) async fn can_tell(store: &mut AnyConnection, location: &Location) -> Result<bool, sqlx::Error> {
    if location.server().is_none() {
        return Ok(false);
    }
    let version = in_time(sqlx::query("SELECT version()").fetch_one(store)).await?;
    Ok(version.try_get::<String, _>(0)?.starts_with("PostgreSQL"))
}

/// Tells it to all who listen, once what is written in this transaction is there to be read.
pub(super) async fn tell(store: &mut AnyConnection, news: News) -> Result<(), sqlx::Error> {
    let notify = match news {
        News::Facts => "NOTIFY flagstaff_facts",
        News::Signs => "NOTIFY flagstaff_signs",
    };
    store.execute(notify).await.map(|_| ())
}
