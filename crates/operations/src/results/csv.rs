//! Results as CSV.

use std::fmt::Write as _;

use flagstaff_experiment::{Comparison, Report};

const COLUMNS: &str = "goal,variant,visitors,confirmed,conversions,rate,open,sum,mean,difference,difference_low,difference_high,lift,lift_low,lift_high,p_value,adjusted_p_value,always_valid_p_value,always_valid_adjusted_p_value,always_valid_low,always_valid_high";

/// A row per goal and variant; what is not known is empty. Names need no quotes: they are words.
#[must_use]
pub fn csv(report: &Report) -> String {
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
