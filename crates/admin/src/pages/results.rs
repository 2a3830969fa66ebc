//! Results of experiments: the verdict in words, whether the split is sound, and one row per goal and variant.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_experiment::{
    AnalysisSettings, Comparison, Direction, GoalReport, Measure, Report, VariantReport, VerdictKind,
};
use flagstaff_operations::results::{DayExposures, Results, Slice, SliceBy, SliceVariant, experiments, of_flag};
use flagstaff_operations::traffic::NotCountedRequests;

use super::bars;
use super::failure::Answered;
use super::frame::{Frame, Section, Visit};
use super::interval_plot::{Axis, Interval, Judgement};
use super::words::{counted, grouped};
use crate::Context;
use crate::extract::Path;

/// So many days are drawn.
const DAYS: usize = 30;
/// A comparison below this is decided.
const ALPHA: f64 = 0.05;

/// An experiment in the list.
struct Experiment {
    flag: String,
    verdict: &'static str,
    text: String,
    visitors: String,
}

#[derive(Template)]
#[template(path = "experiments.html")]
struct ExperimentsPage {
    frame: Frame,
    experiments: Vec<Experiment>,
}

/// A variant, for one goal.
struct Row {
    goal: String,
    is_first: bool,
    better: &'static str,
    variant: String,
    rate: String,
    counts: String,
    /// None for the control.
    against: Option<Against>,
    /// Parts of the goal, below its last variant.
    parts: Vec<Part>,
}

/// A part of an experiment.
struct Part {
    name: String,
    /// The rate and the counts of each variant.
    variants: Vec<(String, String)>,
}

/// New visitors by day.
struct Days {
    bars: String,
    words: String,
}

/// A variant compared with the control.
struct Against {
    p: String,
    plot: String,
    change: String,
    range: String,
    class: &'static str,
}

#[derive(Template)]
#[template(path = "results.html")]
struct ResultsPage {
    frame: Frame,
    flag: String,
    is_broken: bool,
    verdict: &'static str,
    text: String,
    health: Vec<String>,
    days: Option<Days>,
    rows: Vec<Row>,
    axis: String,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/results", get(list)).route("/results/{flag}", get(results))
}

async fn list(State(context): State<Context>, visit: Visit) -> Answered {
    let snapshot = context.snapshot();
    let settings = AnalysisSettings::default();
    let found = context.run(async move |workspace: &_| experiments(workspace, &snapshot, &settings).await).await?;
    let frame = visit.frame("Results", Section::Results);
    let experiments = found.experiments.iter().map(experiment).collect();
    Ok(visit.show(&ExperimentsPage { frame, experiments }))
}

async fn results(State(context): State<Context>, visit: Visit, Path(flag): Path<String>) -> Answered {
    let (snapshot, name) = (context.snapshot(), flag);
    let settings = AnalysisSettings::default();
    let found = context.run(async move |workspace: &_| of_flag(workspace, &snapshot, &name, &settings).await).await?;
    let frame = visit.frame(format!("Results of {}", found.report.flag), Section::Results);
    Ok(visit.show(&page(frame, &found, &context.not_counted())))
}

fn experiment(report: &Report) -> Experiment {
    let visitors = report.sample_ratio.observed.iter().sum();
    Experiment {
        flag: report.flag.clone(),
        verdict: word(report.verdict.kind),
        text: report.verdict.text.clone(),
        visitors: counted(visitors, "visitor", "visitors"),
    }
}

fn page(frame: Frame, results: &Results, not_counted: &[NotCountedRequests]) -> ResultsPage {
    let report = &results.report;
    let is_broken = report.verdict.kind == VerdictKind::BrokenSplit;
    let axis = Axis::over(report.goals.iter().flat_map(|goal| goal.comparisons.iter().filter_map(interval)));
    let drawn = axis.as_ref().filter(|_| !is_broken);
    let rows = report.goals.iter().flat_map(|goal| rows(goal, &results.slices, drawn, is_broken));
    ResultsPage {
        frame,
        flag: report.flag.clone(),
        is_broken,
        verdict: word(report.verdict.kind),
        text: report.verdict.text.clone(),
        health: health(report).into_iter().chain(left_out(not_counted)).collect(),
        days: days(&results.days),
        rows: rows.collect(),
        axis: axis.map(|axis| axis.words()).unwrap_or_default(),
    }
}

/// A verdict in a few words.
const fn word(kind: VerdictKind) -> &'static str {
    match kind {
        VerdictKind::KeepRunning => "Keep it running",
        VerdictKind::Ship => "Ship it",
        VerdictKind::KeepControl => "Keep it as it was",
        VerdictKind::BrokenSplit => "The split is broken",
        VerdictKind::NotEnough => "Not enough visitors yet",
    }
}

/// Whether the numbers can be relied on, line by line.
fn health(report: &Report) -> Vec<String> {
    let split = &report.sample_ratio;
    let names = report.goals.first().map_or(&[][..], |goal| &goal.variants);
    let seen: Vec<_> =
        names.iter().zip(&split.observed).map(|(one, seen)| format!("{} {}", one.variant, grouped(*seen))).collect();
    let state = if split.broken { "broken" } else { "sound" };
    let open = names.iter().map(|one| one.open).sum();
    let all = [
        Some(format!("Split {state} (p = {})", p_value(split.p_value))),
        (!seen.is_empty()).then(|| format!("Exposed: {}", seen.join(", "))),
        Some(format!(
            "{} left out, who saw two variants",
            counted(report.left_out.crossovers, "visitor", "visitors")
        )),
        (open > 0).then(|| format!("{} still open", counted(open, "visitor", "visitors"))),
        (report.steps > 1).then(|| format!("{} steps of a rollout, each compared by itself", report.steps)),
    ];
    all.into_iter().flatten().collect()
}

/// What was not counted for any experiment.
fn left_out(all: &[NotCountedRequests]) -> Option<String> {
    let parts: Vec<_> = all.iter().map(|one| format!("{} {}", grouped(one.requests), one.words())).collect();
    (!parts.is_empty()).then(|| format!("Requests left out since the program started: {}", parts.join(", ")))
}

/// New visitors of the last days.
fn days(all: &[DayExposures]) -> Option<Days> {
    let shown: Vec<_> = all.iter().skip(all.len().saturating_sub(DAYS)).collect();
    let (first, last) = (shown.first()?, shown.last()?);
    let counts: Vec<u64> = shown.iter().map(|one| one.exposed.iter().sum()).collect();
    let now = counts.last().copied().unwrap_or_default();
    let words = format!("New visitors by day, {} to {}; today {}", first.day, last.day, grouped(now));
    Some(Days { bars: bars::columns(&counts, &words), words })
}

/// The parts of a goal.
fn parts(goal: &str, slices: &[Slice]) -> Vec<Part> {
    let part = |slice: &Slice| {
        let of_goal = slice.goals.iter().find(|one| one.goal == goal)?;
        let shares = slice.shares.iter().flatten().zip(&of_goal.variants);
        let shares: Vec<_> = shares.map(|(share, one)| format!("{} {:.0} %", one.variant, share)).collect();
        let name = match slice.by {
            SliceBy::Week => format!("First seen in the week of {}", slice.name),
            SliceBy::Step => format!("Step {}: {}", slice.name, shares.join(", ")),
        };
        let variant = |one: &SliceVariant| {
            let counts = format!("{} of {}", grouped(one.conversions), grouped(one.visitors));
            (format!("{} {}", one.variant, rate(one.rate, one.mean)), counts)
        };
        Some(Part { name, variants: of_goal.variants.iter().map(variant).collect() })
    };
    slices.iter().filter_map(part).collect()
}

fn rows(goal: &GoalReport, slices: &[Slice], axis: Option<&Axis>, is_broken: bool) -> Vec<Row> {
    let row = |(number, variant): (usize, &VariantReport)| {
        let compared = goal.comparisons.iter().find(|one| one.variant == variant.variant && number > 0);
        Row {
            goal: goal.goal.clone(),
            is_first: number == 0,
            better: if goal.better == Direction::Down { "less is better" } else { "more is better" },
            variant: variant.variant.clone(),
            rate: level(goal, variant),
            counts: format!("{} of {}", grouped(variant.conversions), grouped(variant.visitors)),
            against: compared.filter(|_| !is_broken).map(|compared| against(goal, compared, axis)),
            parts: if number + 1 == goal.variants.len() { parts(&goal.goal, slices) } else { Vec::new() },
        }
    };
    goal.variants.iter().enumerate().map(row).collect()
}

fn level(goal: &GoalReport, variant: &VariantReport) -> String {
    rate(variant.rate, variant.mean.filter(|_| goal.measure == Measure::Mean))
}

/// A mean where there is one, and a rate otherwise.
fn rate(rate: Option<f64>, mean: Option<f64>) -> String {
    match (mean, rate) {
        (Some(mean), _) => format!("{mean:.2} per visitor"),
        (None, Some(rate)) => format!("{:.2} %", rate * 100.0),
        (None, None) => "–".into(),
    }
}

fn against(goal: &GoalReport, compared: &Comparison, axis: Option<&Axis>) -> Against {
    let judgement = judgement(goal, compared);
    let plot = axis.zip(interval(compared)).map(|(axis, interval)| axis.draw(interval, judgement));
    let arrow = |lift: f64| {
        if lift > 0.0 {
            "▲"
        } else if lift < 0.0 {
            "▼"
        } else {
            "="
        }
    };
    let change = compared.lift.map(|lift| format!("{} {:+.1} %", arrow(lift), lift * 100.0));
    let range = compared.always_valid.lift_interval;
    Against {
        p: compared.always_valid.adjusted_p_value.map_or_else(|| "–".into(), p_value),
        plot: plot.unwrap_or_default(),
        change: change.unwrap_or_else(|| "not known yet".into()),
        range: range.map(|r| format!("{:+.1} to {:+.1} %", r.low * 100.0, r.high * 100.0)).unwrap_or_default(),
        class: match judgement {
            Judgement::Open => "faint",
            Judgement::Better => "better",
            Judgement::Worse => "alarm-ink",
        },
    }
}

/// Better or worse only once that is decided.
fn judgement(goal: &GoalReport, compared: &Comparison) -> Judgement {
    let decided = compared.always_valid.adjusted_p_value.is_some_and(|p| p < ALPHA);
    match compared.lift.filter(|_| decided) {
        Some(lift) if (lift > 0.0) == (goal.better != Direction::Down) => Judgement::Better,
        Some(_) => Judgement::Worse,
        None => Judgement::Open,
    }
}

/// The lift that may be read every day.
fn interval(compared: &Comparison) -> Option<Interval> {
    let range = compared.always_valid.lift_interval?;
    Some(Interval { low: range.low, value: compared.lift?, high: range.high })
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "below 0.0001".into() } else { format!("{p:.4}") }
}

#[cfg(test)]
mod tests {
    use flagstaff_experiment::{AlwaysValid, LeftOut, Range, SampleRatio, Verdict};
    use flagstaff_operations::results::SliceGoal;

    use super::*;

    fn report(kind: VerdictKind, p: f64) -> Report {
        let variant = |name: &str, conversions, rate| VariantReport {
            variant: name.into(),
            visitors: 1000,
            conversions,
            rate: Some(rate),
            ..VariantReport::default()
        };
        let compared = Comparison {
            variant: "on".into(),
            lift: Some(0.2),
            always_valid: AlwaysValid {
                adjusted_p_value: Some(p),
                lift_interval: Some(Range { low: 0.05, high: 0.35 }),
                ..AlwaysValid::default()
            },
            ..Comparison::default()
        };
        let goal = GoalReport {
            goal: "order_paid".into(),
            measure: Measure::Rate,
            better: Direction::Up,
            variants: vec![variant("off", 100, 0.1), variant("on", 120, 0.12)],
            comparisons: vec![compared],
        };
        Report {
            flag: "new_form".into(),
            sample_ratio: SampleRatio { p_value: 0.5, observed: vec![1000, 1000], ..SampleRatio::default() },
            goals: vec![goal],
            left_out: LeftOut::default(),
            steps: 1,
            verdict: Verdict { kind, variant: None, text: "Words of it <b>.".into(), days_left: None },
        }
    }

    fn text(kind: VerdictKind, p: f64) -> String {
        let results = Results { report: report(kind, p), began: None, days: vec![], slices: vec![] };
        page(Frame::plain("Results"), &results, &[]).render().unwrap()
    }

    #[test]
    fn colour_comes_with_the_decision() {
        let open = text(VerdictKind::KeepRunning, 0.4);
        assert!(open.contains("▲ +20.0 %") && !open.contains("\"better\"") && !open.contains("good"), "{open}");
        let decided = text(VerdictKind::Ship, 0.001);
        assert!(decided.contains("class=\"better\"") && decided.contains("range good"), "{decided}");
        assert!(decided.contains("100 of 1,000") && !decided.contains("<b>."), "{decided}");
    }

    #[test]
    fn a_broken_split_hides_the_winner() {
        let page = text(VerdictKind::BrokenSplit, 0.001);
        assert!(
            page.contains("The split is broken") && !page.contains("+20.0") && !page.contains("<svg class=\"plot\"")
        );
    }

    #[test]
    fn days_parts_and_what_was_left_out_stand_beside_the_numbers() {
        let day = |day: &str, exposed: [u64; 2]| DayExposures { day: day.parse().unwrap(), exposed: exposed.into() };
        let variant = |name: &str, conversions| SliceVariant {
            variant: name.into(),
            visitors: 200,
            conversions,
            rate: Some(conversions as f64 / 200.0),
            mean: None,
        };
        let slice = |by, name: &str, shares| Slice {
            by,
            name: name.into(),
            shares,
            goals: vec![SliceGoal {
                goal: "order_paid".into(),
                variants: vec![variant("off", 9), variant("on", 12)],
            }],
        };
        let results = Results {
            report: report(VerdictKind::KeepRunning, 0.4),
            began: None,
            days: vec![day("2026-11-27", [30, 30]), day("2026-11-28", [5, 10])],
            slices: vec![slice(SliceBy::Week, "2026-11-23", None), slice(SliceBy::Step, "2", Some(vec![75.0, 25.0]))],
        };
        let bots = NotCountedRequests { reason: "bot".into(), requests: 1200 };
        let page = page(Frame::plain("Results"), &results, &[bots]).render().unwrap();
        assert!(page.contains("1,200 of bots") && page.contains("2026-11-27 to 2026-11-28; today 15"), "{page}");
        assert!(page.contains("First seen in the week of 2026-11-23") && page.contains("on 6.00 %"), "{page}");
        assert!(page.contains("Step 2: off 75 %, on 25 %") && page.matches("<details").count() == 1, "{page}");
    }
}
