//! The simulator: made-up visitors meet a flag, or a draft of it, at any percentage. It runs the evaluation that serves visitors.

use std::fmt::Write as _;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use flagstaff_flags::{Flag, Percent, RecordedFacts, Snapshot, VariantId};
use flagstaff_operations::Error;
use flagstaff_operations::flags::{Simulated, Simulation, draft, source_text};
use flagstaff_operations::workspace::{Workspace, find};

use super::failure::Answered;
use super::form::Fields;
use super::frame::{Frame, Section, Visit};
use super::words::grouped;
use crate::Context;
use crate::extract::{Form, Path, Query};

/// Visitors who meet the flag.
const VISITORS: usize = 10_000;
/// Those of them who are shown as dots.
const DOTS: usize = 200;
/// Dots in one row.
const COLUMNS: usize = 25;

/// A variant, and who fell into it.
struct Variant {
    name: String,
    sign: String,
    count: String,
    percent: String,
}

#[derive(Template)]
#[template(path = "simulator.html")]
struct SimulatorPage {
    frame: Frame,
    flag: String,
    flags: Vec<String>,
    percent: String,
    visitors: String,
    variants: Vec<Variant>,
    dots: String,
    draft: String,
    is_draft: bool,
    problem: Option<String>,
}

/// What was simulated.
struct Outcome {
    simulated: Simulated,
    dots: Vec<VariantId>,
    flag: Flag,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/simulator", get(first)).route("/simulator/{flag}", get(show).post(with_draft))
}

/// Leads to the flag that was chosen, or to the first one.
async fn first(State(context): State<Context>, Query(fields): Query<Vec<(String, String)>>) -> Redirect {
    let fields = Fields(fields);
    let snapshot = context.snapshot();
    let chosen = fields.get("flag").and_then(|name| snapshot.flag_named(name)).or_else(|| snapshot.flags().first());
    Redirect::to(&chosen.map_or_else(|| "/flags".into(), |flag| format!("/simulator/{}", flag.name)))
}

async fn show(
    State(context): State<Context>,
    visit: Visit,
    Path(flag): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Answered {
    answer(context, visit, flag, Fields(fields)).await
}

async fn with_draft(
    State(context): State<Context>,
    visit: Visit,
    Path(flag): Path<String>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Answered {
    answer(context, visit, flag, Fields(fields)).await
}

async fn answer(context: Context, visit: Visit, flag: String, fields: Fields) -> Answered {
    let snapshot = context.snapshot();
    find(&snapshot, &flag)?;
    let percent = percent(&fields);
    let typed = fields.get("draft").map(|text| text.replace("\r\n", "\n"));
    let flags = snapshot.flags().iter().map(|flag| flag.name.to_string()).collect();
    let frame = visit.frame(format!("Simulate {flag}"), Section::Simulator);
    let page = context
        .run(async move |workspace: &_| {
            let saved = source_text(workspace, &flag).unwrap_or_default();
            let changed = typed.filter(|text| !text.trim().is_empty() && text.trim() != saved.trim());
            let (tried, problem) = tried(workspace, &snapshot, &flag, changed.as_deref());
            let outcome = simulate(&tried, &flag, percent).or_else(|_| simulate(&snapshot, &flag, percent))?;
            let is_draft = changed.is_some() && problem.is_none();
            Ok(page(frame, &outcome, flags, changed.unwrap_or(saved), is_draft, problem))
        })
        .await?;
    Ok(visit.show(&page))
}

/// The flags to try: those of the draft where it is sound, else those in force, with what is wrong with the draft.
fn tried(
    workspace: &Workspace,
    snapshot: &Arc<Snapshot>,
    flag: &str,
    text: Option<&str>,
) -> (Arc<Snapshot>, Option<String>) {
    match text.map(|text| draft(workspace, flag, text)) {
        Some(Ok(draft)) if draft.flag_named(flag).is_some() => (draft, None),
        Some(Ok(_)) => (Arc::clone(snapshot), Some(format!("the draft defines no flag `{flag}`"))),
        Some(Err(error)) => (Arc::clone(snapshot), Some(error.to_string())),
        None => (Arc::new(snapshot.with_facts(&RecordedFacts::default())), None),
    }
}

fn percent(fields: &Fields) -> Option<Percent> {
    let number: f64 = fields.get("percent")?.parse().ok()?;
    Percent::new((number.clamp(0.0, 100.0) * 1000.0).round() / 1000.0).ok()
}

fn simulate(snapshot: &Arc<Snapshot>, flag: &str, percent: Option<Percent>) -> Result<Outcome, Error> {
    let mut simulation = Simulation::new(snapshot, flag, percent)?;
    let mut dots = Vec::with_capacity(DOTS);
    for visitor in 0..VISITORS {
        let variant = simulation.next_visitor();
        if visitor < DOTS {
            dots.push(variant);
        }
    }
    Ok(Outcome { simulated: simulation.answer(), dots, flag: simulation.flag().clone() })
}

fn page(
    frame: Frame,
    outcome: &Outcome,
    flags: Vec<String>,
    draft: String,
    is_draft: bool,
    problem: Option<String>,
) -> SimulatorPage {
    let simulated = &outcome.simulated;
    let variant = |(name, count): &(String, u64)| Variant {
        sign: sign(&outcome.flag, name),
        name: name.clone(),
        count: grouped(*count),
        percent: format!("{:.2}", *count as f64 * 100.0 / simulated.visitors.max(1) as f64),
    };
    SimulatorPage {
        frame,
        flag: simulated.flag.clone(),
        flags,
        percent: simulated.percent.to_string(),
        visitors: grouped(simulated.visitors),
        variants: simulated.variants.iter().map(variant).collect(),
        dots: dots(outcome),
        draft,
        is_draft,
        problem,
    }
}

/// The class of a variant's dots; the control has none.
fn class(flag: &Flag, variant: VariantId) -> &'static str {
    if variant == flag.variants.control() || variant == VariantId::OFF {
        return "";
    }
    let treatments = flag.variants.names().iter().enumerate().map(|(index, _)| index);
    let place = treatments
        .filter(|index| *index != VariantId::OFF.index() && *index != flag.variants.control().index())
        .position(|index| index == variant.index());
    ["in", "v2", "v3", "v4"].into_iter().cycle().nth(place.unwrap_or_default() % 4).unwrap_or_default()
}

/// A dot beside the name of a variant.
fn sign(flag: &Flag, name: &str) -> String {
    let class = flag.variants.find(name).map(|id| class(flag, id)).unwrap_or_default();
    format!(
        r#"<svg class="dots key" width="12" height="12" viewBox="0 0 12 12" aria-hidden="true"><circle class="{class}" cx="6" cy="6" r="4.5"/></svg>"#
    )
}

/// Each visitor at a place of their own, whatever the percentage.
fn dots(outcome: &Outcome) -> String {
    let rows = DOTS / COLUMNS;
    let mut svg = format!(
        r#"<svg class="dots" viewBox="0 0 {} {}" role="img" aria-label="{DOTS} visitors, each always at the same place">"#,
        COLUMNS * 12,
        rows * 12
    );
    for (place, variant) in outcome.dots.iter().enumerate() {
        let (x, y) = (place % COLUMNS * 12 + 6, place / COLUMNS * 12 + 6);
        let _ = write!(svg, r#"<circle class="{}" cx="{x}" cy="{y}" r="4.5"/>"#, class(&outcome.flag, *variant));
    }
    svg + "</svg>"
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::Name;

    use super::*;

    fn sides(percent: f64) -> Vec<bool> {
        let flag = Flag::new(Name::new("new_form").unwrap());
        let snapshot = Arc::new(Snapshot::new("r1", vec![flag], vec![], vec![], vec![]).unwrap());
        let outcome = simulate(&snapshot, "new_form", Some(Percent::new(percent).unwrap())).unwrap();
        let on = outcome.simulated.variants.iter().find(|(name, _)| name == "on").unwrap().1;
        assert!((on as f64 / 100.0 - percent).abs() < 1.0, "{on} at {percent}");
        let svg = dots(&outcome);
        assert_eq!(svg.matches("<circle").count(), DOTS);
        outcome.dots.iter().map(|variant| *variant == VariantId::ON).collect()
    }

    #[test]
    fn no_dot_changes_sides_while_the_percentage_grows() {
        let shares = [10.0, 37.0, 45.5, 60.0, 100.0].map(sides);
        for pair in shares.windows(2) {
            assert!(pair[0].iter().zip(&pair[1]).all(|(before, after)| !before || *after));
        }
        assert!(shares[4].iter().all(|is_on| *is_on));
    }

    #[test]
    fn nonsense_as_a_percentage_is_brought_inside() {
        let of = |text: &str| percent(&Fields(vec![("percent".into(), text.into())]));
        assert_eq!(of("370"), Some(Percent::ALL));
        assert_eq!(of("-1"), Some(Percent::ZERO));
        assert_eq!([of("many"), of("NaN")], [None, None]);
    }
}
