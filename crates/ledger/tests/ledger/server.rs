//! A PostgreSQL of our own, on a free port, for as long as tests run.

#[path = "ports.rs"]
pub(crate) mod ports;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Long enough for a server to start on a busy machine.
const STEP_WITHIN: Duration = Duration::from_secs(60);

/// A running server.
pub(crate) struct Server {
    programs: PathBuf,
    _folder: tempfile::TempDir,
    data: PathBuf,
    port: u16,
    options: Vec<String>,
    child: Mutex<Option<Child>>,
    next: AtomicU32,
}

impl Server {
    /// Makes and starts a new one; none where its programs are not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, with options of its own.
    pub(crate) fn start_with(options: &[&str]) -> Option<Self> {
        let server = Self::new(options)?;
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=tester", "--no-sync", "-D"])
            .arg(&server.data)
            .output();
        let made = made.unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.up();
        Some(server)
    }

    /// A standby that follows it.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::new(&[]).unwrap();
        let port = self.port.to_string();
        let copied = standby
            .command("pg_basebackup")
            .args([
                "-h",
                "127.0.0.1",
                "-U",
                "tester",
                "--no-sync",
                "--checkpoint=fast",
                "--write-recovery-conf",
                "-p",
                &port,
                "-D",
            ])
            .arg(&standby.data)
            .output();
        let copied = copied.unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.up();
        standby
    }

    /// The address of a database here that another server has too.
    pub(crate) fn same(&self, address: &str) -> String {
        let rest = address.rsplit('/').next().unwrap();
        format!("postgres://tester@127.0.0.1:{}/{rest}", self.port)
    }

    /// One that is not made yet.
    fn new(options: &[&str]) -> Option<Self> {
        let programs = newest(Path::new("/usr/lib/postgresql")).or_else(unpacked)?;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        only_ours(&data);
        open_to_all(folder.path());
        if is_root() {
            let owned = Command::new("chown").arg("nobody").arg(&data).status().unwrap();
            assert!(owned.success());
        }
        let port = ports::free_port();
        let options = options.iter().map(|option| (*option).to_owned()).collect();
        let (child, next) = (Mutex::default(), AtomicU32::new(0));
        Some(Self { programs, _folder: folder, data, port, options, child, next })
    }

    /// A command of the server, as a user it accepts, that ends with this process however that ends.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig=TERM");
        if is_root() {
            command.args(["--reuid=nobody", "--clear-groups"]);
        }
        command.arg(program).current_dir("/").stdin(Stdio::null());
        command.envs(libraries(&self.programs));
        command
    }

    pub(crate) fn up(&self) {
        let start = Instant::now();
        self.spawn();
        while !self.psql("postgres", "SELECT 1") {
            assert!(start.elapsed() < STEP_WITHIN, "PostgreSQL did not come");
            std::thread::sleep(Duration::from_millis(20));
            let has_ended = self.child().as_mut().is_some_and(|child| child.try_wait().unwrap().is_some());
            if has_ended {
                // what is left of one that was killed still has its memory
                self.spawn();
            }
        }
    }

    fn spawn(&self) {
        let port = self.port.to_string();
        let options = [
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
            "-p",
            &port,
            "-D",
        ];
        // the thread that starts it must live as long as it: the signal at death is that of the thread
        let mut command = self.command("postgres");
        command.args(options).arg(&self.data).args(&self.options).stdout(Stdio::null()).stderr(Stdio::null());
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            sender.send(command.spawn().unwrap()).unwrap();
            loop {
                std::thread::park();
            }
        });
        *self.child() = Some(receiver.recv().unwrap());
    }

    /// `kill -9`: it has no time to tell its own processes that it ends.
    #[allow(dead_code, reason = "not every suite has a use for it")]
    pub(crate) fn kill(&self) {
        let mut child = self.child().take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Stops it at once, as a crash does.
    pub(crate) fn down(&self) {
        let mut child = self.child().take().unwrap();
        let quit = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status().unwrap();
        assert!(quit.success());
        child.wait().unwrap();
    }

    fn child(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn psql(&self, database: &str, sql: &str) -> bool {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-h", "127.0.0.1", "-U", "tester", "-p", &self.port.to_string(), "-c", sql, database]);
        psql.envs(libraries(&self.programs));
        psql.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// The address of a new, empty database.
    pub(crate) fn database(&self) -> String {
        let name = format!("ledger_{}", self.next.fetch_add(1, Ordering::Relaxed));
        assert!(self.psql("postgres", &format!("CREATE DATABASE {name}")));
        format!("postgres://tester@127.0.0.1:{}/{name}?sslmode=disable", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child().take() {
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

/// Where `tests/postgresql` unpacks it.
fn unpacked() -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?;
    let programs = newest(&target.join("tests/postgresql/usr/lib/postgresql"))?;
    let mut look = Command::new("setpriv");
    look.args(if is_root() { &["--reuid=nobody", "--clear-groups"][..] } else { &[][..] });
    let can = look.arg("test").arg("-x").arg(programs.join("initdb")).status().is_ok_and(|status| status.success());
    if !can {
        eprintln!("SKIPPED: {} cannot be run by the user who is to run it", programs.display());
    }
    can.then_some(programs)
}

/// Where an unpacked one finds what it is linked with.
fn libraries(programs: &Path) -> Option<(&'static str, PathBuf)> {
    let lib = programs.ancestors().nth(3)?;
    let all = std::fs::read_dir(lib).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let of_machine = all.filter(|folder| folder.join("libpq.so.5").exists()).max()?;
    (!lib.starts_with("/usr")).then_some(("LD_LIBRARY_PATH", of_machine))
}

fn newest(versions: &Path) -> Option<PathBuf> {
    let programs = std::fs::read_dir(versions).ok()?.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
    programs.filter(|programs| programs.join("initdb").exists()).max()
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn only_ours(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}
