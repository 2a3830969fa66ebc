//! A new flag: of its own, or as a copy.

use flagstaff_source::edit::{Change, EditPlan};
use jiff::Zoned;

use super::answer::{Edited, Outcome, by_file};
use super::editor::Editor;
use super::fact_log::FactLog;
use crate::Error;
use crate::workspace::find;

/// Keys that say who gets a flag. A new one that has none of them is for nobody yet.
const SHARES: [&str; 5] = ["percent", "enabled", "rollout", "rules", "allow"];

/// What is said of a flag whose name had an experiment before.
const CONTINUES: &str = "; its results go on from an earlier experiment of this name in the ledger: to begin a new one, set `salt`, as in \
                         `salt = \"again\"`, or take another name";

impl Editor<'_> {
    /// Makes the flag, with these keys. A new one is for nobody until its percentage is raised; a copy is switched off.
    ///
    /// # Errors
    /// When the name is not valid or is taken, a key or value is not valid, there is no flag to copy, or the file cannot be written.
    pub(super) async fn create(
        &self,
        revision: Option<&str>,
        like: Option<&str>,
        keys: &[(&str, &str)],
    ) -> Result<Edited, Error> {
        let today = Zoned::now().date().to_string();
        let keys = with_defaults(like, keys, self.by, &today);
        let change = Change::Create { like, keys: &keys };
        let plan = self.plan(&change, revision).map_err(|refused| self.refusal(refused))?;
        let mut facts = self.open_facts().await;
        let continues = self.continues(&plan, facts.as_mut()).await;
        let recording = self.open_revisions(&plan, facts.as_ref()).await;
        plan.write().map_err(|refused| self.refusal(refused))?;
        let recorded = self.record_revision(recording, &plan, &change).await;
        self.created(&plan, recorded, continues)
    }

    /// Whether the ledger has an experiment that the flag would go on with: one of a flag of this name that was deleted or ended.
    async fn continues(&self, plan: &EditPlan, facts: Option<&mut FactLog>) -> bool {
        let (Ok(loaded), Some(facts)) = (plan.after(), facts) else { return false };
        match find(&loaded.snapshot, self.flag) {
            Ok((id, _)) => facts.has_experiment(loaded.snapshot.experiment_id(id)).await,
            Err(_) => false,
        }
    }

    fn created(&self, plan: &EditPlan, recorded: bool, continues: bool) -> Result<Edited, Error> {
        let loaded = plan.after().map_err(|report| Error::Flags(Box::new(report.clone())))?;
        let outcome = Outcome { recorded, ..Outcome::default() };
        let edited = by_file(self.flag, self.by, plan, &loaded.snapshot, outcome)?;
        let note = if continues { CONTINUES } else { "" };
        let (means, undo) = (format!("{}{note}", edited.means), format!("flagstaff delete {} --yes", self.flag));
        Ok(Edited { means, undo, ..edited })
    }
}

/// The keys that were said, behind those that every new flag has.
fn with_defaults<'a>(
    like: Option<&str>,
    keys: &[(&'a str, &'a str)],
    by: &'a str,
    today: &'a str,
) -> Vec<(&'a str, &'a str)> {
    let says = |wanted: &str| keys.iter().any(|(key, _)| key.split('.').next() == Some(wanted));
    let mut all = vec![("created", today), ("owner", by)];
    let is_copied = |key: &str| like.is_some() && key == "owner";
    all.retain(|(key, _)| !says(key) && !is_copied(key));
    all.extend(keys);
    match like {
        None if !SHARES.into_iter().any(says) => all.push(("percent", "0")),
        Some(_) if !says("enabled") => all.push(("enabled", "false")),
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_flag_is_for_nobody_unless_it_is_said_for_whom() {
        let of = |like, keys: &[(&'static str, &'static str)]| with_defaults(like, keys, "ada", "2026-11-20");
        let new = [("created", "2026-11-20"), ("owner", "ada"), ("percent", "0")];
        assert_eq!(of(None, &[]), new);
        assert_eq!(
            of(None, &[("owner", "x"), ("percent", "5")]),
            [("created", "2026-11-20"), ("owner", "x"), ("percent", "5")]
        );
        let steps = ("rollout.steps", "[]");
        assert_eq!(of(None, &[steps]), [new[0], new[1], steps]);
        assert_eq!(of(Some("a"), &[]), [("created", "2026-11-20"), ("enabled", "false")]);
        assert_eq!(of(Some("a"), &[("enabled", "true")]), [("created", "2026-11-20"), ("enabled", "true")]);
    }
}
