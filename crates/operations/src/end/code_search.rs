//! Where code asks for a flag.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Larger files are not code (bytes).
const LARGEST_FILE: u64 = 4 * 1024 * 1024;
/// A file with a zero byte among its first bytes is not text.
const HEAD: usize = 8192;
/// The most characters of a line that are shown.
const WIDTH: usize = 160;

/// How code may ask for a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AskedAs {
    /// By its own header, in any spelling: X-Flag-New-Form, HTTP_X_FLAG_NEW_FORM, x_flag_new_form.
    Header,
    /// By the cookie that django-waffle reads.
    Waffle,
    /// By its name, as a word.
    Name,
    /// By the header that has all flags.
    AllFlags,
}

/// A line that asks for a flag, or may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Found {
    /// The file, as it was found below the folder.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// How it asks.
    pub kind: AskedAs,
    /// The line, cut to 160 characters.
    pub text: String,
}

/// What to look for.
#[derive(Clone, Debug)]
pub struct Spellings {
    /// In small letters, with `-` for `_`.
    header: String,
    waffle: String,
    /// Its own name, and what django-waffle calls it.
    names: [String; 2],
}

impl Spellings {
    /// Of a flag.
    #[must_use]
    pub fn new(flag: &str) -> Self {
        Self::with_waffle(flag, flag)
    }

    /// Of a flag that django-waffle calls something else.
    #[must_use]
    pub fn with_waffle(flag: &str, waffle: &str) -> Self {
        Self {
            header: format!("x-flag-{}", flag.replace('_', "-")),
            waffle: format!("dwf_{waffle}"),
            names: [flag.into(), waffle.into()],
        }
    }

    /// As a person looks for them.
    #[must_use]
    pub fn all(&self) -> [String; 5] {
        let header: Vec<_> = self.header.split('-').map(capital).collect();
        let below = self.header.replace('-', "_");
        [header.join("-"), format!("HTTP_{}", below.to_uppercase()), below, self.waffle.clone(), "X-Flags".into()]
    }

    /// How a line asks for the flag.
    fn find(&self, line: &str) -> Option<AskedAs> {
        let plain = line.to_lowercase().replace('_', "-");
        let of_header = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let letter = |c: char| c.is_ascii_alphanumeric();
        match () {
            () if has(&plain, &self.header, letter, of_header) => Some(AskedAs::Header),
            () if has(line, &self.waffle, of_word, of_word) => Some(AskedAs::Waffle),
            () if self.names.iter().any(|name| has(line, name, of_word, of_word)) => Some(AskedAs::Name),
            () if has(&plain, "x-flags", letter, of_header) => Some(AskedAs::AllFlags),
            () => None,
        }
    }

    /// Lines below a folder, in the order of files. Files named `but` are skipped.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn search(&self, folder: &Path, but: &[PathBuf]) -> Result<Vec<Found>, Error> {
        if !folder.is_dir() {
            return Err(Error::Input(format!("--code {}: there is no such folder", folder.display())));
        }
        let but: HashSet<PathBuf> = but.iter().filter_map(|path| fs::canonicalize(path).ok()).collect();
        let mut found = Vec::new();
        let walk = WalkBuilder::new(folder).require_git(false).sort_by_file_path(Path::cmp).build();
        for entry in walk {
            let entry = entry.map_err(|error| Error::Input(format!("--code {}: {error}", folder.display())))?;
            let path = entry.path();
            let is_code = entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST_FILE);
            if is_code && fs::canonicalize(path).is_ok_and(|path| !but.contains(&path)) {
                self.look(path, &mut found);
            }
        }
        Ok(found)
    }

    /// A file that cannot be read is skipped, as one that is not text.
    fn look(&self, path: &Path, found: &mut Vec<Found>) {
        let Some(bytes) = fs::read(path).ok().filter(|bytes| !bytes.iter().take(HEAD).any(|byte| *byte == 0)) else {
            return;
        };
        let text = String::from_utf8_lossy(&bytes);
        for (line, number) in text.lines().zip(1..) {
            if let Some(kind) = self.find(line) {
                let text = line.trim().chars().filter(|c| !c.is_control()).take(WIDTH).collect();
                found.push(Found { file: path.into(), line: number, kind, text });
            }
        }
    }
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

/// Whether a needle is in a line, with none of these characters before it and none of those behind it.
fn has(line: &str, needle: &str, before: impl Fn(char) -> bool, behind: impl Fn(char) -> bool) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let ends_well = !line.get(..at).and_then(|left| left.chars().next_back()).is_some_and(&before);
        let right = line.get(at + needle.len()..);
        ends_well && !right.and_then(|right| right.chars().next()).is_some_and(&behind)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_is_found_and_no_other_flags() {
        let form = Spellings::new("new_form");
        for (line, kind) in [
            ("request.headers.get(\"X-Flag-New-Form\")", Some(AskedAs::Header)),
            ("request.META['HTTP_X_FLAG_NEW_FORM']", Some(AskedAs::Header)),
            ("if ($http_x_flag_new_form = on) {", Some(AskedAs::Header)),
            ("headers['x-flag-new-form']", Some(AskedAs::Header)),
            ("request.COOKIES['dwf_new_form']", Some(AskedAs::Waffle)),
            ("{% if flags.new_form %}", Some(AskedAs::Name)),
            ("{% flag new_form %}", Some(AskedAs::Name)),
            ("request.headers['X-Flags']", Some(AskedAs::AllFlags)),
            ("META.get('HTTP_X_FLAGS')", Some(AskedAs::AllFlags)),
            ("X-Flags-Signature", None),
            ("X-Flag-New-Form-2", None),
            ("x_flag_new_form_2", None),
            ("brand_new_form", None),
            ("new_forms", None),
            ("a new form", None),
        ] {
            assert_eq!(form.find(line), kind, "{line}");
        }
        let all = form.all();
        assert_eq!(all, ["X-Flag-New-Form", "HTTP_X_FLAG_NEW_FORM", "x_flag_new_form", "dwf_new_form", "X-Flags"]);
    }
}
