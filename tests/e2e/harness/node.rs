//! Programs in JavaScript, with what they need from npm in a folder below the target directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use super::WAIT_LIMIT;

const NEEDED: &str = "node 20 or newer and npm must be installed to run these tests";

/// A script of `tests/clients`, running.
#[derive(Debug)]
pub(crate) struct NodeClient {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl NodeClient {
    #[track_caller]
    pub(crate) fn start(script: &str, arguments: &[&str]) -> Self {
        static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
        let folder = INSTALLED.get_or_init(installed);
        // Modules are looked for beside the script.
        fs::copy(clients().join(script), folder.join(script)).unwrap();
        let mut node = Command::new("timeout");
        node.arg(WAIT_LIMIT.as_secs().to_string()).arg("node").arg(folder.join(script)).args(arguments);
        node.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = node.spawn().expect(NEEDED);
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The next line of its output, which is JSON.
    #[track_caller]
    pub(crate) fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = self.child.kill();
            let mut errors = String::new();
            let _ = self.child.stderr.take().unwrap().read_to_string(&mut errors);
            panic!("the client wrote {line:?} and {errors}")
        })
    }
}

impl Drop for NodeClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// Where the packages are. Installs them first when they are not there as locked, once for all tests of all runs.
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
