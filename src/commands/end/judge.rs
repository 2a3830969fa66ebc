//! What the results say of a winner.

use flagstaff_experiment::{Kind, Report, analyse_with_past};
use flagstaff_ledger::Ledger;
use jiff::Timestamp;
use serde_json::Value;

use super::Case;
use crate::facts::{self, Kept};
use crate::observed::{self, Asked};

/// Results, where something was recorded, and what they have against the winner.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) results: Option<(Report, Timestamp)>,
    pub(super) objection: Option<String>,
}

impl Judged {
    pub(super) fn report(&self) -> Option<&Report> {
        self.results.as_ref().map(|(report, _)| report)
    }

    /// The results as `flagstaff results --json` has them, with when the experiment began.
    pub(super) fn as_json(&self) -> Option<Value> {
        let (report, began) = self.results.as_ref()?;
        let mut value = serde_json::to_value(report).ok()?;
        value.as_object_mut()?.insert("began".into(), began.to_string().into());
        Some(value)
    }
}

/// Asks the ledger. Where none is kept, and of a flag that nobody met, there is nothing to be judged; one that should be there and
/// is not speaks against every winner.
///
/// # Errors
/// When there is a ledger, and it gives no answer.
pub(super) fn judge(case: &Case<'_>) -> anyhow::Result<Judged> {
    let certainty = facts::certainty(case.args.certainty)?;
    let Some(id) = case.snapshot.find(&case.args.flag) else {
        return Ok(Judged::default());
    };
    let asked = Asked::of_flag(case.snapshot, id, case.flag);
    let question = asked.question(Timestamp::now());
    let ask = async |ledger: &mut Ledger| Ok((ledger.tally(&question).await?, ledger.past(&question).await?));
    let (tally, past) = match facts::ask_if_there(&case.place.settings, ask)? {
        Kept::Answer(answer) => answer,
        Kept::Nothing => return Ok(Judged::default()),
        Kept::Missing(place) => {
            let objection =
                format!("there is no ledger at {place}, so nobody knows the results; name it with --ledger");
            return Ok(Judged { results: None, objection: Some(objection) });
        }
    };
    let Some(began) = tally.began else {
        return Ok(Judged::default());
    };
    let report = analyse_with_past(&asked.observed(&tally), &observed::past(&past), &certainty);
    let objection = if case.flag.goals.is_empty() { None } else { objection(&report, case.winner) };
    Ok(Judged { results: Some((report, began)), objection })
}

/// Why a report does not support a winner.
fn objection(report: &Report, winner: &str) -> Option<String> {
    let verdict = &report.verdict;
    match (verdict.kind, verdict.variant.as_deref()) {
        (Kind::Ship | Kind::KeepControl, Some(variant)) if variant == winner => None,
        (Kind::Ship | Kind::KeepControl, Some(variant)) => {
            Some(format!("the results are for `{variant}`, not for `{winner}`. {}", verdict.text))
        }
        _ => Some(format!("the results name no winner. {}", verdict.text)),
    }
}
