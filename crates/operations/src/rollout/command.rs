//! Commands to a rollout, each a fact in the ledger.

use std::sync::Arc;

use flagstaff_experiment::rollout::{self, Command};
use flagstaff_flags::Snapshot;
use jiff::Timestamp;

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
/// right after an edit waits for up to three seconds until a running program has read it.
///
/// # Errors
/// When there is no such flag or no ledger, or the ledger gives no answer.
pub async fn apply(
    workspace: &Workspace,
    snapshot: &Arc<Snapshot>,
    flag: &str,
    command: Command,
    by: &str,
) -> Result<Applied, Error> {
    let mut record = FlagRecord::open(workspace, snapshot, flag, true).await?;
    record.wait_for_standing().await?;
    let refused = give(&mut record, command, by).await?;
    let status = of(&mut record).await?;
    record.close().await;
    Ok(Applied { status, refused })
}

/// Gives the command; returns why it was refused.
async fn give(record: &mut FlagRecord, command: Command, by: &str) -> Result<Option<String>, Error> {
    let standing = match record.standing() {
        Ok(standing) => standing,
        Err(why) => return Ok(Some(why)),
    };
    // it would advance while nobody has the flag, and be there at once when it is on again
    if let Some(why) = record.why_off().filter(|_| matches!(command, Command::Advance | Command::Approve)) {
        return Ok(Some(format!("{why}; switch it on first: flagstaff on {}", record.flag.name)));
    }
    let fact = match rollout::apply(command, &record.flag, &standing, by, Timestamp::now()) {
        Ok(fact) => fact,
        Err(refusal) => return Ok(Some(refusal.to_string())),
    };
    let was_first = record.add(fact).await?;
    Ok((!was_first).then(|| "something else happened to it just now; look again".into()))
}
