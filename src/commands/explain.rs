//! `flagstaff explain`: why this visitor gets this variant, of one flag or of each.

use flagstaff_flags::{DecisionStep, StepOutcome, User, printable};
use flagstaff_operations::flags::{Explainer, Explanation, Query, Request};
use flagstaff_operations::history::{AsOf, Past, past};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::Explain;
use crate::commands::Outcome;
use crate::settings::checked;
use crate::terminal::{FAINT, GOOD, STRONG, json as print_json, out, styled, table};
use crate::workspace::{Opened, block_on};

/// An explanation, and the time in the past that it is about.
#[derive(Serialize)]
struct Explained<'a> {
    #[serde(flatten)]
    explanation: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<&'a AsOf>,
}

pub(crate) fn run(args: &Explain) -> anyhow::Result<Outcome> {
    let (explainer, as_of) = explainer(args)?;
    let Some(flag) = &args.flag else {
        return all(args, explainer, as_of.as_ref());
    };
    let explanation = explainer.explain(flag);
    let is_unknown = explanation.step == DecisionStep::Unknown;
    if args.json {
        print_json(&Explained { explanation: &explanation, as_of: as_of.as_ref() })?;
    } else {
        out(&(text(&explanation) + &about(as_of.as_ref())))?;
        if let Some(error) = explainer.find(flag).err().filter(|_| is_unknown) {
            out(&format!("\n{error}\n"))?;
        }
    }
    Ok(if is_unknown { Outcome::No } else { Outcome::Yes })
}

/// What answers, and the time in the past that it is about.
fn explainer(args: &Explain) -> anyhow::Result<(Explainer, Option<AsOf>)> {
    let opened = Opened::ledger(&args.ledger)?;
    let (snapshot, facts, as_of) = match &args.revision {
        None => (opened.in_force()?, opened.recorded_facts(), None),
        Some(revision) => {
            let Past { snapshot, facts, as_of } =
                opened.answer(block_on(past(&opened.workspace, revision, args.at))?)?;
            (snapshot, facts, Some(as_of))
        }
    };
    let tagger = checked::tagger_settings(&opened.settings)?;
    let query = Query {
        visitor: args.visitor.clone(),
        user: args.user.clone().map(|id| User { id, groups: args.group.clone(), roles: args.role.clone() }),
        sticky: &args.sticky,
        tripped: &args.tripped,
        request: Request {
            method: &args.method,
            path: &args.path,
            headers: &args.header,
            address: args.ip,
            country: args.country.as_deref(),
        },
        at: as_of.as_ref().map(|as_of| as_of.at).or(args.at).unwrap_or_else(Timestamp::now),
    };
    Ok((opened.answer(Explainer::new(&snapshot, facts, tagger, &query))?, as_of))
}

/// The time that an answer is about.
fn about(as_of: Option<&AsOf>) -> String {
    let Some(as_of) = as_of else { return String::new() };
    let mut text = format!("\nas of {:.0}, revision {}\n", as_of.at, as_of.revision.short());
    text.extend(as_of.notes.iter().map(|one| format!("{} {one}\n", styled(FAINT, "note:"))));
    text
}

/// All flags for one visitor.
fn all(args: &Explain, explainer: Explainer, as_of: Option<&AsOf>) -> anyhow::Result<Outcome> {
    let each = explainer.explain_all();
    if args.json {
        print_json(&each.iter().map(|explanation| Explained { explanation, as_of }).collect::<Vec<_>>())?;
    } else if each.is_empty() {
        out("No flags yet.\n")?;
    } else {
        let heading = ["FLAG", "VARIANT", "DECIDED BY", "WHY"].map(String::from).to_vec();
        let rows: Vec<_> = std::iter::once(heading).chain(each.iter().map(row)).collect();
        out(&(table(&rows) + &about(as_of)))?;
    }
    Ok(Outcome::Yes)
}

fn row(e: &Explanation) -> Vec<String> {
    let decided = e.trace.iter().find(|step| step.outcome == StepOutcome::Decided);
    let why = decided.map(|step| printable(&step.detail).into_owned()).unwrap_or_default();
    vec![printable(&e.flag).into_owned(), styled(STRONG, &printable(&e.variant)), e.step.as_str().into(), why]
}

fn text(e: &Explanation) -> String {
    let (flag, variant) = (styled(STRONG, &printable(&e.flag)), styled(STRONG, &printable(&e.variant)));
    let mut text = format!("{flag} is {variant} ({})\n", e.reason);
    if let (Some(unit), Some(bucket), Some(position), Some(split)) = (&e.unit, e.bucket, e.position, e.split) {
        text += &format!("{} has bucket {bucket}, position {position}, split {split}\n", printable(unit));
    }
    text.push('\n');
    for step in &e.trace {
        let line = format!("{:<9} {}", step.step.as_str(), printable(&step.detail));
        text += &match step.outcome {
            StepOutcome::Decided => format!("  {} {}\n", styled(GOOD, "▶"), styled(STRONG, &line)),
            StepOutcome::Passed => format!("    {}\n", styled(FAINT, &line)),
        };
    }
    text
}
