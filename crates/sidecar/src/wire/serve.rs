//! Serving one connection: which protocol, then hyper until it ends or the process stops.

use std::error::Error as _;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::client::Client;
use crate::drain::Drain;
use crate::edge::{Edge, InnerService};
use crate::io::stalled_streams::Streams;
use crate::refusal::Refusal;
use crate::settings::{Limits, Timeouts};
use crate::wire::framing::Framing;
use crate::wire::http1;
use crate::wire::preface::First;
use crate::wire::socket::ClientSocket;

/// How connections are served; the same for all.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) timeouts: Arc<Timeouts>,
    pub(crate) limits: Limits,
    pub(crate) drain: Arc<Drain>,
    pub(super) http1: conn::http1::Builder,
    http2: conn::http2::Builder<Streams>,
}

impl Wire {
    pub(crate) fn new(timeouts: Timeouts, limits: Limits, drain: Arc<Drain>) -> Self {
        let mut http1 = conn::http1::Builder::new();
        // hyper adds a Date where the app gave none; time limits are kept by the socket, which knows why it waits.
        http1.header_read_timeout(None);
        http1.max_header_size(limits.head_bytes).max_buf_size(limits.head_bytes);
        if limits.headers != 100 {
            // hyper's own default is 100, and only that needs no memory.
            http1.max_headers(limits.headers);
        }
        let mut http2 = conn::http2::Builder::new(Streams { limit: timeouts.write });
        http2.timer(hyper_util::rt::TokioTimer::new());
        http2.max_concurrent_streams(limits.streams);
        http2.max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX));
        http2.keep_alive_interval(timeouts.idle).keep_alive_timeout(timeouts.write);
        Self { timeouts: Arc::new(timeouts), limits, drain, http1, http2 }
    }
}

/// Serves a connection until it ends.
pub(crate) async fn serve<T, S>(mut io: T, client: Arc<Client>, wire: Arc<Wire>, edge: Edge<S>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: InnerService,
{
    let Some(first) = first_bytes(&mut io, &wire).await else {
        return;
    };
    let http2 = first.is_http2();
    let framing = (!http2).then(|| Framing::new(wire.limits.head_bytes));
    let socket =
        ClientSocket::new(io, Arc::clone(&client), framing, Arc::clone(&wire.timeouts)).with_first(first.bytes());
    let going = going(&wire);
    let end = if http2 {
        // In a box for the same reason as HTTP/1.1 connections: a connection that waits before it is small.
        Box::pin(serve_http2(socket, &client, &wire, edge, going)).await
    } else {
        http1::serve(socket, &client, &wire, edge, going).await
    };
    if let Some(refusal) = end.err().as_ref().and_then(reason) {
        client.refuse(refusal);
    }
}

/// A connection that says nothing costs little: hyper and its buffers come with the first byte.
async fn first_bytes(io: &mut (impl AsyncRead + Unpin), wire: &Wire) -> Option<First> {
    let deadline = Instant::now() + wire.timeouts.idle;
    tokio::select! {
        biased;
        first = timeout_at(deadline, First::read(io)) => first.ok()?.ok().filter(|first| !first.bytes().is_empty()),
        () = going(wire) => None,
    }
}

/// After the signal to stop, answers say `Connection: close` and idle connections may still ask for a while: a
/// request that is on its way when a connection closes is lost, and only the client knows whether to send it again.
async fn going(wire: &Wire) {
    wire.drain.stop().draining().await;
    sleep(wire.timeouts.linger).await;
}

async fn serve_http2<T, S>(
    socket: ClientSocket<T>,
    client: &Client,
    wire: &Wire,
    edge: Edge<S>,
    going: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: InnerService,
{
    let mut connection = pin!(wire.http2.serve_connection(TokioIo::new(socket), edge));
    tokio::select! {
        biased;
        end = connection.as_mut() => return end,
        () = going => {}
        () = unused(client, wire.timeouts.idle) => {}
    }
    connection.as_mut().graceful_shutdown();
    // a client that takes nothing of a small answer, which hyper has handed over whole, would keep the connection for good; one that takes what
    // it was sent slowly is blocked, and has the socket's time limit
    tokio::select! {
        biased;
        end = connection => end,
        () = unused(client, wire.timeouts.write) => Ok(()),
    }
}

/// Ends when an HTTP/2 connection has had no request for so long.
async fn unused(client: &Client, time: Duration) {
    loop {
        let served = client.served();
        sleep(time).await;
        if !client.is_busy() && !client.is_blocked() && client.served() == served {
            return;
        }
    }
}

/// What hyper's error says about the client, if it does.
fn reason(error: &hyper::Error) -> Option<Refusal> {
    if error.is_parse_too_large() {
        return Some(Refusal::HeadTooLarge);
    }
    if error.is_parse() {
        return Some(Refusal::Malformed);
    }
    let http2 = error.source()?.downcast_ref::<h2::Error>()?;
    let broken = http2.is_library() && http2.reason().is_some_and(|reason| reason != h2::Reason::NO_ERROR);
    broken.then_some(Refusal::Http2)
}

/// A TLS handshake within its time.
pub(crate) async fn handshake<T>(
    acceptor: &tokio_rustls::TlsAcceptor,
    io: T,
    wire: &Wire,
) -> Result<tokio_rustls::server::TlsStream<T>, Refusal>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(wire.timeouts.head, acceptor.accept(io)).await {
        Ok(Ok(io)) => Ok(io),
        Ok(Err(_)) => Err(Refusal::Handshake),
        Err(_) => Err(Refusal::HandshakeTimeout),
    }
}
