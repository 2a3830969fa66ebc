//! What an edit of a flag undoes of what happened to it, and who made it, as facts.

use flagstaff_experiment::rollout::undone;
use flagstaff_flags::{FactKind, Flag, RevisionSource, Standing};

use super::fact_log::FactLog;

/// What an edit undoes of a flag as running programs have it: none, where it does not change what decides.
pub(crate) fn undoes(before: &Flag, after: &Flag, standing: &Standing) -> Option<String> {
    let is_other = before.definition != after.definition && standing.is_about(before) && !standing.is_about(after);
    is_other.then(|| undone(standing, Some(before))).flatten()
}

/// Records who makes an edit of a flag, what it is and how it came, before the running programs see it. Returns whether it did.
pub(crate) async fn record_change(
    (before, after): (&Flag, &Flag),
    facts: &mut FactLog,
    by: &str,
    source: RevisionSource,
    what: &str,
) -> bool {
    let Some(standing) = facts.standing().await.filter(|standing| standing.is_about(before)) else {
        return false;
    };
    let mut recorded = false;
    if before.definition != after.definition {
        let undone = undone(&standing, Some(before)).map(|undone| format!(": {undone}")).unwrap_or_default();
        let why = format!("{what} {}{undone}", source.how());
        recorded |= facts.add(FactKind::Changed, Some(after.definition), by, &why).await.is_ok();
    }
    if before.enabled != after.enabled && standing.enabled != Some(after.enabled) {
        let (kind, word) = if after.enabled { (FactKind::Enabled, "on") } else { (FactKind::Disabled, "off") };
        recorded |= facts.add(kind, None, by, &format!("switched {word} {}", source.how())).await.is_ok();
    }
    recorded
}
