//! A draft of a flag that is not saved.

use std::sync::Arc;

use flagstaff_flags::Snapshot;
use flagstaff_source::edit::without;
use flagstaff_source::{Text, parse};

use crate::Error;
use crate::workspace::Workspace;

/// A longer draft is refused (bytes).
const MAX_DRAFT: usize = 64 * 1024;

/// The flags of the file with a draft in place of one of them. Nothing is written, and nothing of the draft is kept.
///
/// # Errors
/// When the file cannot be read, or would be wrong with the draft in it.
pub fn draft(workspace: &Workspace, flag: &str, text: &str) -> Result<Arc<Snapshot>, Error> {
    if text.len() > MAX_DRAFT {
        return Err(Error::Input(format!("a draft has at most {MAX_DRAFT} bytes")));
    }
    let (_, texts) = workspace.texts()?;
    let rest = without(&texts.definitions, flag).map_err(|why| Error::Input(why.to_string()))?;
    let whole = format!("{}\n\n{text}\n", rest.trim_end());
    let read = parse(Text { name: "the file with the draft", bytes: whole.as_bytes() }, None, &workspace.reading);
    read.map(|loaded| Arc::new(loaded.snapshot)).map_err(|report| Error::Flags(Box::new(report)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use flagstaff_source::{FlagSource, ParseOptions};

    use super::*;

    #[test]
    fn a_draft_stands_in_for_its_flag_and_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("flags.toml");
        let text = "[flags.a]\npercent = 5\n\n[flags.b]\nrequires = [\"a\"]\n";
        fs::write(&path, text).unwrap();
        let workspace = Workspace {
            source: FlagSource::files(&path, None),
            reading: ParseOptions::default(),
            ledger: Ok(None),
            replica: None,
            edits_by: flagstaff_flags::RevisionSource::Command,
        };
        let snapshot = draft(&workspace, "a", "[flags.a]\npercent = 70\n").unwrap();
        assert_eq!(snapshot.flag_named("a").unwrap().percent.unwrap().to_string(), "70");
        assert_eq!(snapshot.flags().len(), 2);
        let error = draft(&workspace, "a", "[flags.a]\npercent = 700\n").unwrap_err();
        assert!(error.to_string().contains("700"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
