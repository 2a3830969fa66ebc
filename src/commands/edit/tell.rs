//! What an edit came to: what the flag is now, where that stands, and how to undo it.

use flagstaff_flags::Snapshot;
use flagstaff_source::edit::Plan;
use serde_json::json;

use super::record::Record;
use super::{Case, is_as_wanted, means};
use crate::commands::{Answer, list};
use crate::print::{BAD, FAINT, GOOD, ODD, STRONG, err, json as print_json, out, styled};

/// What came of an edit of the file.
pub(super) struct Outcome {
    /// On or off, where that was asked for.
    pub(super) wanted: Option<bool>,
    /// Who made it is written down.
    pub(super) recorded: bool,
    /// Why the flag is not everywhere what was asked for.
    pub(super) problem: Option<String>,
}

/// An edit that was made.
pub(super) struct Done<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) plan: &'a Plan,
    pub(super) snapshot: &'a Snapshot,
    pub(super) outcome: &'a Outcome,
}

/// Says what the flag is now. What a pin or another file holds fast is not what was asked for: that is a no.
pub(super) fn done(done: &Done<'_>) -> anyhow::Result<Answer> {
    let Done { case, plan, snapshot, outcome } = done;
    let Some(flag) = snapshot.flag_named(case.name) else {
        return Ok(Answer::No);
    };
    let holds =
        outcome.problem.is_none() && outcome.wanted.map_or(flag.pin.is_none(), |on| is_as_wanted(snapshot, flag, on));
    let means = means::words(snapshot, flag);
    let is_change = plan.is_change() || outcome.recorded;
    if case.as_json {
        print_json(&json!({
            "flag": case.name,
            "changed": is_change,
            "state": flag.mode().as_str(),
            "enabled": flag.enabled,
            "origin": list::origin(flag),
            "in_force": holds,
            "means": means,
            "by": case.by,
            "recorded": outcome.recorded,
            "undo": undo(done),
        }))?;
    } else {
        let verb = if is_change { "is now" } else { "was already" };
        let style = if holds { GOOD } else { ODD };
        out(&format!("{} {verb} {}\n", styled(STRONG, case.name), styled(style, &means)))?;
        if let Some(problem) = &outcome.problem {
            out(&format!("{}: {problem}\n", styled(BAD, "but")))?;
        } else if !holds {
            out(&format!("{}: {} says otherwise\n", styled(BAD, "but"), list::origin(flag)))?;
        }
        if is_change {
            let files: Vec<_> = plan.files().map(|file| file.display().to_string()).collect();
            let place = if files.is_empty() { "in the ledger".into() } else { format!("in {}", files.join(" and ")) };
            out(&styled(FAINT, &format!("{place}, by {}; undo: {}\n", case.by, undo(done))))?;
        }
    }
    Ok(if holds { Answer::Yes } else { Answer::No })
}

/// How to have it as it was.
fn undo(done: &Done<'_>) -> String {
    let name = done.case.name;
    match (done.outcome.wanted, done.plan.undo()) {
        (Some(false), _) => format!("flagstaff on {name}"),
        (Some(true), [] | [_]) => format!("flagstaff off {name}"),
        (_, keys) => {
            let set: Vec<_> =
                keys.iter().filter_map(|one| Some(format!("{}={}", one.key, one.value.as_ref()?))).collect();
            let taken: Vec<_> =
                keys.iter().filter(|one| one.value.is_none()).map(|one| format!("`{}`", one.key)).collect();
            let set = (!set.is_empty()).then(|| format!("flagstaff set {name} {}", quoted(&set)));
            let taken = (!taken.is_empty()).then(|| format!("take {} out of the file", taken.join(" and ")));
            set.into_iter().chain(taken).collect::<Vec<_>>().join(", and ")
        }
    }
}

/// Words as a shell takes them.
fn quoted(words: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "=._-:/".contains(c);
    let quote = |word: &String| {
        if word.chars().all(plain) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) }
    };
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Says that a flag is off, or on again, by a fact in the ledger, because the file cannot say it; or that it is not. What was written
/// down is read again: it may be another's that counts.
pub(super) fn by_fact(
    case: &Case<'_>,
    mut record: Option<Record>,
    on: bool,
    recorded: Result<(), String>,
    why: &str,
) -> anyhow::Result<Answer> {
    let standing = record.as_mut().and_then(Record::standing);
    let is_off = standing.as_ref().is_some_and(|standing| standing.switched_off.is_some());
    let is_done = recorded.is_ok() && standing.is_some() && is_off != on;
    let help = recorded.err().unwrap_or_else(|| "the ledger says otherwise when it is read again".into());
    let word = if is_off { "off" } else { "on" };
    if case.as_json {
        print_json(&json!({
            "flag": case.name,
            "changed": is_done,
            "state": if is_done { word } else { "unknown" },
            "enabled": !is_off,
            "origin": if is_done { "ledger" } else { "none" },
            "in_force": is_done,
            "means": if is_off { "off for everyone" } else { "as it was" },
            "by": case.by,
            "recorded": is_done,
            "undo": format!("flagstaff {} {}", if is_off { "on" } else { "off" }, case.name),
        }))?;
        err(&format!("{}\n", why.trim_end()));
        if !is_done {
            err(&format!("{}: {help}\n", styled(BAD, "not in force")));
        }
        return Ok(if is_done { Answer::Yes } else { Answer::No });
    }
    let name = styled(STRONG, case.name);
    if !is_done {
        err(&format!("{}\n", why.trim_end()));
        err(&format!("{}: running programs cannot use the file, and {help}\n", styled(BAD, "not in force")));
        return Ok(Answer::No);
    }
    let place = record.map(|record| record.place).unwrap_or_default();
    let now = if is_off { "off for everyone" } else { "on again, as in the last good file" };
    out(&format!("{name} is now {}\n", styled(GOOD, now)))?;
    let undo = if is_off { "on" } else { "off" };
    out(&styled(
        FAINT,
        &format!(
            "in the ledger {place}, by {}: in force within a second in every program that uses it; undo: flagstaff {undo} {}\n",
            case.by, case.name
        ),
    ))?;
    err(&format!("{}: running programs cannot use the file\n{}\n", styled(ODD, "warning"), why.trim_end()));
    Ok(Answer::Yes)
}
