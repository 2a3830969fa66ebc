//! Revisions of the flags with what else happened then, what each changed, and the way back.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use flagstaff_operations::edit::Confirmation;
use flagstaff_operations::history::{
    DifferentFile, HistoryEntry, LineFate, PartChange, PartFate, RevisionEntry, Rollback, RollbackAnswer,
    RollbackPreview, diff, history, preview, rollback,
};
use jiff::Timestamp;

use super::facts::FactLine;
use super::failure::{Answered, Failure};
use super::flash::Said;
use super::form::Fields;
use super::frame::{Frame, Section, Visit, done};
use super::words::ago;
use crate::Context;
use crate::access::Writer;
use crate::extract::{Form, Path, Query};

/// As many things are listed.
const ENTRIES: usize = 100;
/// As many changed parts are named in one line.
const PARTS: usize = 4;
/// As many lines of a difference are shown.
const LINES: usize = 2_000;
/// Digits of a revision that are shown.
const SHORT: usize = 12;

/// One thing that happened: a revision, or a fact.
struct Row {
    at: String,
    ago: String,
    event: Option<FactLine>,
    revision: Option<Revision>,
}

/// A revision in the list.
struct Revision {
    id: String,
    short: String,
    words: String,
    by: String,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    flag: String,
    rows: Vec<Row>,
    more: bool,
}

/// A line of a difference.
struct Line {
    class: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "revision.html")]
struct RevisionPage {
    frame: Frame,
    id: String,
    short: String,
    about: String,
    flag: String,
    lines: Vec<Line>,
}

#[derive(Template)]
#[template(path = "rollback.html")]
struct RollbackPage {
    frame: Frame,
    id: String,
    short: String,
    flag: String,
    is_change: bool,
    notice: bool,
    undoes: Vec<String>,
    lines: Vec<Line>,
    revision: String,
}

pub(super) fn routes() -> Router<Context> {
    Router::new()
        .route("/history", get(list))
        .route("/history/{revision}", get(show))
        .route("/history/{revision}/back", get(ask).post(back))
}

async fn list(State(context): State<Context>, visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Answered {
    let flag = Fields(fields).get("flag").filter(|flag| !flag.is_empty()).map(ToOwned::to_owned);
    let named = flag.clone();
    let found = context.run(async move |workspace: &_| history(workspace, named.as_deref(), ENTRIES).await).await?;
    let now = Timestamp::now();
    let rows = found.entries.into_iter().map(|entry| row(entry, now)).collect();
    let frame = visit.frame("History", Section::History);
    Ok(visit.show(&HistoryPage { frame, flag: flag.unwrap_or_default(), rows, more: found.more }))
}

fn row(entry: HistoryEntry, now: Timestamp) -> Row {
    let at = entry.at();
    let (event, revision) = match entry {
        HistoryEntry::Fact(fact) => (Some(FactLine::of_history(fact, now)), None),
        HistoryEntry::Revision(one) => (None, Some(revision(&one))),
    };
    Row { at: format!("{at:.0}"), ago: ago(at, now), event, revision }
}

fn revision(one: &RevisionEntry) -> Revision {
    let by = one.by.clone().unwrap_or_else(|| one.source.words().into());
    let commit = one.commit.as_ref().map(|commit| format!(", commit {}", short(commit)));
    Revision {
        id: one.revision.clone(),
        short: short(&one.revision),
        words: parts(&one.changes, one.cut),
        by: by + &commit.unwrap_or_default(),
        is_current: one.current,
    }
}

fn short(revision: &str) -> String {
    revision.chars().take(SHORT).collect()
}

/// What a revision changed, in one line.
fn parts(changes: &[PartChange], cut: bool) -> String {
    if changes.is_empty() {
        return "changed no flag".into();
    }
    let mut named: Vec<_> = changes.iter().take(PARTS).map(part).collect();
    if changes.len() > PARTS || cut {
        named.push("and more".into());
    }
    named.join("; ")
}

fn part(change: &PartChange) -> String {
    let name = match (&change.name, change.flag()) {
        (Some(name), Some(_)) => name.clone(),
        (Some(name), None) => format!("{} {name}", change.section),
        (None, _) => change.section.clone(),
    };
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".into());
    match (change.change, change.keys.as_slice()) {
        (PartFate::Added, _) => format!("{name} is new"),
        (PartFate::Removed, _) => format!("{name} is gone"),
        (PartFate::Changed, [one]) => {
            format!("{name}: {} from {} to {}", one.key, value(&one.before), value(&one.after))
        }
        (PartFate::Changed, keys) => {
            format!("{name}: {}", keys.iter().map(|one| one.key.as_str()).collect::<Vec<_>>().join(", "))
        }
    }
}

async fn show(
    State(context): State<Context>,
    visit: Visit,
    Path(id): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Answered {
    let named = id.clone();
    let difference = context
        .run(async move |workspace: &_| {
            let before = format!("{named}^");
            // the first revision has none before it: then it is compared with the files as they are now
            match diff(workspace, &before, &named).await {
                Ok(difference) => Ok((difference, true)),
                Err(_) => diff(workspace, &named, "now").await.map(|difference| (difference, false)),
            }
        })
        .await?;
    let (difference, has_before) = difference;
    let reference = if has_before { &difference.to } else { &difference.from };
    let by = reference.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
    let at = reference.at.map(|at| format!("{at:.0}")).unwrap_or_default();
    let what = if has_before { "What it changed" } else { "The first one that is kept; what changed since" };
    let flag = Fields(fields).get("flag").unwrap_or_default().to_owned();
    let frame = visit.frame(format!("Revision {}", short(&id)), Section::History);
    let (id, short) = (reference.revision.clone(), short(&reference.revision));
    let about = format!("{at}{by}. {what}:");
    Ok(visit.show(&RevisionPage { frame, id, short, about, flag, lines: lines(&difference.files) }))
}

/// The lines of a difference, as `diff -u` shows them.
fn lines(files: &[DifferentFile]) -> Vec<Line> {
    let mut lines = Vec::new();
    for file in files {
        lines.push(Line { class: "name", text: file.file.clone() });
        for hunk in &file.hunks {
            lines.push(Line { class: "faint", text: hunk.head() });
            lines.extend(hunk.lines.iter().map(|line| Line {
                class: match line.change {
                    LineFate::Same => "",
                    LineFate::Removed => "gone",
                    LineFate::Added => "come",
                },
                text: format!("{} {}", line.change.sign(), line.text),
            }));
        }
    }
    lines.truncate(LINES);
    lines
}

async fn ask(
    State(context): State<Context>,
    visit: Visit,
    Path(id): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
    Writer(caller): Writer,
) -> Answered {
    let flag = Fields(fields).get("flag").filter(|flag| !flag.is_empty()).map(ToOwned::to_owned);
    let planned = context
        .run(async move |workspace: &_| {
            preview(workspace, &Rollback { revision: &id, flag: flag.as_deref(), by: &caller.name }).await
        })
        .await
        .map_err(|error| Failure::from(error).back("/history"))?;
    Ok(show_preview(&visit, planned, false))
}

fn show_preview(visit: &Visit, planned: RollbackPreview, notice: bool) -> Response {
    let undoes = planned.undoes.iter().map(|one| format!("{}: {}", one.flag, one.what)).collect();
    visit.show(&RollbackPage {
        frame: visit.frame("Put it back", Section::History),
        short: short(&planned.to.revision),
        id: planned.to.revision,
        flag: planned.flag.unwrap_or_default(),
        is_change: planned.changed,
        notice,
        undoes,
        lines: lines(&planned.files),
        revision: planned.revision,
    })
}

async fn back(
    State(context): State<Context>,
    visit: Visit,
    Path(id): Path<String>,
    Writer(caller): Writer,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    let fields = Fields(fields);
    let flag = fields.get("flag").filter(|flag| !flag.is_empty()).map(ToOwned::to_owned);
    let seen = fields.get("revision").unwrap_or_default().to_owned();
    let undoes: Vec<String> = fields.all("undoes").map(Into::into).collect();
    let made = context.run(async move |workspace: &_| {
        let wanted = Rollback { revision: &id, flag: flag.as_deref(), by: &caller.name };
        let planned = preview(workspace, &wanted).await?;
        let now: Vec<_> = planned.undoes.iter().map(|one| format!("{}: {}", one.flag, one.what)).collect();
        if now != undoes {
            return Ok(RollbackAnswer::WouldUndo(planned));
        }
        rollback(workspace, &wanted, Confirmation::Of(&seen)).await
    });
    match made.await? {
        RollbackAnswer::WouldUndo(planned) => Ok(show_preview(&visit, planned, true)),
        RollbackAnswer::Done(back) => {
            context.takes_up(&back.revision).await;
            let what = back.flag.clone().unwrap_or_else(|| "Everything".into());
            let undo = back.undo.map(|undo| format!(" Undo: {undo}")).unwrap_or_default();
            let text = format!("{what} is as in revision {} again.{undo}", short(&back.to.revision));
            Ok(done("/history", &Said::new(text, back.flag.unwrap_or_default())))
        }
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_operations::history::KeyChange;

    use super::*;

    fn change(fate: PartFate, keys: &[(&str, Option<&str>, Option<&str>)]) -> PartChange {
        let key = |(key, before, after): &(&str, Option<&str>, Option<&str>)| KeyChange {
            key: (*key).into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        let keys = keys.iter().map(key).collect();
        PartChange { section: "flags".into(), name: Some("new_form".into()), change: fate, keys }
    }

    #[test]
    fn a_revision_says_what_it_changed_in_one_line() {
        let one = change(PartFate::Changed, &[("percent", Some("20"), None)]);
        assert_eq!(parts(&[one], false), "new_form: percent from 20 to not set");
        let added = change(PartFate::Added, &[]);
        assert_eq!(parts(&vec![added; 9], false).matches("is new").count(), PARTS);
    }

    #[test]
    fn hostile_lines_are_texts_and_who_may_only_read_puts_nothing_back() {
        let page = RevisionPage {
            frame: Frame::plain("Revision"),
            id: "abc".into(),
            short: "abc".into(),
            about: "<b>bold</b>".into(),
            flag: String::new(),
            lines: vec![Line { class: "come", text: "+ # <img src=x>".into() }],
        };
        let text = page.render().unwrap();
        assert!(!text.contains("<img") && !text.contains("<b>bold"), "{text}");
        assert!(!text.contains("/back"), "{text}");
    }
}
