//! The size of an experiment: those outside it get the default, by a draw of its own. That is a slice of a layer in the flag file.

use crate::chain::{Draw, Get, Part, Pick, Step};
use crate::model::{Condition, Layer, Share};

/// Takes the step that says who takes part out of the steps of an experiment, where a layer says the same: people whom rules name come
/// before it, and all who take part are drawn behind it.
pub(super) fn layer(name: &str, steps: &mut Vec<Step>, control: usize) -> Option<Layer> {
    let at = steps.iter().position(|step| step.condition == Condition::Always && leaves_out(&step.get, control))?;
    let (before, rest) = steps.split_at(at);
    let (step, behind) = rest.split_first()?;
    let Get::Draw(draw, parts) = &step.get else { return None };
    let draws_otherwise = |step: &Step| matches!(&step.get, Get::Draw(other, _) if other != draw);
    let fits = before.iter().all(|step| matches!(step.get, Get::Pick(_)))
        && behind.iter().all(|step| step.condition == Condition::Always)
        && behind.iter().any(draws_otherwise)
        && behind.iter().all(|step| of_unit(&step.get, draw));
    let layer =
        Layer { origin: name.into(), hash: Some(draw.hash.clone()), slices: vec![(name.into(), slices(parts))] };
    fits.then(|| {
        steps.remove(at);
        layer
    })
}

/// Whether it gives some the default and lets the others go on.
fn leaves_out(get: &Get, control: usize) -> bool {
    let is_default = |part: &Part| part.pick.is_none_or(|pick| pick == Pick::Arm(control));
    matches!(get, Get::Draw(_, parts) if parts.len() > 1 && parts.iter().all(is_default))
}

/// All flags of a layer draw by one id.
fn of_unit(get: &Get, draw: &Draw) -> bool {
    !matches!(get, Get::Draw(other, _) if other.unit != draw.unit)
}

/// The parts in which people go on.
fn slices(parts: &[Part]) -> Vec<(Share, Share)> {
    let from = std::iter::once(0).chain(parts.iter().map(|part| part.upto));
    let all = parts.iter().zip(from).filter(|(part, _)| part.pick.is_none());
    all.map(|(part, from)| (Share::thousandths(from), Share::thousandths(part.upto))).collect()
}
