//! `flagstaff history`: which revisions of the flags there were, and what else happened then.

use flagstaff_flags::printable;
use flagstaff_operations::api::HistoryQuery;
use flagstaff_operations::history::{FactEntry, History, HistoryEntry, RevisionEntry, Source, history};

use crate::cli;
use crate::commands::{Outcome, changes};
use crate::remote::Remote;
use crate::terminal::{BAD, FAINT, GOOD, ODD, STRONG, grouped, json as print_json, out, styled, table};
use crate::workspace::{Opened, block_on};

pub(crate) fn run(args: &cli::History) -> anyhow::Result<Outcome> {
    let history = asked(args)?;
    if args.json {
        print_json(&history)?;
    } else {
        out(&text(&history))?;
    }
    Ok(Outcome::Yes)
}

fn asked(args: &cli::History) -> anyhow::Result<History> {
    if let Some(remote) = Remote::ledger(&args.ledger)? {
        let query = HistoryQuery { flag: args.flag.clone(), limit: Some(args.limit) };
        return remote.answer(remote.client.history(&query));
    }
    let opened = Opened::ledger(&args.ledger)?;
    opened.answer(block_on(history(&opened.workspace, args.flag.as_deref(), args.limit.into()))?)
}

fn text(history: &History) -> String {
    let others = others(history);
    if history.entries.is_empty() {
        return nothing(history, others.as_deref());
    }
    let heading = ["WHEN", "WHAT", "BY", "CHANGES"].map(Into::into).into();
    let rows = history.entries.iter().map(|entry| match entry {
        HistoryEntry::Revision(revision) => of_revision(revision),
        HistoryEntry::Fact(fact) => of_fact(fact),
    });
    let mut text = table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    if history.more {
        text += &styled(FAINT, "\nthere is more: --limit shows it\n");
    }
    text.extend(others.map(|others| styled(FAINT, &format!("\n{others}"))));
    if history.dropped > 0 && !history.more {
        let dropped = grouped(history.dropped);
        text += &styled(FAINT, &format!("\n{dropped} older revisions are no longer kept\n"));
    }
    text
}

/// Environments that have revisions, where none are recorded here.
fn others(history: &History) -> Option<String> {
    if history.entries.iter().any(|entry| matches!(entry, HistoryEntry::Revision(_))) {
        return None;
    }
    let others: Vec<_> =
        history.environments.iter().filter(|other| Some(*other) != history.environment.as_ref()).cloned().collect();
    (!others.is_empty()).then(|| {
        format!("No revision is recorded here; these environments have some (--environment): {}\n", others.join(", "))
    })
}

fn nothing(history: &History, others: Option<&str>) -> String {
    match (&history.flag, others) {
        (_, Some(others)) => others.to_owned(),
        (Some(flag), None) => format!("Nothing is recorded of {flag} yet.\n"),
        (None, None) => "Nothing is recorded yet: `flagstaff run` records every revision of the flags.\n".into(),
    }
}

fn of_revision(revision: &RevisionEntry) -> Vec<String> {
    let short = revision.revision.get(..12).unwrap_or(&revision.revision);
    let now = if revision.current { styled(GOOD, " now") } else { String::new() };
    let changes = match (revision.changes.is_empty(), revision.cut) {
        (true, false) => "comments or layout only".into(),
        (_, is_cut) => changes::in_a_line(&revision.changes, is_cut),
    };
    let why = revision.why.as_ref().map(|why| styled(FAINT, &format!(" ({})", printable(why)))).unwrap_or_default();
    vec![at(revision.at), styled(STRONG, short) + &now, by(revision), changes + &why]
}

/// `ada, command`; `ada, commit 3f0c12ab`; `file`.
fn by(revision: &RevisionEntry) -> String {
    let how = match (&revision.commit, revision.source) {
        (Some(commit), _) => format!("commit {}", commit.get(..8).unwrap_or(commit)),
        (None, source) => source.words().to_owned(),
    };
    let how = if revision.source == Source::LastGood { styled(ODD, &how) } else { how };
    match &revision.by {
        Some(by) => format!("{}, {how}", printable(by)),
        None => how,
    }
}

fn of_fact(fact: &FactEntry) -> Vec<String> {
    let style = if matches!(fact.kind.as_str(), "tripped" | "switched_off") { BAD } else { ODD };
    let why = printable(&fact.why);
    let step = if fact.kind == "step" { format!(" to step {}", fact.step) } else { String::new() };
    let why = if why.is_empty() { step } else { format!("{step}: {why}") };
    vec![at(fact.at), styled(style, &fact.kind), printable(&fact.by).into_owned(), styled(STRONG, &fact.flag) + &why]
}

fn at(at: jiff::Timestamp) -> String {
    styled(FAINT, &format!("{at:.0}"))
}
