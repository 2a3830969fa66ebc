//! How it is written: keys, flags, settings, in this order. Where there are settings, the rest is there.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use flagstaff_source::StateFolder;
use flagstaff_tag::new_key;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::framework::{App, detect};
use super::texts;
use crate::Error;

/// Where settings may be already. The first of them is also the one that commands take.
const SETTINGS: [&str; 2] = ["config/flagstaff.toml", "flagstaff.toml"];
/// Where flags may be already.
const FLAGS: [&str; 2] = ["flags.toml", "config/flags.toml"];
/// The folder of what the program must remember.
const STATE: &str = "flagstaff-state";
/// The file of keys in it.
const KEYS: &str = "keys";
/// What must not be committed.
const IGNORED: [&str; 2] = ["/flagstaff.db*", "/flagstaff-state/"];
/// A longer one was not written by hand (bytes).
const MAX_GITIGNORE: u64 = 1024 * 1024;

/// An app that moves in.
#[derive(Clone, Copy, Debug)]
pub struct Init<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// The owner of the example flag.
    pub owner: Option<&'a str>,
    /// When it is made.
    pub today: Date,
}

/// What was found and written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct InitAnswer {
    /// The app.
    pub app: App,
    /// The files, in the order in which they are written.
    pub files: Vec<InitFile>,
    /// What must not be committed, where no .gitignore here says so.
    pub not_ignored: Vec<String>,
    /// The commands to give next.
    pub next: [String; 2],
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "InitFile")]
pub struct InitFile {
    /// Below the folder.
    pub path: String,
    /// What became of it.
    pub state: FileState,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It was written.
    Written,
    /// Lines were added at its end.
    Extended,
    /// It was there already, and stays as it is.
    Kept,
}

/// Looks at the folder, and writes what is not there yet. Nothing is overwritten. Where settings are there, nothing is written.
///
/// # Errors
/// When there is no such folder, a file cannot be written, or the system has no random numbers.
pub fn init(wanted: &Init<'_>) -> Result<InitAnswer, Error> {
    let folder = wanted.folder;
    if !folder.is_dir() {
        return Err(Error::Input(format!("--dir {}: there is no such folder", folder.display())));
    }
    let (app, here) = (detect(folder), Here { folder });
    let mut files = Vec::new();
    let mut not_ignored = Vec::new();
    if let Some(there) = here.first_of(&SETTINGS) {
        files.push(kept(there));
    } else {
        files.push(here.keys()?);
        let flags = match here.first_of(&FLAGS) {
            Some(there) => kept(there),
            None => here.create(FLAGS[0], &texts::flags(&app, wanted.owner, wanted.today))?,
        };
        let keys = format!("{STATE}/{KEYS}");
        let settings = here.create(SETTINGS[1], &texts::settings(&app, &flags.path, &keys))?;
        files.extend([flags, settings]);
        match here.ignore()? {
            Some(file) => files.push(file),
            None => not_ignored = IGNORED.map(Into::into).to_vec(),
        }
    }
    let next = ["flagstaff run".into(), "flagstaff add new_form percent=20 owner=growth".into()];
    Ok(InitAnswer { app, files, not_ignored, next })
}

fn kept(path: &str) -> InitFile {
    InitFile { path: path.into(), state: FileState::Kept }
}

/// The folder.
struct Here<'a> {
    folder: &'a Path,
}

impl Here<'_> {
    fn first_of(&self, names: &[&'static str]) -> Option<&'static str> {
        // a link that leads nowhere is there as well
        names.iter().copied().find(|name| fs::symlink_metadata(self.folder.join(name)).is_ok())
    }

    /// A new file; one that came to be there meanwhile stays.
    fn create(&self, name: &str, text: &str) -> Result<InitFile, Error> {
        let path = self.folder.join(name);
        let created = OpenOptions::new().write(true).create_new(true).open(&path);
        match created.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all())) {
            Ok(()) => Ok(InitFile { path: name.into(), state: FileState::Written }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(kept(name)),
            Err(error) => Err(cannot("write", &path, &error)),
        }
    }

    /// A file with one key, for its owner alone.
    fn keys(&self) -> Result<InitFile, Error> {
        let state = StateFolder::new(&self.folder.join(STATE));
        let key = new_key().ok_or_else(|| Error::Input("the system has no random numbers for a key".into()))?;
        let written = state.create(KEYS, format!("{key}\n").as_bytes());
        let written = written.map_err(|error| cannot("write", &state.path().join(KEYS), &error))?;
        let state = if written { FileState::Written } else { FileState::Kept };
        Ok(InitFile { path: format!("{STATE}/{KEYS}"), state })
    }

    /// Adds what must not be committed to the .gitignore of the folder; none where there is no such file.
    fn ignore(&self) -> Result<Option<InitFile>, Error> {
        let path: PathBuf = self.folder.join(".gitignore");
        if !fs::metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() <= MAX_GITIGNORE) {
            return Ok(None);
        }
        let text = fs::read(&path).map_err(|error| cannot("read", &path, &error))?;
        let text = String::from_utf8_lossy(&text);
        let is_there =
            |wanted: &&str| text.lines().any(|line| line.trim().trim_matches('/') == wanted.trim_matches('/'));
        let missing: Vec<_> = IGNORED.into_iter().filter(|wanted| !is_there(wanted)).collect();
        if missing.is_empty() {
            return Ok(Some(kept(".gitignore")));
        }
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { end };
        let added = format!("{gap}{}{end}", missing.join(end));
        let file = OpenOptions::new().append(true).open(&path);
        file.and_then(|mut file| file.write_all(added.as_bytes())).map_err(|error| cannot("write", &path, &error))?;
        Ok(Some(InitFile { path: ".gitignore".into(), state: FileState::Extended }))
    }
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> Error {
    Error::Input(format!("cannot {what} {}: {error}", path.display()))
}
