//! Pins: `FLAGSTAFF_FLAG_NEW_CHECKOUT=on` in this machine's environment.

use flagstaff_flags::{Flag, Pin, VariantId, nearest};

use crate::decode::text::truth;
use crate::findings::{Finding, Sources};

/// What variables that pin a flag begin with.
pub const PREFIX: &str = "FLAGSTAFF_FLAG_";

/// Pins of flags, by the variables of this process, for [`ParseOptions::pins`](crate::ParseOptions::pins).
#[must_use]
pub fn from_environment() -> Vec<(String, String)> {
    let named = std::env::vars_os().filter_map(|(name, value)| {
        // a value that is not Unicode is no variant, and is told so
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    });
    named.filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// Pins flags. Variables become a text of their own, so that problems with them have a place.
pub(crate) fn apply(variables: &[(String, String)], flags: &mut [Flag], sources: &mut Sources) -> Vec<Finding> {
    let named = |pin: &'_ (String, String)| pin.0.strip_prefix(PREFIX).map(str::to_ascii_lowercase);
    let mut pins: Vec<_> = variables.iter().filter_map(|pin| Some((pin, named(pin)?))).collect();
    pins.sort();
    if pins.is_empty() {
        return Vec::new();
    }
    let lines: Vec<String> = pins.iter().map(|((variable, value), _)| format!("{variable}={value}")).collect();
    let mut at = sources.add("the environment", &lines.join("\n"));
    let mut findings = Vec::new();
    for (((variable, value), name), line) in pins.into_iter().zip(lines) {
        let name_span = at..at + variable.len();
        let value_span = at + variable.len() + 1..at + line.len();
        at += line.len() + 1;
        let Some(place) = flags.iter().position(|flag| flag.name.as_str() == name) else {
            let names = flags.iter().map(|flag| flag.name.as_str());
            findings.push(unknown_flag(&name, names, name_span));
            continue;
        };
        let Some(flag) = flags.get_mut(place) else {
            continue;
        };
        match variant(flag, value) {
            Some(variant) => {
                let variable = variable.clone();
                flag.pin = Some(Pin { variant, variable });
            }
            None => findings.push(unknown_variant(flag, value, value_span)),
        }
    }
    findings
}

/// The variant that a value names. Files for containers turn `on` into `true`, and shells are not strict about case, so a flag
/// that is on or off takes the usual words for that.
fn variant(flag: &Flag, value: &str) -> Option<VariantId> {
    let word = value.trim();
    let names = || flag.variants.names();
    let in_any_case =
        || names().iter().find(|name| name.eq_ignore_ascii_case(word)).and_then(|name| flag.variants.find(name));
    flag.variants.find(word).or_else(in_any_case).or_else(|| {
        let meant = truth(word)?;
        flag.variants.find(if meant { "on" } else { "off" })
    })
}

fn unknown_flag<'a>(name: &str, names: impl Iterator<Item = &'a str>, span: std::ops::Range<usize>) -> Finding {
    let finding = Finding::error(span, format!("this pins a flag `{name}` that does not exist"));
    let finding = finding.warning();
    match nearest(name, names) {
        Some(near) => finding.help(format!("did you mean {PREFIX}{}?", near.to_ascii_uppercase())),
        None => finding.help("take the variable out of the environment"),
    }
}

fn unknown_variant(flag: &Flag, value: &str, span: std::ops::Range<usize>) -> Finding {
    let names = flag.variants.names();
    let message = format!("the flag `{}` has no variant `{value}`", flag.name);
    let help = match nearest(value, names.iter().map(AsRef::as_ref)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it can be: {}", names.join(", ")),
    };
    Finding::error(span, message).help(help).of(Some(flag.name.as_str()))
}
