//! What systemd is told about this process: a datagram to the socket that it names (sd_notify).

use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use flagstaff_sidecar::Stop;

/// The variable that names the socket.
const SOCKET: &str = "NOTIFY_SOCKET";
/// The variables that say how often it wants to hear that the program is alive (microseconds), and which process is meant.
const WATCHDOG: [&str; 2] = ["WATCHDOG_USEC", "WATCHDOG_PID"];

const READY: &str = "READY=1\nSTATUS=serving";
const RELOADING: &str = "RELOADING=1";
const STOPPING: &str = "STOPPING=1\nSTATUS=draining";
const ALIVE: &str = "WATCHDOG=1";

/// The service manager, where the program runs under one that wants to know.
#[derive(Clone, Debug, Default)]
pub(super) struct ServiceManager {
    socket: Option<Arc<UnixDatagram>>,
    /// How often it is told that the program is alive: twice in the time that it waits.
    alive_every: Option<Duration>,
}

impl ServiceManager {
    /// As the environment names it. A socket that cannot be used is logged: the program serves all the same.
    pub(super) fn from_environment() -> Self {
        let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(name) = said(SOCKET) else {
            return Self::default();
        };
        match connected(&name) {
            Ok(socket) => {
                let [period, process] = WATCHDOG.map(said);
                let alive_every = period.filter(|_| is_meant(process.as_deref())).and_then(|period| half(&period));
                Self { socket: Some(Arc::new(socket)), alive_every }
            }
            Err(error) => {
                tracing::warn!("systemd cannot be told that the program serves ({SOCKET}={name}): {error}");
                Self::default()
            }
        }
    }

    /// What is called first on SIGHUP, and what last. What is read again goes on on threads of its own.
    pub(super) fn reloading(&self) -> [impl Fn() + Send + Sync + 'static; 2] {
        [RELOADING, READY].map(|text| {
            let manager = self.clone();
            move || manager.tell(text)
        })
    }

    /// Says that the program serves, that it is alive as long as this runs, and that it drains.
    pub(super) async fn attend(self, stop: Stop) {
        if self.socket.is_none() {
            return;
        }
        self.tell(READY);
        tokio::select! {
            () = stop.draining() => self.tell(STOPPING),
            () = self.is_alive() => {}
        }
        tokio::select! {
            () = stop.finishing() => {}
            () = self.is_alive() => {}
        }
    }

    async fn is_alive(&self) {
        let Some(period) = self.alive_every else {
            return std::future::pending().await;
        };
        loop {
            self.tell(ALIVE);
            tokio::time::sleep(period).await;
        }
    }

    /// A manager that takes nothing now is not waited for.
    fn tell(&self, text: &str) {
        if let Some(Err(error)) = self.socket.as_ref().map(|socket| socket.send(text.as_bytes())) {
            tracing::debug!(%error, "systemd was not told {text:?}");
        }
    }
}

fn connected(name: &str) -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address(name)?)?;
    Ok(socket)
}

/// A path, or a name that is in no file system and begins with `@`.
fn address(name: &str) -> std::io::Result<SocketAddr> {
    #[cfg(target_os = "linux")]
    if let Some(name) = name.strip_prefix('@') {
        use std::os::linux::net::SocketAddrExt as _;
        return SocketAddr::from_abstract_name(name);
    }
    SocketAddr::from_pathname(name)
}

fn is_meant(process: Option<&str>) -> bool {
    process.is_none_or(|process| process == std::process::id().to_string())
}

fn half(period: &str) -> Option<Duration> {
    let period = period.parse().ok().filter(|period| *period > 0)?;
    Some(Duration::from_micros(period) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_have_paths_or_names() {
        assert!(address("/run/systemd/notify").unwrap().as_pathname().is_some());
        #[cfg(target_os = "linux")]
        {
            use std::os::linux::net::SocketAddrExt as _;
            let given = address("@/org/notify/1").unwrap();
            assert_eq!(given.as_abstract_name(), Some(&b"/org/notify/1"[..]));
        }
        assert!(address(&"a".repeat(200)).is_err());
        assert_eq!((half("2000000"), half("0"), half("soon")), (Some(Duration::from_secs(1)), None, None));
    }
}
