//! Connections of operators: few, short, and none of them in the way of visitors.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Connections that may be open at once; further ones wait.
pub(crate) const MAX_CONNECTIONS: usize = 64;
/// How long a head may take, and how long a connection may be idle before the next.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may last, so that a client that reads no answer does not keep it.
const MAX_CONNECTION_TIME: Duration = Duration::from_secs(60);
/// How long to wait for a descriptor to become free.
const SHORTAGE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, and then what is open.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let seats = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (closing, closed) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let next = tokio::select! {
            biased;
            () = &mut stop => break,
            next = next(&listener, &seats) => next,
        };
        match next {
            Ok((io, seat)) => drop(open.spawn(one(io, router.clone(), closed.clone(), seat))),
            Err(error) => {
                tracing::debug!(%error, "a connection of an operator was not accepted");
                tokio::time::sleep(SHORTAGE).await;
            }
        }
        while open.try_join_next().is_some() {}
    }
    drop(listener);
    closing.send_replace(true);
    while open.join_next().await.is_some() {}
}

/// The next connection, once there is room for it.
async fn next(listener: &TcpListener, seats: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let seat = Arc::clone(seats).acquire_owned().await.map_err(io::Error::other)?;
    let (io, _) = listener.accept().await?;
    Ok((io, seat))
}

async fn one(io: TcpStream, router: Router, mut closed: watch::Receiver<bool>, _seat: OwnedSemaphorePermit) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), TowerToHyperService::new(router)));
    let mut longest = pin!(tokio::time::sleep(MAX_CONNECTION_TIME));
    let mut is_closing = false;
    loop {
        tokio::select! {
            // how it ended is the operator's to know
            _ = &mut connection => return,
            () = &mut longest => return,
            _ = closed.wait_for(|closed| *closed), if !is_closing => {
                is_closing = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;

    use super::*;

    #[tokio::test]
    async fn unfinished_connections_have_their_time_and_number() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let router = Router::new().route("/healthz", get(|| async { "fine" }));
        let serving = tokio::spawn(serve(listener, router, async { drop(stopped.await) }));
        let mut held = Vec::new();
        for _ in 0..MAX_CONNECTIONS + 5 {
            let mut io = tokio::net::TcpStream::connect(address).await.unwrap();
            io.write_all(b"G").await.unwrap();
            held.push(io);
        }
        let mut last = tokio::net::TcpStream::connect(address).await.unwrap();
        last.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(6 * HEAD_TIMEOUT, last.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop((stop, held));
        serving.await.unwrap();
    }
}
