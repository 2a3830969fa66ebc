//! What an edit of a flag undoes.

use flagstaff_flags::{Flag, Standing};

/// What an edit of the definition of a flag undoes, in words; none when nothing is lost. The first step of a rollout that runs is lost too: its
/// hold, its visitors, and what its guard saw. `before` is the flag as it was, where that is known.
#[must_use]
pub fn undone(standing: &Standing, before: Option<&Flag>) -> Option<String> {
    let runs = before.is_some_and(|flag| flag.rollout.is_some() && flag.enabled) && standing.switched_off.is_none();
    let is_under_way = standing.step > 0 || (runs && standing.trip.is_none());
    let step = is_under_way.then(|| format!("its rollout begins anew, it was at step {}", standing.shown_step()));
    let trip = standing.trip.as_ref().map(|_| "the rollback by its guard is cleared".to_owned());
    let off = standing.switched_off.as_ref();
    let off = off.map(|fact| format!("it is on again, as its file says: {} had switched it off", fact.by));
    let all: Vec<_> = off.into_iter().chain(trip).chain(step).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
