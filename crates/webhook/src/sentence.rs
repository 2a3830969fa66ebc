//! The text of a message without a template.

use flagstaff_flags::FactKind;

use crate::fact_view::FactView;

/// A sentence for a fact, in plain words.
pub(crate) fn sentence(view: &FactView<'_>) -> String {
    let (flag, by) = (view.flag(), view.by());
    let stage = view.percent().map(|percent| format!(" at {percent} %")).unwrap_or_default();
    let head = match view.kind() {
        FactKind::Defined => format!("{flag} is new"),
        FactKind::Changed => format!("{flag} was changed ({by})"),
        FactKind::Removed => format!("{flag} was removed ({by})"),
        FactKind::Step => match view.percent() {
            Some(percent) => format!("{flag} is now at {percent} %"),
            None => format!("{flag} went to its next step"),
        },
        FactKind::Done => format!("{flag} has finished all its steps{stage}"),
        FactKind::ApprovalNeeded => format!("{flag} waits for an approval{stage}"),
        FactKind::Inconclusive => format!("{flag} does not go on{stage}"),
        FactKind::Recovered => format!("{flag} is no longer held back{stage}"),
        FactKind::Tripped => format!("{flag} was rolled back{stage}"),
        FactKind::Held => format!("{flag} is held{stage}"),
        FactKind::Observed => format!("{flag} would have been rolled back{stage}, but its guard only observes"),
        FactKind::Reset => format!("{flag} begins anew ({by})"),
        FactKind::Paused => format!("{flag} is paused{stage} ({by})"),
        FactKind::Resumed => format!("{flag} may go on{stage} ({by})"),
        FactKind::Expired => format!("{flag} is past its expiry date"),
        FactKind::SwitchedOff | FactKind::Disabled => format!("{flag} was switched off for everyone ({by})"),
        FactKind::SwitchedOn | FactKind::Enabled => format!("{flag} was switched on again{stage} ({by})"),
        FactKind::Continued => format!("{flag} goes on as it was"),
        FactKind::Unknown => format!("something happened to {flag}"),
    };
    let why = view.why();
    if why.is_empty() { head } else { format!("{head}: {why}") }
}
