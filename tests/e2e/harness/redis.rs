//! A Redis of our own, on a free port, for as long as a test runs; or a Valkey.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{WAIT_LIMIT, eventually, free_address, within};

/// The key of flags where none is named.
const KEY: &str = "flagstaff:flags";

/// A running server. It keeps what it is told on the disk, so that it has it again after a crash.
#[derive(Debug)]
pub(crate) struct Redis {
    program: PathBuf,
    folder: TempDir,
    pub(crate) address: SocketAddr,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Redis {
    /// Starts a server; none where it is not installed, which is said.
    pub(crate) fn start() -> Option<Self> {
        Self::of("redis", &[])
    }

    /// Starts a server of this kind, with options of its own.
    pub(crate) fn of(kind: &str, arguments: &[&str]) -> Option<Self> {
        let Some(program) = program(kind) else {
            eprintln!("SKIPPED: {kind} is not installed; tests/redis unpacks it");
            return None;
        };
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut redis = Self { program, folder, address: free_address(), arguments, child: None };
        redis.up();
        Some(redis)
    }

    /// A sentinel that watches a server under the name `main`, which is gone when so many say so, after a second; with settings of its own.
    pub(crate) fn sentinel_of(watched: &Self, quorum: usize, settings_of_its_own: &[&str]) -> Option<Self> {
        let program = program("redis")?;
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("sentinel.conf");
        let (ip, port) = (watched.address.ip(), watched.address.port());
        let monitor = format!("sentinel monitor main {ip} {port} {quorum}");
        let times = ["sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 4000"];
        let lines = [&[monitor.as_str()], &times[..], settings_of_its_own].concat();
        std::fs::write(&settings, lines.join("\n") + "\n").unwrap();
        let arguments = vec![settings.to_str().unwrap().to_owned(), "--sentinel".to_owned()];
        let mut sentinel = Self { program, folder, address: free_address(), arguments, child: None };
        sentinel.up();
        Some(sentinel)
    }

    /// Three servers of a cluster that know each other, each with a third of the keys.
    pub(crate) fn cluster() -> Option<[Self; 3]> {
        let server = || {
            let port = free_address().port().to_string();
            Self::of(
                "redis",
                &["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", "--cluster-port", &port],
            )
            .map(|redis| (redis, port))
        };
        let all = [server()?, server()?, server()?];
        for ((redis, _), (from, to)) in all.iter().zip([("0", "5460"), ("5461", "10922"), ("10923", "16383")]) {
            redis.ask(&["CLUSTER", "ADDSLOTSRANGE", from, to]);
            for (other, bus) in &all {
                redis.ask(&["CLUSTER", "MEET", "127.0.0.1", &other.address.port().to_string(), bus]);
            }
        }
        let all = all.map(|(redis, _)| redis);
        within(3 * WAIT_LIMIT, "the cluster is whole", || {
            all.iter().all(|redis| {
                let info = redis.ask(&["CLUSTER", "INFO"]).unwrap_or_default();
                info.contains("cluster_state:ok") && info.contains("cluster_size:3")
            })
        });
        Some(all)
    }

    /// Starts it on its address. It ends with the thread that starts it, however that ends.
    pub(crate) fn up(&mut self) {
        for _ in 0..3 {
            self.spawn();
            let mut has_ended = false;
            eventually("the server answers", || {
                has_ended = self.child.as_mut().unwrap().try_wait().unwrap().is_some();
                has_ended || self.pings()
            });
            if !has_ended {
                return;
            }
            // another program took the port between its choice and its use
            self.address = free_address();
        }
        panic!("the server ends as soon as it is started");
    }

    fn spawn(&mut self) {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=KILL").arg(&self.program);
        let port = self.address.port().to_string();
        command.args(&self.arguments).args(["--bind", "127.0.0.1", "--port", &port]);
        if !self.arguments.iter().any(|argument| argument == "--sentinel") {
            command.args(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        }
        command.arg("--dir").arg(self.folder.path()).current_dir(self.folder.path());
        command.envs(libraries(&self.program)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().unwrap());
    }

    fn pings(&self) -> bool {
        let said = TcpStream::connect(self.address).ok().and_then(|stream| asked(stream, &[b"PING"]));
        said.is_some_and(|said| said == "PONG" || said.starts_with("NOAUTH"))
    }

    /// kill -9
    pub(crate) fn down(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As settings name it.
    pub(crate) fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// What it answers to a command; none for nil.
    #[track_caller]
    pub(crate) fn ask(&self, command: &[&str]) -> Option<String> {
        let command: Vec<_> = command.iter().map(|word| word.as_bytes()).collect();
        asked(TcpStream::connect(self.address).unwrap(), &command)
    }

    /// The definitions, or with a part behind the key something beside them: an overlay, the archive.
    pub(crate) fn document(&self, part: Option<&str>) -> Option<String> {
        self.ask(&["GET", &key(part)])
    }

    /// Sets them as another program does that says so on the channel.
    #[track_caller]
    pub(crate) fn put(&self, part: Option<&str>, text: impl AsRef<[u8]>) {
        let said = asked(TcpStream::connect(self.address).unwrap(), &[b"SET", key(part).as_bytes(), text.as_ref()]);
        assert_eq!(said.as_deref(), Some("OK"));
        if let Some(environment) = part {
            self.ask(&["SADD", &format!("{KEY}:environments"), environment]);
        }
        self.ask(&["PUBLISH", KEY, ""]);
    }

    pub(crate) fn remove(&self) {
        self.ask(&["DEL", KEY]);
        self.ask(&["PUBLISH", KEY, ""]);
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn key(part: Option<&str>) -> String {
    part.map_or_else(|| KEY.to_owned(), |part| format!("{KEY}:{part}"))
}

/// One command and its answer, as a text; a list is its last text.
fn asked(mut stream: TcpStream, command: &[&[u8]]) -> Option<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for word in command {
        bytes.extend(format!("${}\r\n", word.len()).bytes().chain(word.iter().copied()).chain(*b"\r\n"));
    }
    stream.write_all(&bytes).ok()?;
    answer(&mut BufReader::new(stream))
}

fn answer(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let rest = line.get(1..)?.trim_end().to_owned();
    match line.as_bytes().first()? {
        b'$' => {
            let mut bytes = vec![0; rest.parse::<usize>().ok()? + 2];
            reader.read_exact(&mut bytes).ok()?;
            bytes.truncate(bytes.len() - 2);
            String::from_utf8(bytes).ok()
        }
        b'*' => (0..rest.parse::<usize>().ok()?).filter_map(|_| answer(reader)).last(),
        _ => Some(rest),
    }
}

/// The server that is installed, or that `tests/redis` unpacked.
fn program(kind: &str) -> Option<PathBuf> {
    let name = format!("{kind}-server");
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("tests/redis").join(kind).join("usr/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).chain([unpacked]).collect();
    places.into_iter().map(|place| place.join(&name)).find(|program| program.is_file())
}

/// Where an unpacked one finds what it is linked with.
fn libraries(program: &Path) -> Option<(&'static str, PathBuf)> {
    let lib = program.parent()?.parent()?.join("lib");
    let all = std::fs::read_dir(&lib).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let of_machine = all.filter(|folder| folder.is_dir() && folder.to_string_lossy().contains("-linux-")).max()?;
    (!lib.starts_with("/usr")).then_some(("LD_LIBRARY_PATH", of_machine))
}
