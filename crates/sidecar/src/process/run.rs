//! Building the process, binding its addresses, running it until it has drained.

use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock, Mutex};
use std::{fmt, io};

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body::Body;
use pingora::server::configuration::ServerConf;
use pingora::server::{RunArgs, Server};
use tower::{Layer, Service};

use crate::access_log::{AccessLogWriter, Describe};
use crate::background::Background;
use crate::body::{BodyRules, BoxError, RequestBody};
use crate::descriptors;
use crate::drain::Drain;
use crate::edge::{EdgeContext, Forwarding, LoopDetector};
use crate::meters::METERS;
use crate::process::accept::{Accepted, Acceptor, ConnectionLimit, Serve};
use crate::process::services::{BackgroundService, CertificateReload, Worker};
use crate::process::signals::{Reread, Signals, StopSignals};
use crate::process::sockets::{BindError, Sockets};
use crate::settings::ProxySettings;
use crate::tls::{Certificates, TlsError};
use crate::wire::Wire;

/// Why the proxy did not start. Nothing is bound any more.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be served.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system refuses something else.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// A proxy that is not bound yet: the edge, around the layer that was handed in, around the service that answers.
pub struct Sidecar {
    settings: ProxySettings,
    serve: Serve,
    background: Vec<Background>,
    describe: Option<Describe>,
    reread: Vec<Reread>,
}

impl fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sidecar").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Sidecar {
    /// `layer` around `origin`, which is mostly a [`Proxy`](crate::Proxy).
    pub fn new<L, O, B>(settings: ProxySettings, layer: &L, origin: O) -> Self
    where
        L: Layer<O>,
        L::Service:
            Service<Request<RequestBody>, Response = Response<B>, Error: Into<BoxError>, Future: Send + 'static>,
        L::Service: Clone + Send + Sync + 'static,
        B: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let stack = layer.layer(origin);
        let serve = Arc::new(move |accepted: Accepted| accepted.serve(stack.clone()));
        Self { settings, serve, background: Vec::new(), describe: None, reread: Vec::new() }
    }

    /// Runs a service beside the proxy.
    #[must_use]
    pub fn background(mut self, background: Background) -> Self {
        self.background.push(background);
        self
    }

    /// Has something read again on SIGHUP. It is called on the thread that waits for signals, so it must return at once.
    #[must_use]
    pub fn on_hangup<F: Fn() + Send + Sync + 'static>(mut self, reread: F) -> Self {
        self.reread.push(Box::new(reread));
        self
    }

    /// Describes answers for the access log: the visitor, where one may be named, and the flags.
    #[must_use]
    pub fn describe<F>(mut self, describe: F) -> Self
    where
        F: Fn(&Extensions) -> Option<(Option<String>, String)> + Send + Sync + 'static,
    {
        self.describe = Some(Arc::new(describe));
        self
    }

    /// Loads the certificates, raises the limit on open files, catches signals, then takes or binds all addresses.
    ///
    /// # Errors
    ///
    /// When a certificate or an address cannot be used, or no process hands its sockets over.
    pub fn bind(self) -> Result<Bound, StartError> {
        // every counter is there with 0 before anything is counted
        LazyLock::force(&METERS);
        let certificates = self.settings.tls.clone().map(Certificates::load).transpose()?.map(Arc::new);
        let files = descriptors::raise_limit();
        let limit = self.settings.limits.connections.unwrap_or_else(|| descriptors::connections_within(files));
        let stop_signals = StopSignals::new()?;
        let mut sockets = Sockets::from_systemd()?;
        let takes_over = self.settings.upgrade_socket.as_ref().filter(|_| self.settings.upgrade);
        if let Some(path) = takes_over {
            sockets.take_over(path)?;
        }
        let mut listen = Vec::new();
        for one in &self.settings.listen {
            listen.push((sockets.claim(one.address)?, one.tls));
        }
        let mut background = Vec::new();
        for one in self.background {
            let claimed = one.listen.iter().map(|address| sockets.claim(*address)).collect::<Result<Vec<_>, _>>()?;
            background.push((one, claimed));
        }
        if takes_over.is_some() {
            sockets.drop_unclaimed();
        }
        sockets.all_claimed()?;
        tracing::info!(files, connections = limit, workers = self.settings.workers, "limits");
        Ok(Bound {
            settings: self.settings,
            serve: self.serve,
            background,
            describe: self.describe,
            reread: self.reread,
            certificates,
            limit: Arc::new(ConnectionLimit::new(limit)),
            sockets,
            listen,
            stop_signals,
        })
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut off because they did not end in time.
    pub cut: usize,
}

/// A proxy whose addresses are bound: connections queue up already.
pub struct Bound {
    settings: ProxySettings,
    serve: Serve,
    background: Vec<(Background, Vec<SocketAddr>)>,
    describe: Option<Describe>,
    reread: Vec<Reread>,
    certificates: Option<Arc<Certificates>>,
    limit: Arc<ConnectionLimit>,
    sockets: Sockets,
    listen: Vec<(SocketAddr, bool)>,
    stop_signals: StopSignals,
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bound").field("listen", &self.listen).finish_non_exhaustive()
    }
}

impl Bound {
    /// The proxy's addresses as URLs, with the ports they really have.
    pub fn urls(&self) -> Vec<String> {
        let scheme = |tls: bool| if tls { "https" } else { "http" };
        self.listen.iter().map(|(address, tls)| format!("{}://{address}", scheme(*tls))).collect()
    }

    /// The addresses of the background services by their names.
    pub fn background_addresses(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.background.iter().flat_map(|(one, addresses)| addresses.iter().map(|a| (one.name.as_str(), *a)))
    }

    /// Serves until a signal says to stop and the connections have drained.
    ///
    /// SIGTERM and SIGINT drain and end; a second one ends at once. SIGQUIT hands the listening sockets to the process
    /// that waits for them on the upgrade socket, then drains; without an upgrade socket it is like SIGTERM. SIGHUP has the
    /// certificates read again, and whatever [`Sidecar::on_hangup`] names.
    ///
    /// # Errors
    ///
    /// When a thread or a descriptor cannot be had at the start.
    pub fn run(mut self) -> Result<Ended, StartError> {
        let drain = Drain::new();
        let acceptor = self.acceptor(&drain)?;
        let mut reread = std::mem::take(&mut self.reread);
        let mut server = Server::new_with_opt_and_conf(None, self.configuration());
        for number in 0..self.settings.workers {
            server.add_service(Worker::new(number, self.listeners()?, acceptor.clone()));
        }
        if let Some(certificates) = &self.certificates {
            let certificates = Arc::clone(certificates);
            let again = Arc::clone(&certificates);
            reread.push(Box::new(move || again.look()));
            server.add_service(CertificateReload { certificates, drain: Arc::clone(&drain) });
        }
        for (background, addresses) in self.background {
            let listeners = addresses.iter().map(|a| self.sockets.duplicate(*a)).collect::<io::Result<_>>()?;
            let token = Some(drain.service());
            server.add_service(BackgroundService { background, listeners, drain: Arc::clone(&drain), token });
        }
        // nothing can fail any more; the process before this one gives the workers a moment to start
        self.sockets.say_ready();
        let cut = Arc::new(AtomicUsize::new(0));
        let signals = Signals {
            drain,
            sockets: Arc::new(Mutex::new(Some(self.sockets))),
            upgrade_socket: self.settings.upgrade_socket,
            linger: self.settings.timeouts.linger,
            limit: self.settings.timeouts.drain,
            cut: Arc::clone(&cut),
            stop_signals: tokio::sync::Mutex::new(self.stop_signals),
            reread,
        };
        server.run(RunArgs { shutdown_signal: Box::new(signals) });
        Ok(Ended { cut: cut.load(SeqCst) })
    }

    fn acceptor(&self, drain: &Arc<Drain>) -> io::Result<Acceptor> {
        let settings = &self.settings;
        let describe = self.describe.clone();
        let access = settings.access_log.map(|format| AccessLogWriter::start(format, describe)).transpose()?;
        let edge = EdgeContext {
            forwarding: Forwarding::new(settings.trusted.clone(), settings.forwarded),
            loops: LoopDetector::new()?,
            fields: settings.limits.headers,
            bodies: Arc::new(BodyRules {
                limit: settings.limits.body_bytes,
                fields: settings.limits.headers,
                silence: settings.timeouts.body,
                vouched: settings.vouched.clone(),
            }),
            drain: Arc::clone(drain),
            access,
        };
        let wire = Wire::new(settings.timeouts.clone(), settings.limits.clone(), Arc::clone(drain));
        Ok(Acceptor {
            wire: Arc::new(wire),
            edge: Arc::new(edge),
            limit: Arc::clone(&self.limit),
            certificates: self.certificates.clone(),
            serve: Arc::clone(&self.serve),
        })
    }

    /// A duplicate of every listening descriptor, for one worker.
    fn listeners(&self) -> io::Result<Vec<(TcpListener, bool)>> {
        self.listen.iter().map(|(address, tls)| Ok((self.sockets.duplicate(*address)?, *tls))).collect()
    }

    /// Draining is over when pingora is told to stop, so it has nothing to wait for.
    fn configuration(&self) -> ServerConf {
        ServerConf {
            threads: 1,
            work_stealing: false,
            grace_period_seconds: Some(0),
            graceful_shutdown_timeout_seconds: Some(1),
            ..ServerConf::default()
        }
    }
}
