//! Who is on the other end of the connection, as the server that accepted it knows it.

use std::net::{IpAddr, SocketAddr};

/// The client's side of one request. The server puts it into the request's extensions; without it nobody is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The address that opened the connection.
    pub address: SocketAddr,
    /// The visitor's address: the peer's own, or what trusted proxies forwarded.
    pub client: IpAddr,
    /// The connection comes from an address whose forwarding, user header and overrides count.
    pub trusted: bool,
    /// The visitor's side is encrypted, here or at a trusted proxy.
    pub tls: bool,
}
