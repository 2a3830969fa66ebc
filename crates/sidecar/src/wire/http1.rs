//! Serving HTTP/1.1, and putting connections aside that are not used for a while.
//!
//! hyper keeps some 16 KiB of buffers per connection. A connection without a request for a tenth of a second gives
//! them up: it is taken apart, and put together again with its next byte, which costs about as much as a timer.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::client::Client;
use crate::edge::{Edge, InnerService};
use crate::wire::serve::Wire;
use crate::wire::socket::ClientSocket;
use crate::wire::wake_filter::WakeFilter;

/// How long a connection keeps its buffers without a request.
const IDLE_BEFORE_ASIDE: Duration = Duration::from_millis(100);

/// Serves until the connection ends; `going` ends when it should.
pub(super) async fn serve<T, S>(
    mut socket: ClientSocket<T>,
    client: &Client,
    wire: &Wire,
    mut edge: Edge<S>,
    going: impl Future<Output = ()>,
) -> hyper::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: InnerService,
{
    let going = pin!(going);
    let mut going = WakeFilter::new(going);
    loop {
        // In a box, so that a connection that was put aside is small.
        let mut connection = Box::new(wire.http1.serve_connection(TokioIo::new(socket), edge).with_upgrades());
        let mut unused = WakeFilter::new(Box::pin(unused(client)));
        tokio::select! {
            biased;
            end = &mut *connection => return end,
            () = &mut going => {
                std::pin::Pin::new(&mut *connection).graceful_shutdown();
                return connection.await;
            }
            () = &mut unused => {}
        }
        let Some(parts) = connection.into_parts() else {
            return Ok(());
        };
        (socket, edge) = (parts.io.into_inner(), parts.service.rested());
        socket.put_back(&parts.read_buf);
        drop(parts.read_buf);
        let more = tokio::select! {
            biased;
            more = poll_fn(|cx| socket.poll_more(cx)) => more,
            () = &mut going => false,
        };
        if !more {
            let _ = socket.shutdown().await;
            return Ok(());
        }
    }
}

/// Ends when there was no request for a while, and every answer has left.
async fn unused(client: &Client) {
    loop {
        let served = client.served();
        sleep(IDLE_BEFORE_ASIDE).await;
        if !client.is_busy() && !client.is_blocked() && client.served() == served {
            return;
        }
    }
}
