//! The last decisions, and those to come as they are made.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use flagstaff_operations::traffic::TailLine;
use flagstaff_operations::workspace::find;

use super::failure::{Answered, Failure};
use super::form::Fields;
use super::frame::{Frame, Section, Visit};
use crate::Context;
use crate::extract::Query;
use crate::live::event_id;

/// Rows of the table; the oldest make room.
const ROWS: usize = 100;
/// A longer filter is no id (bytes).
const MAX_FIELD: usize = 1024;
/// Digits of a revision that are shown.
const SHORT: usize = 12;

/// A decision as a row.
struct Row {
    line: TailLine,
    /// The time of day, to the millisecond.
    time: String,
    revision: String,
    visitor_query: String,
}

#[derive(Template)]
#[template(path = "tail.html")]
struct TailPage {
    frame: Frame,
    flags: Vec<String>,
    flag: String,
    visitor: String,
    rows: Vec<Row>,
    most: usize,
    /// The page itself, with its filter.
    address: String,
    /// Where decisions come from, beginning with the first that is not in the table.
    stream: String,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/tail", get(tail))
}

async fn tail(State(context): State<Context>, visit: Visit, Query(fields): Query<Vec<(String, String)>>) -> Answered {
    let fields = Fields(fields);
    let said = |name| fields.get(name).map(str::trim).filter(|text| !text.is_empty());
    let (flag, visitor) = (said("flag"), said("visitor"));
    if visitor.is_some_and(|visitor| visitor.len() > MAX_FIELD) {
        return Err(Failure::input("no visitor has so long an id").back("/tail"));
    }
    let snapshot = context.snapshot();
    if let Some(flag) = flag {
        find(&snapshot, flag).map_err(|error| Failure::from(error).back("/tail"))?;
    }
    let Some(traffic) = context.traffic() else {
        return Err(Failure::new(StatusCode::NOT_FOUND, "Nothing to see here", "This program watches no traffic."));
    };
    let mut reader = traffic.listen();
    let last = reader.last(flag, visitor, ROWS);
    let after = reader.position().map(|request| event_id(traffic.since(), request));
    let place = after.map_or(("last", ROWS.to_string()), |after| ("after", after));
    let wanted = [("flag", flag), ("visitor", visitor)];
    let wanted = wanted.iter().filter_map(|(name, value)| Some((*name, (*value)?.to_owned())));
    let page = TailPage {
        frame: visit.frame("Tail", Section::Tail),
        flags: snapshot.flags().iter().map(|flag| flag.name.to_string()).collect(),
        flag: flag.unwrap_or_default().into(),
        visitor: visitor.unwrap_or_default().into(),
        rows: last.into_iter().rev().map(|one| Row::new(one.into())).collect(),
        most: ROWS,
        address: address("/tail", wanted.clone()),
        stream: address("/api/v1/tail", wanted.chain([place])),
    };
    Ok(visit.show(&page))
}

fn address(path: &str, query: impl Iterator<Item = (&'static str, String)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    if query.is_empty() { path.into() } else { format!("{path}?{query}") }
}

impl Row {
    fn new(line: TailLine) -> Self {
        Self {
            time: line.at.get(11..23).unwrap_or(&line.at).to_owned(),
            revision: line.revision.chars().take(SHORT).collect(),
            visitor_query: address("", [("visitor", line.visitor.clone())].into_iter()),
            line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(path: &str) -> TailLine {
        TailLine {
            at: "2026-11-28T21:34:05.123Z".into(),
            visitor: "~00ff".into(),
            method: "GET".into(),
            path: path.into(),
            flag: "form".into(),
            variant: "on".into(),
            step: "percent".into(),
            reason: "SPLIT".into(),
            why: "drawn by percent".into(),
            revision: "3f0c12ab45cd67ef".into(),
            not_counted: Some("bot".into()),
        }
    }

    fn page(rows: Vec<Row>) -> String {
        let page = TailPage {
            frame: Frame::plain("Tail"),
            flags: vec!["form".into(), "price".into()],
            flag: "price".into(),
            visitor: "<me>".into(),
            rows,
            most: ROWS,
            address: address("/tail", [("visitor", "<me>".into())].into_iter()),
            stream: "/api/v1/tail?last=100".into(),
        };
        page.render().unwrap()
    }

    #[test]
    fn a_row_says_all_of_a_decision_and_what_strangers_wrote_stays_text() {
        let page = page(vec![Row::new(line("/<b>"))]);
        for wanted in ["21:34:05.123", "drawn by percent", ">3f0c12ab45cd<", "/tail?visitor=%7E00ff", "GET", "bot"] {
            assert!(page.contains(wanted), "{wanted}: {page}");
        }
        assert!(!page.contains("<b>") && !page.contains("<me>") && page.contains("<option selected>price"), "{page}");
    }

    #[test]
    fn where_nothing_came_it_says_so() {
        assert!(page(Vec::new()).contains("No decision is known yet"));
    }
}
