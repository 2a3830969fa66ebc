//! `flagstaff list`: every flag on a line.

use anstyle::Style;
use flagstaff_flags::{FlagMode, Formula, printable};
use flagstaff_operations::flags::{self, Choice, HeldOut, ListedFlag, ListedState};
use jiff::{Timestamp, Zoned};

use crate::cli::List;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, json as print_json, out, styled, table};
use crate::workspace::Opened;

pub(crate) fn run(args: &List) -> anyhow::Result<Outcome> {
    let (mut all, held_out) = asked(args)?;
    all.retain(|flag| (!args.stale || flag.stale) && (!args.expired || flag.expired));
    if args.json {
        print_json(&all)?;
    } else if all.is_empty() {
        out(if args.stale || args.expired { "None.\n" } else { "No flags yet.\n" })?;
    } else {
        out(&table(&rows(&all)))?;
        if let Some(percent) = held_out.percent {
            let held_out = all.iter().filter(|flag| flag.held_out.is_some()).map(|flag| flag.name.as_str());
            let held_out: Vec<_> = held_out.collect();
            let of =
                if held_out.is_empty() { "no flag listed here is an experiment".into() } else { held_out.join(", ") };
            out(&format!("\n{percent} percent of visitors are held out of all experiments: {of}\n"))?;
        }
    }
    Ok(Outcome::Yes)
}

/// Every flag, and the share of visitors who are held out.
fn asked(args: &List) -> anyhow::Result<(Vec<ListedFlag>, HeldOut)> {
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        return Ok((remote.answer(remote.client.list())?, remote.answer(remote.client.held_out())?));
    }
    let opened = Opened::ledger(&args.ledger)?;
    let snapshot = opened.in_force()?.with_facts(&opened.recorded_facts());
    Ok((flags::list(&snapshot, Timestamp::now(), Zoned::now().date()), flags::held_out(&snapshot)))
}

/// The table, with a column of formulas where not all flags have our own.
fn rows(all: &[ListedFlag]) -> Vec<Vec<String>> {
    let heading = ["FLAG", "STATE", "PERCENT", "VARIANTS", "OWNER", "EXPIRES", "ORIGIN"].map(Into::into).into();
    let mut rows: Vec<Vec<String>> = std::iter::once(heading).chain(all.iter().map(row)).collect();
    if all.iter().any(|flag| flag.formula != Formula::Sha256.as_str()) {
        let formulas = std::iter::once("FORMULA".to_owned()).chain(all.iter().map(|flag| flag.formula.clone()));
        rows.iter_mut().zip(formulas).for_each(|(row, formula)| row.push(formula));
    }
    rows
}

fn row(flag: &ListedFlag) -> Vec<String> {
    let variants = match &flag.variants {
        Choice::OffAndOn(names) => names.join(", "),
        Choice::Named(weights) => {
            weights.iter().map(|(name, weight)| format!("{name} {weight}")).collect::<Vec<_>>().join(", ")
        }
    };
    let expires = flag.expires.map(|date| date.to_string()).unwrap_or_default();
    let note = if flag.stale { styled(ODD, " stale") } else { String::new() };
    vec![
        flag.name.clone(),
        styled(style(flag.state), flag.state.as_str()) + &note,
        flag.percent.to_string(),
        variants,
        printable(flag.owner.as_deref().unwrap_or_default()).into_owned(),
        if flag.expired { styled(BAD, &expires) } else { expires },
        flag.origin.clone(),
    ]
}

const fn style(state: ListedState) -> Style {
    match state {
        ListedState::SwitchedOff | ListedState::Tripped => BAD,
        ListedState::AsWritten(FlagMode::Off) => FAINT,
        ListedState::AsWritten(FlagMode::On) => GOOD,
        ListedState::AsWritten(FlagMode::Split | FlagMode::Targeted | FlagMode::Rollout) => STRONG,
    }
}
