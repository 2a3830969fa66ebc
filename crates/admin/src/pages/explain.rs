//! Why a visitor gets a variant: the steps in their order, the one that decided, and how to check the draw by hand.

use std::net::{IpAddr, Ipv4Addr};

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use flagstaff_flags::{StepOutcome, User};
use flagstaff_operations::flags::{ExplainedNumber, Explainer, Explanation, Query as ExplainQuery, Request};
use flagstaff_operations::workspace::find;
use jiff::Timestamp;

use super::failure::{Answered, Failure};
use super::form::Fields;
use super::frame::{Frame, Section, Visit};
use crate::Context;
use crate::extract::Query;

/// A longer field is refused (bytes).
const MAX_FIELD: usize = 4096;
/// The fields of the form, in their order: name, label, example.
const FIELDS: [(&str, &str, &str); 9] = [
    ("visitor", "Visitor's id", "from X-Visitor-Id or a log line; empty: a new visitor"),
    ("user", "User's id", "42"),
    ("groups", "Groups", "beta, partners"),
    ("roles", "Roles", "staff"),
    ("path", "Path", "/"),
    ("language", "Language", "de-AT"),
    ("country", "Country", "DE"),
    ("address", "Address", "203.0.113.7"),
    ("header", "One header", "X-Plan: pro"),
];

/// A field with what was typed.
struct Field {
    name: &'static str,
    label: &'static str,
    example: &'static str,
    value: String,
}

/// A step that was tried.
struct Step {
    name: &'static str,
    detail: String,
    decided: bool,
}

/// What was explained.
struct Explained {
    variant: String,
    reason: String,
    steps: Vec<Step>,
    draw: Option<String>,
    /// The numbers of a formula of another system, in words.
    numbers: Vec<String>,
    python: Option<String>,
}

#[derive(Template)]
#[template(path = "explain.html")]
struct ExplainPage {
    frame: Frame,
    flags: Vec<String>,
    flag: String,
    fields: Vec<Field>,
    explained: Option<Explained>,
}

pub(super) fn routes() -> Router<Context> {
    Router::new().route("/explain", get(explain))
}

async fn explain(
    State(context): State<Context>,
    visit: Visit,
    Query(fields): Query<Vec<(String, String)>>,
) -> Answered {
    let fields = Fields(fields);
    if let Some((name, _)) = fields.0.iter().find(|(_, value)| value.len() > MAX_FIELD) {
        return Err(Failure::input(format!("`{name}` is too long: at most {MAX_FIELD} bytes")).back("/explain"));
    }
    let snapshot = context.snapshot();
    let flags: Vec<_> = snapshot.flags().iter().map(|flag| flag.name.to_string()).collect();
    let flag = fields.get("flag").unwrap_or_default().to_owned();
    let explained = match (flag.as_str(), fields.get("visitor")) {
        ("", _) | (_, None) => None,
        (name, Some(_)) => {
            let (_, found) = find(&snapshot, name)?;
            Some(explained(explanation(&context, &fields, name)?, found.salt()))
        }
    };
    let frame = visit.frame("Explain", Section::Explain);
    Ok(visit.show(&ExplainPage { frame, flags, flag, fields: form(&fields), explained }))
}

fn form(fields: &Fields) -> Vec<Field> {
    let value = |name| fields.get(name).unwrap_or_default().to_owned();
    FIELDS.map(|(name, label, example)| Field { name, label, example, value: value(name) }).into()
}

/// Asks as the proxy would read such a request.
fn explanation(context: &Context, fields: &Fields, flag: &str) -> Result<Explanation, Failure> {
    let filled = |name| fields.get(name).map(str::trim).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
    let list =
        |name| filled(name).iter().flat_map(|text| text.split(',')).map(|item| item.trim().to_owned()).collect();
    let user = filled("user").map(|id| User { id, groups: list("groups"), roles: list("roles") });
    let (headers, path, country) = (headers(&filled)?, filled("path"), filled("country"));
    let request = Request {
        method: "GET",
        path: path.as_deref().unwrap_or("/"),
        headers: &headers,
        address: address(filled("address"))?,
        country: country.as_deref(),
    };
    let query =
        ExplainQuery { visitor: filled("visitor"), user, sticky: &[], tripped: &[], request, at: Timestamp::now() };
    let (snapshot, settings) = (context.snapshot(), context.tagger_settings().clone());
    let explainer = Explainer::new(&snapshot, snapshot.recorded(), settings, &query);
    Ok(explainer.map_err(|error| Failure::from(error).back("/explain"))?.explain(flag))
}

fn headers(filled: &impl Fn(&'static str) -> Option<String>) -> Result<Vec<(String, String)>, Failure> {
    let mut headers: Vec<(String, String)> = Vec::new();
    headers.extend(filled("language").map(|language| ("accept-language".into(), language)));
    if let Some(header) = filled("header") {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            Failure::input(format!("`{header}` is not a header: write one such as X-Plan: pro")).back("/explain")
        })?;
        headers.push((name.trim().to_lowercase(), value.trim().into()));
    }
    Ok(headers)
}

fn address(text: Option<String>) -> Result<IpAddr, Failure> {
    let Some(text) = text else {
        return Ok(Ipv4Addr::LOCALHOST.into());
    };
    text.parse().map_err(|_| {
        Failure::input(format!("`{text}` is not an address: write one such as 203.0.113.7")).back("/explain")
    })
}

fn explained(one: Explanation, salt: &str) -> Explained {
    let draw = one.bucket.zip(one.position).zip(one.split);
    let is_of_salt = |unit: &&String| one.numbers.iter().any(|number| number.text == format!("{salt}:{unit}"));
    let plain = one.unit.as_ref().filter(|_| draw.is_some() && one.formula == "sha256").filter(is_of_salt);
    let python = plain.map(|unit| python(salt, unit));
    let numbers = one.numbers.iter().filter(|_| plain.is_none()).map(|number| number_in_words(&one.formula, number));
    let step = |step: flagstaff_operations::flags::ExplainedStep| Step {
        name: step.step.as_str(),
        detail: step.detail,
        decided: step.outcome == StepOutcome::Decided,
    };
    Explained {
        variant: one.variant,
        reason: one.reason,
        draw: draw.map(|((bucket, position), split)| format!("bucket {bucket}, position {position}, split {split}")),
        numbers: numbers.collect(),
        python,
        steps: one.trace.into_iter().map(step).collect(),
    }
}

/// What is hashed, and what comes out.
fn number_in_words(formula: &str, one: &ExplainedNumber) -> String {
    let says = if one.says == "both" { "position and variant" } else { &one.says };
    format!("{says} by {formula}: \"{}\" is {} of {} ({})", one.text, one.number, one.of, one.function)
}

/// The line of Python that makes the draw again.
fn python(salt: &str, unit: &str) -> String {
    let text = serde_json::to_string(&format!("{salt}:{unit}")).unwrap_or_default();
    format!(
        "import hashlib; x = int(hashlib.sha256({text}.encode()).hexdigest(), 16); r = x % 100000; \
         print(x % 100, r % 100 * 1000 + r // 100, x // 100000 % 100000)"
    )
}
