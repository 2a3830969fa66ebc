//! The texts that were good last, so that a start with broken ones serves what was served before.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::contents::Contents;
use super::source::FlagSource;
use crate::assemble::{Loaded, ParseOptions, fingerprint};

/// The texts that were good last.
#[derive(Debug, Serialize, Deserialize)]
struct LastGood {
    /// The file they were read from, whole; or the address, without user and password.
    source: PathBuf,
    environment: Option<String>,
    definitions: String,
    overlay: Option<String>,
}

impl FlagSource {
    /// What was good last, and when that was written; none where nothing was kept of it.
    #[must_use]
    pub fn last_good(&self, options: &ParseOptions) -> Option<(Loaded, SystemTime)> {
        let folder = self.folder.as_ref()?;
        let name = self.name_of_kept();
        let bytes = folder.read(&name).ok()??;
        let kept: LastGood = serde_json::from_slice(&bytes).ok()?;
        if (kept.source, kept.environment) != (self.whole_name(), self.environment().map(Into::into)) {
            return None;
        }
        let contents = Contents::new(kept.definitions.into_bytes(), kept.overlay.map(String::into_bytes));
        let at = std::fs::metadata(folder.path().join(&name)).and_then(|meta| meta.modified()).ok()?;
        Some((self.parse(&contents, options).ok()?, at))
    }

    /// Keeps contents that are good.
    pub(crate) fn keep(&self, contents: &Contents) -> io::Result<()> {
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let kept = LastGood {
            source: self.whole_name(),
            environment: self.environment().map(Into::into),
            definitions: text(contents.definitions()),
            overlay: contents.overlay().map(text),
        };
        folder.write(&self.name_of_kept(), &serde_json::to_vec(&kept)?)
    }

    /// What it is kept under. Never the password, which may change.
    fn whole_name(&self) -> PathBuf {
        match self.file() {
            Some(file) => std::path::absolute(file).unwrap_or_else(|_| file.into()),
            None => self.name().into(),
        }
    }

    /// Several programs may keep theirs in one folder.
    fn name_of_kept(&self) -> String {
        let source = self.whole_name();
        let environment = self.environment().unwrap_or_default();
        let hash = fingerprint::revision([source.as_os_str().as_encoded_bytes(), environment.as_bytes()]);
        format!("flags-{}.json", hash.get(..16).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::StateFolder;

    #[test]
    fn what_was_good_last_is_of_these_files_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&folder.path().join("state"));
        let files = |name: &str, environment| {
            FlagSource::files(&folder.path().join(name), environment).keeping(state.clone())
        };
        let options = ParseOptions::default();
        let contents = Contents::new(b"[flags.a]\n".to_vec(), None);
        assert!(files("flags.toml", None).last_good(&options).is_none());
        files("flags.toml", None).keep(&contents).unwrap();
        let (loaded, _) = files("flags.toml", None).last_good(&options).unwrap();
        assert_eq!(loaded.snapshot.revision(), contents.revision());
        assert!(files("other.toml", None).last_good(&options).is_none());
        assert!(files("flags.toml", Some("test")).last_good(&options).is_none());
        fs::write(state.path().join(files("flags.toml", None).name_of_kept()), "{").unwrap();
        assert!(files("flags.toml", None).last_good(&options).is_none(), "what is broken is none");
    }

    #[test]
    fn an_address_is_kept_without_its_password() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::new(&folder.path().join("state"));
        let of = |user: &str| {
            FlagSource::new(&format!("redis://{user}@localhost/0"), None).unwrap().keeping(state.clone())
        };
        of("me:s3cret").keep(&Contents::new(b"[flags.a]\n".to_vec(), None)).unwrap();
        assert!(of("me:other").last_good(&ParseOptions::default()).is_some(), "another password, the same flags");
        let entries =
            fs::read_dir(state.path()).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        assert!(entries.into_iter().all(|text| !text.contains("s3cret") && text.contains("[flags.a]")));
    }
}
