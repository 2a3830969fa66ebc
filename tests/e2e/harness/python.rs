//! Apps in Python, with what they need from PyPI in a folder below the target directory.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::eventually;

/// An app, running.
#[derive(Debug)]
pub(crate) struct PythonApp {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl PythonApp {
    /// Starts a script of `tests/apps` that says where it listens.
    #[track_caller]
    pub(crate) fn start(script: &str, environment: &[(&str, &Path)]) -> Self {
        let mut command = python();
        command.arg(apps().join(script)).envs(environment.iter().copied());
        Self::run(command, "listening on ")
    }

    /// `python -m http.server` in a folder.
    #[track_caller]
    pub(crate) fn static_site(folder: &Path) -> Self {
        let mut command = Command::new("python3");
        command.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        command.arg(folder);
        Self::run(command, "(http://")
    }

    /// The address stands behind this word, on a line of its output.
    #[track_caller]
    fn run(mut command: Command, word: &str) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("python3 must be installed to run these tests");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let Some((_, rest)) = line.split_once(word) else {
            let _ = child.kill();
            let mut errors = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut errors);
            panic!("{command:?} did not start: {line}{errors}");
        };
        let text: String = rest.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ':')).collect();
        let address = text.parse().unwrap();
        drain(output);
        drain(child.stderr.take().unwrap());
        let app = Self { address, child };
        eventually("the app listens", || TcpStream::connect(app.address).is_ok());
        app
    }
}

impl Drop for PythonApp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A full pipe would stop the app.
fn drain(mut from: impl Read + Send + 'static) {
    std::thread::spawn(move || std::io::copy(&mut from, &mut std::io::sink()));
}

/// What a script of `tests/apps` writes, run to its end.
#[track_caller]
pub(crate) fn output_of(script: &str, arguments: &[&str]) -> String {
    let output = python().arg(apps().join(script)).args(arguments).output();
    let output = output.expect("python3 must be installed to run these tests");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn apps() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/apps")
}

/// Python with what the apps import, and the package of this project.
pub(crate) fn python() -> Command {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| installed("python", &apps().join("requirements.txt")));
    with(&[installed, &apps(), &package()])
}

/// What a script of `tests/apps/import` writes, which asks the SDK of another system.
#[track_caller]
pub(crate) fn output_of_sdk(script: &str, arguments: &[&Path]) -> String {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| installed("import", &apps().join("import/requirements.txt")));
    output_with(installed, script, arguments)
}

/// The same, with flagd's core in its newer version.
#[track_caller]
pub(crate) fn output_of_newer_flagd(script: &str, arguments: &[&Path]) -> String {
    output_with(&installed("flagd", &apps().join("import/flagd/requirements.txt")), script, arguments)
}

#[track_caller]
fn output_with(installed: &Path, script: &str, arguments: &[&Path]) -> String {
    let folder = apps().join("import");
    let output = with(&[installed]).arg(folder.join(script)).args(arguments).output();
    let output = output.expect("python3 must be installed to run these tests");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script} failed:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// A Python of 3.12 or later with Django 6, django-waffle and the package of this project, where there is one.
pub(crate) fn newer_python_with_django() -> Option<impl Fn() -> Command> {
    let found = newer_python()?;
    let requirements = apps().join("django6/requirements.txt");
    let installed = installed_by(&found, "django6", &requirements);
    Some(move || by(&found, &[&installed, &package()]))
}

fn newer_python() -> Option<PathBuf> {
    let is_newer = |python: &PathBuf| {
        let check = "import sys, pip; sys.exit(sys.version_info < (3, 12))";
        let status = Command::new(python).args(["-c", check]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let by_pyenv = std::env::var_os("HOME").map(|home| Path::new(&home).join(".pyenv/versions"));
    let by_pyenv = by_pyenv.and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten().flatten();
    let by_name = ["python3", "python3.14", "python3.13", "python3.12"].map(PathBuf::from);
    by_name.into_iter().chain(by_pyenv.map(|entry| entry.path().join("bin/python3"))).find(is_newer)
}

fn package() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python/src")
}

/// A script of `tests/apps` with what the notebook imports.
pub(crate) fn notebook_runner() -> Command {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| installed("notebook", &notebooks().join("requirements.txt")));
    let mut command = with(&[installed]);
    command.arg(apps().join("run_notebook.py")).arg(notebooks().join("experiment.ipynb"));
    command
}

/// Schemathesis, which sends whatever a description allows, and what it does not allow.
pub(crate) fn schemathesis() -> Command {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| installed("schemathesis", &apps().join("api/requirements.txt")));
    let mut command = with(&[installed]);
    command.args(["-m", "schemathesis.cli"]);
    command
}

/// A tool that reads files of `deploy/`, or a server, from `tests/deploy/requirements.txt`.
pub(crate) fn deploy_tool(name: &str) -> Command {
    let tool = deploy_tools().join("bin").join(name);
    // hadolint is a program; the others are scripts that name the Python of pip
    if !fs::read(&tool).is_ok_and(|bytes| bytes.starts_with(b"#!")) {
        return Command::new(tool);
    }
    let mut command = deploy_python();
    command.arg(tool);
    command
}

/// Python with the packages of these tools.
pub(crate) fn deploy_python() -> Command {
    with(&[deploy_tools()])
}

fn deploy_tools() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/deploy/requirements.txt");
    INSTALLED.get_or_init(|| installed("deploy", &requirements))
}

/// Python with the evaluators of other systems.
pub(crate) fn evaluators() -> Command {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    let installed = INSTALLED.get_or_init(|| installed("exported", &apps().join("exported/requirements.txt")));
    with(&[installed])
}

fn notebooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/notebook")
}

fn with(folders: &[&Path]) -> Command {
    by(Path::new("python3"), folders)
}

fn by(python: &Path, folders: &[&Path]) -> Command {
    let mut command = Command::new(python);
    command.arg("-u").env("PYTHONPATH", std::env::join_paths(folders).unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// Where the packages are. Installs them first when they are not there as required, once for all tests of all runs.
fn installed(name: &str, requirements: &Path) -> PathBuf {
    installed_by(Path::new("python3"), name, requirements)
}

fn installed_by(python: &Path, name: &str, requirements: &Path) -> PathBuf {
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("tests");
    fs::create_dir_all(&tests).unwrap();
    // Another run of the tests may install at the same time.
    let lock = File::create(tests.join(format!("{name}.lock"))).unwrap();
    lock.lock().unwrap();
    let folder = tests.join(name);
    let wanted = wanted(python, requirements);
    let stamp = folder.join("installed.txt");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return folder;
    }
    let _ = fs::remove_dir_all(&folder);
    install(python, &folder, requirements);
    fs::write(stamp, wanted).unwrap();
    folder
}

/// What must be installed, and for which Python.
fn wanted(python: &Path, requirements: &Path) -> String {
    let version = Command::new(python).arg("--version").output();
    let version = version.expect("python3 must be installed to run these tests").stdout;
    format!("{}{}", String::from_utf8(version).unwrap(), fs::read_to_string(requirements).unwrap())
}

fn install(python: &Path, folder: &Path, requirements: &Path) {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]);
    pip.args(["--no-warn-conflicts", "--root-user-action=ignore", "--target"]);
    pip.arg(folder).arg("-r").arg(requirements);
    let output = pip.output().unwrap();
    assert!(
        output.status.success(),
        "these tests need packages from PyPI, and pip could not install them (is pip installed, is there a network?):\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
