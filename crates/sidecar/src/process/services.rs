//! The services of pingora's server: a worker per thread, the background services, the certificates.

use std::future::Future;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use flagstaff_supervise as supervise;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use tokio::task::JoinSet;

use crate::background::Background;
use crate::drain::{Drain, TaskToken};
use crate::process::accept::Acceptor;
use crate::tls::Certificates;

/// How often connections that were kept too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// One worker: a thread with a runtime of its own, accepting and serving.
///
/// pingora's own listening service accepts on one thread and serves on another, picked at random, when work stealing
/// is off. Here each worker accepts what it serves, on duplicates of the listening descriptors.
pub(crate) struct Worker {
    name: String,
    listeners: Vec<(TcpListener, bool)>,
    acceptor: Acceptor,
    /// Taken before the thread starts, so that a stop cannot overlook it.
    token: Option<TaskToken>,
}

impl Worker {
    pub(crate) fn new(number: usize, listeners: Vec<(TcpListener, bool)>, acceptor: Acceptor) -> Self {
        let token = Some(acceptor.wire.drain.client());
        Self { name: format!("worker-{number}"), listeners, acceptor, token }
    }

    /// Accepts until the process stops, also after a panic.
    fn accepting(&self, listener: Arc<tokio::net::TcpListener>, tls: bool) -> impl Future<Output = ()> + use<> {
        let (name, acceptor) = (self.name.clone(), self.acceptor.clone());
        let token = acceptor.wire.drain.client();
        async move {
            supervise::task(&name, || acceptor.clone().accept(Arc::clone(&listener), tls)).await;
            drop(token);
        }
    }
}

#[async_trait]
impl Service for Worker {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        let mut loops = JoinSet::new();
        for (listener, tls) in std::mem::take(&mut self.listeners) {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => drop(loops.spawn(self.accepting(Arc::new(listener), tls))),
                Err(error) => tracing::error!(%error, worker = self.name, "cannot listen"),
            }
        }
        drop(self.token.take());
        loops.spawn(supervise::task("sweep", || async {
            loop {
                tokio::time::sleep(SWEEP).await;
                crate::proxy::sweep();
            }
        }));
        while loops.join_next().await.is_some() {}
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

/// A service beside the proxy.
pub(crate) struct BackgroundService {
    pub(crate) background: Background,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) drain: Arc<Drain>,
    pub(crate) token: Option<TaskToken>,
}

#[async_trait]
impl Service for BackgroundService {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        let _token = self.token.take();
        let listeners = std::mem::take(&mut self.listeners);
        let (run, drain, name) = (&self.background.run, &self.drain, &self.background.name);
        supervise::task(name, || {
            let running = listen(&listeners).map(|listeners| run(listeners, drain.stop().clone()));
            let name = name.clone();
            async move {
                match running {
                    Ok(running) => running.await,
                    Err(error) => tracing::error!(%error, service = name, "cannot listen"),
                }
            }
        })
        .await;
    }

    fn name(&self) -> &str {
        &self.background.name
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}

/// Duplicates of listening sockets, for one run of a service.
fn listen(listeners: &[TcpListener]) -> std::io::Result<Vec<tokio::net::TcpListener>> {
    listeners.iter().map(|one| one.try_clone().and_then(tokio::net::TcpListener::from_std)).collect()
}

/// Follows the certificates' files.
pub(crate) struct CertificateReload {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) drain: Arc<Drain>,
}

#[async_trait]
impl Service for CertificateReload {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        let (certificates, drain) = (&self.certificates, &self.drain);
        supervise::task("certificates", || Arc::clone(certificates).follow(drain.stop().clone())).await;
    }

    fn name(&self) -> &str {
        "certificates"
    }

    fn threads(&self) -> Option<usize> {
        Some(1)
    }

    fn listen_addresses(&self) -> Option<Vec<String>> {
        Some(Vec::new())
    }
}
