//! Every mistake in the flag file.

use std::fs::File;

use flagstaff_source::Report;

use crate::Error;
use crate::workspace::Workspace;

/// A flag file that was checked.
#[derive(Debug)]
pub struct Checked {
    /// Its mistakes and warnings.
    pub report: Report,
    /// The number of flags in it; 0 where it cannot be used.
    pub flags: usize,
}

/// Checks the flag file.
///
/// # Errors
/// When there is no such file, or it cannot be read: then it was not checked.
pub fn check(workspace: &Workspace) -> Result<Checked, Error> {
    let path = workspace.files.definitions();
    match workspace.load() {
        Ok(loaded) => Ok(Checked { report: loaded.report, flags: loaded.snapshot.flags().len() }),
        Err(Error::Flags(report)) if path.is_file() && File::open(path).is_ok() => {
            Ok(Checked { report: *report, flags: 0 })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_source::{Files, ParseOptions};

    use super::*;

    #[test]
    fn what_is_not_a_file_was_not_checked() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().to_owned(), folder.path().join("none.toml")] {
            let workspace = Workspace {
                files: Files::new(&path, None),
                reading: ParseOptions::default(),
                ledger: Ok(None),
                edits_by: flagstaff_flags::RevisionSource::Command,
            };
            assert!(check(&workspace).is_err(), "{}", path.display());
        }
    }
}
