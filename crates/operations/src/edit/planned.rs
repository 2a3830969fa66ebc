//! What an edit would make of the flag, before it is made.

use std::sync::Arc;

use flagstaff_flags::{Snapshot, Standing};
use flagstaff_source::edit::{Change, EditPlan};

use super::editor::{Editor, standing};
use super::everyone;
use crate::Error;

/// An edit that was planned, and not made.
pub(crate) struct Planned {
    /// Something would be otherwise in the file.
    pub(crate) is_change: bool,
    /// The revision of the files that it was planned for.
    pub(crate) revision: String,
    /// The flags as the files say now; none where they cannot be used.
    pub(crate) before: Option<Arc<Snapshot>>,
    /// The flags as the files would say; none where they could not be used.
    pub(crate) after: Option<Arc<Snapshot>>,
    /// Where the flag stands; none where nothing is recorded of it.
    pub(crate) standing: Option<Standing>,
    /// What it would undo, in words.
    pub(crate) undoes: Option<String>,
}

impl Editor<'_> {
    /// Plans a change and lets it go: others may edit the files meanwhile.
    pub(crate) async fn planned(&self, change: &Change<'_>) -> Result<Planned, Error> {
        let (plan, standing, undoes) = self.plan_on(change, None).await?;
        Ok(Planned {
            is_change: plan.is_change(),
            revision: plan.revision(),
            before: plan.before().map(|loaded| Arc::new(loaded.snapshot.clone())),
            after: plan.after().ok().map(|loaded| Arc::new(loaded.snapshot.clone())),
            standing,
            undoes,
        })
    }

    /// A plan of a change, where the flag stands, and what the change would undo of that.
    pub(super) async fn plan_on(
        &self,
        change: &Change<'_>,
        revision: Option<&str>,
    ) -> Result<(EditPlan, Option<Standing>, Option<String>), Error> {
        let plan = self.plan(change, revision).map_err(|refused| self.refusal(refused))?;
        let mut facts = self.open_facts().await;
        let standing = standing(&mut facts).await;
        if let Some(refused) = everyone::refused(change, &plan, self.flag, standing.as_ref()) {
            return Err(self.refusal(refused));
        }
        let is_on = matches!(change, Change::On | Change::OnForEveryone);
        let undoes = self.affects(&plan, standing.as_ref(), facts.as_ref(), is_on);
        Ok((plan, standing, undoes))
    }
}
