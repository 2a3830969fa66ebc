//! Flags that are fetched from the web: only what changed, and never changed from here.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::app::App;
use crate::harness::command::flagstaff;
use crate::harness::edits::revision;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};

/// What a web server has, and what it was asked.
#[derive(Debug, Default)]
struct Shelf {
    flags: String,
    overlay: Option<String>,
    /// An answer instead of any of these.
    answer: Option<String>,
    /// Status and head of each question, in order.
    asked: Vec<(u16, String)>,
}

/// A web server for one file and its overlay.
#[derive(Clone)]
struct Web {
    address: SocketAddr,
    shelf: Arc<Mutex<Shelf>>,
}

impl Web {
    fn start(flags: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let shelf = Arc::new(Mutex::new(Shelf { flags: flags.into(), ..Shelf::default() }));
        let web = Self { address: listener.local_addr().unwrap(), shelf };
        let serving = web.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| serving.serve(&stream)));
        web
    }

    /// Answers one question, and closes.
    fn serve(&self, mut stream: &TcpStream) {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let head = head.join("\n");
        let mut shelf = self.shelf.lock().unwrap();
        let text = if head.contains(".production.") { shelf.overlay.clone() } else { Some(shelf.flags.clone()) };
        let etag = text.as_deref().map(|text| format!("\"{}\"", text.len()));
        let is_known =
            etag.as_ref().is_some_and(|etag| head.to_lowercase().contains(&format!("if-none-match: {etag}")));
        let (status, answer) = match (&shelf.answer, text) {
            (Some(answer), _) => (0, answer.clone()),
            (None, None) => (404, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into()),
            (None, Some(_)) if is_known => (304, "HTTP/1.1 304 Not Modified\r\n\r\n".into()),
            (None, Some(text)) => {
                let etag = etag.unwrap_or_default();
                (200, format!("HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: {}\r\n\r\n{text}", text.len()))
            }
        };
        shelf.asked.push((status, head));
        drop(shelf);
        let _ = stream.write_all(answer.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes());
    }

    fn set(&self, change: impl FnOnce(&mut Shelf)) {
        change(&mut self.shelf.lock().unwrap());
    }

    fn url(&self, login: &str) -> String {
        format!("http://{login}{}/a/flags.toml?sig=s3cret", self.address)
    }

    #[track_caller]
    fn program(&self, app: &App) -> Program {
        let place = format!("flags = \"{}\"", self.url("me:pa%3ass@"));
        Setup::to(&[app.address]).top(&place).top("flags_poll = \"1s\"").top("environment = \"production\"").start()
    }
}

fn is_on(program: &Program, flag: &str) -> bool {
    program.get("/").1.to_lowercase().contains(&format!("x-flag-{flag}: on"))
}

fn problem(program: &Program) -> String {
    program.health()["flags"]["problem"].as_str().unwrap_or_default().to_owned()
}

const ON: &str = "[flags.a]\npercent = 100\n";

#[test]
fn flags_are_fetched_when_they_change_and_kept_when_they_are_away() {
    let (web, app) = (Web::start(ON), App::mirror());
    let mut program = web.program(&app);
    assert!(is_on(&program, "a"));
    eventually("what did not change is not sent again", || {
        web.shelf.lock().unwrap().asked.iter().any(|(status, _)| *status == 304)
    });
    let first = web.shelf.lock().unwrap().asked[0].1.to_lowercase();
    assert!(first.contains("authorization: basic bwu6cge6c3m=") && first.contains("?sig=s3cret"), "{first}");
    web.set(|shelf| shelf.overlay = Some("[flags.a]\nenabled = false\n".into()));
    eventually("the overlay counts", || !is_on(&program, "a"));
    web.set(|shelf| shelf.overlay = None);
    eventually("it is gone", || is_on(&program, "a"));
    for (answer, told) in [
        ("HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n", "503"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n<html>no flags", "expected"),
        ("HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", "fetched"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n", "fetched"),
        ("nonsense\r\n\r\n", "fetched"),
    ] {
        web.set(|shelf| shelf.answer = Some(answer.into()));
        eventually(told, || problem(&program).contains(told));
        assert!(is_on(&program, "a"), "the last good flags stay");
    }
    assert!(program.stop().success());
    program.restart();
    assert!(is_on(&program, "a"), "a start without the web server");
    let shown = format!("{}{}", program.health(), program.process.log());
    assert!(
        shown.contains("last good flags are served") && !shown.contains("s3cret") && !shown.contains("ss@"),
        "{shown}"
    );
    web.set(|shelf| (shelf.answer, shelf.flags) = (None, "[flags.other]\npercent = 100\n".into()));
    eventually("it is followed again", || is_on(&program, "other") && problem(&program).is_empty());
}

#[test]
fn what_is_fetched_is_edited_elsewhere_but_off_works() {
    let (web, app) = (Web::start(ON), App::mirror());
    let program = web.program(&app);
    let asked = |line: &str| {
        let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
        flagstaff(program.folder.path(), words, &[("USER", "ada")])
    };
    for line in ["set a percent=5", "add b", "end a --winner on --force", "delete a --yes", "on a --everyone"] {
        let refused = asked(line);
        let is_told = refused.err.contains("edit the file where that one is made") || line.starts_with("on");
        assert!(is_told && !refused.err.contains("s3cret"), "{line}: {refused:?}");
    }
    eventually("the ledger knows it", || asked("rollout a --json").out.contains("defined"));
    let off = asked("off a");
    assert_eq!(off.code, 0, "{off:?}");
    eventually("it is off", || !is_on(&program, "a"));
    assert_ne!(asked("off nothing").code, 0);
    let on = asked("on a");
    assert_eq!(on.code, 0, "{on:?}");
    eventually("it is on", || is_on(&program, "a"));
    let pulled = asked("pull");
    assert!(pulled.code == 0 && pulled.out == ON && pulled.err.contains(&revision(ON)[..12]), "{pulled:?}");
    assert_eq!(asked("check").code, 0);
}
