//! `flagstaff results`: whether an experiment's variants differ.

use std::fmt::Write as _;

use flagstaff_experiment::{Direction, GoalReport, Measure, VariantReport, VerdictKind};
use flagstaff_operations::api::ResultsQuery;
use flagstaff_operations::results::{self, DayExposures, Results, Slice, SliceBy};
use jiff::tz::TimeZone;

use crate::cli;
use crate::commands::comparison::{answer, interval, lines};
use crate::commands::{Outcome, results_list};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, STRONG, Scale, grouped, json as print_json, out, percent, styled, table};
use crate::workspace::{Opened, block_on, certainty};

/// So many days are shown to people; scripts get all.
const DAYS: usize = 7;

pub(crate) fn run(args: &cli::Results) -> anyhow::Result<Outcome> {
    let Some(results) = asked(args)? else {
        return results_list::list(args);
    };
    if args.json {
        print_json(&results)?;
    } else if args.csv {
        out(&results::csv(&results.report))?;
    } else {
        out(&text(&results))?;
    }
    Ok(answer([&results.report]))
}

/// The results of one flag, or of the holdout; none where all are wanted.
fn asked(args: &cli::Results) -> anyhow::Result<Option<Results>> {
    if args.flag.is_none() && !args.holdout {
        return Ok(None);
    }
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        let query = query(args);
        let results = match &args.flag {
            Some(name) => remote.client.results(name, &query),
            None => remote.client.holdout_results(&query),
        };
        return remote.answer(results).map(Some);
    }
    let opened = Opened::ledger(&args.ledger)?;
    let certainty = certainty(args.certainty)?;
    let snapshot = opened.answer(opened.workspace.snapshot())?;
    let results = match &args.flag {
        Some(name) => block_on(results::of_flag(&opened.workspace, &snapshot, name, &certainty))?,
        None => block_on(results::of_holdout(&opened.workspace, &snapshot, &certainty))?,
    };
    opened.answer(results).map(Some)
}

/// How sure results must be, for a running program.
pub(super) const fn query(args: &cli::Results) -> ResultsQuery {
    ResultsQuery { alpha: args.certainty.alpha, planned: args.certainty.planned }
}

/// The report for people.
fn text(results: &Results) -> String {
    let report = &results.report;
    let mut text = format!("{}\n{}", head(results), styled(FAINT, &days(&results.days)));
    for goal in &report.goals {
        let better = if goal.better == Direction::Down { " (less is better)" } else { "" };
        let _ = write!(text, "\n{}{better}\n{}", styled(STRONG, &goal.goal), figures(goal));
        for one in &goal.comparisons {
            text += &lines(one);
        }
        text += &plot(goal);
    }
    text += &slices(&results.slices);
    let style = match report.verdict.kind {
        VerdictKind::Ship | VerdictKind::KeepControl => GOOD,
        VerdictKind::BrokenSplit => BAD,
        VerdictKind::KeepRunning | VerdictKind::NotEnough => STRONG,
    };
    let kind = report.verdict.kind.as_str().replace('_', " ");
    let _ = writeln!(text, "\n{}: {}", styled(style, &kind), report.verdict.text);
    text
}

fn head(results: &Results) -> String {
    let report = &results.report;
    let visitors: u64 = report.sample_ratio.observed.iter().sum();
    let mut head = format!("{}: {} visitors", styled(STRONG, &report.flag), grouped(visitors));
    if let Some(began) = results.began {
        let began = began.to_zoned(TimeZone::system());
        let _ = write!(head, " since {}", began.strftime("%Y-%m-%d %H:%M"));
    }
    if report.left_out.crossovers > 0 {
        let _ = write!(head, ", {} left out, who saw two variants", grouped(report.left_out.crossovers));
    }
    if report.steps > 1 {
        let _ = write!(head, ", compared within {} steps", report.steps);
    }
    let _ = write!(head, "; split p = {:.3}", report.sample_ratio.p_value);
    head
}

fn figures(goal: &GoalReport) -> String {
    let is_mean = goal.measure == Measure::Mean;
    let heading = ["  VARIANT", "VISITORS", "CONFIRMED", "CONVERSIONS", "RATE", if is_mean { "MEAN" } else { "" }];
    let row = |one: &VariantReport| {
        let rate = one.rate.map(percent).unwrap_or_default();
        let mean = one.mean.map(|mean| format!("{mean:.3}")).unwrap_or_default();
        vec![
            format!("  {}", one.variant),
            grouped(one.visitors),
            grouped(one.confirmed),
            grouped(one.conversions),
            rate,
            mean,
        ]
    };
    let rows: Vec<_> = std::iter::once(heading.map(Into::into).into()).chain(goal.variants.iter().map(row)).collect();
    table(&rows)
}

/// Weeks and steps, goal by goal.
fn slices(slices: &[Slice]) -> String {
    let mut rows = Vec::new();
    for slice in slices {
        let by = match slice.by {
            SliceBy::Week => "week of",
            SliceBy::Step => "step",
        };
        for goal in &slice.goals {
            let counts = goal.variants.iter().map(|one| {
                let rate = one.rate.map(percent).unwrap_or_default();
                format!("{} {}/{} {rate}", one.variant, grouped(one.conversions), grouped(one.visitors))
            });
            rows.push([format!("  {by} {}", slice.name), goal.goal.clone()].into_iter().chain(counts).collect());
        }
    }
    if rows.is_empty() { String::new() } else { format!("\n{}\n{}", styled(STRONG, "parts"), table(&rows)) }
}

/// New visitors of the last days.
fn days(days: &[DayExposures]) -> String {
    let last = days.iter().rev().take(DAYS).rev();
    let told: Vec<_> = last.map(|one| format!("{} {}", one.day, grouped(one.exposed.iter().sum()))).collect();
    if told.len() > 1 { format!("new by day: {}\n", told.join(", ")) } else { String::new() }
}

/// The differences of a goal with their intervals, on one scale.
fn plot(goal: &GoalReport) -> String {
    let all: Vec<_> =
        goal.comparisons.iter().filter_map(|one| Some((one.variant.as_str(), interval(one)?))).collect();
    let Some(scale) = Scale::over(&all.iter().map(|(_, interval)| *interval).collect::<Vec<_>>()) else {
        return String::new();
    };
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let is_mean = goal.measure == Measure::Mean;
    let end = |value: f64| {
        if is_mean { format!("{value:+.3}") } else { format!("{:+.2}", value * 100.0) }
    };
    let unit = if is_mean { "" } else { " points" };
    let mut text = String::new();
    for (name, one) in &all {
        let ends = format!("{} to {}{unit}", end(one.low), end(one.high));
        let _ = writeln!(text, "  {name:width$}  {}  {}", scale.draw(*one), styled(FAINT, &ends));
    }
    let _ = writeln!(text, "  {:width$}  {}", "", styled(FAINT, &scale.foot()));
    text
}
