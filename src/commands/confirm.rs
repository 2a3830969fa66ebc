//! Something that undoes what happened is done only when a person says so.

use std::io::{BufRead as _, IsTerminal as _};

use flagstaff_operations::edit::Confirmation;

use crate::terminal::{BAD, ODD, err, styled};

const NOTHING_CHANGED: &str = "Nothing was changed.";

/// Says what would be undone, and asks whether to do it.
pub(crate) fn is_confirmed(what: &str) -> bool {
    err(&format!("{}: {what}\n", styled(ODD, "Warning")));
    if !std::io::stdin().is_terminal() {
        err(&format!("{} Add --yes to do it anyway.\n", styled(BAD, NOTHING_CHANGED)));
        return false;
    }
    err("Do it? [y/N] ");
    let mut answer = String::new();
    let is_yes = std::io::stdin().lock().read_line(&mut answer).is_ok() && answer.trim().eq_ignore_ascii_case("y");
    if !is_yes {
        err(&format!("{}\n", styled(BAD, NOTHING_CHANGED)));
    }
    is_yes
}

/// A confirmation as a running program takes it.
pub(crate) fn consent(confirmation: Confirmation<'_>) -> (bool, Option<&str>) {
    match confirmation {
        Confirmation::No => (false, None),
        Confirmation::Yes => (true, None),
        Confirmation::Of(revision) => (false, Some(revision)),
    }
}
