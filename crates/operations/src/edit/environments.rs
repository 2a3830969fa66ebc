//! Environments in which a flag may still be on although its file says off, and those that an edit for another one changes.

use flagstaff_flags::nearest;
use flagstaff_source::ParseOptions;
use flagstaff_source::edit::EditPlan;

use crate::Error;
use crate::workspace::Workspace;

/// Why the flag may still be on, where no environment was named, or one that may be a slip for another: [`Error::StillOn`] or [`Error::Overlay`], or [`Error::Flags`] where it cannot be
/// told which environments there are. An overlay that cannot be read comes first: the fact that it needs holds in every environment.
pub(super) fn still_on(workspace: &Workspace, flag: &str) -> Option<Error> {
    if workspace.overlay().is_ok_and(|overlay| overlay.is_some()) {
        return None;
    }
    let all = match workspace.source.environments() {
        Ok(all) => all,
        Err(report) => return Some(Error::Flags(Box::new(report))),
    };
    // a name without an overlay may be a slip: then the definitions were edited, which the overlay that was meant overrules
    let named = workspace.source.environment();
    if named.is_some_and(|named| nearest(named, all.iter().map(String::as_str)).is_none()) {
        return None;
    }
    let found: Vec<_> = all.into_iter().filter_map(|environment| still_on_in(workspace, flag, environment)).collect();
    let first = found.iter().position(|one| matches!(one, Error::Overlay { .. })).unwrap_or_default();
    found.into_iter().nth(first)
}

fn still_on_in(workspace: &Workspace, flag: &str, environment: String) -> Option<Error> {
    let reading = ParseOptions { environment: Some(environment.clone()), ..ParseOptions::default() };
    match workspace.source.in_environment(&environment).load(&reading) {
        Ok(loaded) => {
            let is_on = loaded.snapshot.flag_named(flag).is_some_and(|flag| flag.enabled);
            is_on.then(|| Error::StillOn { flag: flag.to_owned(), environment })
        }
        Err(report) => Some(Error::Overlay { environment, report: Box::new(report) }),
    }
}

/// Which other environments an edit for one of them changes, in words: a key that its overlay does not have stands in the definitions, which
/// all read.
pub(super) fn reached(workspace: &Workspace, plan: &EditPlan) -> Option<String> {
    let source = &workspace.source;
    let (own, definitions) = (source.environment()?, source.name());
    if plan.texts_before().definitions == plan.texts().definitions {
        return None;
    }
    let others: Vec<_> = source.environments().ok()?.into_iter().filter(|other| other != own).collect();
    let all = others.join(" and ");
    (!others.is_empty()).then(|| format!("it is written in {definitions}, which the programs of {all} read, too"))
}
