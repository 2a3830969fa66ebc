//! Scenarios of `tests/clients/browser`, which drive a real Chromium.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::node::NodeClient;
use super::operator::TOKEN;
use super::program::Program;

/// Long enough for any scenario, on a busy machine.
const SCENARIO_LIMIT: Duration = Duration::from_secs(300);

/// A browser, and what it needs in its environment.
type Found = (PathBuf, Vec<(&'static str, PathBuf)>);

/// A scenario, running in a browser of its own.
#[derive(Debug)]
pub(crate) struct Scenario {
    client: NodeClient,
    _folder: TempDir,
}

impl Scenario {
    /// Starts one at the addresses of a program; more arguments are the scenario's own. None where there is no browser, which is said.
    #[track_caller]
    pub(crate) fn start(script: &str, program: &Program, more: &[&str]) -> Option<Self> {
        let Some((browser, environment)) = browser() else {
            eprintln!(
                "SKIPPED: Chromium is not installed; tests/chromium unpacks it where Debian's packages can be had"
            );
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let link = format!("http://{}/?token={TOKEN}", program.admin);
        let site = format!("http://{}", program.address);
        let arguments: Vec<_> = [link.as_str(), site.as_str()].into_iter().chain(more.iter().copied()).collect();
        let mut environment = environment.clone();
        environment.push(("CHROMIUM", browser.clone()));
        // the browser's profile is made there
        environment.push(("TMPDIR", folder.path().into()));
        let client = NodeClient::within(SCENARIO_LIMIT, &format!("browser/{script}"), &arguments, &environment);
        Some(Self { client, _folder: folder })
    }

    /// Waits until the scenario comes to this step, looks at what it tells, and lets it go on.
    #[track_caller]
    pub(crate) fn at(&mut self, step: &str, look: impl FnOnce(&Value)) {
        let told = self.client.line();
        assert_eq!(told["step"], step, "{told}");
        look(&told);
        self.client.send("on");
    }

    /// Waits until it has come to its end, with everything as it should be.
    #[track_caller]
    pub(crate) fn ends(mut self) {
        self.at("end", |_| ());
    }
}

/// The browser that is installed, or that `tests/chromium` has unpacked.
fn browser() -> Option<&'static Found> {
    static FOUND: OnceLock<Option<Found>> = OnceLock::new();
    FOUND.get_or_init(|| installed().into_iter().chain(unpacked()).find(runs)).as_ref()
}

fn installed() -> Vec<Found> {
    let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    names.map(PathBuf::from).into_iter().filter(|path| path.exists()).map(|path| (path, Vec::new())).collect()
}

/// It finds what it is linked with, and its fonts, beside it.
fn unpacked() -> Option<Found> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("tests/chromium");
    let libraries = std::fs::read_to_string(folder.join("libraries")).ok()?;
    let environment =
        vec![("LD_LIBRARY_PATH", libraries.trim().into()), ("FONTCONFIG_FILE", folder.join("fonts.conf"))];
    Some((folder.join("usr/lib/chromium/chromium"), environment))
}

fn runs((path, environment): &Found) -> bool {
    let mut version = Command::new(path);
    version.arg("--version").envs(environment.iter().map(|(name, value)| (name, value)));
    version.output().is_ok_and(|output| output.status.success())
}
