//! The packages that the files of a folder name.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Of a longer file only so much is read (bytes).
const MAX_BYTES: u64 = 1024 * 1024;
/// Where Python projects name their packages.
const PYTHON: [&str; 6] =
    ["pyproject.toml", "requirements.txt", "Pipfile", "setup.cfg", "setup.py", "requirements.in"];
/// The most files of the folder `requirements` that are read.
const MAX_FILES: usize = 20;

/// Packages in small letters, and the first file that names any.
#[derive(Debug, Default)]
pub(super) struct Packages {
    names: HashSet<String>,
    pub(super) file: String,
}

impl Packages {
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}

/// The packages of a Python project.
pub(super) fn python(folder: &Path) -> Packages {
    let inner = fs::read_dir(folder.join("requirements")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut inner: Vec<_> =
        inner.filter(|path| path.extension().is_some_and(|end| end == "txt")).take(MAX_FILES).collect();
    inner.sort();
    words(folder, PYTHON.iter().map(|name| folder.join(name)).chain(inner))
}

/// The gems of a Ruby project.
pub(super) fn ruby(folder: &Path) -> Packages {
    words(folder, [folder.join("Gemfile")])
}

/// The packages of a PHP project.
pub(super) fn php(folder: &Path) -> Packages {
    words(folder, [folder.join("composer.json")])
}

/// The packages of a Node project, as `package.json` has them.
pub(super) fn node(folder: &Path) -> Packages {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Package {
        dependencies: serde_json::Map<String, serde_json::Value>,
        dev_dependencies: serde_json::Map<String, serde_json::Value>,
    }
    let text = text(&folder.join("package.json")).unwrap_or_default();
    let package: Package = serde_json::from_str(&text).unwrap_or_default();
    let names = package.dependencies.into_iter().chain(package.dev_dependencies).map(|(name, _)| name).collect();
    Packages { names, file: "package.json".into() }
}

/// Every word of these files that could be a package.
fn words(folder: &Path, files: impl IntoIterator<Item = PathBuf>) -> Packages {
    let mut packages = Packages::default();
    for file in files {
        let Some(text) = text(&file) else { continue };
        if packages.file.is_empty() {
            packages.file = file.strip_prefix(folder).unwrap_or(&file).display().to_string();
        }
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().to_ascii_lowercase());
        for line in lines {
            let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_./".contains(c)));
            packages.names.extend(words.filter(|word| !word.is_empty()).map(|word| word.replace('_', "-")));
        }
    }
    packages
}

fn text(file: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(file)
        .ok()
        .filter(|file| file.metadata().is_ok_and(|meta| meta.is_file()))?
        .take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}
