//! `flagstaff check --waffle`: what django-waffle decides itself, whatever the flag file says.

use anyhow::Context;
use flagstaff_flags::printable;
use flagstaff_import::waffle::{WaffleCheck, WaffleFinding, WaffleTables, check};

use crate::terminal::{FAINT, GOOD, ODD, STRONG, counted, out, styled};
use crate::waffle_rows;
use crate::workspace::Opened;

/// Names of flags that are shown in one line.
const SHOWN: usize = 20;

/// Compares the flags of a workspace with waffle's rows; nothing where the flag file cannot be used.
pub(super) fn checked(from: &str, opened: &Opened) -> anyhow::Result<Option<WaffleCheck>> {
    let bytes = waffle_rows::read(from)?;
    let tables = WaffleTables::read(&bytes).with_context(|| format!("cannot read {}", waffle_rows::named(from)))?;
    let Ok(snapshot) = opened.workspace.snapshot() else { return Ok(None) };
    Ok(Some(check(&tables, snapshot.flags().iter().map(AsRef::as_ref))))
}

/// Shows it.
pub(super) fn show(checked: &WaffleCheck) -> anyhow::Result<()> {
    let mut text: String = checked.findings.iter().map(finding).collect();
    if !checked.only_in_waffle.is_empty() {
        text += &format!(
            "{} stay with waffle, as the flag file has none of them: {}\n",
            counted(checked.only_in_waffle.len(), "flag"),
            names(&checked.only_in_waffle)
        );
    }
    if checked.switches + checked.samples > 0 {
        let (switches, samples) = (checked.switches, checked.samples);
        text +=
            &format!("its switches ({switches}) and samples ({samples}) stay with waffle: they look at no cookie\n");
    }
    text += &match checked.findings.len() {
        0 => format!("{}: waffle follows the proxy for {}\n", styled(GOOD, "fine"), counted(checked.flags, "flag")),
        many => format!("{} that waffle decides itself\n", counted(many, "thing")),
    };
    out(&text)
}

fn finding(finding: &WaffleFinding) -> String {
    let WaffleFinding { flag, waffle_name, kind, sentence, mend } = finding;
    let name = if flag == waffle_name { String::new() } else { format!(" ({})", printable(waffle_name)) };
    format!(
        "{}{name}: {}: {}\n  {}\n",
        styled(STRONG, flag),
        styled(ODD, &kind.to_string()),
        printable(sentence),
        styled(FAINT, &printable(mend))
    )
}

fn names(all: &[String]) -> String {
    let shown: Vec<_> = all.iter().take(SHOWN).map(|name| printable(name).into_owned()).collect();
    match all.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
