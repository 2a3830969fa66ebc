//! New connections to the app.

use std::error::Error as _;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::address::Origin;
use crate::body::RequestBody;
use crate::descriptors::{out_of_descriptors, out_of_ports_or_memory, want_of_one};
use crate::io::CoalescedWrites;
use crate::meters::Failure;
use crate::proxy::early_answer::EarlyAnswer;
use crate::proxy::head_copy::{HeadCopy, NotesHead};
use crate::proxy::plain_wire::{AnswerLimits, PlainWire};
use crate::proxy::pool::{self, Connection, Home, HyperWire, Keeping, Sender, Wire};
use crate::settings::ProxySettings;
use crate::settings::upstream_policy::UpstreamPolicy;
use crate::tls;

/// What is buffered of an answer at most, where its head may not be larger.
const MAX_BUFFER: usize = 64 << 10;

/// Makes connections.
pub(crate) struct Connector {
    tls: Option<TlsConnector>,
    http2: bool,
    limit: Duration,
    answer: AnswerLimits,
    keeping: Keeping,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("http2", &self.http2).finish_non_exhaustive()
    }
}

impl Connector {
    pub(crate) fn new(settings: &ProxySettings) -> Result<Self, String> {
        let tls = if settings.upstream.iter().any(|origin| origin.tls) {
            let config = tls::client(settings.upstream_ca.as_deref(), settings.upstream_http2)?;
            Some(TlsConnector::from(Arc::new(config)))
        } else {
            None
        };
        let (limits, timeouts) = (&settings.limits, &settings.timeouts);
        let age = Some(timeouts.pool_age).filter(|age| !age.is_zero());
        Ok(Self {
            tls,
            http2: settings.upstream_http2,
            limit: timeouts.connect,
            answer: AnswerLimits {
                fields: limits.answer_headers.max(limits.headers),
                bytes: limits.answer_head_bytes,
            },
            keeping: Keeping { kept: limits.pool, limit: timeouts.pool, age },
        })
    }

    pub(crate) fn answer_limits(&self) -> AnswerLimits {
        self.answer
    }

    pub(crate) fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// Resolves, connects and shakes hands, within the time for it.
    ///
    /// # Errors
    ///
    /// With what failed, and why in words.
    pub(crate) async fn connect(
        &self,
        origin: &Origin,
        key: usize,
        policy: Option<&UpstreamPolicy>,
    ) -> Result<Sender, (Failure, String)> {
        match tokio::time::timeout(self.limit, self.open(origin, key, policy)).await {
            Ok(Ok(sender)) => Ok(sender),
            Ok(Err(error)) => Err((failure(&error), format!("{}: {error}", origin.authority))),
            Err(_) => Err((Failure::ConnectTimeout, format!("{}: no connection in time", origin.authority))),
        }
    }

    async fn open(&self, origin: &Origin, key: usize, policy: Option<&UpstreamPolicy>) -> io::Result<Sender> {
        if let Some(path) = &origin.socket {
            return self.speak(UnixStream::connect(path).await?, key).await;
        }
        let stream = dial(origin, policy, self.limit).await?;
        stream.set_nodelay(true)?;
        match self.tls.as_ref().filter(|_| origin.tls) {
            None => self.speak(stream, key).await,
            Some(tls) => {
                let name = ServerName::try_from(origin.host.to_string()).map_err(io::Error::other)?;
                self.speak(tls.connect(name, stream).await?, key).await
            }
        }
    }

    async fn speak<T>(&self, io: T, key: usize) -> io::Result<Sender>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        if self.http2 {
            let io = EarlyAnswer::new(CoalescedWrites(io));
            return speak_http2(io, self.answer).await.map_err(io::Error::other);
        }
        let wire = PlainWire::new(Box::new(io), self.answer);
        Ok(Sender::Http1(Box::new(Connection::new(wire, Home { key, keeping: self.keeping }))))
    }
}

/// Gives a connection to hyper, between two exchanges or in the middle of one: hyper then reads the answer.
///
/// # Errors
///
/// When the app has closed it.
pub(crate) async fn hand_over(connection: &mut Connection) -> hyper::Result<()> {
    let Wire::Plain(wire) = std::mem::replace(&mut connection.wire, Wire::Lost) else { return Ok(()) };
    let (answer, copy, numbers) = (wire.limits(), HeadCopy::default(), connection.numbers());
    let mut builder = http1::Builder::new();
    builder.max_headers(answer.fields).max_header_size(answer.bytes).max_buf_size(answer.bytes.max(MAX_BUFFER));
    let io = EarlyAnswer::new(CoalescedWrites(wire.hand_over()));
    let io = TokioIo::new(NotesHead::new(io, copy.clone()));
    let (mut sender, task) = builder.handshake::<_, RequestBody>(io).await?;
    tokio::spawn(async move {
        if let Err(error) = task.with_upgrades().await {
            tracing::debug!(%error, "a connection to the upstream ended");
        }
        pool::ended(numbers);
    });
    sender.ready().await?;
    connection.wire = Wire::Hyper(HyperWire { sender, copy });
    Ok(())
}

async fn speak_http2<T>(io: T, answer: AnswerLimits) -> hyper::Result<Sender>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.timer(TokioTimer::new()).keep_alive_interval(Duration::from_secs(20));
    builder.max_header_list_size(u32::try_from(answer.bytes).unwrap_or(u32::MAX));
    let (mut sender, connection) = builder.handshake::<_, RequestBody>(TokioIo::new(io)).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the upstream ended");
        }
    });
    sender.ready().await?;
    Ok(Sender::Http2(sender))
}

/// The addresses of the name in turn, until one takes the connection. Which of them may be asked is decided here, where a name that
/// leads elsewhere than before cannot lead astray.
async fn dial(origin: &Origin, policy: Option<&UpstreamPolicy>, limit: Duration) -> io::Result<TcpStream> {
    let until = Instant::now() + limit;
    let fine = |address: &SocketAddr| match policy.map_or(Ok(()), |policy| policy.address(origin, *address)) {
        Ok(()) => Ok(*address),
        Err(why) => Err(io::Error::new(io::ErrorKind::PermissionDenied, why)),
    };
    if let Ok(ip) = origin.host.parse::<IpAddr>() {
        return TcpStream::connect(fine(&SocketAddr::new(ip, origin.port))?).await;
    }
    let found = tokio::net::lookup_host((&*origin.host, origin.port)).await;
    let all: Vec<_> = found.map_err(|error| want_of_one().unwrap_or(error))?.collect();
    first_of(all.iter().map(fine), until).await
}

/// Connects to the first address that answers. Each has an equal part of the time that is left: one that answers nothing, as an IPv6
/// address without a route, leaves time for the others.
async fn first_of(
    addresses: impl ExactSizeIterator<Item = io::Result<SocketAddr>>,
    until: Instant,
) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    for address in addresses {
        let part = until.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        let late = |_| Err(io::Error::new(io::ErrorKind::TimedOut, "no connection in time"));
        let connected = match address {
            Ok(address) => tokio::time::timeout(part, TcpStream::connect(address)).await.unwrap_or_else(late),
            Err(why) => Err(why),
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none() {
        return Failure::Forbidden;
    }
    if error.kind() == io::ErrorKind::TimedOut {
        return Failure::ConnectTimeout;
    }
    let os = error.raw_os_error().or_else(|| error.source()?.downcast_ref::<io::Error>()?.raw_os_error());
    match os {
        os if out_of_descriptors(os) => Failure::Descriptors,
        os if out_of_ports_or_memory(os) => Failure::Local,
        _ => Failure::Connect,
    }
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Socket, Type};

    use super::*;

    #[tokio::test]
    async fn the_addresses_of_a_name_are_tried_in_turn() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // As localhost resolves to both, and the app listens on one.
        let both = [
            SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port)),
            SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, port)),
        ];
        let until = || Instant::now() + Duration::from_secs(10);
        let stream = first_of(both.into_iter().map(Ok), until()).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), both[1]);
        drop(listener);
        assert!(first_of(both.into_iter().map(Ok), until()).await.is_err());
        let none = first_of(std::iter::empty(), until()).await.unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
    }

    /// As an IPv6 address without a route, or a pod that is gone.
    #[tokio::test]
    async fn an_address_that_answers_nothing_leaves_time_for_the_others() {
        let silent = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        silent.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        silent.listen(0).unwrap();
        let dead = silent.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        // its queue is full when a connection waits
        while let Ok(Ok(one)) = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(dead)).await {
            waiting.push(one);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fine = listener.local_addr().unwrap();
        let limit = Duration::from_secs(2);
        let stream = first_of([dead, dead, fine].into_iter().map(Ok), Instant::now() + limit).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), fine);
        let none = first_of([dead, dead].into_iter().map(Ok), Instant::now() + limit).await.unwrap_err();
        assert_eq!(failure(&none), Failure::ConnectTimeout);
    }
}
