//! One flag: what it does now, its rollout, its guard, its definition, and what happened to it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_flags::{Flag, Origin};
use flagstaff_operations::Error;
use flagstaff_operations::flags::{ListedState, source_text};
use flagstaff_operations::rollout::{RolloutStatus, status};
use flagstaff_operations::workspace::find;
use jiff::Timestamp;

use super::facts::FactLine;
use super::failure::Answered;
use super::frame::{Frame, Section, Visit};
use super::guard::{Tile, tiles};
use super::listed::{Chip, Seen, one};
use super::ramp::Ramp;
use super::traffic::Traffic;
use crate::Context;
use crate::extract::Path;

/// As many facts are shown.
const EVENTS: usize = 20;

#[derive(Template)]
#[template(path = "flag.html")]
struct FlagPage {
    frame: Frame,
    flag: String,
    state: &'static str,
    state_words: &'static str,
    mark: &'static str,
    headline: String,
    description: String,
    chips: Vec<Chip>,
    may_switch_on: bool,
    may_switch_off: bool,
    has_rollout: bool,
    has_goals: bool,
    problem: Option<String>,
    ramp: Option<Ramp>,
    traffic: Option<Traffic>,
    tiles: Vec<Tile>,
    notes: Vec<(&'static str, String)>,
    place: String,
    source: String,
    events: Vec<FactLine>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/flags/{flag}", get(flag))
}

async fn flag(State(context): State<Context>, visit: Visit, Path(name): Path<String>) -> Answered {
    let snapshot = context.snapshot();
    find(&snapshot, &name)?;
    let (wanted, asked) = (name.clone(), snapshot.clone());
    let (stands, text) = context
        .run(async move |workspace: &_| {
            Ok((status(workspace, &asked, &wanted).await, source_text(workspace, &wanted)))
        })
        .await?;
    let traffic = context.flag_traffic(&snapshot);
    let page = one(&snapshot, &name).map(|seen| {
        let (frame, now) = (visit.frame(seen.listed.name.clone(), Section::Flags), Timestamp::now());
        let traffic = traffic.iter().find(|one| one.flag == seen.listed.name);
        let traffic = traffic.map(|one| Traffic::of(seen.flag, one, now));
        FlagPage { traffic, ..page(frame, &seen, stands, text, now) }
    });
    Ok(page.map(|page| visit.show(&page)).unwrap_or_default())
}

fn page(
    frame: Frame,
    seen: &Seen<'_>,
    stands: Result<RolloutStatus, Error>,
    text: Result<String, Error>,
    now: Timestamp,
) -> FlagPage {
    let (stands, problem) = match stands {
        Ok(stands) => (Some(stands), None),
        Err(Error::NoLedger) => (None, Some("Nothing is recorded here, so there is no history.".into())),
        Err(error) => (None, Some(format!("What happened to it is not known: {error}"))),
    };
    let may_switch_off = seen.may_switch_off();
    let ramp = stands.as_ref().and_then(|stands| Ramp::of(stands, may_switch_off, now));
    let name = seen.flag.name.as_str();
    let events = stands.iter().flat_map(|stands| stands.history.iter().rev().take(EVENTS));
    FlagPage {
        frame,
        flag: name.into(),
        state: seen.listed.state.as_str(),
        state_words: seen.state_words(),
        mark: seen.mark(),
        headline: headline(seen, ramp.as_ref()),
        description: seen.listed.description.clone().unwrap_or_default(),
        chips: seen.chips(),
        may_switch_on: !may_switch_off,
        may_switch_off,
        has_rollout: seen.is_rolling_out(),
        has_goals: !seen.flag.goals.is_empty(),
        problem,
        traffic: None,
        tiles: stands.iter().flat_map(tiles).collect(),
        notes: notes(seen.flag),
        place: place(seen.flag),
        source: text.unwrap_or_default(),
        events: events.map(|entry| FactLine::of_one(name, entry, now)).collect(),
        ramp,
    }
}

/// Where its text stands: a pin is said above it.
fn place(flag: &Flag) -> String {
    match &flag.origin {
        Origin::File => "As it stands in the file:".into(),
        Origin::Overlay(environment) => format!("As it stands in the overlay {environment}:"),
    }
}

/// What it does now, in one sentence.
fn headline(seen: &Seen<'_>, ramp: Option<&Ramp>) -> String {
    let next = ramp.and_then(|ramp| ramp.next.as_deref());
    match next.filter(|_| seen.listed.state != ListedState::Tripped) {
        Some(next) => format!("{}; {next}", seen.means),
        None => seen.means.clone(),
    }
}

fn notes(flag: &Flag) -> Vec<(&'static str, String)> {
    let joined =
        |names: &[flagstaff_flags::Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let all = [
        ("Owner", flag.owner.clone()),
        ("Ticket", flag.ticket.clone()),
        ("Created", flag.created.map(|date| date.to_string())),
        ("Expires", flag.expires.map(|date| date.to_string())),
        ("Goals", Some(joined(&flag.goals)).filter(|goals| !goals.is_empty())),
        ("Formula", flag.hash.as_ref().map(|hash| hash.formula().to_string())),
        ("Layer", flag.layer.as_ref().map(ToString::to_string)),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
