//! What a revision changes of the one before, as the ledger keeps it.

use flagstaff_flags::FlagTexts;
use flagstaff_ledger::RevisionChanges;
use flagstaff_source::compare::{PartChange, changes};
use serde::{Deserialize, Serialize};

/// As many bytes of JSON are kept; where there are more, the keys are left out, and then the parts.
const MAX_TEXT: usize = 64 * 1024;

/// What a revision changes of the one before.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recorded {
    pub(crate) parts: Vec<PartChange>,
    /// There is more.
    pub(crate) cut: bool,
}

impl Recorded {
    /// Reads what [`compare`] wrote. What a later version wrote is nothing.
    pub(crate) fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What one set of flags changes of another, to be kept by the ledger.
pub(crate) fn compare(before: Option<&FlagTexts>, after: &FlagTexts) -> RevisionChanges {
    let mut recorded = Recorded { parts: changes(before, after), cut: false };
    let flags = recorded.parts.iter().filter_map(PartChange::flag).map(Into::into).collect();
    let mut text = recorded.text();
    if text.len() > MAX_TEXT {
        recorded.cut = true;
        recorded.parts.iter_mut().for_each(|part| part.keys.clear());
        text = recorded.text();
    }
    if text.len() > MAX_TEXT {
        recorded.parts.clear();
        text = recorded.text();
    }
    RevisionChanges { flags, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(definitions: String) -> FlagTexts {
        FlagTexts { definitions: definitions.into(), overlay: None }
    }

    fn many(flags: usize, percent: usize) -> FlagTexts {
        texts((0..flags).map(|i| format!("[flags.flag_with_some_name_{i}]\npercent = {percent}\n")).collect())
    }

    #[test]
    fn what_is_kept_is_bounded_and_every_flag_is_named() {
        let few = compare(Some(&many(3, 1)), &many(3, 2));
        let read = Recorded::read(&few.text);
        assert_eq!((read.parts.len(), read.parts[0].keys.len(), read.cut), (3, 1, false));
        let more = compare(Some(&many(600, 1)), &many(600, 2));
        let read = Recorded::read(&more.text);
        assert_eq!((read.parts.len(), read.parts[0].keys.len(), read.cut), (600, 0, true));
        let all = compare(Some(&many(3_000, 1)), &many(3_000, 2));
        assert_eq!((Recorded::read(&all.text).parts.len(), all.flags.len()), (0, 3_000));
        assert!([few, more, all].iter().all(|one| one.text.len() <= MAX_TEXT));
        assert!(Recorded::read("{\"parts\":7}").parts.is_empty());
    }
}
