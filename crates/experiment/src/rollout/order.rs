//! What people may ask of a rollout.

use std::fmt;

use flagstaff_flags::{Fact, FactKind, Flag, Hold, Standing};
use jiff::Timestamp;

/// What someone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The next step, whatever the hold says.
    Advance,
    /// The next step, of one that waits for an approval.
    Approve,
    /// Stay at this step.
    Pause,
    /// Climb again.
    Resume,
    /// Begin anew, and forget what the guard saw.
    Reset,
}

/// Why an order is not obeyed, and what to do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// The fact that obeys an order. It holds only if nothing else happened to the flag meanwhile: its number says so.
///
/// # Errors
/// When the order makes no sense as the flag stands.
pub fn obey(order: Order, flag: &Flag, standing: &Standing, by: &str, now: Timestamp) -> Result<Fact, Refusal> {
    let (kind, step) = effect(order, flag, standing).map_err(|why| Refusal(format!("`{}` {why}", flag.name)))?;
    Ok(Fact {
        flag: flag.name.clone(),
        number: standing.number + 1,
        // a clock that is behind shortens no hold
        at: now.max(standing.since),
        definition: standing.definition,
        kind,
        step,
        by: by.into(),
        why: words(order).into(),
        evidence: None,
    })
}

const fn words(order: Order) -> &'static str {
    match order {
        Order::Advance => "someone sent it on",
        Order::Approve => "someone approved",
        Order::Pause => "someone paused it",
        Order::Resume => "someone lets it climb again",
        Order::Reset => "someone had it begin anew",
    }
}

/// What becomes of it, and the step after.
fn effect(order: Order, flag: &Flag, standing: &Standing) -> Result<(FactKind, usize), String> {
    if order == Order::Reset {
        return Ok((FactKind::Reset, 0));
    }
    if standing.trip.is_some() {
        return Err("was taken back by its guard; edit the flag once it is mended, or `reset` it".into());
    }
    let Some(rollout) = &flag.rollout else {
        return Err("has no rollout: only `status` and `reset` make sense".into());
    };
    let Some(step) = rollout.steps().get(standing.step) else {
        return Err("has all its steps behind it".into());
    };
    match order {
        Order::Pause if standing.paused => Err("is paused already".into()),
        Order::Pause => Ok((FactKind::Paused, standing.step)),
        Order::Resume if standing.hold.is_some() => {
            Err("is held by its guard; `reset` it, or edit the flag once it is mended".into())
        }
        Order::Resume if !standing.paused => Err("is not paused".into()),
        Order::Resume => Ok((FactKind::Resumed, standing.step)),
        Order::Approve if step.hold != Hold::Approval => {
            Err("is at a step that needs no approval; `advance` sends it on at once".into())
        }
        Order::Approve | Order::Advance if standing.step + 1 == rollout.steps().len() => {
            Ok((FactKind::Done, standing.step + 1))
        }
        Order::Approve | Order::Advance => Ok((FactKind::Step, standing.step + 1)),
        Order::Reset => Ok((FactKind::Reset, 0)),
    }
}
