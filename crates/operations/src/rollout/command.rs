//! Commands to a rollout, each a fact in the ledger.

use std::sync::Arc;

use flagstaff_experiment::rollout::{self, Command};
use flagstaff_flags::{FactKind, Snapshot};

use super::answer::RolloutStatus;
use super::flag_record::FlagRecord;
use super::status::of;
use crate::Error;
use crate::workspace::Workspace;

/// What came of a command.
#[derive(Clone, Debug)]
pub struct Applied {
    /// Where the rollout stands now.
    pub status: RolloutStatus,
    /// Why the command was not carried out, and what to do instead.
    pub refused: Option<String>,
    /// It was refused because the rollout is not where it was seen.
    pub has_moved: bool,
}

/// Why a command is not carried out.
struct Refusal {
    why: String,
    has_moved: bool,
}

impl Refusal {
    const fn new(why: String) -> Self {
        Self { why, has_moved: false }
    }

    fn moved() -> Self {
        let why = "the rollout is not where you saw it: something happened to it meanwhile; look again";
        Self { why: why.into(), has_moved: true }
    }
}

/// Where a rollout stands.
///
/// # Errors
/// When there is no such flag or no ledger, or the ledger gives no answer.
pub async fn status(workspace: &Workspace, snapshot: &Arc<Snapshot>, flag: &str) -> Result<RolloutStatus, Error> {
    let mut record = FlagRecord::open(workspace, snapshot, flag, false).await?;
    let status = of(&mut record).await?;
    record.close().await;
    Ok(status)
}

/// Gives a rollout a command, and says where it stands then. A command that makes no sense as the flag stands is refused. One that comes
/// right after an edit waits for up to three seconds until a running program has read it. To pause, to resume and to reset holds wherever the rollout has
/// gone by itself meanwhile. Every other command is for the state that was `seen`, by its [`RolloutStatus::number`], where one is named.
///
/// # Errors
/// When there is no such flag or no ledger, or the ledger gives no answer.
pub async fn apply(
    workspace: &Workspace,
    snapshot: &Arc<Snapshot>,
    flag: &str,
    command: Command,
    seen: Option<u64>,
    by: &str,
) -> Result<Applied, Error> {
    let mut record = FlagRecord::open(workspace, snapshot, flag, true).await?;
    record.wait_for_standing().await?;
    let refused = give(&mut record, command, seen, by).await?;
    let status = of(&mut record).await?;
    record.close().await;
    let has_moved = refused.as_ref().is_some_and(|refused| refused.has_moved);
    Ok(Applied { status, refused: refused.map(|refused| refused.why), has_moved })
}

/// Gives the command; returns why it was refused.
async fn give(
    record: &mut FlagRecord,
    command: Command,
    seen: Option<u64>,
    by: &str,
) -> Result<Option<Refusal>, Error> {
    loop {
        let standing = match record.standing() {
            Ok(standing) => standing,
            Err(why) => match record.earlier().filter(|_| command == Command::Reset) {
                Some(earlier) => earlier,
                None => return Ok(Some(Refusal::new(why))),
            },
        };
        if seen.is_some_and(|seen| seen != standing.number && !record.stands_since(command, seen)) {
            return Ok(Some(Refusal::moved()));
        }
        // it would advance while nobody has the flag, and be there at once when it is on again
        if let Some(why) = record.why_off().filter(|_| matches!(command, Command::Advance | Command::Approve)) {
            let why = format!("{why}; switch it on first: flagstaff on {}", record.flag.name);
            return Ok(Some(Refusal::new(why)));
        }
        let now = record.now().await?;
        let fact = match rollout::apply(command, &record.flag, &standing, by, now) {
            Ok(fact) => fact,
            Err(refusal) => return Ok(Some(Refusal::new(refusal.to_string()))),
        };
        if record.add(fact).await? {
            return Ok(None);
        }
        if !record.stands_since(command, standing.number) {
            return Ok(Some(Refusal::moved()));
        }
    }
}

impl FlagRecord {
    /// Whether a command is meant still after all that happened since a fact.
    fn stands_since(&self, command: Command, number: u64) -> bool {
        let meanwhile = self.history.iter().filter(|fact| fact.number > number);
        stands_after(command, &meanwhile.map(|fact| fact.kind).collect::<Vec<_>>())
    }
}

/// Whether a command is meant still after what happened between the look and the order: one that means the same at every step is, where the rollout
/// only went on by itself.
fn stands_after(command: Command, meanwhile: &[FactKind]) -> bool {
    use FactKind::{ApprovalNeeded, Continued, Done, Expired, Inconclusive, Recovered, Step};
    let went_on = |kind: &FactKind| {
        matches!(kind, Step | Done | ApprovalNeeded | Inconclusive | Recovered | Expired | Continued)
    };
    let at_every_step = matches!(command, Command::Pause | Command::Resume | Command::Reset);
    at_every_step && !meanwhile.is_empty() && meanwhile.iter().all(went_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollout_that_goes_on_by_itself_keeps_nobody_from_stopping_it() {
        for command in [Command::Pause, Command::Resume, Command::Reset] {
            assert!(
                stands_after(command, &[FactKind::Step]) && stands_after(command, &[FactKind::Step, FactKind::Done])
            );
            for seen_first in
                [FactKind::Tripped, FactKind::Held, FactKind::Changed, FactKind::Removed, FactKind::Paused]
            {
                assert!(!stands_after(command, &[FactKind::Step, seen_first]), "{seen_first}");
            }
            assert!(!stands_after(command, &[]), "nothing came between, so trying again would not end");
        }
        // two steps, where one was meant
        assert!(![Command::Advance, Command::Approve].into_iter().any(|next| stands_after(next, &[FactKind::Step])));
    }
}
