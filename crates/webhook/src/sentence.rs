//! What is said when nobody wrote a template.

use flagstaff_flags::FactKind;

use crate::message::Told;

/// A sentence for a fact, in plain words.
pub(crate) fn sentence(told: &Told<'_>) -> String {
    let (flag, by) = (told.flag(), told.by());
    let stage = told.percent().map(|percent| format!(" at {percent} %")).unwrap_or_default();
    let head = match told.kind() {
        FactKind::Defined => format!("{flag} is new"),
        FactKind::Changed => format!("{flag} was changed ({by})"),
        FactKind::Removed => format!("{flag} was removed ({by})"),
        FactKind::Step => match told.percent() {
            Some(percent) => format!("{flag} is now at {percent} %"),
            None => format!("{flag} went to its next step"),
        },
        FactKind::Done => format!("{flag} has all its steps behind it{stage}"),
        FactKind::ApprovalNeeded => format!("{flag} waits for an approval{stage}"),
        FactKind::Inconclusive => format!("{flag} does not go on{stage}"),
        FactKind::Recovered => format!("{flag} is no longer held back{stage}"),
        FactKind::Tripped => format!("{flag} was taken back{stage}"),
        FactKind::Held => format!("{flag} is held{stage}"),
        FactKind::Observed => format!("{flag} would have been taken back{stage}, but its guard only observes"),
        FactKind::Reset => format!("{flag} begins anew ({by})"),
        FactKind::Paused => format!("{flag} is paused{stage} ({by})"),
        FactKind::Resumed => format!("{flag} may go on{stage} ({by})"),
        FactKind::Expired => format!("{flag} is past its time"),
        FactKind::SwitchedOff | FactKind::Disabled => format!("{flag} was switched off for everyone ({by})"),
        FactKind::SwitchedOn | FactKind::Enabled => format!("{flag} was switched on again{stage} ({by})"),
        FactKind::Continued => format!("{flag} goes on as it was"),
        FactKind::Unknown => format!("something happened to {flag}"),
    };
    let why = told.why();
    if why.is_empty() { head } else { format!("{head}: {why}") }
}
