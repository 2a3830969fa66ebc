//! `flagstaff set`, `on` and `off`: edits in place that keep comments and layout.

use std::path::Path;

use flagstaff_flags::{Flag, VariantId};
use flagstaff_source::Files;
use flagstaff_source::edit::{EditError, Edited, Refused, edit, set as set_in, turn_off, turn_on};
use serde_json::json;

use crate::cli::{Flags, Set, Switch};
use crate::commands::{Answer, list};
use crate::flags;
use crate::print::{GOOD, ODD, STRONG, json as print_json, out, styled};
use crate::settings::shown_under;

pub(crate) fn set(args: &Set) -> anyhow::Result<Answer> {
    let changes: Vec<_> = args
        .values
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let edited = apply(&args.flags, |text| set_in(text, &args.flag, &changes))?;
    tell(&args.flag, &edited, args.json, None)
}

pub(crate) fn on(args: &Switch) -> anyhow::Result<Answer> {
    let edited = apply(&args.flags, |text| turn_on(text, &args.flag))?;
    tell(&args.flag, &edited, args.json, Some(true))
}

pub(crate) fn off(args: &Switch) -> anyhow::Result<Answer> {
    let edited = apply(&args.flags, |text| turn_off(text, &args.flag))?;
    tell(&args.flag, &edited, args.json, Some(false))
}

fn apply(args: &Flags, change: impl FnOnce(&str) -> Result<String, EditError>) -> anyhow::Result<Edited> {
    let settings = flags::settings(args)?;
    let path = flags::path(&settings.typed)?;
    let files = Files::new(&path, settings.typed.environment.as_deref());
    let reading = flags::reading(&settings.typed);
    edit(&files, &reading, None, change).map_err(|refused| refusal(refused, &path))
}

fn refusal(refused: Refused, path: &Path) -> anyhow::Error {
    match refused {
        Refused::Invalid(report) => {
            shown_under("nothing was written, because the file would be wrong:", &report)
        }
        other => anyhow::anyhow!("{}: {other}", path.display()),
    }
}

/// Says what the flag is now. What an overlay or a pin holds fast is not what was asked for: that is a no.
fn tell(name: &str, edited: &Edited, as_json: bool, wanted: Option<bool>) -> anyhow::Result<Answer> {
    let Some(flag) = edited.loaded.snapshot.flag_named(name) else {
        return Ok(Answer::No);
    };
    let holds = wanted.is_none_or(|on| is_as_wanted(flag, on));
    if as_json {
        let origin = list::origin(flag);
        let state = flag.state().as_str();
        print_json(
            &json!({ "flag": name, "changed": edited.changed, "state": state, "enabled": flag.enabled, "origin": origin, "in_force": holds }),
        )?;
    } else {
        let done = if edited.changed { "is now" } else { "was already" };
        let style = if holds { GOOD } else { ODD };
        out(&format!(
            "{} {done} {}\n",
            styled(STRONG, name),
            styled(style, flag.state().as_str())
        ))?;
        if !holds {
            out(&format!(
                "{}: {} says otherwise\n",
                styled(ODD, "but"),
                list::origin(flag)
            ))?;
        }
    }
    Ok(if holds { Answer::Yes } else { Answer::No })
}

fn is_as_wanted(flag: &Flag, on: bool) -> bool {
    match &flag.pin {
        Some(pin) => (pin.variant != VariantId::OFF) == on,
        None => flag.enabled == on,
    }
}
