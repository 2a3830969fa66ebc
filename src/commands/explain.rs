//! `flagstaff explain`: why this visitor gets this variant, of one flag or of each.

use flagstaff_flags::{DecisionStep, StepOutcome, User, printable};
use flagstaff_operations::flags::{Explainer, Explanation, Query, Request};
use jiff::Timestamp;

use crate::cli::Explain;
use crate::commands::Answer;
use crate::settings::checked;
use crate::terminal::{FAINT, GOOD, STRONG, json as print_json, out, styled, table};
use crate::workspace::Opened;

pub(crate) fn run(args: &Explain) -> anyhow::Result<Answer> {
    let explainer = explainer(args)?;
    let Some(flag) = &args.flag else {
        return all(args, explainer);
    };
    let explanation = explainer.explain(flag);
    let is_unknown = explanation.step == DecisionStep::Unknown;
    if args.json {
        print_json(&explanation)?;
    } else {
        out(&text(&explanation))?;
        if let Some(error) = explainer.find(flag).err().filter(|_| is_unknown) {
            out(&format!("\n{error}\n"))?;
        }
    }
    Ok(if is_unknown { Answer::No } else { Answer::Yes })
}

fn explainer(args: &Explain) -> anyhow::Result<Explainer> {
    let opened = Opened::ledger(&args.ledger)?;
    let (snapshot, facts) = (opened.in_force()?, opened.recorded_facts());
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
        at: args.at.unwrap_or_else(Timestamp::now),
    };
    opened.answer(Explainer::new(&snapshot, facts, tagger, &query))
}

/// All flags for one visitor.
fn all(args: &Explain, explainer: Explainer) -> anyhow::Result<Answer> {
    let each = explainer.explain_all();
    if args.json {
        print_json(&each)?;
    } else if each.is_empty() {
        out("No flags yet.\n")?;
    } else {
        let heading = ["FLAG", "VARIANT", "DECIDED BY", "WHY"].map(String::from).to_vec();
        out(&table(&std::iter::once(heading).chain(each.iter().map(row)).collect::<Vec<_>>()))?;
    }
    Ok(Answer::Yes)
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
