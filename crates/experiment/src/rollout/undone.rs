//! What an edit of a flag undoes.

use flagstaff_flags::Standing;

/// What an edit of the definition undoes, in words; none when nothing is lost.
#[must_use]
pub fn undone(standing: &Standing) -> Option<String> {
    let step =
        (standing.step > 0).then(|| format!("its rollout begins anew, it was at step {}", standing.shown_step()));
    let trip = standing.trip.as_ref().map(|_| "the rollback by its guard is cleared".to_owned());
    let off = standing.switched_off.as_ref();
    let off = off.map(|fact| format!("it is on again, as its file says: {} had switched it off", fact.by));
    let all: Vec<_> = off.into_iter().chain(trip).chain(step).collect();
    (!all.is_empty()).then(|| all.join("; "))
}
