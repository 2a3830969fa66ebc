//! `flagstaff results`: whether an experiment's variants differ.

mod experiments;

use std::fmt::Write as _;

use anyhow::anyhow;
use flagstaff_experiment::{Comparison, GoalReport, Kind, Report, VariantReport, analyse_with_past};
use flagstaff_ledger::Tally;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::Results;
use crate::commands::Answer;
use crate::observed::Asked;
use crate::picture::{Drawn, Scale};
use crate::print::{BAD, FAINT, GOOD, STRONG, grouped, json as print_json, out, percent, signed, styled, table};
use crate::{facts, flags, observed};

pub(crate) fn run(args: &Results) -> anyhow::Result<Answer> {
    let settings = facts::settings(&args.facts)?;
    let certainty = facts::certainty(args.certainty)?;
    let snapshot = flags::snapshot_of(&settings)?;
    let asked = match &args.flag {
        Some(name) => {
            let id = flags::find(&snapshot, name)?;
            let flag = snapshot.flag(id).ok_or_else(|| anyhow!("there is no flag `{name}`"))?;
            Asked::of_flag(&snapshot, id, flag)
        }
        None if args.holdout => Asked::of_holdout(&snapshot),
        None => return experiments::list(args, &settings, &snapshot, &certainty),
    };
    let question = asked.question(Timestamp::now());
    let (tally, past) =
        facts::ask(&settings, async |ledger| Ok((ledger.tally(&question).await?, ledger.past(&question).await?)))?;
    let report = analyse_with_past(&asked.observed(&tally), &observed::past(&past), &certainty);
    if args.json {
        print_json(&report)?;
    } else if args.csv {
        out(&csv(&report))?;
    } else {
        out(&text(&report, &tally))?;
    }
    Ok(match report.verdict.kind {
        Kind::BrokenSplit => Answer::No,
        Kind::KeepRunning | Kind::Ship | Kind::KeepControl | Kind::NotEnough => Answer::Yes,
    })
}

/// The report for people.
fn text(report: &Report, tally: &Tally) -> String {
    let mut text = format!("{}\n", head(report, tally));
    for goal in &report.goals {
        let better = if goal.better == "down" { " (less is better)" } else { "" };
        let _ = write!(text, "\n{}{better}\n{}", styled(STRONG, &goal.goal), figures(goal));
        for one in &goal.comparisons {
            text += &lines(one);
        }
        text += &picture(goal);
    }
    let style = match report.verdict.kind {
        Kind::Ship | Kind::KeepControl => GOOD,
        Kind::BrokenSplit => BAD,
        Kind::KeepRunning | Kind::NotEnough => STRONG,
    };
    let kind = report.verdict.kind.as_str().replace('_', " ");
    let _ = writeln!(text, "\n{}: {}", styled(style, &kind), report.verdict.text);
    text
}

fn head(report: &Report, tally: &Tally) -> String {
    let visitors: u64 = report.sample_ratio.observed.iter().sum();
    let mut head = format!("{}: {} visitors", styled(STRONG, &report.flag), grouped(visitors));
    if let Some(began) = tally.began {
        let began = began.to_zoned(TimeZone::system());
        let _ = write!(head, " since {}", began.strftime("%Y-%m-%d %H:%M"));
    }
    if report.left_out.crossovers > 0 {
        let _ = write!(head, ", {} left out who met two variants", grouped(report.left_out.crossovers));
    }
    if report.steps > 1 {
        let _ = write!(head, ", compared within {} steps", report.steps);
    }
    let _ = write!(head, "; split p = {:.3}", report.sample_ratio.p_value);
    head
}

fn figures(goal: &GoalReport) -> String {
    let is_mean = goal.measure == "mean";
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

/// One comparison in words.
pub(crate) fn lines(one: &Comparison) -> String {
    let lift = one.lift.map_or_else(|| "no lift can be told".into(), |lift| format!("lift {}", signed(lift)));
    let between = one.lift_interval.map(|range| format!(" ({} to {})", signed(range.low), signed(range.high)));
    let chance = |p: Option<f64>| p.map_or_else(|| "not yet".into(), |p| format!("{p:.4}"));
    let text = format!(
        "{lift}{}; p = {} at a planned end, {} on any day",
        between.unwrap_or_default(),
        chance(one.p_value),
        chance(one.always_valid.p_value)
    );
    format!("  {}: {}\n", one.variant, text)
}

/// The interval that may be read on any day, or the one of a planned end while there is none.
pub(crate) fn drawn(one: &Comparison) -> Option<Drawn> {
    let range = one.always_valid.interval.or(one.interval)?;
    Some(Drawn { low: range.low, value: one.difference?, high: range.high })
}

/// The differences of a goal with their intervals, on one scale.
fn picture(goal: &GoalReport) -> String {
    let all: Vec<_> = goal.comparisons.iter().filter_map(|one| Some((one.variant.as_str(), drawn(one)?))).collect();
    let Some(scale) = Scale::over(&all.iter().map(|(_, drawn)| *drawn).collect::<Vec<_>>()) else {
        return String::new();
    };
    let width = all.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let is_mean = goal.measure == "mean";
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

const COLUMNS: &str = "goal,variant,visitors,confirmed,conversions,rate,open,sum,mean,difference,difference_low,difference_high,lift,lift_low,lift_high,p_value,adjusted_p_value,always_valid_p_value,always_valid_adjusted_p_value,always_valid_low,always_valid_high";

/// A row per goal and variant; what cannot be said is empty. Names need no quotes: they are words.
fn csv(report: &Report) -> String {
    let mut text = format!("{COLUMNS}\n");
    for goal in &report.goals {
        for one in &goal.variants {
            let compared = goal.comparisons.iter().find(|c| c.variant == one.variant);
            let mut cells = vec![
                goal.goal.clone(),
                one.variant.clone(),
                one.visitors.to_string(),
                one.confirmed.to_string(),
                one.conversions.to_string(),
                cell(one.rate),
                one.open.to_string(),
                cell(one.sum),
                cell(one.mean),
            ];
            cells.extend(compared_cells(compared));
            let _ = writeln!(text, "{}", cells.join(","));
        }
    }
    text
}

fn compared_cells(one: Option<&Comparison>) -> [String; 12] {
    let of = |get: &dyn Fn(&Comparison) -> Option<f64>| cell(one.and_then(get));
    [
        of(&|c| c.difference),
        of(&|c| Some(c.interval?.low)),
        of(&|c| Some(c.interval?.high)),
        of(&|c| c.lift),
        of(&|c| Some(c.lift_interval?.low)),
        of(&|c| Some(c.lift_interval?.high)),
        of(&|c| c.p_value),
        of(&|c| c.adjusted_p_value),
        of(&|c| c.always_valid.p_value),
        of(&|c| c.always_valid.adjusted_p_value),
        of(&|c| Some(c.always_valid.interval?.low)),
        of(&|c| Some(c.always_valid.interval?.high)),
    ]
}

fn cell(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
