//! Where the flags of a program come from, and all that can be asked of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use flagstaff_flags::FlagTexts;

use super::contents::Contents;
use super::document_store::{DocumentStore, LastSteps, Wake, Watcher};
use super::fact_channel::FactChannel;
use super::files::Files;
use super::http::HttpDocument;
use super::redis::RedisKeys;
use super::replace::{Turn, WriteError};
use super::state_folder::StateFolder;
use crate::archive::{self, Ended, Unreadable};
use crate::assemble::{Loaded, ParseOptions, parse};
use crate::decode::text::Text;
use crate::findings::Report;

/// Where flags come from: a file of definitions with the overlay of an environment, in a folder, in Redis, or on the web.
#[derive(Clone, Debug)]
pub struct FlagSource {
    store: Arc<dyn DocumentStore>,
    /// Where what was good last is kept.
    pub(super) folder: Option<StateFolder>,
    poll: Option<Duration>,
}

impl FlagSource {
    /// What a text of the settings names: the path of a file, or an address such as `redis://host/0` or `https://host/flags.toml`. Nothing is
    /// asked yet.
    ///
    /// # Errors
    /// When it is neither: why, and what to write.
    pub fn new(text: &str, environment: Option<&str>) -> Result<Self, String> {
        let Some((scheme, _)) = text.split_once("://") else {
            return Ok(Self::files(Path::new(text), environment));
        };
        let store: Arc<dyn DocumentStore> = match scheme {
            "http" | "https" => Arc::new(HttpDocument::new(text, environment)?),
            _ if RedisKeys::takes(scheme) => Arc::new(RedisKeys::new(text, environment)?),
            _ => {
                return Err(format!(
                    "flags cannot be read from {scheme}://; name a file, redis://HOST/0 or https://HOST/flags.toml"
                ));
            }
        };
        Ok(Self { store, folder: None, poll: None })
    }

    /// The files of this path and environment. An overlay need not exist.
    #[must_use]
    pub fn files(definitions: &Path, environment: Option<&str>) -> Self {
        Self { store: Arc::new(Files::new(definitions, environment)), folder: None, poll: None }
    }

    /// Keeps what is good in a folder from now on.
    #[must_use]
    pub fn keeping(self, folder: StateFolder) -> Self {
        Self { folder: Some(folder), ..self }
    }

    /// Is looked at every so often, also where nothing says that it changed.
    #[must_use]
    pub fn polled(self, every: Option<Duration>) -> Self {
        Self { poll: every, ..self }
    }

    /// How often it is looked at.
    #[must_use]
    pub fn poll(&self) -> Duration {
        self.poll.unwrap_or_else(|| self.store.poll())
    }

    /// The same with the overlay of another environment. Nothing is kept of it.
    #[must_use]
    pub fn in_environment(&self, environment: &str) -> Self {
        Self { store: self.store.in_environment(environment), folder: None, poll: self.poll }
    }

    /// The name of the definitions: a path, or an address without user and password.
    #[must_use]
    pub fn name(&self) -> String {
        self.store.name()
    }

    /// The name of the overlay, which need not be there; none without an environment.
    #[must_use]
    pub fn overlay_name(&self) -> Option<String> {
        self.store.overlay_name()
    }

    /// The name of the archive of ended flags.
    #[must_use]
    pub fn archive_name(&self) -> String {
        self.store.archive_name()
    }

    /// The environment whose overlay counts.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.store.environment()
    }

    /// Environments that are known to have an overlay, in the order of their names.
    ///
    /// # Errors
    /// When the place cannot be asked.
    pub fn environments(&self) -> Result<Vec<String>, Report> {
        self.store.environments()
    }

    /// The file of definitions, where there is one.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.store.files().map(Files::definitions)
    }

    /// The file of the overlay, which need not be there.
    #[must_use]
    pub fn overlay_file(&self) -> Option<&Path> {
        self.store.files().and_then(Files::overlay)
    }

    /// All files that may belong to it: definitions, overlays, archive.
    #[must_use]
    pub fn all_files(&self) -> Vec<PathBuf> {
        self.store.files().map(Files::all).unwrap_or_default()
    }

    /// Why nothing can be changed there, and where to change it; none where it can.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        self.store.read_only()
    }

    /// A channel on which programs that take their flags from there tell each other of facts; none where they are not in Redis.
    #[must_use]
    pub fn fact_channel(&self) -> Option<Box<dyn FactChannel>> {
        self.store.fact_channel()
    }

    /// Reads the flags. It blocks for five seconds at most where they come over a network.
    ///
    /// # Errors
    /// With every problem, when they cannot be read or have an error.
    pub fn load(&self, options: &ParseOptions) -> Result<Loaded, Report> {
        self.parse(&self.read()?, options)
    }

    /// The revision and the texts of what is there now, whatever it says.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn texts(&self) -> Result<(String, FlagTexts), Report> {
        let contents = self.read()?;
        Ok((contents.revision(), contents.texts()))
    }

    /// The flags of these texts, as if they were there.
    ///
    /// # Errors
    /// With every problem, when there is an error.
    pub fn parse_texts(&self, texts: &FlagTexts, options: &ParseOptions) -> Result<Loaded, Report> {
        self.parse(&Contents::from(texts), options)
    }

    /// The revision of what is there, also where it cannot be used.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn revision(&self) -> Result<String, Report> {
        self.read().map(|contents| contents.revision())
    }

    /// Flags that were ended, the latest last; nothing when none were.
    ///
    /// # Errors
    /// When the archive cannot be read, or is not one.
    pub fn ended(&self) -> Result<Vec<Ended>, Unreadable> {
        archive::ended(self.store.archive()?.as_deref().unwrap_or_default(), &self.archive_name())
    }

    pub(crate) fn parse(&self, contents: &Contents, options: &ParseOptions) -> Result<Loaded, Report> {
        let (name, overlay_name) = (self.name(), self.overlay_name());
        let text = Text { name: &name, bytes: contents.definitions() };
        let over = overlay_name.as_deref().unwrap_or_default();
        let overlay = contents.overlay().map(|bytes| Text { name: over, bytes });
        let mut loaded = parse(text, overlay, options)?;
        if let (Some(overlay), None) = (overlay_name, contents.overlay()) {
            loaded.report.warn_of_file(&name, self.without_overlay(&overlay));
        }
        Ok(loaded)
    }

    /// Why the environment is probably not the one that is meant: it has no overlay. None where there is one, or that cannot be told. It is
    /// asked for where it is not in a file.
    #[must_use]
    pub fn missing_overlay(&self) -> Option<String> {
        let overlay = self.overlay_name()?;
        let is_there = match self.overlay_file() {
            Some(file) => file.exists(),
            None => self.read().map_or(true, |contents| contents.overlay().is_some()),
        };
        (!is_there).then(|| self.without_overlay(&overlay))
    }

    /// An environment without its file is probably a mistake: what production switches off would be on.
    fn without_overlay(&self, overlay: &str) -> String {
        // only folders are asked: this is said at every reading
        let known = if self.file().is_some() { self.environments().unwrap_or_default() } else { Vec::new() };
        let environment = self.environment().unwrap_or_default();
        let near = flagstaff_flags::nearest(environment, known.iter().map(String::as_str));
        let mend = match (near, known.as_slice()) {
            (Some(near), _) => format!("did you mean `{near}`?"),
            (None, []) if self.file().is_none() => "is its name right?".into(),
            (None, []) => "no environment has an overlay here".into(),
            (None, known) => format!("there is one for {}", known.join(", ")),
        };
        format!("the environment `{environment}` has no overlay, there is no {overlay}: {mend}")
    }
}

/// What edits and the watch ask of its store.
impl FlagSource {
    pub(crate) fn read(&self) -> Result<Contents, Report> {
        self.store.read()
    }

    pub(crate) fn read_if_there(&self) -> Result<Contents, Report> {
        self.store.read_if_there()
    }

    pub(crate) fn overlays(&self) -> Result<Vec<(String, Vec<u8>)>, Report> {
        self.store.overlays()
    }

    pub(crate) fn turn(&self) -> std::io::Result<Turn> {
        self.store.turn()
    }

    pub(crate) fn changed(&self, before: &Contents, after: &Contents) -> std::io::Result<Vec<String>> {
        self.store.changed(before, after)
    }

    pub(crate) fn prepare<'a>(
        &'a self,
        before: &'a Contents,
        after: &'a Contents,
    ) -> Result<LastSteps<'a>, WriteError> {
        self.store.prepare(before, after)
    }

    pub(crate) fn compare_and_set(&self, before: &Contents, after: &Contents) -> Result<(), WriteError> {
        self.store.compare_and_set(before, after)
    }

    pub(crate) fn archive(&self) -> Result<Option<String>, Unreadable> {
        self.store.archive()
    }

    pub(crate) fn replace_archive(&self, before: Option<&str>, after: &str) -> Result<(), WriteError> {
        self.store.replace_archive(before, after)
    }

    pub(crate) fn settle(&self) -> Option<Duration> {
        self.store.settle()
    }

    pub(crate) fn watch(&self, wakes: Sender<Wake>) -> Box<dyn Watcher> {
        self.store.watch(wakes)
    }
}

/// Reads flags from a file, and from the overlay of `options.environment` where there is one.
///
/// # Errors
/// With every problem, when the file cannot be read or has an error.
pub fn load(path: &Path, options: &ParseOptions) -> Result<Loaded, Report> {
    FlagSource::files(path, options.environment.as_deref()).load(options)
}
