//! What the process does on a signal.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use nix::libc;
use pingora::server::{ShutdownSignal, ShutdownSignalWatch};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::drain::{Drain, StopReason};
use crate::process::sockets::Sockets;

/// How long background services get once the last connection is gone.
const SERVICE_GRACE: Duration = Duration::from_secs(5);

/// How long the new process has to start its workers, once it is ready.
const STARTING_WORKERS: Duration = Duration::from_millis(500);

/// Waits for a signal and drains. pingora would then sleep through its whole grace period even when nobody is left, so
/// the draining is done here and pingora is told to end at once.
pub(crate) struct Signals {
    pub(crate) drain: Arc<Drain>,
    pub(crate) sockets: Arc<Mutex<Option<Sockets>>>,
    pub(crate) upgrade_socket: Option<PathBuf>,
    pub(crate) linger: Duration,
    pub(crate) limit: Duration,
    /// Connections that were cut off.
    pub(crate) cut: Arc<AtomicUsize>,
    pub(crate) stop_signals: tokio::sync::Mutex<StopSignals>,
    /// What is read again on SIGHUP.
    pub(crate) reread: Vec<Reread>,
}

/// Has something read again. It is called on the thread that waits for signals, so it must return at once.
pub(crate) type Reread = Box<dyn Fn() + Send + Sync>;

/// Signals that say nothing to this program and would end it. SIGHUP is among them until the proxy runs.
const HARMLESS: [i32; 8] = [
    libc::SIGHUP,
    libc::SIGUSR1,
    libc::SIGUSR2,
    libc::SIGALRM,
    libc::SIGVTALRM,
    libc::SIGPROF,
    libc::SIGIO,
    libc::SIGPIPE,
];

/// Keeps signals that say nothing to this program from ending it: SIGHUP, SIGUSR1, SIGUSR2, the timers' (SIGALRM, SIGVTALRM,
/// SIGPROF), SIGIO and SIGPIPE. To be called as early as possible.
///
/// # Errors
/// When the system refuses.
pub fn pass_over_signals() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    // a handler stays when the last listener to it is gone
    HARMLESS.iter().try_for_each(|number| signal(SignalKind::from_raw(*number)).map(drop))
}

#[async_trait]
impl ShutdownSignalWatch for Signals {
    async fn recv(&self) -> ShutdownSignal {
        self.follow(&mut *self.stop_signals.lock().await).await;
        ShutdownSignal::FastShutdown
    }
}

/// The signals that stop the process, caught from here on.
#[derive(Debug)]
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
    quit: Signal,
    hangup: Signal,
}

impl StopSignals {
    /// Catches them before anything listens: connections queue up as soon as an address is bound. An operator who sees one
    /// taken may send a signal, which would kill a process that is not ready for it. What comes before the runtimes
    /// start waits for them.
    pub(crate) fn new() -> std::io::Result<Self> {
        // tokio wants a runtime to register with. Listeners and handlers are the process's and outlive it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _entered = runtime.enter();
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Whether it is time to hand over rather than to end. Until then everything is read again as often as SIGHUP says so.
    async fn next(&mut self, reread: &[Reread]) -> bool {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return false,
                _ = self.interrupt.recv() => return false,
                _ = self.quit.recv() => return true,
                _ = self.hangup.recv() => {
                    tracing::info!("SIGHUP: flags and certificates are read again");
                    reread.iter().for_each(|reread| reread());
                }
            }
        }
    }
}

impl Signals {
    async fn follow(&self, signals: &mut StopSignals) {
        let reason = loop {
            let quit = signals.next(&self.reread).await;
            match self.upgrade_socket.as_deref().filter(|_| quit) {
                None => break StopReason::Terminate,
                Some(path) if self.hand_over(path).await => break StopReason::Handover,
                Some(_) => {}
            }
        };
        tracing::info!(?reason, "draining");
        self.drain.begin(reason);
        tokio::select! {
            cut = self.finish() => self.cut.store(cut, SeqCst),
            _ = signals.next(&self.reread) => tracing::warn!("signalled again; ending at once"),
        }
    }

    async fn finish(&self) -> usize {
        let sockets = Arc::clone(&self.sockets);
        let linger = self.linger;
        // The workers close their own descriptors after the linger; the last one is ours.
        let closing = async move {
            tokio::time::sleep(linger).await;
            sockets.lock().unwrap_or_else(PoisonError::into_inner).take();
        };
        tokio::join!(self.drain.finish(self.limit, SERVICE_GRACE), closing).0
    }

    /// Without a process that takes the sockets, this one goes on.
    async fn hand_over(&self, path: &Path) -> bool {
        let (sockets, to) = (Arc::clone(&self.sockets), path.to_owned());
        let sending = tokio::task::spawn_blocking(move || {
            let sockets = sockets.lock().unwrap_or_else(PoisonError::into_inner);
            sockets.as_ref().map_or(Ok(()), |sockets| sockets.hand_over(&to))
        });
        let handed = sending.await.map_err(std::io::Error::other).flatten();
        match handed {
            Ok(()) => {
                // it has to start its workers yet
                tokio::time::sleep(STARTING_WORKERS).await;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "no new process took the listening sockets and was ready in time; going on");
                false
            }
        }
    }
}
