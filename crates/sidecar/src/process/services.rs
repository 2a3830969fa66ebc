//! The services of pingora's server: a worker per thread, the background services, the certificates.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use tokio::task::JoinSet;

use crate::background::Background;
use crate::edge::Stack;
use crate::process::accept::Reception;
use crate::process::drain::{Drain, Present};
use crate::tls::Certificates;

/// How often connections that were kept too long are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// One worker: a thread with a runtime of its own, accepting and serving.
///
/// pingora's own listening service accepts on one thread and serves on another, picked at random, when work stealing
/// is off. Here each worker accepts what it serves, on duplicates of the listening descriptors.
pub(crate) struct Worker<S> {
    name: String,
    listeners: Vec<(TcpListener, bool)>,
    reception: Reception<S>,
    /// Present before the thread starts, so that a stop cannot overlook it.
    present: Option<Present>,
}

impl<S: Stack> Worker<S> {
    pub(crate) fn new(number: usize, listeners: Vec<(TcpListener, bool)>, reception: Reception<S>) -> Self {
        let present = Some(reception.wire.drain.client());
        Self { name: format!("worker-{number}"), listeners, reception, present }
    }
}

#[async_trait]
impl<S: Stack + Sync> Service for Worker<S> {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        let mut loops = JoinSet::new();
        for (listener, tls) in self.listeners.drain(..) {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => drop(loops.spawn(self.reception.clone().accept(listener, tls))),
                Err(error) => tracing::error!(%error, worker = self.name, "cannot listen"),
            }
        }
        drop(self.present.take());
        loops.spawn(async {
            loop {
                tokio::time::sleep(SWEEP).await;
                crate::proxy::sweep();
            }
        });
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
pub(crate) struct Beside {
    pub(crate) background: Background,
    pub(crate) listeners: Vec<TcpListener>,
    pub(crate) drain: Arc<Drain>,
    pub(crate) present: Option<Present>,
}

#[async_trait]
impl Service for Beside {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        let _present = self.present.take();
        let listeners = self.listeners.drain(..).map(tokio::net::TcpListener::from_std).collect();
        let listeners: Vec<_> = match listeners {
            Ok(listeners) => listeners,
            Err(error) => {
                let error: std::io::Error = error;
                tracing::error!(%error, service = self.background.name, "cannot listen");
                return;
            }
        };
        if let Some(run) = self.background.take() {
            // On a task of its own: a panic ends the service, not the runtime's first task.
            let running = tokio::spawn(run(listeners, self.drain.stop()));
            if running.await.is_err() {
                tracing::error!(service = self.background.name, "a background service failed and is gone");
            }
        }
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

/// Follows the certificates' files.
pub(crate) struct Follow {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) drain: Arc<Drain>,
}

#[async_trait]
impl Service for Follow {
    async fn start_service(&mut self, _: Option<ListenFds>, _: ShutdownWatch, _: usize) {
        self.certificates.follow(self.drain.stop()).await;
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
