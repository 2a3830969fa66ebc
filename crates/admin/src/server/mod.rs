//! Connections of operators: few, short, and none of them in the way of visitors.
//!
//! - `connection_limit.rs`: how many connections and streams may be open at once, and who makes room.
//! - `connection.rs`: one connection, from its first byte to its end.
//! - `arriving.rs`: the body of a question, on its way.
//! - `stream.rs`: an answer that goes on for as long as its client listens.

mod arriving;
mod connection;
mod connection_limit;
mod stream;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use connection::Connection;
use connection_limit::ConnectionLimit;

/// How long to wait for a descriptor to become free.
const SHORTAGE: Duration = Duration::from_millis(50);

/// Serves until `stop` is done, and then what is open.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let mut limit = ConnectionLimit::default();
    let (closing, closed) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut stop = pin!(stop);
    loop {
        let next = tokio::select! {
            biased;
            () = &mut stop => break,
            next = limit.next(&listener) => next,
        };
        match next {
            Ok((io, peer, admission)) => {
                let connection = Connection {
                    router: router.clone(),
                    peer,
                    admission,
                    closed: closed.clone(),
                    taken: std::sync::Arc::default(),
                };
                open.spawn(connection.serve(io));
            }
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

#[cfg(test)]
mod tests;
