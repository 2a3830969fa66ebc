//! The files below a folder, searched line by line.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, MmapChoice, Searcher, SearcherBuilder, Sink, SinkFinish, SinkMatch};
use ignore::overrides::{Override, OverrideBuilder};
use ignore::{DirEntry, WalkBuilder};

use super::hits::{Found, Hits, Lines};
use super::patterns::reads_all;
use super::spellings::AskedAs;
use super::wanted::Wanted;
use crate::Error;

/// Larger files are not code (bytes).
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;
/// The most memory for a line of such a file, whatever its encoding.
const MAX_LINE_BYTES: usize = 4 * MAX_FILE_BYTES as usize;
/// The most memory for the expression of all names (bytes).
const MAX_EXPRESSION_BYTES: usize = 64 * 1024 * 1024;
/// The most places that could not be read that are named.
const MAX_UNREADABLE: usize = 20;

/// What is told while a search goes on: how many files were searched. Files that are skipped count too.
pub type Progress<'a> = dyn FnMut(u64) + 'a;

/// Where to search.
#[derive(Clone, Debug)]
pub struct Searching<'a> {
    /// The folder. Files that `.gitignore` or `.ignore` name are skipped, hidden ones too. Links are not followed.
    pub folder: &'a Path,
    /// The option that names it, for messages.
    pub option: &'a str,
    /// Files that do not count.
    pub but: Vec<PathBuf>,
    /// Patterns of files that do not count, as in `.gitignore`.
    pub exclude: &'a [String],
    /// How many lines of each flag are kept.
    pub most_lines: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Searched {
    /// How many files were searched.
    pub files: u64,
    /// How many were skipped, because they are large or no text.
    pub skipped: u64,
    /// Files and folders that could not be read; at most 20 are named.
    pub unreadable: Vec<String>,
    hits: Hits,
}

impl Searched {
    /// Flags by name, with the lines that ask for them.
    pub fn flags(&self) -> impl Iterator<Item = (&str, &Lines)> {
        self.hits.by_flag.iter().map(|(flag, lines)| (flag.as_str(), lines))
    }

    /// The lines that ask for a flag.
    #[must_use]
    pub fn of(&self, flag: &str) -> Option<&Lines> {
        self.hits.by_flag.get(flag)
    }

    /// The lines that read all flags.
    #[must_use]
    pub const fn of_all_flags(&self) -> &Lines {
        &self.hits.of_all_flags
    }

    /// All lines that may ask for a flag, those that read all flags among them, in the order of files.
    #[must_use]
    pub fn that_may_ask(&self, flag: &str) -> Vec<Found> {
        let own = self.of(flag).map(|lines| lines.first.as_slice()).unwrap_or_default();
        let of_all = &self.hits.of_all_flags.first;
        let is_there = |one: &&Found| !own.iter().any(|other| (&other.file, other.line) == (&one.file, one.line));
        let mut all: Vec<_> = own.iter().chain(of_all.iter().filter(is_there)).cloned().collect();
        all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        all
    }

    fn not_read(&mut self, what: String) {
        if self.unreadable.len() < MAX_UNREADABLE {
            self.unreadable.push(what);
        }
    }
}

impl Searching<'_> {
    /// Searches for these flags.
    ///
    /// # Errors
    /// When there is no such folder, or a pattern is none.
    pub fn search(&self, wanted: &Wanted, progress: &mut Progress<'_>) -> Result<Searched, Error> {
        if !self.folder.is_dir() {
            return Err(self.error("there is no such folder"));
        }
        let root = fs::canonicalize(self.folder).map_err(|error| self.error(&error.to_string()))?;
        let but: HashSet<PathBuf> = self.but.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        let matcher = self.matcher(wanted)?;
        let mut reader = Reader { searcher: searcher(), matcher, wanted, most_lines: self.most_lines };
        let mut searched = Searched::default();
        let mut seen = 0;
        for entry in self.walk()?.build() {
            match entry {
                Ok(entry) if is_file(&entry) && !is_settings(&entry) => {
                    let inside = entry.path().strip_prefix(self.folder).unwrap_or(entry.path());
                    if !but.contains(&root.join(inside)) {
                        reader.read(&entry, &mut searched);
                    }
                    seen += 1;
                    progress(seen);
                }
                Ok(_) => {}
                Err(error) => searched.not_read(error.to_string()),
            }
        }
        Ok(searched)
    }

    /// Thousands of names fit.
    fn matcher(&self, wanted: &Wanted) -> Result<RegexMatcher, Error> {
        let mut builder = RegexMatcherBuilder::new();
        builder.line_terminator(Some(b'\n')).size_limit(MAX_EXPRESSION_BYTES).dfa_size_limit(MAX_EXPRESSION_BYTES);
        builder.build(&wanted.expression()).map_err(|error| self.error(&error.to_string()))
    }

    fn walk(&self) -> Result<WalkBuilder, Error> {
        let mut walk = WalkBuilder::new(self.folder);
        walk.require_git(false).sort_by_file_path(Path::cmp).overrides(self.excluded()?);
        Ok(walk)
    }

    fn excluded(&self) -> Result<Override, Error> {
        let mut patterns = OverrideBuilder::new(self.folder);
        for pattern in self.exclude {
            // a pattern of an override names what is taken, unless it begins so
            let added = patterns.add(&format!("!{pattern}")).map(drop);
            added.map_err(|error| Error::Input(format!("--exclude {pattern}: {error}")))?;
        }
        patterns.build().map_err(|error| Error::Input(format!("--exclude: {error}")))
    }

    fn error(&self, why: &str) -> Error {
        let folder = self.folder.display();
        Error::Input(format!("{} {folder}: {why}", self.option).trim_start().into())
    }
}

/// A link is none: it may lead anywhere, and around in circles.
fn is_file(entry: &DirEntry) -> bool {
    entry.file_type().is_some_and(|kind| kind.is_file())
}

/// The settings of the program speak of all headers, and ask for no flag.
fn is_settings(entry: &DirEntry) -> bool {
    entry.file_name() == "flagstaff.toml"
}

fn searcher() -> Searcher {
    SearcherBuilder::new()
        .binary_detection(BinaryDetection::quit(0))
        .memory_map(MmapChoice::never())
        .heap_limit(Some(MAX_LINE_BYTES))
        .build()
}

/// Reads one file after the other.
struct Reader<'a> {
    searcher: Searcher,
    matcher: RegexMatcher,
    wanted: &'a Wanted,
    most_lines: usize,
}

impl Reader<'_> {
    fn read(&mut self, entry: &DirEntry, searched: &mut Searched) {
        match entry.metadata() {
            Ok(meta) if meta.len() <= MAX_FILE_BYTES => {}
            Ok(_) => {
                searched.skipped += 1;
                return;
            }
            Err(error) => return searched.not_read(error.to_string()),
        }
        let path = entry.path();
        let is_yaml = path.extension().is_some_and(|end| end == "yaml" || end == "yml");
        let mut lines = FileLines { wanted: self.wanted, path, is_yaml, found: Vec::new(), is_text: true };
        if let Err(error) = self.searcher.search_path(&self.matcher, path, &mut lines) {
            return searched.not_read(format!("{}: {error}", path.display()));
        }
        if !lines.is_text {
            searched.skipped += 1;
            return;
        }
        searched.files += 1;
        for (flag, found) in lines.found {
            searched.hits.add(flag.as_deref(), &found, self.most_lines);
        }
    }
}

/// The lines of one file that ask for flags.
struct FileLines<'a> {
    wanted: &'a Wanted,
    path: &'a Path,
    is_yaml: bool,
    /// Of all flags where none is named.
    found: Vec<(Option<String>, Found)>,
    is_text: bool,
}

impl Sink for FileLines<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, hit: &SinkMatch<'_>) -> Result<bool, io::Error> {
        let line = String::from_utf8_lossy(hit.bytes());
        let number = hit.line_number().and_then(|number| usize::try_from(number).ok()).unwrap_or_default();
        for (flag, kind) in self.wanted.read(&line, self.is_yaml) {
            self.found.push((Some(flag), Found::new(self.path, number, kind, &line)));
        }
        if reads_all(&line) {
            self.found.push((None, Found::new(self.path, number, AskedAs::AllFlags, &line)));
        }
        Ok(true)
    }

    fn finish(&mut self, _: &Searcher, end: &SinkFinish) -> Result<(), io::Error> {
        self.is_text = end.binary_byte_offset().is_none();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(folder: &Path, exclude: &[String]) -> Searched {
        let searching = Searching { folder, option: "", but: vec![folder.join("own.toml")], exclude, most_lines: 2 };
        searching.search(&Wanted::only("form", "form"), &mut |_| ()).unwrap()
    }

    #[test]
    fn what_is_no_code_is_skipped() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        write("a.py", b"X-Flag-Form\nX-Flag-Form\nX-Flag-Form\n'X-Flag-Other'\n");
        write("own.toml", b"X-Flag-Own");
        write("deploy/flagstaff.toml", b"X-Flag-Form");
        write("docs/b.md", b"X-Flag-Docs");
        write("c.png", b"X-Flag-Form\n\x00");
        write("d.js", &vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1]);
        write("latin.php", b"// \xfc\nX-Flag-Latin");
        let wide: Vec<_> = "\u{feff}X-Flag-Wide".encode_utf16().flat_map(u16::to_le_bytes).collect();
        write("wide.cs", &wide);
        #[cfg(unix)]
        std::os::unix::fs::symlink(folder.path(), folder.path().join("docs/circle")).unwrap();
        let found = searched(folder.path(), &["docs/".into()]);
        let names: Vec<_> = found.flags().map(|(flag, lines)| (flag, lines.all, lines.first.len())).collect();
        assert_eq!(names, [("form", 3, 2), ("latin", 1, 1), ("other", 1, 1), ("wide", 1, 1)]);
        assert_eq!((found.files, found.skipped, found.unreadable.len()), (3, 2, 0));
        assert!(searched(folder.path(), &[]).of("docs").is_some());
    }

    #[test]
    fn thousands_of_flags_are_looked_for_at_once() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.py"), "'flag_number_4999_with_a_long_name' flag_number_1").unwrap();
        let mut wanted = Wanted::default();
        for number in 0..5_000 {
            let name = format!("flag_number_{number}_with_a_long_name");
            wanted.add(&name, &name);
        }
        let searching = Searching { folder: folder.path(), option: "", but: vec![], exclude: &[], most_lines: 1 };
        let found = searching.search(&wanted, &mut |_| ()).unwrap();
        assert_eq!(found.flags().map(|(flag, _)| flag).collect::<Vec<_>>(), ["flag_number_4999_with_a_long_name"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let nowhere =
            Searching { folder: Path::new("/nowhere"), option: "--code", but: vec![], exclude: &[], most_lines: 1 };
        let error = nowhere.search(&Wanted::default(), &mut |_| ()).unwrap_err();
        assert_eq!(error.to_string(), "--code /nowhere: there is no such folder");
        let exclude = ["{".to_owned()];
        let here = Searching { folder: Path::new("/"), exclude: &exclude, ..nowhere };
        assert!(here.search(&Wanted::default(), &mut |_| ()).unwrap_err().to_string().contains("--exclude {"));
    }
}
