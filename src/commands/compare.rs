//! `flagstaff compare`: two counts by hand.

use anyhow::Context;
use flagstaff_experiment::{ByHand, Share, compare};
use flagstaff_stats::Proportion;

use crate::cli::Compare;
use crate::commands::Answer;
use crate::commands::results::{drawn, lines};
use crate::facts;
use crate::picture::Scale;
use crate::print::{BAD, grouped, json as print_json, out, percent, styled, table};

pub(crate) fn run(args: &Compare) -> anyhow::Result<Answer> {
    let proportion =
        |name: &str, (x, n): (u64, u64)| Proportion::new(n, x).with_context(|| format!("{x}/{n} is no {name}"));
    let control = proportion("control", args.control)?;
    let treatment = proportion("treatment", args.treatment)?;
    let share = Share::new(args.share).context("--share")?;
    let said = compare(&control, &treatment, share, &facts::certainty(args.certainty)?);
    if args.json {
        print_json(&said)?;
    } else {
        show(args, &said)?;
    }
    Ok(Answer::Yes)
}

fn show(args: &Compare, said: &ByHand) -> anyhow::Result<()> {
    let row = |name: &str, (x, n): (u64, u64)| {
        #[allow(clippy::cast_precision_loss, reason = "shown with four digits")]
        let rate = x as f64 / n as f64;
        vec![name.to_owned(), grouped(n), grouped(x), percent(rate)]
    };
    let heading = ["", "VISITORS", "CONVERSIONS", "RATE"].map(Into::into).into();
    let rows = [heading, row("control", args.control), row("treatment", args.treatment)];
    let mut text = table(&rows);
    text += &lines(&said.comparison);
    let all: Vec<_> = drawn(&said.comparison).into_iter().collect();
    if let (Some(scale), [one]) = (Scale::over(&all), all.as_slice()) {
        text += &format!("  {}\n  {}\n", scale.draw(*one), scale.foot());
    }
    if said.sample_ratio.broken {
        let why = format!(
            "broken split: visitors fell into the two otherwise than {} of them to the treatment (p = {:.2e}); this comparison says nothing",
            percent(args.share),
            said.sample_ratio.p_value
        );
        text += &format!("{}\n", styled(BAD, &why));
    }
    out(&text)
}
