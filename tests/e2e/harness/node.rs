//! Programs in JavaScript, with what they need from npm in a folder below the target directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::WAIT_LIMIT;

const NEEDED: &str = "node 20 or newer and npm must be installed to run these tests";

/// What a script of `tests/clients` writes, run to its end.
#[track_caller]
pub(crate) fn output_of(script: &str, arguments: &[&Path]) -> String {
    let output = Command::new("node").arg(packages().join(script)).args(arguments).output().expect(NEEDED);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A script of `tests/clients`, running.
#[derive(Debug)]
pub(crate) struct NodeClient {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl NodeClient {
    #[track_caller]
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        Self::within(WAIT_LIMIT, script, arguments, &[])
    }

    /// It is ended after this time, whatever it does.
    #[track_caller]
    pub(crate) fn within(limit: Duration, script: &str, arguments: &[&str], environment: &[(&str, PathBuf)]) -> Self {
        let mut node = Command::new("timeout");
        node.arg(limit.as_secs().to_string()).arg("node").arg(packages().join(script)).args(arguments);
        node.envs(environment.iter().map(|(name, value)| (name, value)));
        node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = node.spawn().expect(NEEDED);
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    /// The next line of its output, which is JSON.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| {
            self.end();
            let mut errors = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut errors);
            panic!("the client wrote {line:?} and {errors}")
        })
    }

    /// Sends it a line.
    #[track_caller]
    pub(crate) fn send(&mut self, line: &str) {
        writeln!(self.input, "{line}").unwrap();
    }

    /// `timeout` passes the signal on to what it started.
    fn end(&mut self) {
        let _ = rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}

impl Drop for NodeClient {
    fn drop(&mut self) {
        self.end();
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Where the packages are, and the scripts beside them: modules are looked for there.
pub(crate) fn packages() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let folder = installed();
        copy_scripts(&clients(), &folder);
        folder
    })
}

fn copy_scripts(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_scripts(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "js" || extension == "html") {
            // A script of another run of the tests may be reading the old one.
            let new = target.with_extension(format!("{}.new", std::process::id()));
            fs::copy(&path, &new).unwrap();
            fs::rename(new, target).unwrap();
        }
    }
}

/// Installs the packages where they are not there as locked, once for all tests of all runs.
fn installed() -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests");
    fs::create_dir_all(&tests).unwrap();
    // Another run of the tests may install at the same time.
    let lock = File::create(tests.join("node.lock")).unwrap();
    lock.lock().unwrap();
    let folder = tests.join("node");
    let wanted = fs::read_to_string(clients().join("package-lock.json")).unwrap();
    let stamp = folder.join("installed.json");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return folder;
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for name in ["package.json", "package-lock.json"] {
        fs::copy(clients().join(name), folder.join(name)).unwrap();
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
    let output = npm.output().expect(NEEDED);
    assert!(
        output.status.success(),
        "these tests need packages from npm, and npm could not install them (is there a network?):\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    fs::write(stamp, wanted).unwrap();
    folder
}
