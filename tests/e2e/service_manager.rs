//! What systemd is told (sd_notify), and what a restart with its socket costs: nothing.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::harness::app::App;
use crate::harness::eventually;
use crate::harness::program::Setup;
use crate::harness::raw::Raw;

/// The socket of a service manager.
struct Manager {
    _folder: TempDir,
    socket: UnixDatagram,
    path: String,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        Self { _folder: folder, socket, path: path.to_str().unwrap().into() }
    }

    fn heard(&self) -> Option<String> {
        let mut bytes = [0; 1024];
        let count = self.socket.recv(&mut bytes).ok()?;
        Some(String::from_utf8(bytes[..count].to_vec()).unwrap())
    }

    /// Waits for a message with this line.
    #[track_caller]
    fn hears(&self, line: &str) {
        eventually(line, || self.heard().is_some_and(|text| text.lines().any(|one| one == line)));
    }
}

#[test]
fn systemd_hears_when_it_serves_lives_reloads_and_drains() {
    let (app, manager) = (App::says("app"), Manager::new());
    let setup = Setup::to(&[app.address]).env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "400000");
    let mut program = setup.start();
    manager.hears("READY=1");
    manager.hears("WATCHDOG=1");
    manager.hears("WATCHDOG=1");
    program.process.signal(Signal::HUP);
    manager.hears("RELOADING=1");
    manager.hears("READY=1");
    assert_eq!(program.get("/").0, 200);
    program.process.signal(Signal::TERM);
    manager.hears("STOPPING=1");
    assert!(program.process.wait().success());
}

#[test]
fn without_a_service_manager_or_with_one_that_is_gone_it_serves_as_well() {
    let (app, manager) = (App::says("app"), Manager::new());
    let gone = Setup::to(&[app.address]).env("NOTIFY_SOCKET", "/nowhere/notify").start();
    assert!(gone.get("/").1 == "app" && gone.process.log().contains("systemd cannot be told"));
    // a watchdog that is meant for another process hears nothing
    let setup = Setup::to(&[app.address]).env("NOTIFY_SOCKET", &manager.path);
    let program = setup.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1").start();
    manager.hears("READY=1");
    assert!(program.get("/").1 == "app" && manager.heard().is_none());
}

/// systemd keeps the socket while the program is restarted: who comes meanwhile waits, and is answered by the new program.
#[test]
fn a_restart_with_a_socket_of_systemd_refuses_nobody() {
    let app = App::says("app");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let start = || Setup::to(&[app.address]).socket(listener.try_clone().unwrap()).start();
    let mut first = start();
    assert_eq!(first.get("/").1, "app");
    first.process.signal(Signal::TERM);
    assert!(first.process.wait().success());
    let mut waiting: Vec<_> = (0..20).map(|_| Raw::connect(address)).collect();
    for raw in &mut waiting {
        raw.send("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    }
    let second = start();
    for raw in &mut waiting {
        assert_eq!(raw.answer().text(), "app");
    }
    drop(second);
}
