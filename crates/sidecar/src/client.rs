//! What the parts that serve one client's connection tell each other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::Relaxed};

use tokio::sync::OwnedSemaphorePermit;

use crate::drain::TaskToken;
use crate::meters::METERS;
use crate::refusal::Refusal;

const NONE: u8 = u8::MAX;

/// One client's connection. It counts as open until the last reference is gone, tunnels included.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) address: SocketAddr,
    /// The address's forwarding counts.
    pub(crate) trusted: bool,
    pub(crate) tls: bool,
    refused: AtomicU8,
    /// The number of the request that broke the rules in its target or body; 0: none.
    broken: AtomicU32,
    in_flight: AtomicU32,
    served: AtomicU32,
    blocked: AtomicBool,
    _token: TaskToken,
    _permit: OwnedSemaphorePermit,
}

impl Client {
    pub(crate) fn new(
        address: SocketAddr,
        trusted: bool,
        tls: bool,
        token: TaskToken,
        permit: OwnedSemaphorePermit,
    ) -> Self {
        METERS.connections.increment(1.0);
        METERS.accepted.increment(1);
        Self {
            address,
            trusted,
            tls,
            refused: AtomicU8::new(NONE),
            broken: AtomicU32::new(0),
            in_flight: AtomicU32::new(0),
            served: AtomicU32::new(0),
            blocked: AtomicBool::new(false),
            _token: token,
            _permit: permit,
        }
    }

    /// Counts the first refusal of the connection; it ends with it.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        if self.refused.compare_exchange(NONE, refusal as u8, Relaxed, Relaxed).is_ok() {
            METERS.refuse(refusal);
            tracing::debug!(client = %self.address, reason = refusal.label(), "refused");
        }
    }

    /// Refuses one request; those before it are answered.
    pub(crate) fn refuse_request(&self, request: u32, refusal: Refusal) {
        self.broken.store(request, Relaxed);
        self.refuse(refusal);
    }

    /// Why the request that begins now is refused, when it is known to be broken already.
    pub(crate) fn broken_request(&self) -> Option<Refusal> {
        let number = self.broken.load(Relaxed);
        if number != 0 && number == self.served() { self.refused() } else { None }
    }

    /// Why the connection ends, when it was refused.
    pub(crate) fn refused(&self) -> Option<Refusal> {
        Refusal::from_index(self.refused.load(Relaxed))
    }

    /// The client takes no bytes at the moment, or does again.
    pub(crate) fn blocked(&self, blocked: bool) {
        self.blocked.store(blocked, Relaxed);
    }

    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked.load(Relaxed)
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.in_flight.load(Relaxed) > 0
    }

    /// Requests served so far, for telling whether anything happened meanwhile.
    pub(crate) fn served(&self) -> u32 {
        self.served.load(Relaxed)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        METERS.connections.decrement(1.0);
    }
}

/// A request from its head to the end of its answer.
#[derive(Debug)]
pub(crate) struct InFlight(pub(crate) Arc<Client>);

impl InFlight {
    pub(crate) fn new(client: &Arc<Client>) -> Self {
        client.in_flight.fetch_add(1, Relaxed);
        client.served.fetch_add(1, Relaxed);
        Self(Arc::clone(client))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

/// Goes with the request that an upgrade may come of: the connection counts as open as long as its tunnel.
#[derive(Clone, Debug)]
pub(crate) struct Tunnel(#[allow(dead_code, reason = "kept for what its end does")] pub(crate) Arc<Client>);
