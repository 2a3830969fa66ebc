//! What people may ask of a rollout.

use std::fmt;

use flagstaff_flags::{Fact, FactKind, Flag, Hold, Standing};
use jiff::Timestamp;

/// A command of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The next step, whatever the hold says.
    Advance,
    /// The next step, of one that waits for an approval.
    Approve,
    /// Stay at this step.
    Pause,
    /// Advance again.
    Resume,
    /// Start again at the first step, and forget what the guard saw.
    Reset,
}

/// Why a command is refused, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// The fact that carries out a command. It holds only if nothing else happened to the flag meanwhile: its number says so.
///
/// # Errors
/// When the command makes no sense in the state of the flag.
pub fn apply(command: Command, flag: &Flag, standing: &Standing, by: &str, now: Timestamp) -> Result<Fact, Refusal> {
    let (kind, step) = effect(command, flag, standing).map_err(|why| Refusal(format!("`{}` {why}", flag.name)))?;
    Ok(Fact {
        flag: flag.name.clone(),
        number: standing.number + 1,
        // a clock that is behind shortens no hold
        at: now.max(standing.since),
        definition: standing.definition,
        kind,
        step,
        by: by.into(),
        why: words(command).into(),
        evidence: None,
    })
}

const fn words(command: Command) -> &'static str {
    match command {
        Command::Advance => "somebody advanced it",
        Command::Approve => "somebody approved the step",
        Command::Pause => "somebody paused it",
        Command::Resume => "somebody resumed it",
        Command::Reset => "somebody reset it",
    }
}

/// What becomes of it, and the step after.
fn effect(command: Command, flag: &Flag, standing: &Standing) -> Result<(FactKind, usize), String> {
    if command == Command::Reset {
        return Ok((FactKind::Reset, 0));
    }
    if standing.trip.is_some() {
        return Err("was rolled back by its guard; edit the flag once it is fixed, or `reset` it".into());
    }
    let Some(rollout) = &flag.rollout else {
        return Err("has no rollout: only `status` and `reset` make sense".into());
    };
    let Some(step) = rollout.steps().get(standing.step) else {
        return Err("has done all its steps".into());
    };
    if standing.hold.is_some() && matches!(command, Command::Advance | Command::Approve | Command::Resume) {
        return Err("is held by its guard; edit the flag once it is fixed, or `reset` it".into());
    }
    match command {
        Command::Pause if standing.paused => Err("is paused already".into()),
        Command::Pause => Ok((FactKind::Paused, standing.step)),
        Command::Resume if !standing.paused => Err("is not paused".into()),
        Command::Resume => Ok((FactKind::Resumed, standing.step)),
        Command::Approve if step.hold != Hold::Approval => {
            Err("is at a step that needs no approval; `advance` goes to the next step now".into())
        }
        Command::Approve | Command::Advance if standing.step + 1 == rollout.steps().len() => {
            Ok((FactKind::Done, standing.step + 1))
        }
        Command::Approve | Command::Advance => Ok((FactKind::Step, standing.step + 1)),
        Command::Reset => Ok((FactKind::Reset, 0)),
    }
}
