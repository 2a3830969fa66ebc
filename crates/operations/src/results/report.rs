//! The results of one experiment, of the holdout, and of every experiment.

use flagstaff_experiment::{AnalysisSettings, Report, Share, TwoCounts, analyse_daily};
use flagstaff_flags::Snapshot;
use flagstaff_ledger::{Counted, Ledger, Question};
use flagstaff_stats::Proportion;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::slices::{DayExposures, Slice, days, slices};
use crate::workspace::{Workspace, find};
use crate::{Error, json};

/// The results of an experiment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Results {
    /// What they say.
    #[serde(flatten)]
    pub report: Report,
    /// When its first visitor came; none where nobody did.
    #[serde(with = "json::optional_text")]
    #[schemars(with = "Option<String>")]
    pub began: Option<Timestamp>,
    /// Visitors exposed for the first time, day by day.
    #[serde(default)]
    pub days: Vec<DayExposures>,
    /// Weeks and steps of the experiment, where there are several.
    #[serde(default)]
    pub slices: Vec<Slice>,
}

/// The results of every experiment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Experiments {
    /// Each flag that has goals, in the order of the file.
    pub experiments: Vec<Report>,
}

/// The results of one flag.
///
/// # Errors
/// When there is no such flag, or the ledger gives no answer.
pub async fn of_flag(
    workspace: &Workspace,
    snapshot: &Snapshot,
    name: &str,
    certainty: &AnalysisSettings,
) -> Result<Results, Error> {
    let (id, flag) = find(snapshot, name)?;
    let question = Question::of_flag(snapshot, id, flag, Timestamp::now());
    workspace.ask(async |ledger| whole(ledger, &question, certainty).await).await
}

/// All experiments together: visitors who are held out against everybody else, on every goal of the file.
///
/// # Errors
/// When the ledger gives no answer.
pub async fn of_holdout(
    workspace: &Workspace,
    snapshot: &Snapshot,
    certainty: &AnalysisSettings,
) -> Result<Results, Error> {
    let question = Question::of_holdout(snapshot, Timestamp::now());
    workspace.ask(async |ledger| whole(ledger, &question, certainty).await).await
}

/// Every flag that has goals, with what is known of each at one moment.
///
/// # Errors
/// When the ledger gives no answer.
pub async fn experiments(
    workspace: &Workspace,
    snapshot: &Snapshot,
    certainty: &AnalysisSettings,
) -> Result<Experiments, Error> {
    let now = Timestamp::now();
    let all = snapshot.ids().filter_map(|id| Some((id, snapshot.flag(id)?)));
    let questions: Vec<_> = all
        .filter(|(_, flag)| !flag.goals.is_empty())
        .map(|(id, flag)| Question::of_flag(snapshot, id, flag, now))
        .collect();
    workspace
        .ask(async |ledger| {
            let mut experiments = Vec::new();
            for question in &questions {
                experiments.push(judge(ledger, question, certainty).await?.report);
            }
            Ok(Experiments { experiments })
        })
        .await
}

/// An experiment that was judged.
pub(crate) struct Judged {
    pub(crate) report: Report,
    pub(crate) began: Option<Timestamp>,
    counted: Counted,
}

/// Asks an open ledger, and judges what it counted.
pub(crate) async fn judge(
    ledger: &mut Ledger,
    question: &Question,
    certainty: &AnalysisSettings,
) -> Result<Judged, Error> {
    let counted = ledger.count(question).await?;
    let report = analyse_daily(&counted.observed, &counted.days, certainty);
    Ok(Judged { report, began: counted.observed.began, counted })
}

/// The same, with the parts of it.
async fn whole(ledger: &mut Ledger, question: &Question, certainty: &AnalysisSettings) -> Result<Results, Error> {
    let Judged { report, began, counted } = judge(ledger, question, certainty).await?;
    let days = days(&counted.observed, &counted.days, question.now);
    let slices = slices(&counted.observed, &counted.cohorts);
    Ok(Results { days, slices, report, began })
}

/// Compares two counts that are given by hand, each as conversions of visitors. `share` is the treatment's part of the visitors of both,
/// above 0 and below 1.
///
/// # Errors
/// When there are more conversions than visitors or no visitors, or the share makes no sense.
pub fn compare(
    control: (u64, u64),
    treatment: (u64, u64),
    share: f64,
    certainty: &AnalysisSettings,
) -> Result<TwoCounts, Error> {
    let proportion = |name: &str, (x, n): (u64, u64)| {
        Proportion::new(n, x).map_err(|error| Error::Input(format!("{x}/{n} is not a valid {name}: {error}")))
    };
    let (control, treatment) = (proportion("control", control)?, proportion("treatment", treatment)?);
    let share = Share::new(share).map_err(|error| Error::Input(format!("--share: {error}")))?;
    Ok(flagstaff_experiment::compare(&control, &treatment, share, certainty))
}
