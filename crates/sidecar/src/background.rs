//! Services that run beside the proxy in the same process: a watcher, an admin page.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpListener;

use crate::process::drain::Stop;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Run = Box<dyn FnOnce(Vec<TcpListener>, Stop) -> Running + Send>;

/// A service with a thread and a runtime of its own. It runs until it ends by itself; after
/// [`Stop::finishing`] it has five seconds.
pub struct Background {
    pub(crate) name: String,
    pub(crate) listen: Vec<SocketAddr>,
    run: Mutex<Option<Run>>,
}

impl Background {
    /// A service by its name, which is its thread's too.
    pub fn new<F, R>(name: impl Into<String>, run: F) -> Self
    where
        F: FnOnce(Vec<TcpListener>, Stop) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let run: Run = Box::new(move |listeners, stop| Box::pin(run(listeners, stop)));
        Self { name: name.into(), listen: Vec::new(), run: Mutex::new(Some(run)) }
    }

    /// Addresses it serves. They are bound with the proxy's own and handed over with them, and are given to the
    /// service in this order.
    #[must_use]
    pub fn listening(mut self, addresses: Vec<SocketAddr>) -> Self {
        self.listen = addresses;
        self
    }

    pub(crate) fn take(&self) -> Option<Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).field("listen", &self.listen).finish_non_exhaustive()
    }
}
