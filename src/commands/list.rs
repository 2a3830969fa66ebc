//! `flagstaff list`: every flag on a line.

use anstyle::Style;
use flagstaff_flags::{Flag, FlagMode, Origin, Percent, Snapshot, visible};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use crate::cli::List;
use crate::commands::Answer;
use crate::print::{BAD, FAINT, GOOD, ODD, STRONG, json as print_json, out, styled, table};
use crate::{facts, flags};

pub(crate) fn run(args: &List) -> anyhow::Result<Answer> {
    let settings = facts::settings(&args.facts)?;
    let snapshot = flags::seen_by_programs(&settings)?.with_facts(&facts::recorded(&settings));
    let today = flags::today();
    let chosen = |flag: &Flag| (!args.stale || flag.is_stale(today)) && (!args.expired || flag.is_expired(today));
    let flags: Vec<&Flag> = snapshot.flags().iter().map(|flag| &**flag).filter(|flag| chosen(flag)).collect();
    let held_out = |flag: &Flag| held_out(&snapshot, flag);
    if args.json {
        print_json(&flags.iter().map(|flag| as_json(&snapshot, flag, today)).collect::<Vec<_>>())?;
    } else if flags.is_empty() {
        out(if args.stale || args.expired { "None.\n" } else { "No flags yet.\n" })?;
    } else {
        let heading = ["FLAG", "STATE", "PERCENT", "VARIANTS", "OWNER", "EXPIRES", "ORIGIN"];
        let rows = flags.iter().map(|flag| row(&snapshot, flag, today));
        out(&table(&std::iter::once(heading.map(Into::into).into()).chain(rows).collect::<Vec<_>>()))?;
        let experiments: Vec<_> =
            flags.iter().filter(|flag| held_out(flag).is_some()).map(|flag| flag.name.as_str()).collect();
        if let Some(holdout) = snapshot.holdout() {
            let of = if experiments.is_empty() { "none of these is one".into() } else { experiments.join(", ") };
            out(&format!("\n{} percent of visitors are held out of all experiments: {of}\n", holdout.percent()))?;
        }
    }
    Ok(Answer::Yes)
}

/// The share of visitors who are held out of a flag that is an experiment now.
fn held_out(snapshot: &Snapshot, flag: &Flag) -> Option<f64> {
    let id = snapshot.find(flag.name.as_str())?;
    let is_tried = flag.enabled && flag.pin.is_none() && flag.is_experiment(snapshot.share(id, Timestamp::now()));
    snapshot.holdout().filter(|_| is_tried).map(|holdout| holdout.percent().as_f64())
}

fn as_json(snapshot: &Snapshot, flag: &Flag, today: Date) -> Value {
    let weights = flag.variants.weights().map(|(id, p)| (flag.variants.name(id).to_owned(), p.as_f64().into()));
    json!({
        "name": flag.name.as_str(),
        "enabled": flag.enabled,
        "percent": percent(snapshot, flag),
        "variants": if flag.variants.are_named() { Value::Object(weights.collect::<Map<_, _>>()) } else { json!(["off", "on"]) },
        "owner": flag.owner,
        "expires": flag.expires.map(|date| date.to_string()),
        "state": state(snapshot, flag).0,
        "origin": origin_of(snapshot, flag),
        "expired": flag.is_expired(today),
        "stale": flag.is_stale(today),
        "description": flag.description,
        "ticket": flag.ticket,
        "created": flag.created.map(|date| date.to_string()),
        "definition": flag.definition.to_string(),
        "held_out": held_out(snapshot, flag),
    })
}

/// What a flag does, in one word, and how that is shown.
fn state(snapshot: &Snapshot, flag: &Flag) -> (&'static str, Style) {
    let id = snapshot.find(flag.name.as_str());
    let tripped = id.is_some_and(|id| snapshot.is_tripped(id));
    let style = match flag.mode() {
        _ if id.is_some_and(|id| snapshot.switched_off(id).is_some()) => return (FlagMode::Off.as_str(), BAD),
        _ if tripped && flag.enabled => return ("tripped", BAD),
        FlagMode::Off => FAINT,
        FlagMode::On => GOOD,
        FlagMode::Split | FlagMode::Targeted | FlagMode::Rollout => STRONG,
    };
    (flag.mode().as_str(), style)
}

fn row(snapshot: &Snapshot, flag: &Flag, today: Date) -> Vec<String> {
    let (state, style) = state(snapshot, flag);
    let names = flag.variants.weights().map(|(id, p)| format!("{} {p}", flag.variants.name(id)));
    let variants = if flag.variants.are_named() { names.collect::<Vec<_>>().join(", ") } else { "off, on".into() };
    let expires = flag.expires.map(|date| date.to_string()).unwrap_or_default();
    let expires = if flag.is_expired(today) { styled(BAD, &expires) } else { expires };
    let note = if flag.is_stale(today) { styled(ODD, " stale") } else { String::new() };
    vec![
        flag.name.to_string(),
        styled(style, state) + &note,
        percent(snapshot, flag).map(|p| p.to_string()).unwrap_or_default(),
        variants,
        visible(flag.owner.as_deref().unwrap_or_default()).into_owned(),
        expires,
        origin_of(snapshot, flag),
    ]
}

/// The share that holds now: that of the rollout's step, or the one that is written or follows. None of a flag that was taken back.
fn percent(snapshot: &Snapshot, flag: &Flag) -> Option<f64> {
    let id = snapshot.find(flag.name.as_str())?;
    let is_off = snapshot.is_tripped(id) || snapshot.switched_off(id).is_some();
    let share = if is_off { Percent::ZERO } else { snapshot.share(id, Timestamp::now()) };
    Some(share.as_f64())
}

/// Where what holds was said; a flag that a person switched off beside its file says who did.
fn origin_of(snapshot: &Snapshot, flag: &Flag) -> String {
    let off = snapshot.find(flag.name.as_str()).and_then(|id| snapshot.switched_off(id));
    off.filter(|_| flag.pin.is_none()).map_or_else(|| origin(flag), Into::into)
}

/// Where what holds was said: a pin beats an overlay, which beats the file.
pub(crate) fn origin(flag: &Flag) -> String {
    match (&flag.pin, &flag.origin) {
        (Some(pin), _) => format!("pinned to {} by {}", flag.variants.name(pin.variant), pin.variable),
        (None, Origin::Overlay(environment)) => format!("overlay {environment}"),
        (None, Origin::File) => "file".into(),
    }
}
