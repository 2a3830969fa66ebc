//! Three programs with their flags in one Redis and their ledger in one PostgreSQL, and visitors who come to all of them at once.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::WAIT_LIMIT;
use super::app::App;
use super::command::{Said, flagstaff};
use super::postgres::Server;
use super::program::{Program, Setup};
use super::redis::Redis;

/// How many programs there are.
pub(crate) const SIZE: usize = 3;

/// An app that says which variants of `form`, `banner` and `risky` it was asked with.
fn telling() -> App {
    App::start(|exchange| {
        exchange.body();
        let flags = ["form", "banner", "risky"].map(|flag| {
            let variant = exchange.field(&format!("x-flag-{flag}")).unwrap_or_else(|| "off".into());
            format!("{flag}={variant};")
        });
        exchange.answer(
            if exchange.method == "POST" { 303 } else { 200 },
            "Cache-Control: no-store\r\n",
            flags.concat(),
        )
    })
}

/// Programs that share everything but their machine.
pub(crate) struct Fleet {
    pub(crate) redis: Redis,
    pub(crate) postgres: Server,
    pub(crate) programs: Vec<Program>,
    _app: App,
}

impl Fleet {
    /// None where a server is not installed, which is said.
    pub(crate) fn start(flags: &str) -> Option<Self> {
        let redis = Redis::start()?;
        let Some(postgres) = Server::start() else {
            eprintln!("SKIPPED: PostgreSQL is not installed; tests/postgresql unpacks it");
            return None;
        };
        redis.put(None, flags);
        let (app, ledger) = (telling(), postgres.database());
        let program = || {
            Setup::to(&[app.address])
                .top(&format!("flags = \"{}\"", redis.url()))
                .top(&format!("ledger = \"{ledger}\""))
                .env("FLAGSTAFF_KEYS", &"keys-".repeat(8))
                .start()
        };
        let programs = (0..SIZE).map(|_| program()).collect();
        Some(Self { redis, postgres, programs, _app: app })
    }

    /// A command at one of the programs.
    #[track_caller]
    pub(crate) fn asked(&self, line: &str) -> Said {
        let words = line.split(' ').chain(["--config", "flagstaff.toml"]);
        flagstaff(self.programs[0].folder.path(), words, &[("USER", "ada")])
    }

    /// Whether a visitor gets this variant of a flag at each of the programs; `but` one of them is not asked.
    pub(crate) fn all_serve(&self, visitor: &str, flag: &str, variant: &str, but: Option<usize>) -> bool {
        let word = format!("{flag}={variant};");
        let asked = self.programs.iter().enumerate().filter(|(i, _)| Some(*i) != but);
        asked.into_iter().all(|(_, program)| {
            let answer = Client::new().ask(program.address, 0, "GET", "/", visitor);
            answer.unwrap().1.contains(&word)
        })
    }

    /// What was exported, by visitor: the variant, and whether this one sent the form. Nobody is there twice.
    #[track_caller]
    pub(crate) fn exported(&self) -> HashMap<String, (bool, bool)> {
        let said = self.asked("export --flag form --format jsonl");
        assert_eq!(said.code, 0, "{said:?}");
        let mut all = HashMap::new();
        for line in said.out.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let told = (row["variant"] == "on", row["sent"].as_f64().unwrap() > 0.0);
            assert!(all.insert(row["visitor"].as_str().unwrap().to_owned(), told).is_none(), "twice: {row}");
        }
        all
    }
}

/// A connection that stays, to a program that may be killed.
struct Client(Option<(BufReader<TcpStream>, usize)>);

impl Client {
    fn new() -> Self {
        Self(None)
    }

    /// Status and body of the answer to a visitor. `life` is the number of the life of the program: a connection to an earlier one is not used.
    fn ask(
        &mut self,
        to: SocketAddr,
        life: usize,
        method: &str,
        path: &str,
        visitor: &str,
    ) -> io::Result<(u16, String)> {
        let answer = self.try_ask(to, life, method, path, visitor);
        if answer.is_err() {
            self.0 = None;
        }
        answer
    }

    fn try_ask(
        &mut self,
        to: SocketAddr,
        life: usize,
        method: &str,
        path: &str,
        visitor: &str,
    ) -> io::Result<(u16, String)> {
        if self.0.as_ref().is_none_or(|(_, of)| *of != life) {
            let stream = TcpStream::connect(to)?;
            stream.set_read_timeout(Some(WAIT_LIMIT))?;
            stream.set_nodelay(true)?;
            self.0 = Some((BufReader::new(stream), life));
        }
        let Some((reader, _)) = &mut self.0 else { return Err(io::ErrorKind::NotConnected.into()) };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: shop\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0\r\nAccept: text/html\r\n\
             Cookie: flagstaff_visitor={visitor}\r\nContent-Length: 0\r\n\r\n"
        );
        reader.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = head.to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok((head[9..12].parse().unwrap(), String::from_utf8(body).unwrap()))
    }
}

/// A visit that was answered, as the one who made it knows it.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) is_on: bool,
    /// Programs that showed the form, and when.
    pub(crate) shown: Vec<(usize, Instant)>,
    /// The program that took the form, and when.
    pub(crate) sent: Option<(usize, Instant)>,
    /// The program was killed before it answered all of it: what was not answered may be counted, or not.
    pub(crate) is_unsure: bool,
}

/// What the threads of visitors share.
struct Shared {
    addresses: Mutex<Vec<SocketAddr>>,
    /// Of each program: odd while it is down, and another number in each life.
    lives: [AtomicUsize; SIZE],
    visits: Mutex<Vec<Visit>>,
    is_over: AtomicBool,
    pace: Duration,
    name: &'static str,
}

/// Visitors who come until they are told to stop, to each of the programs at once.
pub(crate) struct Load {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// `name` is that of the visitors, of 8 letters at most; a thread for each program waits for `pace` after each visitor.
    pub(crate) fn begin(fleet: &Fleet, name: &'static str, pace: Duration) -> Self {
        let shared = Arc::new(Shared {
            addresses: Mutex::new(fleet.programs.iter().map(|program| program.address).collect()),
            lives: Default::default(),
            visits: Mutex::default(),
            is_over: AtomicBool::new(false),
            pace,
            name,
        });
        let visitors = |first| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.come(first))
        };
        let threads = (0..SIZE).map(visitors).collect();
        Self { shared, threads }
    }

    /// How many visitors came so far. It fails where a request failed.
    #[track_caller]
    pub(crate) fn came(&self) -> usize {
        assert!(!self.threads.iter().any(JoinHandle::is_finished), "a request failed");
        self.shared.visits.lock().unwrap().len()
    }

    /// The visitor whom this program answered last, and nobody else.
    pub(crate) fn last_at(&self, program: usize) -> Option<Visit> {
        let visits = self.shared.visits.lock().unwrap();
        visits
            .iter()
            .rev()
            .find(|visit| visit.shown.iter().all(|(at, _)| *at == program) && !visit.is_unsure)
            .cloned()
    }

    /// From now on requests to this program may fail, and visitors go to the others.
    pub(crate) fn is_killed(&self, program: usize) {
        self.shared.lives[program].fetch_add(1, SeqCst);
    }

    /// It is back.
    pub(crate) fn is_back(&self, program: usize, address: SocketAddr) {
        self.shared.addresses.lock().unwrap()[program] = address;
        self.shared.lives[program].fetch_add(1, SeqCst);
    }

    /// Everybody who came. No request failed, but those to a program that was killed.
    #[track_caller]
    pub(crate) fn end(self) -> Vec<Visit> {
        self.shared.is_over.store(true, SeqCst);
        for thread in self.threads {
            thread.join().expect("a request failed");
        }
        std::mem::take(&mut self.shared.visits.lock().unwrap())
    }
}

impl Shared {
    fn come(&self, first: usize) {
        let mut clients: [Client; SIZE] = std::array::from_fn(|_| Client::new());
        let mut number = first;
        while !self.is_over.load(SeqCst) {
            if let Some(visit) = self.visit(&mut clients, first, number) {
                self.visits.lock().unwrap().push(visit);
            }
            number += SIZE;
            std::thread::sleep(self.pace);
        }
    }

    /// A visitor sees the form at one program, one of five again at another, and one of four sends it at the third.
    fn visit(&self, clients: &mut [Client; SIZE], first: usize, number: usize) -> Option<Visit> {
        let id = format!("{:-<15}{number:07}", self.name);
        let mut visit = Visit { id, is_on: false, shown: Vec::new(), sent: None, is_unsure: false };
        let turn = number / SIZE;
        let again = turn.is_multiple_of(5).then_some(("GET", first + 2));
        let sends = turn.is_multiple_of(4).then_some(("POST", first + 1));
        for (method, program) in [Some(("GET", first)), again, sends].into_iter().flatten() {
            let program = self.alive(program % SIZE);
            let Some((status, text)) = self.ask(clients, program, method, &visit.id) else {
                visit.is_unsure = true;
                return Some(visit);
            };
            assert_eq!(status, if method == "POST" { 303 } else { 200 });
            let is_on = text.contains("form=on;");
            assert!(visit.shown.is_empty() || is_on == visit.is_on, "the same everywhere");
            visit.is_on = is_on;
            match method {
                "POST" => visit.sent = Some((program, Instant::now())),
                _ => visit.shown.push((program, Instant::now())),
            }
        }
        Some(visit)
    }

    /// This program, or the next one that is not down.
    fn alive(&self, program: usize) -> usize {
        (program..program + SIZE)
            .map(|one| one % SIZE)
            .find(|one| self.life(*one).is_multiple_of(2))
            .unwrap_or(program)
    }

    fn life(&self, program: usize) -> usize {
        self.lives[program].load(SeqCst)
    }

    /// The answer of a program; none where it was killed before it answered.
    fn ask(
        &self,
        clients: &mut [Client; SIZE],
        program: usize,
        method: &str,
        visitor: &str,
    ) -> Option<(u16, String)> {
        let (life, address) = (self.life(program), self.addresses.lock().unwrap()[program]);
        match clients[program].ask(address, life, method, "/form", visitor) {
            Ok(answer) => Some(answer),
            Err(_) if life != self.life(program) || !life.is_multiple_of(2) => None,
            Err(error) => panic!("{method} by {visitor} at program {program}: {error}"),
        }
    }
}
