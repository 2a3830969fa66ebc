//! Stopping and being replaced, without a request that is lost.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::Signal;

use crate::harness::app::{App, Then};
use crate::harness::command::flagstaff;
use crate::harness::program::Setup;
use crate::harness::{WAIT_LIMIT, eventually};

/// What clients do when an answer says that the connection ends with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WhenClosed {
    Leave,
    Reconnect,
}

/// Clients that keep their connections and pause between requests, as browsers do.
struct Crowd {
    clients: Vec<JoinHandle<Vec<String>>>,
    done: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
}

impl Crowd {
    fn start(address: SocketAddr, size: u64, when_closed: WhenClosed) -> Self {
        let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |n| {
            let (done, answered) = (Arc::clone(&done), Arc::clone(&answered));
            std::thread::spawn(move || visit(address, 1 + n % 8, when_closed, &done, &answered))
        };
        Self { clients: (0..size).map(client).collect(), done, answered }
    }

    fn wait_for(&self, answers: usize) {
        let before = self.answered.load(SeqCst);
        eventually("requests are answered", || self.answered.load(SeqCst) >= before + answers);
    }

    /// Everything that went wrong.
    fn end(self) -> (usize, Vec<String>) {
        self.done.store(true, SeqCst);
        let lost = self.clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        (self.answered.load(SeqCst), lost)
    }
}

fn visit(
    address: SocketAddr,
    pause: u64,
    when_closed: WhenClosed,
    done: &AtomicBool,
    answered: &AtomicUsize,
) -> Vec<String> {
    let mut lost = Vec::new();
    while !done.load(SeqCst) {
        match TcpStream::connect(address) {
            Err(error) => lost.push(format!("connect: {error}")),
            Ok(stream) => lost.extend(one_connection(&stream, pause, done, answered).err()),
        }
        if when_closed == WhenClosed::Leave || lost.len() > 3 {
            break;
        }
    }
    lost
}

/// Asks until an answer says that this was the last.
fn one_connection(
    mut stream: &TcpStream,
    pause: u64,
    done: &AtomicBool,
    answered: &AtomicUsize,
) -> Result<(), String> {
    stream.set_read_timeout(Some(WAIT_LIMIT)).unwrap();
    stream.set_nodelay(true).unwrap();
    for n in 0.. {
        if done.load(SeqCst) {
            break;
        }
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").map_err(|e| format!("write {n}: {e}"))?;
        let mut answer = Vec::new();
        let mut piece = [0; 1024];
        while !answer.ends_with(b"hello") {
            match stream.read(&mut piece).map_err(|e| format!("read {n}: {e}"))? {
                0 => return Err(format!("request {n} was not answered")),
                count => answer.extend_from_slice(&piece[..count]),
            }
        }
        answered.fetch_add(1, SeqCst);
        let head = String::from_utf8_lossy(&answer).to_lowercase();
        if !head.starts_with("http/1.1 200") {
            return Err(format!("request {n}: {head}"));
        }
        if head.contains("connection: close") {
            break;
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
    Ok(())
}

#[test]
fn sigterm_loses_no_request() {
    let app = App::says("hello");
    let mut program = Setup::to(&[app.address]).top("workers = 2").start();
    let crowd = Crowd::start(program.address, 16, WhenClosed::Leave);
    crowd.wait_for(500);
    assert!(program.stop().success());
    let (answered, lost) = crowd.end();
    assert_eq!(lost, Vec::<String>::new(), "of {answered}");
    assert!(TcpStream::connect(program.address).is_err(), "somebody still listens");
}

#[test]
fn a_request_under_way_is_finished_and_nothing_new_begins() {
    let app = App::start(|exchange| {
        exchange.write("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        std::thread::sleep(Duration::from_millis(1800));
        exchange.write("done");
        Then::Keep
    });
    let mut program = Setup::to(&[app.address]).start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.until(b"half");
    let mut idle = program.raw();
    program.process.signal(Signal::TERM);
    assert_eq!(client.until(b"done"), b"done");
    assert!(client.is_closed() && idle.is_closed());
    assert!(program.process.wait().success());
}

#[test]
fn a_drain_has_an_end() {
    let app = App::start(|exchange| {
        exchange.wait_for_end();
        Then::Close
    });
    let mut program = Setup::to(&[app.address]).key("timeouts", "drain = \"1s\"").start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("the app has the request", || app.open() == 1);
    program.process.signal(Signal::TERM);
    program.process.wait();
    assert!(client.is_closed());
}

#[test]
fn a_second_signal_ends_at_once() {
    let app = App::start(|exchange| {
        exchange.wait_for_end();
        Then::Close
    });
    let mut program = Setup::to(&[app.address]).key("timeouts", "drain = \"10m\"").start();
    let mut client = program.raw();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("the app has the request", || app.open() == 1);
    program.process.signal(Signal::INT);
    eventually("it drains", || program.process.log().contains("draining"));
    assert!(!program.process.has_ended());
    program.process.signal(Signal::INT);
    program.process.wait();
}

#[test]
fn three_takeovers_lose_no_request_and_refuse_no_connection() {
    let app = App::says("hello");
    let mut program = Setup::to(&[app.address]).top("workers = 2").top("upgrade_socket = \"upgrade.sock\"").start();
    let crowd = Crowd::start(program.address, 16, WhenClosed::Reconnect);
    for workers in [1, 3, 2] {
        crowd.wait_for(300);
        let change = |settings: String| {
            let lines = settings.lines().map(|line| match line {
                line if line.starts_with("workers") => format!("workers = {workers}"),
                line => line.to_owned(),
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        let mut old = program.take_over(change);
        assert!(old.wait().success(), "{}", old.log());
        assert!(!program.process.has_ended(), "{}", program.process.log());
        // The admin address went over with the others.
        assert!(program.metric("flagstaff_connections_total", "") > 0.0);
    }
    crowd.wait_for(300);
    let (answered, lost) = crowd.end();
    assert_eq!(lost, Vec::<String>::new(), "of {answered}");
    assert!(program.stop().success());
}

#[test]
fn without_a_successor_it_goes_on() {
    let app = App::says("hello");
    let mut program = Setup::to(&[app.address]).top("upgrade_socket = \"upgrade.sock\"").start();
    program.process.signal(Signal::QUIT);
    eventually("it says so", || program.process.log().contains("no new process took the listening sockets"));
    assert_eq!(program.get("/").0, 200);
    assert!(program.stop().success());
}

/// Settings that the new program can only find out to be wrong when it has the sockets: the old one has to wait until it is ready.
#[test]
fn a_successor_that_fails_leaves_the_old_program_serving() {
    let app = App::says("hello");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("listen = [\"{}\", ", taken.local_addr().unwrap());
    let mut program = Setup::to(&[app.address]).top("upgrade_socket = \"upgrade.sock\"").start();
    let settings = std::fs::read_to_string(program.path("flagstaff.toml")).unwrap();
    let crowd = Crowd::start(program.address, 4, WhenClosed::Reconnect);
    for times in 1..3 {
        let mut old = program.take_over(|settings| settings.replacen("listen = [", &taken, 1));
        assert_eq!(program.process.wait().code(), Some(2));
        assert!(program.process.log().contains("cannot listen"), "{}", program.process.log());
        eventually("it says so", || old.log().matches("no new process took the listening sockets").count() == times);
        assert!(!old.has_ended() && !old.log().contains("draining"), "{}", old.log());
        crowd.wait_for(50);
        std::fs::write(program.path("flagstaff.toml"), &settings).unwrap();
        program.process = old;
    }
    // with settings that are right it hands over, whatever the one that failed has left
    let mut old = program.take_over(|settings| settings);
    assert!(old.wait().success(), "{}", old.log());
    crowd.wait_for(50);
    let (answered, lost) = crowd.end();
    assert_eq!(lost, Vec::<String>::new(), "of {answered}");
    assert!(!program.path("upgrade.sock").exists());
    assert!(program.stop().success());
}

#[test]
fn a_takeover_removes_no_file_and_says_what_it_waits_for() {
    let app = App::says("hello");
    let mut program =
        Setup::to(&[app.address]).top("upgrade_socket = \"upgrade.sock\"").file("mine.txt", "mine").start();
    let file = program.path("flagstaff.toml");
    let settings = std::fs::read_to_string(&file).unwrap();
    let run = || flagstaff(program.folder.path(), ["run", "--config", "flagstaff.toml", "--upgrade"], &[]);
    std::fs::write(&file, settings.replace("upgrade.sock", "mine.txt")).unwrap();
    let said = run();
    assert!(said.code == 2 && said.err.contains("is no socket"), "{said:?}");
    assert_eq!(std::fs::read_to_string(program.path("mine.txt")).unwrap(), "mine");
    std::fs::write(&file, settings).unwrap();
    let said = run();
    assert!(said.code == 2 && said.err.contains("nobody sent SIGQUIT"), "{said:?}");
    assert!(!program.path("upgrade.sock").exists());
    assert!(program.stop().success());
}

#[test]
fn a_signal_right_after_the_start_is_heeded() {
    // A client that sees an address taken may send one, and the workers may not run yet.
    let app = App::says("hello");
    for _ in 0..20 {
        let mut program = Setup::to(&[app.address]).key("timeouts", "linger = \"0s\"").start();
        let status = program.stop();
        assert!(status.success(), "{status}");
    }
}

#[test]
fn a_socket_from_systemd_is_used() {
    let app = App::says("hello");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut program = Setup::to(&[app.address]).socket(listener).start();
    assert_eq!(program.get("/").0, 200);
    assert!(program.stop().success());
}

#[test]
fn an_address_in_use_is_an_error_that_names_it() {
    let app = App::says("hello");
    let first = Setup::to(&[app.address]).start();
    let second = std::process::Command::new(env!("CARGO_BIN_EXE_flagstaff"))
        .args(["run", "--config"])
        .arg(first.path("flagstaff.toml"))
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains(&first.address.to_string()), "{said}");
}
