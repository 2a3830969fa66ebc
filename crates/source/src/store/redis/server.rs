//! A server is asked: over a connection of its own each time, and never for long.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use redis::{
    Client, Cmd, Connection, ConnectionAddr, ErrorKind, FromRedisValue, IntoConnectionInfo as _, RedisConnectionInfo,
    RedisError, RedisResult, cmd,
};

use super::address::{Address, Login, server};
use super::words::in_words;

/// How long a server may take to connect, or for one answer.
pub(super) const STEP_TIMEOUT: Duration = Duration::from_secs(2);
/// How long all of a question may take, with the names of hosts and all redirections.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Questions at most that were given up and have not ended yet.
const MAX_ASKING: usize = 8;
/// Servers of a cluster that send a question on.
const MAX_REDIRECTIONS: usize = 4;

/// Servers that have one document. Cheap to clone.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) address: Arc<Address>,
    asking: Arc<AtomicUsize>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

impl Server {
    pub(super) fn new(address: Address) -> Self {
        if address.is_encrypted {
            // where the process has one already, that one is taken
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        Self { address: Arc::new(address), asking: Arc::default() }
    }

    /// Asks over a new connection. It blocks for [`TOTAL_TIMEOUT`] at most: the thread that asks is given up then, and ends by itself.
    ///
    /// # Errors
    /// Why there is no answer, in words.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Session) -> RedisResult<T> + Send + 'static,
    ) -> Result<T, String> {
        let asking = Asking::begin(&self.asking).ok_or("it has not answered the questions before this one yet")?;
        let address = Arc::clone(&self.address);
        let (sender, receiver) = sync_channel(1);
        let ask = move || {
            let _asking = asking;
            // nobody may wait any more
            let _ = sender.send(Session::open(address).and_then(|mut session| question(&mut session)));
        };
        thread::Builder::new().name("flags-redis".into()).spawn(ask).map_err(|error| error.to_string())?;
        match receiver.recv_timeout(TOTAL_TIMEOUT) {
            Ok(answer) => answer.map_err(|error| in_words(&error, &self.address)),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("it does not answer within {} seconds", TOTAL_TIMEOUT.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => Err("asking it ended with a panic; please report this".into()),
        }
    }
}

/// Counts a question until it has ended.
struct Asking(Arc<AtomicUsize>);

impl Asking {
    fn begin(count: &Arc<AtomicUsize>) -> Option<Self> {
        let asking = Self(Arc::clone(count));
        (count.fetch_add(1, Ordering::Relaxed) < MAX_ASKING).then_some(asking)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection to the server that has the keys.
pub(super) struct Session {
    address: Arc<Address>,
    connection: Connection,
}

impl Session {
    /// Connects to the first server that answers; where there are sentinels, to the one they name.
    pub(super) fn open(address: Arc<Address>) -> RedisResult<Self> {
        let connection = first(&address.servers, |server| match &address.service {
            None => connect(&address, server),
            Some(service) => connect(&address, &found(&address, server, service)?),
        })?;
        Ok(Self { address, connection })
    }

    pub(super) fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Asks; where a server of a cluster names another one, that one is asked.
    pub(super) fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        for _ in 0..MAX_REDIRECTIONS {
            match command.query(&mut self.connection) {
                Err(error) => self.connection = self.redirected(error)?,
                answer => return answer,
            }
        }
        Err(RedisError::from((ErrorKind::Client, "the servers of the cluster send each question on")))
    }

    /// A connection to the server that an error names.
    fn redirected(&self, error: RedisError) -> RedisResult<Connection> {
        let named = error.redirect_node().and_then(|(named, _)| server(named, 0));
        match named {
            Some(named) => connect(&self.address, &named),
            None => Err(error),
        }
    }
}

/// What the first server answers that answers at all.
fn first<T>(servers: &[(String, u16)], mut ask: impl FnMut(&(String, u16)) -> RedisResult<T>) -> RedisResult<T> {
    let mut last = RedisError::from((ErrorKind::InvalidClientConfig, "no server is named"));
    for server in servers {
        match ask(server) {
            Ok(answer) => return Ok(answer),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// The server that a sentinel names.
fn found(address: &Address, sentinel: &(String, u16), service: &str) -> RedisResult<(String, u16)> {
    let mut connection = connection(address, sentinel, &address.sentinel_login, 0)?;
    let named: Option<(String, u16)> =
        cmd("SENTINEL").arg("get-master-addr-by-name").arg(service).query(&mut connection)?;
    named.ok_or_else(|| {
        RedisError::from((ErrorKind::MasterNameNotFoundBySentinel, "the sentinels know no service of this name"))
    })
}

fn connect(address: &Address, server: &(String, u16)) -> RedisResult<Connection> {
    connection(address, server, &address.login, address.database)
}

fn connection(address: &Address, server: &(String, u16), login: &Login, database: i64) -> RedisResult<Connection> {
    let (host, port) = server.clone();
    let location = if address.is_encrypted {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    // a name would be one command more, for which its user needs one more right
    let mut settings = RedisConnectionInfo::default().set_db(database).set_skip_set_lib_name();
    if let Some(user) = &login.user {
        settings = settings.set_username(user);
    }
    if let Some(password) = &login.password {
        settings = settings.set_password(password);
    }
    let client = Client::open(location.into_connection_info()?.set_redis_settings(settings))?;
    let connection = client.get_connection_with_timeout(STEP_TIMEOUT)?;
    connection.set_read_timeout(Some(STEP_TIMEOUT))?;
    connection.set_write_timeout(Some(STEP_TIMEOUT))?;
    Ok(connection)
}
