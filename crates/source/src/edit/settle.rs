//! An experiment that is over: everybody gets the winner, whatever was said of whom.

use toml_edit::Document;

use super::cut::cut;
use super::error::EditError;
use super::read::value;
use super::set::{find_flag, set};

/// What says who gets what, and what is counted. The rest of a flag stays: what it is, what its variants mean, whom it needs.
const DECIDING: [&str; 14] = [
    "percent",
    "rollout",
    "guard",
    "rules",
    "allow",
    "deny",
    "sticky",
    "waffle_cookie_until",
    "layer",
    "goals",
    "exposed_on",
    "bucket_by",
    "salt",
    "hash",
];

/// A flag's variants as they are in the file.
#[derive(Clone, Copy, Debug)]
pub enum VariantNames<'a> {
    /// Off and on.
    OffAndOn,
    /// Variants with names and weights.
    Named(&'a [&'a str]),
}

/// A text in which everybody gets one variant of a flag, and what was taken out for that, as paths.
///
/// # Errors
/// When the text is not TOML, there is no such flag, or it is written in a way that cannot be edited.
pub(super) fn settle(
    text: &str,
    flag: &str,
    winner: &str,
    variants: VariantNames<'_>,
) -> Result<(String, Vec<String>), EditError> {
    let is_on = winner != "off";
    let (mut text, mut gone) = without_slices(text, flag)?;
    let VariantNames::Named(names) = variants else {
        // a flag is on for everybody when nothing is said; but something must be left of it
        if !is_on || says_anything(&text, flag, "enabled")? || is_hollow(&text, flag)? {
            text = with(&text, flag, "enabled", if is_on { "true" } else { "false" })?;
        }
        return Ok((without_deciding(text, flag, &mut gone)?, gone));
    };
    for name in names {
        text = with(&text, flag, &format!("variants.{name}"), if *name == winner { "100" } else { "0" })?;
    }
    if says_anything(&text, flag, "enabled")? {
        text = with(&text, flag, "enabled", "true")?;
    }
    Ok((without_deciding(text, flag, &mut gone)?, gone))
}

fn without_deciding(mut text: String, flag: &str, gone: &mut Vec<String>) -> Result<String, EditError> {
    for key in DECIDING {
        if let Some(cut) = cut(&text, &["flags", flag, key])? {
            text = cut.text;
            gone.push(key.into());
        }
    }
    Ok(text)
}

/// Whether nothing is left of a flag once it does not decide any more: it has no header and no other key.
fn is_hollow(text: &str, flag: &str) -> Result<bool, EditError> {
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    let keeps = find_flag(document.as_table(), flag)?.iter().any(|(key, _)| !DECIDING.contains(&key));
    Ok(!keeps)
}

/// A text in which a key says this; the same text where it does already.
fn with(text: &str, flag: &str, path: &str, wanted: &str) -> Result<String, EditError> {
    if value(text, flag, path)?.as_deref() == Some(wanted) {
        return Ok(text.to_owned());
    }
    set(text, flag, &[(path, wanted)])
}

/// A text without the flag's slices of layers, and the paths of those.
pub(super) fn without_slices(text: &str, flag: &str) -> Result<(String, Vec<String>), EditError> {
    let (mut text, mut gone) = (text.to_owned(), Vec::new());
    for layer in layers(&text)? {
        if let Some(cut) = cut(&text, &["layers", &layer, "slices", flag])? {
            text = cut.text;
            gone.push(format!("layers.{layer}.slices.{flag}"));
        }
    }
    Ok((text, gone))
}

fn layers(text: &str) -> Result<Vec<String>, EditError> {
    let document = Document::parse(text).map_err(|e| EditError::NotToml(e.message().into()))?;
    let layers = document.as_table().get("layers").and_then(toml_edit::Item::as_table_like);
    Ok(layers.into_iter().flat_map(|layers| layers.iter().map(|(name, _)| name.to_owned())).collect())
}

fn says_anything(text: &str, flag: &str, path: &str) -> Result<bool, EditError> {
    Ok(value(text, flag, path)?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn settled(text: &str, winner: &str, variants: VariantNames<'_>) -> String {
        let (once, _) = settle(text, "a", winner, variants).unwrap();
        let (twice, gone) = settle(&once, "a", winner, variants).unwrap();
        assert_eq!((once.as_str(), gone), (twice.as_str(), vec![]), "twice is once");
        once
    }

    const FORM: &str = "[flags.a]\nowner = \"me\" # mine\nenabled = true # yes\npercent = 50\ngoals = [\"g\"]\nallow.users = [\"1\"]\n\n[flags.a.guard]\nerrors = \"5xx\"\n\n[flags.b]\npercent = 5\n\n[layers.p]\nslices = { a = [0, 50], b = [50, 100] }\n";

    #[test]
    fn on_and_off() {
        let rest = "\n[flags.b]\npercent = 5\n\n[layers.p]\nslices = { b = [50, 100] }\n";
        let head = "[flags.a]\nowner = \"me\" # mine\nenabled = true # yes\n";
        assert_eq!(settled(FORM, "on", VariantNames::OffAndOn), format!("{head}{rest}"));
        let off = head.replace("true", "false");
        assert_eq!(settled(FORM, "off", VariantNames::OffAndOn), format!("{off}{rest}"));
        assert_eq!(settled("[flags.a]\npercent = 5\n", "on", VariantNames::OffAndOn), "[flags.a]\nenabled = true\n");
        assert_eq!(
            settled("[flags.a]\nenabled = false\n", "on", VariantNames::OffAndOn),
            "[flags.a]\nenabled = true\n"
        );
        let (_, gone) = settle(FORM, "a", "on", VariantNames::OffAndOn).unwrap();
        assert_eq!(gone, ["layers.p.slices.a", "percent", "guard", "allow", "goals"]);
    }

    #[test]
    fn weights() {
        let text = "[flags.a]\nvariants = { x = 50, y = 50.0 } # two\npercent = 10\n";
        let named = VariantNames::Named(&["x", "y"]);
        assert_eq!(settled(text, "y", named), "[flags.a]\nvariants = { x = 0, y = 100 } # two\n");
        let table = "[flags]\na.percent = 1\n[flags.a.variants]\nx = 50\ny = 50\n";
        assert_eq!(settled(table, "x", named), "[flags]\n[flags.a.variants]\nx = 100\ny = 0\n");
    }

    #[test]
    fn a_flag_that_is_only_a_header_is_still_there() {
        let text = "[flags.b]\n[flags.a.guard]\nerrors = \"5xx\"\n";
        assert!(settled(text, "on", VariantNames::OffAndOn).contains("flags.a"));
    }
}
