//! What all pages have around them, and who looks.

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

use flagstaff_operations::workspace::Replica;

use super::assets::{self, AssetPaths};
use super::flash::Said;
use crate::Context;
use crate::access::Caller;
use crate::response::no_store;

/// Digits of a revision that are shown.
const SHORT: usize = 12;

/// A part of the pages that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Start,
    Flags,
    Rollouts,
    Results,
    Simulator,
    Explain,
    Tail,
    History,
    Hygiene,
    Fleet,
    /// None of those that the navigation names.
    None,
}

/// What stands around a page.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) title: String,
    pub(super) section: Section,
    pub(super) caller: Option<String>,
    pub(super) may_write: bool,
    pub(super) said: Option<Said>,
    /// What keeps the page from being as new as it could be.
    pub(super) notice: Option<String>,
    pub(super) revision: String,
    pub(super) assets: AssetPaths,
}

impl Frame {
    /// Around a page for nobody in particular.
    pub(super) fn plain(title: &str) -> Self {
        Self {
            title: title.into(),
            section: Section::None,
            caller: None,
            may_write: false,
            said: None,
            notice: None,
            revision: String::new(),
            assets: assets::paths(),
        }
    }

    #[allow(clippy::unused_self, reason = "templates ask their frame")]
    pub(super) const fn sections(&self) -> [(Section, &'static str, &'static str); 10] {
        [
            (Section::Start, "/", "Start"),
            (Section::Flags, "/flags", "Flags"),
            (Section::Rollouts, "/rollouts", "Rollouts"),
            (Section::Results, "/results", "Results"),
            (Section::Simulator, "/simulator", "Simulator"),
            (Section::Explain, "/explain", "Explain"),
            (Section::Tail, "/tail", "Tail"),
            (Section::History, "/history", "History"),
            (Section::Hygiene, "/hygiene", "Hygiene"),
            (Section::Fleet, "/fleet", "Fleet"),
        ]
    }
}

/// A request for a page: who looks, and what is to be said to them.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    caller: Caller,
    said: Option<Said>,
    replica: Option<Replica>,
    revision: String,
}

impl FromRequestParts<Context> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, context).await?;
        let revision = context.snapshot().revision().chars().take(SHORT).collect();
        let replica = context.replica().cloned();
        Ok(Self { caller, said: Said::of(parts), replica, revision })
    }
}

impl Visit {
    /// The frame of a page.
    pub(super) fn frame(&self, title: impl Into<String>, section: Section) -> Frame {
        let reads = matches!(section, Section::Results | Section::History);
        let notice = self.replica.as_ref().filter(|_| reads).and_then(Replica::notice);
        Frame {
            title: title.into(),
            section,
            notice,
            caller: Some(self.caller.name.clone()),
            may_write: self.caller.may_write,
            said: self.said.clone(),
            revision: self.revision.clone(),
            assets: assets::paths(),
        }
    }

    /// The page as an answer. What was to be said once has been.
    pub(super) fn show(&self, page: &impl Template) -> Response {
        let mut answer = html(StatusCode::OK, page);
        if self.said.is_some() {
            Said::clear(&mut answer);
        }
        answer
    }
}

/// A page as an answer.
pub(super) fn html(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => no_store((status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text)),
        Err(error) => {
            tracing::error!(%error, "a page cannot be written");
            no_store(StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

/// Leads to another page after a change, which says what was done.
pub(super) fn done(to: &str, said: &Said) -> Response {
    let mut answer = no_store((StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]));
    said.send(&mut answer);
    answer
}
