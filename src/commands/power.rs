//! `flagstaff power`: how many visitors and days an experiment takes.

use flagstaff_operations::results::Plan;

use crate::cli::Power;
use crate::commands::Outcome;
use crate::terminal::{STRONG, grouped, json as print_json, out, percent, styled};

pub(crate) fn run(args: &Power) -> anyhow::Result<Outcome> {
    let plan = Plan {
        baseline: args.baseline,
        lift: args.lift,
        alpha: args.alpha,
        power: args.power,
        variants: args.variants,
        goals: args.goals,
        read_daily: args.read_daily,
        planned: f64::from(args.planned),
        per_day: args.per_day,
    };
    let needed = plan.needed()?;
    if args.json {
        print_json(&needed)?;
        return Ok(Outcome::Yes);
    }
    let found = args.baseline * (1.0 + args.lift);
    let days = needed.days.map(|days| format!(", {} days", grouped(days)));
    out(&format!(
        "{} per variant, {} of {} variants together{}\n",
        styled(STRONG, &format!("{} visitors", grouped(needed.per_variant))),
        grouped(needed.total),
        args.variants,
        days.unwrap_or_default(),
    ))?;
    out(&format!(
        "to find {} instead of {} in {} of {} such experiments{}\n",
        percent(found),
        percent(args.baseline),
        (args.power * 100.0).round(),
        100,
        if args.read_daily { ", read at any time" } else { ", read once, at the end" },
    ))?;
    Ok(Outcome::Yes)
}
