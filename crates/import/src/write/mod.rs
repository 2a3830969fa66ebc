//! Flags that were read become a flag file and a report.
//!
//! `settle` gives names and makes tables of conditions; `flag`, `segment` and `layer` say what stands under each heading; `toml` writes
//! texts so that nothing of an export slips out of its quotes or its comment.

mod flag;
mod groups;
mod settle;
mod toml;

use crate::model::{Flag, Imported, Note};
use crate::report::{Carried, Import, Report};
use settle::Settling;

/// Writes the flag file, and says what became of each flag.
pub(crate) fn written(title: &str, imported: Imported) -> Import {
    let Imported { flags, segments, layers, notes } = imported;
    let flags: Vec<_> = flags.into_iter().enumerate().map(|(place, flag)| with_a_name(place, flag)).collect();
    let mut settling = Settling::new(&flags, segments);
    let mut report = Report { system: title.to_owned(), ..Report::default() };
    let mut body = String::new();
    for (place, flag) in flags.into_iter().enumerate() {
        let (text, of) = match flag.refused.clone() {
            Some(why) => flag::refused(&flag.origin, why),
            None => flag::written(title, place, flag, &mut settling),
        };
        body += &text;
        report.flags.push(of);
    }
    body += &groups::layers(&layers, &mut settling);
    body += &groups::segments(&settling);
    report.notes = notes.iter().chain(&settling.notes).map(|note| note.text().to_owned()).collect();
    let toml = heading(title, &report, &notes) + &body;
    Import { toml, report }
}

/// A flag without a name is known by its place, so that people find it.
fn with_a_name(place: usize, mut flag: Flag) -> Flag {
    if flag.origin.trim().is_empty() {
        flag.origin = format!("flag {} of the export", place + 1);
        flag.lost("It has no name in the export.");
    }
    flag
}

fn heading(title: &str, report: &Report, notes: &[Note]) -> String {
    let count = |carried| report.count(carried);
    let (whole, part, not) = (count(Carried::Exactly), count(Carried::InPart), count(Carried::Not));
    let mut text = toml::comment(&format!(
        "Flags from {title}, by `flagstaff import`: {whole} carried exactly, {part} in part, {not} not."
    ));
    if report.renamed() > 0 {
        let names = "have another name here, by which code must ask for them; it stands at each of them.";
        text += &toml::comment(&format!("{} of them {names}", report.renamed()));
    }
    if whole + part == 0 {
        text += &toml::comment("There is no flag in this file yet.");
    }
    notes.iter().for_each(|note| text += &toml::comment(note.text()));
    text
}
