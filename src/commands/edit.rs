//! `flagstaff set`, `on` and `off`: edits in place that keep comments and layout.

use std::path::Path;
use std::sync::Arc;

use flagstaff_flags::{Definition, Flag, Origin, VariantId};
use flagstaff_source::edit::{EditError, Edited, Refused, edit, set as set_in, turn_off, turn_on};
use flagstaff_source::{Files, Loaded};
use serde_json::json;

use crate::cli::{Flags, Set, Switch};
use crate::commands::{Answer, list};
use crate::flags;
use crate::print::{GOOD, ODD, STRONG, json as print_json, out, styled};
use crate::settings::shown_under;

pub(crate) fn set(args: &Set) -> anyhow::Result<Answer> {
    let changes: Vec<_> = args.values.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let done = apply(&args.flags, &args.flag, |text| set_in(text, &args.flag, &changes))?;
    tell(&args.flag, &done, args.json, None)
}

pub(crate) fn on(args: &Switch) -> anyhow::Result<Answer> {
    let done = apply(&args.flags, &args.flag, |text| turn_on(text, &args.flag))?;
    tell(&args.flag, &done, args.json, Some(true))
}

pub(crate) fn off(args: &Switch) -> anyhow::Result<Answer> {
    let done = apply(&args.flags, &args.flag, |text| turn_off(text, &args.flag))?;
    tell(&args.flag, &done, args.json, Some(false))
}

fn apply(args: &Flags, name: &str, change: impl FnOnce(&str) -> Result<String, EditError>) -> anyhow::Result<Done> {
    let settings = flags::settings(args)?;
    let path = flags::path(&settings.typed)?;
    let files = Files::new(&path, settings.typed.environment.as_deref());
    let reading = flags::reading(&settings.typed);
    let before = flagstaff_source::load(&path, &reading);
    let before = before.ok().and_then(|loaded| definition(&loaded, name));
    let overlay = files.overlay().filter(|_| before.is_some());
    let edited = edit(&files, &reading, None, change).map_err(|refused| match (&refused, overlay) {
        (Refused::Edit(EditError::NoFlag { .. }), Some(overlay)) => {
            anyhow::anyhow!("only {} defines the flag `{name}`: edit it there", overlay.display())
        }
        _ => refusal(refused, &path),
    })?;
    let after = definition(&edited.loaded, name);
    let in_vain = edited.changed && after.is_some() && before == after;
    Ok(Done { edited, in_vain })
}

/// What a flag is, where an overlay has a say in it.
fn definition(loaded: &Loaded, name: &str) -> Option<Definition> {
    let overlaid = |flag: &&Arc<Flag>| matches!(flag.origin, Origin::Overlay(_));
    let flag = loaded.snapshot.flag_named(name).filter(overlaid)?;
    Some(flag.definition)
}

/// An edit that was made.
struct Done {
    edited: Edited,
    /// The file changed, and the flag did not: an overlay says the same keys.
    in_vain: bool,
}

fn refusal(refused: Refused, path: &Path) -> anyhow::Error {
    match refused {
        Refused::Invalid(report) => shown_under("nothing was written, because the file would be wrong:", &report),
        other => anyhow::anyhow!("{}: {other}", path.display()),
    }
}

/// Says what the flag is now. What an overlay or a pin holds fast is not what was asked for: that is a no.
fn tell(name: &str, done: &Done, as_json: bool, wanted: Option<bool>) -> anyhow::Result<Answer> {
    let Done { edited, in_vain } = done;
    let Some(flag) = edited.loaded.snapshot.flag_named(name) else {
        return Ok(Answer::No);
    };
    let holds = match wanted {
        Some(on) => is_as_wanted(flag, on),
        None => !in_vain,
    };
    if as_json {
        let origin = list::origin(flag);
        let state = flag.state().as_str();
        print_json(
            &json!({ "flag": name, "changed": edited.changed, "state": state, "enabled": flag.enabled, "origin": origin, "in_force": holds }),
        )?;
    } else {
        let done = if edited.changed { "is now" } else { "was already" };
        let style = if holds { GOOD } else { ODD };
        out(&format!("{} {done} {}\n", styled(STRONG, name), styled(style, flag.state().as_str())))?;
        if !holds {
            out(&format!("{}: {} says otherwise\n", styled(ODD, "but"), list::origin(flag)))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_overlay_holds_fast_is_not_done() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("flags.toml");
        std::fs::write(&file, "[flags.a]\npercent = 50\n").unwrap();
        std::fs::write(folder.path().join("flags.production.toml"), "[flags.a]\npercent = 7\n").unwrap();
        let set = |key: &str, value: &str| {
            let flags = Flags {
                flags: Some(file.display().to_string()),
                environment: Some("production".into()),
                config: None,
            };
            set(&Set { flag: "a".into(), values: vec![(key.into(), value.into())], flags, json: true }).unwrap()
        };
        assert_eq!(set("percent", "20"), Answer::No);
        assert!(std::fs::read_to_string(&file).unwrap().contains("percent = 20"));
        assert_eq!(set("owner", "growth"), Answer::Yes);
    }
}
