//! The built program with its configuration in a folder of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tempfile::TempDir;

use super::stores::Store;
use super::{WAIT_LIMIT, eventually, free_address, raw::Raw, within};

/// What the program will be told, in the words of its settings file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    top: Vec<String>,
    sections: BTreeMap<String, Vec<String>>,
    flags: String,
    files: Vec<(String, String)>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    open_files: Option<u32>,
    script: Option<String>,
    socket: Option<Arc<TcpListener>>,
    store: Option<Store>,
}

impl Setup {
    /// One worker in front of these addresses.
    pub(crate) fn to(upstreams: &[SocketAddr]) -> Self {
        let quoted: Vec<_> = upstreams.iter().map(|a| format!("\"{a}\"")).collect();
        Self::default().top(&format!("upstream = [{}]", quoted.join(", ")))
    }

    /// A line before the first section.
    pub(crate) fn top(mut self, line: &str) -> Self {
        self.top.push(line.to_owned());
        self
    }

    /// A line in a section.
    pub(crate) fn key(mut self, section: &str, line: &str) -> Self {
        self.sections.entry(section.to_owned()).or_default().push(line.to_owned());
        self
    }

    /// The text of flags.toml; no flags when not said.
    pub(crate) fn flags(mut self, text: &str) -> Self {
        self.flags = text.to_owned();
        self
    }

    /// Where the flags and their overlays are kept; in files when not said.
    pub(crate) fn kept_in(mut self, store: &Store) -> Self {
        self.store = Some(store.clone());
        if let Store::Redis(_) = store { self.top(&format!("flags = \"{}\"", store.place())) } else { self }
    }

    /// A file beside the settings.
    pub(crate) fn file(mut self, name: &str, text: &str) -> Self {
        self.files.push((name.to_owned(), text.to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// How many files the program may open at most.
    pub(crate) fn open_files(mut self, limit: u32) -> Self {
        self.open_files = Some(limit);
        self
    }

    /// A script of the shell that ends by starting the program: `exec "$0" "$@"`. It runs in the folder of the settings.
    pub(crate) fn through(mut self, script: &str) -> Self {
        self.script = Some(script.to_owned());
        self
    }

    /// The listening socket is handed over as systemd does it.
    pub(crate) fn socket(mut self, listener: TcpListener) -> Self {
        self.socket = Some(Arc::new(listener));
        self
    }

    fn settings(&self, listen: &str, admin: SocketAddr) -> String {
        let mut text = format!("listen = [{listen}]\nadmin = \"{admin}\"\n");
        if !self.top.iter().any(|line| line.starts_with("workers")) {
            text += "workers = 1\n";
        }
        for line in &self.top {
            let _ = writeln!(text, "{line}");
        }
        for (section, lines) in &self.sections {
            let _ = writeln!(text, "[{section}]\n{}", lines.join("\n"));
        }
        text
    }

    /// Starts the program on free addresses and waits until it listens.
    #[track_caller]
    pub(crate) fn start(self) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let address = self.socket.as_ref().map_or_else(free_address, |socket| socket.local_addr().unwrap());
        let (tls_address, admin) = (free_address(), free_address());
        let tls = self.sections.contains_key("tls");
        let listen = if tls { format!("\"{address}\", \"https://{tls_address}\"") } else { format!("\"{address}\"") };
        let flags = if self.flags.is_empty() { "# no flags\n" } else { &self.flags };
        fs::write(folder.path().join("flags.toml"), flags).unwrap();
        for (name, text) in &self.files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::write(folder.path().join("flagstaff.toml"), self.settings(&listen, admin)).unwrap();
        if let Some(Store::Redis(redis)) = &self.store {
            redis.put(None, flags);
            let environment = |name: &str| name.strip_prefix("flags.")?.strip_suffix(".toml").map(ToOwned::to_owned);
            for (environment, text) in self.files.iter().filter_map(|(name, text)| Some((environment(name)?, text))) {
                redis.put(Some(&environment), text);
            }
        }
        let process = Process::start(&self, folder.path());
        let mut program = Program { folder, address, tls_address, admin, setup: self, process };
        program.wait_until_it_listens();
        program
    }
}

/// One run of the program.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: Arc<Mutex<String>>,
    reading: Vec<JoinHandle<()>>,
}

impl Process {
    fn start(setup: &Setup, folder: &Path) -> Self {
        let program = env!("CARGO_BIN_EXE_flagstaff");
        let shell = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script, program]);
            shell
        };
        let mut command = match (setup.open_files, &setup.socket) {
            _ if setup.script.is_some() => shell(setup.script.as_deref().unwrap_or_default()),
            (Some(limit), _) => shell(&format!("ulimit -n {limit}; exec \"$0\" \"$@\"")),
            (None, Some(socket)) => {
                let mut command = shell("exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" \"$@\"");
                command.stdin(OwnedFd::from(socket.try_clone().unwrap()));
                command
            }
            (None, None) => Command::new(program),
        };
        let settings: PathBuf = folder.join("flagstaff.toml");
        command.arg("run").arg("--config").arg(settings).args(&setup.arguments).current_dir(folder);
        command.envs(setup.environment.iter().cloned());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let reading = vec![collect(child.stdout.take().unwrap(), &log), collect(child.stderr.take().unwrap(), &log)];
        Self { child, log, reading }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Everything it has written so far. Lines are written by a thread of their own, so this waits until none follows for a moment.
    pub(crate) fn log(&self) -> String {
        let mut before = self.log.lock().unwrap().len();
        for _ in 0..50 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let now = self.log.lock().unwrap().len();
            if std::mem::replace(&mut before, now) == now {
                break;
            }
        }
        self.log.lock().unwrap().clone()
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        // The kernel closes its watch of files last, which on a machine that is busy elsewhere can take it 20 seconds.
        within(6 * WAIT_LIMIT, "the program ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        // What it wrote last is still on its way through the pipes, which end with it.
        for reading in self.reading.drain(..) {
            reading.join().unwrap();
        }
        status.unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Resident memory, in KiB.
    pub(crate) fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("---- the program wrote:\n{}----", self.log());
        }
    }
}

fn collect(from: impl Read + Send + 'static, log: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    })
}

/// The program, running.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) folder: TempDir,
    pub(crate) address: SocketAddr,
    /// Served only with a `[tls]` section.
    pub(crate) tls_address: SocketAddr,
    pub(crate) admin: SocketAddr,
    setup: Setup,
    pub(crate) process: Process,
}

impl Program {
    #[track_caller]
    fn wait_until_it_listens(&mut self) {
        eventually("the program listens", || {
            if self.process.has_ended() {
                self.start_where_nobody_listens();
            }
            TcpStream::connect(self.address).is_ok() && TcpStream::connect(self.admin).is_ok()
        });
    }

    /// Between the choice of a free address and its use another program of this machine may have taken it: then it begins again,
    /// elsewhere. Any other end is one.
    #[track_caller]
    fn start_where_nobody_listens(&mut self) {
        let log = self.process.log();
        assert!(log.contains("Address already in use") && self.setup.socket.is_none(), "the program ended at once");
        let settings = self.path("flagstaff.toml");
        let mut text = fs::read_to_string(&settings).unwrap();
        for address in [&mut self.address, &mut self.tls_address, &mut self.admin] {
            let free = free_address();
            text = text.replace(&address.to_string(), &free.to_string());
            *address = free;
        }
        fs::write(settings, text).unwrap();
        self.process = Process::start(&self.setup, self.folder.path());
    }

    /// Where its flags are kept.
    pub(crate) fn store(&self) -> Store {
        self.setup.store.clone().unwrap_or(Store::File)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A connection whose bytes are the test's own.
    pub(crate) fn raw(&self) -> Raw {
        Raw::connect(self.address)
    }

    /// A GET on a connection of its own: status and body.
    #[track_caller]
    pub(crate) fn get(&self, target: &str) -> (u16, String) {
        let mut raw = self.raw();
        raw.send(format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
        let answer = raw.answer();
        (answer.status, answer.text())
    }

    /// The sum of a counter's or gauge's lines whose labels contain this.
    #[track_caller]
    pub(crate) fn metric(&self, name: &str, labels: &str) -> f64 {
        let mut raw = Raw::connect(self.admin);
        raw.send(format!("GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin));
        let text = raw.answer().text();
        let of = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let value = rest.rsplit(' ').next()?;
            (rest.starts_with(['{', ' ']) && rest.contains(labels)).then(|| value.parse::<f64>().unwrap())
        };
        text.lines().filter_map(of).sum()
    }

    /// Requests refused for this reason.
    #[track_caller]
    pub(crate) fn refused(&self, reason: &str) -> f64 {
        self.metric("flagstaff_refused_total", &format!("reason=\"{reason}\""))
    }

    /// Starts a second process with the same settings, changed first, and lets it take over.
    #[track_caller]
    pub(crate) fn take_over(&mut self, change: impl FnOnce(String) -> String) -> Process {
        let file = self.path("flagstaff.toml");
        let settings = fs::read_to_string(&file).unwrap();
        fs::write(&file, change(settings)).unwrap();
        let new = Process::start(&self.setup.clone().arg("--upgrade"), self.folder.path());
        eventually("the new process waits for the sockets", || self.path("upgrade.sock").exists());
        let old = std::mem::replace(&mut self.process, new);
        old.signal(rustix::process::Signal::QUIT);
        old
    }

    /// Starts it again, after it has ended.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.process = Process::start(&self.setup, self.folder.path());
        self.wait_until_it_listens();
    }

    /// SIGTERM, then its exit.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.process.signal(rustix::process::Signal::TERM);
        self.process.wait()
    }
}
