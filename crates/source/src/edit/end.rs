//! The end of an experiment: what it was goes into the archive first, and only then the flag file changes.

use flagstaff_flags::{Flag, FlagTexts, Snapshot};

use super::cut::{cut, left_in_file};
use super::end_checks::check_free_to_end;
use super::error::{EditError, Refused};
use super::settle::{VariantNames, settle, without_slices};
use crate::archive::{self, Ended};
use crate::assemble::ParseOptions;
use crate::store::FlagSource;

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// The flag.
    pub flag: &'a str,
    /// The variant everybody gets.
    pub winner: &'a str,
    /// What the flag can be.
    pub variants: VariantNames<'a>,
    /// What goes into the archive, but for the flag's text, which is added; none: it is there already.
    pub entry: Option<&'a Ended>,
    /// The flag is taken out; else everybody gets the winner.
    pub remove: bool,
    /// Nothing is written.
    pub dry_run: bool,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The flag's text before.
    pub text: String,
    /// Whether the archive has one more entry.
    pub archived: bool,
    /// Whether the flag file changed.
    pub changed: bool,
    /// What was taken out of the flag file, as paths: keys of the flag, slices of layers.
    pub gone: Vec<String>,
    /// The texts that the files have then.
    pub texts: FlagTexts,
}

/// Ends a flag: archives it, then gives everybody the winner, or takes the flag out. A run that was cut off between the two is
/// finished by the same call once more, and nothing is archived twice.
///
/// # Errors
/// When the files are no longer those of `revision`, an overlay has a say in the flag, another flag requires it and would not be
/// met, the result would be no valid document, or a file cannot be read or written. Nothing is changed then; but where the
/// flag file cannot be written, the archive may have its entry already.
pub fn end(
    source: &FlagSource,
    options: &ParseOptions,
    revision: &str,
    ending: &Ending<'_>,
) -> Result<Settled, Refused> {
    if let Some(why) = source.read_only().filter(|_| !ending.dry_run) {
        return Err(Refused::ReadOnly(why));
    }
    let _turn = source.turn()?;
    let before = source.read()?;
    if before.revision() != revision {
        return Err(Refused::Changed);
    }
    check_free_to_end(source, &before, ending.flag, ending.winner, ending.remove)?;
    let text = String::from_utf8_lossy(before.definitions()).into_owned();
    let (after, gone) = ended(&text, ending)?;
    let flag_text = taken(&text, ending.flag)?;
    let changed = after != text;
    let after = before.with_definitions(after.into_bytes());
    let loaded = source.parse(&after, options)?;
    if !ending.remove && !is_settled(&loaded.snapshot, ending) {
        return Err(Refused::Edit(EditError::NoValue {
            path: ending.flag.into(),
            why: "not everybody would get the winner; write the flag as a table of its own",
        }));
    }
    let archived = archive(source, ending, &flag_text, changed)?;
    if changed && !ending.dry_run {
        source.compare_and_set(&before, &after)?;
    }
    Ok(Settled { text: flag_text, archived, changed, gone, texts: after.texts() })
}

/// The text without the flag, or with everybody getting the winner.
fn ended(text: &str, ending: &Ending<'_>) -> Result<(String, Vec<String>), EditError> {
    if !ending.remove {
        return settle(text, ending.flag, ending.winner, ending.variants);
    }
    let (text, mut gone) = without_slices(text, ending.flag)?;
    let cut = cut(&text, &["flags", ending.flag])?;
    let text = cut.map_or(text, |cut| {
        gone.push(format!("flags.{}", ending.flag));
        left_in_file(cut.text)
    });
    Ok((text, gone))
}

/// The flag's own text. Lines from below `[flags]` get that header, so that they can be read by themselves.
pub(super) fn taken(text: &str, flag: &str) -> Result<String, EditError> {
    let cut = cut(text, &["flags", flag])?;
    let taken = cut
        // the mark of the file's beginning would be a character anywhere else
        .map(|cut| format!("{}\n", cut.taken.trim_start_matches('\u{feff}')))
        .ok_or_else(|| EditError::NoFlag { flag: flag.into(), near: None })?;
    let is_whole = |text: &str| {
        let read: Option<serde_json::Value> = toml::from_str(text).ok();
        read.is_some_and(|read| read["flags"].get(flag).is_some())
    };
    let headed = format!("[flags]\n{taken}");
    let inner = format!("[flags]\n{}\n", taken.trim_matches([',', ' ', '\n']));
    Ok([taken.clone(), headed, inner].into_iter().find(|text| is_whole(text)).unwrap_or(taken))
}

/// Whether everybody for whom it is enabled gets the winner.
fn is_settled(snapshot: &Snapshot, ending: &Ending<'_>) -> bool {
    let is = |flag: &Flag| match ending.variants {
        VariantNames::OffAndOn => flag.enabled == (ending.winner == "on"),
        VariantNames::Named(_) => flag.enabled && flag.variants.name(flag.variants.at(0)) == ending.winner,
    };
    snapshot.flag_named(ending.flag).is_some_and(|flag| is(flag))
}

/// Adds the entry, unless it is there: of the same text, or of a flag that is as it should be already.
fn archive(source: &FlagSource, ending: &Ending<'_>, text: &str, changed: bool) -> Result<bool, Refused> {
    let Some(entry) = ending.entry else {
        return Ok(false);
    };
    let name = source.archive_name();
    let before = source.archive()?;
    let known = archive::ended(before.as_deref().unwrap_or_default(), &name)?;
    let is_it = |one: &Ended| {
        let is_same = one.flag == entry.flag && one.winner == entry.winner;
        is_same && (one.text == text || !changed)
    };
    if archive::latest(&known, &entry.flag).is_some_and(is_it) {
        return Ok(false);
    }
    let one = Ended { text: text.into(), ..entry.clone() };
    let after = archive::with(before.as_deref(), &one, &name)?;
    if !ending.dry_run {
        source.replace_archive(before.as_deref(), &after)?;
    }
    Ok(true)
}
