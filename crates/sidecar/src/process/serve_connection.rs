//! The services behind the edge, whatever their types are.

use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::client::Client;
use crate::edge::{Edge, EdgeContext, InnerService};
use crate::wire::{Wire, handshake, serve};

/// Serves connections with the services that were handed in. The code of a request is made for their types, all of it in the crate that
/// calls [`Sidecar::new`](crate::Sidecar::new).
pub(crate) trait ServeConnection: Send + Sync {
    /// Serves a connection, in a task of its own; after a handshake where there is an acceptor.
    fn serve(
        &self,
        io: TcpStream,
        acceptor: Option<TlsAcceptor>,
        client: Arc<Client>,
        edge: Arc<EdgeContext>,
        wire: Arc<Wire>,
    );
}

impl<S: InnerService + Sync> ServeConnection for S {
    fn serve(
        &self,
        io: TcpStream,
        acceptor: Option<TlsAcceptor>,
        client: Arc<Client>,
        edge: Arc<EdgeContext>,
        wire: Arc<Wire>,
    ) {
        let edge = Edge::new(self.clone(), Arc::clone(&client), edge);
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
