//! Listening sockets: bound here, handed over by systemd, or taken from the process before this one.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use socket2::{Domain, Socket, Type};

use super::handover::{Takeover, hand_over};

/// Connections that may wait to be accepted; the kernel's net.core.somaxconn caps it.
const BACKLOG: i32 = 4096;

/// Why the addresses cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address cannot be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// systemd handed over a socket that no setting names.
    #[error("systemd passed a socket for {0}, which `listen` does not name; make ListenStream= and `listen` agree")]
    Unclaimed(SocketAddr),
    /// systemd handed over something that is no listening TCP socket.
    #[error("systemd passed a descriptor that is not a listening TCP socket: {0}")]
    NotListening(io::Error),
    /// No process handed its sockets over.
    #[error("no running process handed its sockets over on {path}: {message}")]
    Takeover {
        /// The socket they were expected on.
        path: String,
        /// What went wrong.
        message: String,
    },
}

/// The listening sockets of this process, and where each came from.
#[derive(Debug, Default)]
pub(crate) struct Sockets {
    inherited: HashMap<SocketAddr, TcpListener>,
    /// The address that was asked for, and its socket.
    open: Vec<(SocketAddr, TcpListener)>,
    /// The process before this one goes on until this one is ready.
    takeover: Option<Takeover>,
}

impl Sockets {
    /// Collects what systemd handed over.
    pub(crate) fn from_systemd() -> Result<Self, BindError> {
        let mut passed = listenfd::ListenFd::from_env();
        let mut sockets = Self::default();
        for n in 0..passed.len() {
            let Some(listener) = passed.take_tcp_listener(n).map_err(BindError::NotListening)? else {
                continue;
            };
            sockets.inherit(listener).map_err(BindError::NotListening)?;
        }
        Ok(sockets)
    }

    /// Waits for the process before this one to hand its sockets over, and takes them.
    pub(crate) fn take_over(&mut self, path: &Path) -> Result<(), BindError> {
        let failed =
            |error: io::Error| BindError::Takeover { path: path.display().to_string(), message: error.to_string() };
        let (takeover, listeners) = Takeover::take(path).map_err(failed)?;
        self.takeover = Some(takeover);
        listeners.into_iter().try_for_each(|listener| self.inherit(listener)).map_err(failed)
    }

    /// This process serves from now on: the one before it, if any, may drain.
    pub(crate) fn say_ready(&mut self) {
        self.takeover.take().into_iter().for_each(Takeover::say_ready);
    }

    fn inherit(&mut self, listener: TcpListener) -> io::Result<()> {
        let address = listener.local_addr()?;
        self.inherited.insert(address, listener);
        Ok(())
    }

    /// The socket for an address: an inherited one, or a new one. Says the address it really has.
    pub(crate) fn claim(&mut self, address: SocketAddr) -> Result<SocketAddr, BindError> {
        let bind = |source| BindError::Bind { address, source };
        let listener = match self.inherited.remove(&address) {
            Some(listener) => listener,
            None => listen(address).map_err(bind)?,
        };
        listener.set_nonblocking(true).map_err(bind)?;
        let real = listener.local_addr().map_err(bind)?;
        self.open.push((real, listener));
        Ok(real)
    }

    /// Every socket that was handed over has been claimed.
    pub(crate) fn all_claimed(&self) -> Result<(), BindError> {
        self.inherited.keys().next().map_or(Ok(()), |address| Err(BindError::Unclaimed(*address)))
    }

    /// Closes what the process before this one listened on and this one does not.
    pub(crate) fn drop_unclaimed(&mut self) {
        for (address, _) in self.inherited.drain() {
            tracing::info!(%address, "no longer listened on");
        }
    }

    /// A second descriptor of the socket: each accept loop has its own.
    pub(crate) fn duplicate(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let found = self.open.iter().find(|(real, _)| *real == address);
        found.map_or(Err(io::ErrorKind::NotFound.into()), |(_, listener)| listener.try_clone())
    }

    /// Hands all sockets to the process that waits for them on `path`, and waits some seconds until it is ready.
    pub(crate) fn hand_over(&self, path: &Path) -> io::Result<()> {
        hand_over(path, &self.open)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.cloexec(), None)?;
    // A restart must not wait for old connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` means IPv6 alone, as in nginx, so that `0.0.0.0` may stand beside it.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
