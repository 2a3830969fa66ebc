//! `flagstaff results` without a flag: a line for each experiment.

use flagstaff_experiment::Report;
use flagstaff_operations::results::{self, Experiments};

use crate::cli::Results;
use crate::commands::Outcome;
use crate::commands::comparison::answer as judged;
use crate::commands::results::query;
use crate::remote::Remote;
use crate::terminal::{err, grouped, json as print_json, out, signed, table};
use crate::workspace::{Opened, block_on, certainty};

/// Lists the flags that have goals, with what is known of each.
///
/// # Errors
/// When the ledger gives no answer.
pub(super) fn list(args: &Results) -> anyhow::Result<Outcome> {
    let answer = asked(args)?;
    if answer.experiments.is_empty() {
        err("no flag has goals, so there is no experiment; give a flag goals = [\"…\"]\n");
    }
    if args.json {
        print_json(&answer)?;
    } else {
        out(&text(&answer.experiments, args.csv))?;
    }
    Ok(judged(&answer.experiments))
}

fn asked(args: &Results) -> anyhow::Result<Experiments> {
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        return remote.answer(remote.client.experiments(&query(args)));
    }
    let opened = Opened::ledger(&args.ledger)?;
    let certainty = certainty(args.certainty)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    opened.answer(block_on(results::experiments(&opened.workspace, &snapshot, &certainty))?)
}

fn text(reports: &[Report], is_csv: bool) -> String {
    let heading = ["FLAG", "VISITORS", "GOAL", "VARIANT", "LIFT", "VERDICT"];
    let rows: Vec<Vec<String>> = reports.iter().flat_map(|report| rows(report, is_csv)).collect();
    if is_csv {
        let heading = heading.map(str::to_lowercase).join(",");
        let lines = rows.iter().map(|row| format!("{}\n", row.join(",")));
        return format!("{heading}\n{}", lines.collect::<String>());
    }
    let heading = std::iter::once(heading.map(Into::into).into());
    let mut text = table(&heading.chain(rows).collect::<Vec<_>>());
    text += "more of one: flagstaff results FLAG\n";
    text
}

/// A row per variant that is compared, by the goal that decides.
fn rows(report: &Report, is_csv: bool) -> Vec<Vec<String>> {
    let visitors: u64 = report.sample_ratio.observed.iter().sum();
    let visitors = if is_csv { visitors.to_string() } else { grouped(visitors) };
    let kind = report.verdict.kind.as_str();
    let kind = if is_csv { kind.to_owned() } else { kind.replace('_', " ") };
    let goal = report.goals.first();
    let row = |variant: &str, lift: Option<f64>| {
        let lift = lift.map(|lift| if is_csv { lift.to_string() } else { signed(lift) }).unwrap_or_default();
        let goal = goal.map(|goal| goal.goal.clone()).unwrap_or_default();
        vec![report.flag.clone(), visitors.clone(), goal, variant.to_owned(), lift, kind.clone()]
    };
    let compared: Vec<_> = goal.into_iter().flat_map(|goal| &goal.comparisons).collect();
    if compared.is_empty() {
        return vec![row("", None)];
    }
    compared.iter().map(|one| row(&one.variant, one.lift)).collect()
}
