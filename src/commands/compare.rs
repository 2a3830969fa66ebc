//! `flagstaff compare`: two counts by hand.

use flagstaff_operations::results::{self, TwoCounts};

use crate::cli::Compare;
use crate::commands::Outcome;
use crate::commands::comparison::{interval, lines};
use crate::terminal::{BAD, Scale, grouped, json as print_json, out, percent, styled, table};
use crate::workspace::certainty;

pub(crate) fn run(args: &Compare) -> anyhow::Result<Outcome> {
    let compared = results::compare(args.control, args.treatment, args.share, &certainty(args.certainty)?)?;
    if args.json {
        print_json(&compared)?;
    } else {
        show(args, &compared)?;
    }
    Ok(Outcome::Yes)
}

fn show(args: &Compare, compared: &TwoCounts) -> anyhow::Result<()> {
    let row = |name: &str, (x, n): (u64, u64)| {
        #[allow(clippy::cast_precision_loss, reason = "shown with four digits")]
        let rate = x as f64 / n as f64;
        vec![name.to_owned(), grouped(n), grouped(x), percent(rate)]
    };
    let heading = ["", "VISITORS", "CONVERSIONS", "RATE"].map(Into::into).into();
    let rows = [heading, row("control", args.control), row("treatment", args.treatment)];
    let mut text = table(&rows);
    text += &lines(&compared.comparison);
    let all: Vec<_> = interval(&compared.comparison).into_iter().collect();
    if let (Some(scale), [one]) = (Scale::over(&all), all.as_slice()) {
        text += &format!("  {}\n  {}\n", scale.draw(*one), scale.foot());
    }
    if compared.sample_ratio.broken {
        let why = format!(
            "broken split: the treatment should have {} of the visitors, and has another share (p = {:.2e}); this comparison says nothing",
            percent(args.share),
            compared.sample_ratio.p_value
        );
        text += &format!("{}\n", styled(BAD, &why));
    }
    out(&text)
}
