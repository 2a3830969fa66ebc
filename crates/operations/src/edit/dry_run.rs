//! What an edit would do, before anything is written.

use flagstaff_flags::{RecordedFacts, Snapshot};
use flagstaff_source::edit::{Change, EditPlan};
use serde::Serialize;

use super::editor::Editor;
use super::meaning;
use crate::Error;

/// What an edit would do. Nothing was written.
#[derive(Clone, Debug, Serialize)]
pub struct DryRun {
    /// The flag.
    pub flag: String,
    /// The revision of the files that it was planned for, for [`Confirmation::Of`](super::Confirmation::Of).
    pub revision: String,
    /// Whether a byte of a file would change.
    pub changes: bool,
    /// What it would undo, in words; none when nothing is lost.
    pub undoes: Option<String>,
    /// What the flag does for visitors now, in words; none where its file cannot be read.
    pub means_now: Option<String>,
    /// What it would do for visitors then.
    pub means_then: String,
    /// Each key that it sets.
    pub keys: Vec<KeyChange>,
    /// What undoes it: keys and their values before; none for a key to be taken out, with all that it began.
    #[serde(skip)]
    pub undo: Vec<(String, Option<String>)>,
}

/// A key that an edit sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyChange {
    /// The key, with dots.
    pub key: String,
    /// Its value as the file has it now, as TOML; none where it is not there.
    pub before: Option<String>,
    /// Its value as it was asked for; none where it is taken out.
    pub after: Option<String>,
}

impl Editor<'_> {
    /// Says what [`Change::Put`] would do with these keys, and writes nothing. With `revision`, only for the files of that revision.
    ///
    /// # Errors
    /// As [`Editor::apply`]; also when the files are no longer those of `revision`.
    pub async fn dry_run(&self, keys: &[(&str, Option<&str>)], revision: Option<&str>) -> Result<DryRun, Error> {
        let (plan, standing, undoes) = self.plan_on(&Change::Put(keys), revision).await?;
        let mut known = RecordedFacts::default();
        if let (Some(standing), Some(flag)) =
            (&standing, plan.before().and_then(|b| b.snapshot.flag_named(self.flag)))
        {
            known.add(&flag.name, standing);
        }
        let means = |snapshot: &Snapshot| {
            let snapshot = snapshot.with_facts(&known);
            snapshot.flag_named(self.flag).map(|flag| meaning::words(&snapshot, flag))
        };
        let after = plan.after().map_err(|report| Error::Flags(Box::new(report.clone())))?;
        Ok(DryRun {
            flag: self.flag.into(),
            revision: plan.revision(),
            changes: plan.is_change(),
            undoes,
            means_now: plan.before().and_then(|before| means(&before.snapshot)),
            means_then: means(&after.snapshot).unwrap_or_default(),
            keys: changes(&plan, keys),
            undo: plan
                .undo()
                .iter()
                .filter(|one| one.is_changed)
                .map(|one| (one.key.clone(), one.value.clone()))
                .collect(),
        })
    }
}

/// The keys with their values before and after.
fn changes(plan: &EditPlan, keys: &[(&str, Option<&str>)]) -> Vec<KeyChange> {
    let before = |key: &str| plan.undo().iter().find(|one| one.key == key).and_then(|one| one.value.clone());
    let change = |(key, after): &(&str, Option<&str>)| KeyChange {
        key: (*key).into(),
        before: before(key),
        after: after.map(Into::into),
    };
    keys.iter().map(change).collect()
}
