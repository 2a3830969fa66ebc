//! `flagstaff explain`: why this visitor gets this variant, of one flag or of each.

use flagstaff_flags::{DecisionStep, StepOutcome, User, printable};
use flagstaff_operations::Error;
use flagstaff_operations::api::{ExplainRequest, HeaderField};
use flagstaff_operations::flags::{ExplainedNumber, Explainer, Explanation, Query, Request};
use flagstaff_operations::history::{AsOf, Explained, FlagsAsOf, flags_as_of};
use jiff::Timestamp;

use crate::cli::Explain;
use crate::commands::Outcome;
use crate::remote::Remote;
use crate::settings::checked;
use crate::terminal::{FAINT, GOOD, STRONG, json as print_json, out, styled, table};
use crate::workspace::{Opened, block_on};

pub(crate) fn run(args: &Explain) -> anyhow::Result<Outcome> {
    let Some(flag) = &args.flag else {
        return all(args);
    };
    let (explained, meant) = asked(args, flag)?;
    if args.json {
        print_json(&explained)?;
    } else {
        out(&(text(&explained.explanation) + &about(explained.as_of.as_ref())))?;
        if let Some(error) = &meant {
            out(&format!("\n{error}\n"))?;
        }
    }
    Ok(if meant.is_some() { Outcome::No } else { Outcome::Yes })
}

/// Why a flag is what it is; and the flag that was probably meant, where there is none of this name.
fn asked(args: &Explain, flag: &str) -> anyhow::Result<(Explained, Option<Error>)> {
    let is_unknown = |explanation: &Explanation| explanation.step == DecisionStep::Unknown;
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        let explained = remote.answer(remote.client.explain(flag, &request(args)))?;
        let meant = if is_unknown(&explained.explanation) { remote.client.flag(flag).err() } else { None };
        return Ok((explained, meant));
    }
    let (explainer, as_of) = explainer(args)?;
    let explanation = explainer.explain(flag);
    let meant = explainer.find(flag).err().filter(|_| is_unknown(&explanation));
    Ok((Explained { explanation, as_of }, meant))
}

/// The visitor and the request, for a running program.
fn request(args: &Explain) -> ExplainRequest {
    let header = |(name, value): &(String, String)| HeaderField { name: name.clone(), value: value.clone() };
    ExplainRequest {
        visitor: args.visitor.clone(),
        user: args.user.clone(),
        groups: args.group.clone(),
        roles: args.role.clone(),
        headers: args.header.iter().map(header).collect(),
        method: Some(args.method.clone()),
        path: Some(args.path.clone()),
        ip: Some(args.ip),
        country: args.country.clone(),
        sticky: args.sticky.clone(),
        tripped: args.tripped.clone(),
        at: args.at,
        revision: args.revision.clone(),
    }
}

/// What answers, and the time in the past that it is about.
fn explainer(args: &Explain) -> anyhow::Result<(Explainer, Option<AsOf>)> {
    let opened = Opened::ledger(&args.ledger)?;
    let (snapshot, facts, as_of) = match &args.revision {
        None => (opened.in_force()?, opened.recorded_facts(), None),
        Some(revision) => {
            let FlagsAsOf { snapshot, facts, as_of } =
                opened.answer(block_on(flags_as_of(&opened.workspace, revision, args.at))?)?;
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
fn all(args: &Explain) -> anyhow::Result<Outcome> {
    let each = match Remote::ledger(&args.ledger)? {
        Some(remote) => remote.answer(remote.client.explain_all(&request(args)))?,
        None => {
            let (explainer, as_of) = explainer(args)?;
            let all = explainer.explain_all().into_iter();
            all.map(|explanation| Explained { explanation, as_of: as_of.clone() }).collect()
        }
    };
    if args.json {
        print_json(&each)?;
    } else if each.is_empty() {
        out("No flags yet.\n")?;
    } else {
        let heading = ["FLAG", "VARIANT", "DECIDED BY", "WHY"].map(String::from).to_vec();
        let rows = each.iter().map(|one| row(&one.explanation));
        let rows: Vec<_> = std::iter::once(heading).chain(rows).collect();
        out(&(table(&rows) + &about(each.first().and_then(|one| one.as_of.as_ref()))))?;
    }
    Ok(Outcome::Yes)
}

fn row(e: &Explanation) -> Vec<String> {
    let decided = e.trace.iter().find(|step| step.outcome == StepOutcome::Decided);
    let why = decided.map(|step| printable(&step.detail).into_owned()).unwrap_or_default();
    vec![printable(&e.flag).into_owned(), styled(STRONG, &printable(&e.variant)), e.step.as_str().into(), why]
}

/// How the draw is made again by hand, where it is by the formula of another system.
fn numbers(e: &Explanation) -> String {
    let of = |one: &ExplainedNumber| {
        let says = match one.says.as_str() {
            "both" => "position and variant",
            other => other,
        };
        let text = format!("{} of {}: {}", one.number, one.of, one.function);
        format!("{says} by {}: \"{}\" is {text}\n", printable(&e.formula), printable(&one.text))
    };
    e.numbers.iter().map(of).collect()
}

fn text(e: &Explanation) -> String {
    let (flag, variant) = (styled(STRONG, &printable(&e.flag)), styled(STRONG, &printable(&e.variant)));
    let mut text = format!("{flag} is {variant} ({})\n", e.reason);
    if let (Some(unit), Some(bucket), Some(position), Some(split)) = (&e.unit, e.bucket, e.position, e.split) {
        text += &format!("{} has bucket {bucket}, position {position}, split {split}\n", printable(unit));
    }
    if !e.formula.is_empty() && e.formula != "sha256" {
        text += &numbers(e);
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
