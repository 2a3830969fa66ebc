//! Accepting connections: only as many as there is room for, and on through a shortage of descriptors.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use crate::client::Client;
use crate::descriptors::out_of_descriptors;
use crate::edge::{Edge, EdgeContext, InnerService};
use crate::meters::METERS;
use crate::tls::Certificates;
use crate::wire::{Wire, handshake, serve};

/// How long to wait for a descriptor to become free.
const SHORTAGE: Duration = Duration::from_millis(50);

/// Clients' connections that may be open at once.
#[derive(Debug)]
pub(crate) struct ConnectionLimit {
    free: Arc<Semaphore>,
    number: usize,
    full: AtomicBool,
    short: AtomicBool,
}

impl ConnectionLimit {
    pub(crate) fn new(number: usize) -> Self {
        let number = number.min(Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(number)),
            number,
            full: AtomicBool::new(false),
            short: AtomicBool::new(false),
        }
    }

    /// Waits until there is room, without taking it: it must stay free for the worker that accepts first.
    async fn room(&self) {
        if self.free.available_permits() > 0 {
            self.full.store(false, Relaxed);
            return;
        }
        if !self.full.swap(true, Relaxed) {
            tracing::warn!(connections = self.number, "all connections are in use; new ones wait");
        }
        drop(self.free.acquire().await);
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    async fn failed(&self, error: &io::Error) {
        METERS.accept_failures.increment(1);
        if !out_of_descriptors(error.raw_os_error()) {
            // The client has gone again, mostly.
            tracing::debug!(%error, "a connection was not accepted");
            return;
        }
        if !self.short.swap(true, Relaxed) {
            tracing::warn!(
                "no file descriptor is free; new connections wait. Raise LimitNOFILE or lower limits.connections"
            );
        }
        tokio::time::sleep(SHORTAGE).await;
    }

    fn accepted(&self) {
        if self.short.load(Relaxed) && self.short.swap(false, Relaxed) {
            tracing::info!("file descriptors are free again");
        }
    }
}

/// Accepts connections: all that one needs once it is there.
#[derive(Clone)]
pub(crate) struct Acceptor {
    pub(crate) wire: Arc<Wire>,
    pub(crate) edge: Arc<EdgeContext>,
    pub(crate) limit: Arc<ConnectionLimit>,
    pub(crate) certificates: Option<Arc<Certificates>>,
    pub(crate) serve: Serve,
}

impl Acceptor {
    /// Accepts until the process stops. When another process serves the address by then, it stops at once; otherwise
    /// late clients are served during the linger, and those still in the queue after it.
    pub(crate) async fn accept(self, listener: Arc<TcpListener>, tls: bool) {
        let (drain, linger) = (Arc::clone(&self.wire.drain), self.wire.timeouts.linger);
        let closing = async move {
            drain.stop().draining().await;
            if !drain.is_handover() {
                tokio::time::sleep(linger).await;
            }
        };
        let mut closing = std::pin::pin!(closing);
        loop {
            tokio::select! {
                biased;
                () = &mut closing => break,
                () = self.next(&listener, tls) => {}
            }
        }
        if !self.wire.drain.is_handover() {
            self.empty_queue(&listener, tls);
        }
    }

    /// Closing a listening socket resets the connections that wait in its queue.
    fn empty_queue(&self, listener: &TcpListener, tls: bool) {
        let mut cx = Context::from_waker(Waker::noop());
        while let Ok(permit) = Arc::clone(&self.limit.free).try_acquire_owned()
            && let Poll::Ready(Ok((io, address))) = listener.poll_accept(&mut cx)
        {
            self.receive(io, address, permit, tls);
        }
    }

    async fn next(&self, listener: &TcpListener, tls: bool) {
        self.limit.room().await;
        match listener.accept().await {
            Ok((io, address)) => {
                self.limit.accepted();
                if let Some(permit) = self.limit.take().await {
                    self.receive(io, address, permit, tls);
                }
            }
            Err(error) => self.limit.failed(&error).await,
        }
    }

    fn receive(&self, io: TcpStream, address: SocketAddr, permit: OwnedSemaphorePermit, tls: bool) {
        // Answers are written whole; waiting for more to send would only delay them.
        let _ = io.set_nodelay(true);
        let trusted = self.edge.forwarding.trusts(address.ip());
        let client = Arc::new(Client::new(address, trusted, tls, self.wire.drain.client(), permit));
        let acceptor = self.certificates.as_ref().filter(|_| tls).map(|certificates| certificates.acceptor());
        (self.serve)(Accepted { io, acceptor, client, edge: Arc::clone(&self.edge), wire: Arc::clone(&self.wire) });
    }
}

/// Serves a connection with the services behind the edge, whatever their types are.
pub(crate) type Serve = Arc<dyn Fn(Accepted) + Send + Sync>;

/// A connection, and all that serves it but the services behind the edge.
pub(crate) struct Accepted {
    io: TcpStream,
    /// For the handshake, where the connection is to be encrypted.
    acceptor: Option<TlsAcceptor>,
    client: Arc<Client>,
    edge: Arc<EdgeContext>,
    wire: Arc<Wire>,
}

impl Accepted {
    /// Serves it in a task of its own. The code of a request is made for the type of the services, all of it in the crate that calls
    /// [`Sidecar::new`](crate::Sidecar::new).
    pub(crate) fn serve<S: InnerService>(self, stack: S) {
        let Self { io, acceptor, client, edge, wire } = self;
        let edge = Edge::new(stack, Arc::clone(&client), edge);
        let Some(acceptor) = acceptor else {
            tokio::spawn(serve(io, client, wire, edge));
            return;
        };
        tokio::spawn(async move {
            match handshake(&acceptor, io, &wire).await {
                Ok(io) => serve(io, client, wire, edge).await,
                Err(refusal) => client.refuse(refusal),
            }
        });
    }
}
