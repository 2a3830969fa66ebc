//! Services that run beside the proxy in the same process: a watcher, an admin page.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use tokio::net::TcpListener;

use crate::drain::Stop;

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Run = Box<dyn Fn(Vec<TcpListener>, Stop) -> Running + Send + Sync>;

/// A service with a thread and a runtime of its own. It runs until it ends by itself, and begins anew after a panic; after
/// [`Stop::finishing`] it has five seconds.
pub struct Background {
    pub(crate) name: String,
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) run: Run,
}

impl Background {
    /// A service by its name, which is its thread's too.
    pub fn new<F, R>(name: impl Into<String>, run: F) -> Self
    where
        F: Fn(Vec<TcpListener>, Stop) -> R + Send + Sync + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let run: Run = Box::new(move |listeners, stop| Box::pin(run(listeners, stop)));
        Self { name: name.into(), listen: Vec::new(), run }
    }

    /// Addresses it serves. They are bound with the proxy's own and handed over with them, and are given to the
    /// service in this order.
    #[must_use]
    pub fn listening(mut self, addresses: Vec<SocketAddr>) -> Self {
        self.listen = addresses;
        self
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("name", &self.name).field("listen", &self.listen).finish_non_exhaustive()
    }
}
