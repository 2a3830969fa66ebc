//! What a flag does for visitors now, in words.

use flagstaff_flags::{Flag, FlagId, FlagMode, Percent, Snapshot, VariantId};
use jiff::Timestamp;

/// Whether a flag is on, or off, for those for whom that was wanted, as far as its pin, its file and its facts say.
pub(super) fn is_as_wanted(snapshot: &Snapshot, flag: &Flag, on: bool) -> bool {
    let is_on = match &flag.pin {
        Some(pin) => pin.variant != VariantId::OFF,
        None => snapshot.find(flag.name.as_str()).is_some_and(|id| why_off(snapshot, flag, id).is_none()),
    };
    is_on == on
}

/// Why a flag is still off that was switched on, though nothing in another place overrides its file, and what to do; none where it is on,
/// or a pin decides.
pub(super) fn still_off(snapshot: &Snapshot, flag: &Flag) -> Option<String> {
    let (id, name) = (snapshot.find(flag.name.as_str()).filter(|_| flag.pin.is_none())?, &flag.name);
    if snapshot.switched_off(id).is_none() && flag.enabled && snapshot.is_tripped(id) {
        return Some(format!(
            "its guard rolled it back, and to switch it on does not undo that: once it is fixed, flagstaff rollout {name} reset"
        ));
    }
    let is_for_nobody = flag.enabled && flag.mode() == FlagMode::Off;
    is_for_nobody
        .then(|| format!("its percent is 0: flagstaff set {name} percent=5, or flagstaff on {name} --everyone"))
}

/// Why a flag is off for everyone.
fn why_off(snapshot: &Snapshot, flag: &Flag, id: FlagId) -> Option<String> {
    if !flag.enabled {
        return Some(String::new());
    }
    if let Some(words) = snapshot.switched_off(id) {
        return Some(words.into());
    }
    if snapshot.is_tripped(id) {
        return Some(format!("its guard rolled it back; flagstaff rollout {} reset", flag.name));
    }
    (flag.mode() == FlagMode::Off).then(|| "its percent is 0".into())
}

/// What a flag does for visitors now, in words.
#[must_use]
pub fn words(snapshot: &Snapshot, flag: &Flag) -> String {
    if let Some(pin) = &flag.pin {
        let variant = flag.variants.name(pin.variant);
        let whom = if pin.variant == VariantId::OFF { "off".into() } else { format!("`{variant}`") };
        return format!("{whom} for everyone here: pinned by {}", pin.variable);
    }
    let Some(id) = snapshot.find(flag.name.as_str()) else {
        return "not there".into();
    };
    if let Some(why) = why_off(snapshot, flag, id) {
        return if why.is_empty() { "off for everyone".into() } else { format!("off for everyone: {why}") };
    }
    let share = snapshot.share(id, Timestamp::now());
    let names_someone = flag.allow.is_some() || !flag.rules.is_empty();
    let others = if names_someone { ", and as it says for those whom it names" } else { "" };
    match flag.mode() {
        FlagMode::Rollout => format!("following its rollout, at {share} % of visitors"),
        FlagMode::Targeted => "on for those whom it names".into(),
        _ if flag.variants.are_named() => format!("split between its variants for {share} % of visitors{others}"),
        _ if share == Percent::ALL => format!("on for everyone{others}"),
        _ => format!("on for {share} % of visitors{others}"),
    }
}
