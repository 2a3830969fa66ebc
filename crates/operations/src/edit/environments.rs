//! Environments in which a flag may still be on although its file says off.

use flagstaff_source::ParseOptions;

use crate::Error;
use crate::workspace::Workspace;

/// Why the flag may still be on, where no environment was named: [`Error::StillOn`] or [`Error::Overlay`], or [`Error::Flags`] where it cannot be
/// told which environments there are. An overlay that cannot be read comes first: the fact that it needs holds in every environment.
pub(super) fn still_on(workspace: &Workspace, flag: &str) -> Option<Error> {
    if workspace.source.environment().is_some() {
        return None;
    }
    let all = match workspace.source.environments() {
        Ok(all) => all,
        Err(report) => return Some(Error::Flags(Box::new(report))),
    };
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
