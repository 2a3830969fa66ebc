//! Fingerprints of flags and texts.

use flagstaff_flags::{Definition, FlagTexts};
use sha2::{Digest, Sha256};
use toml::de::{DeTable, DeValue};

/// Keys of a flag that do not decide which variant a visitor is drawn into: an edit of one restarts no rollout and clears no trip.
///
/// - Notes for people: `description`, `owner`, `ticket`, `created`, `expires`, `metadata`.
/// - `enabled`: off and on again is as before. It has facts of its own.
/// - `gate`: what other paths answer while the flag is off. Its text is often written while something is wrong.
/// - `client` and `testing`: who may see or force it, not who gets it.
/// - `waffle_name` and `waffle_cookie_until`: what another program calls it, and who keeps the side of there. They are not counted.
const NOT_DECIDING: [&str; 12] = [
    "description",
    "owner",
    "ticket",
    "created",
    "expires",
    "metadata",
    "enabled",
    "gate",
    "client",
    "testing",
    "waffle_name",
    "waffle_cookie_until",
];

/// The fingerprint of the keys of a flag that decide. A word before them keeps it apart from the former rule's.
pub(crate) fn of(flag: &DeValue<'_>) -> Definition {
    let mut hash = Sha256::new();
    hash.update("decides");
    match flag {
        DeValue::Table(table) => feed_table(&mut hash, table, false, |key| !NOT_DECIDING.contains(&key)),
        other => feed(&mut hash, other, false),
    }
    first(hash)
}

/// The fingerprint of all keys of a flag, as earlier versions recorded it.
pub(crate) fn former(flag: &DeValue<'_>) -> Definition {
    let mut hash = Sha256::new();
    feed(&mut hash, flag, false);
    first(hash)
}

/// The first eight bytes of SHA-256 over a flag's table in one form: keys in order of the alphabet, numbers by their value,
/// no comments, no layout. Only under `variants` the written order stays, because there it means something.
fn first(hash: Sha256) -> Definition {
    let digest = hash.finalize();
    Definition(digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn feed_table(hash: &mut Sha256, table: &DeTable<'_>, in_order: bool, counts: impl Fn(&str) -> bool) {
    let mut entries: Vec<_> = table.iter().map(|(k, v)| (k.get_ref(), v.get_ref())).collect();
    entries.retain(|(key, _)| counts(key));
    part(hash, 't', &entries.len().to_string());
    if !in_order {
        entries.sort_by_key(|(key, _)| *key);
    }
    for (key, value) in entries {
        part(hash, 'k', key);
        feed(hash, value, key == "variants");
    }
}

/// Every part begins with its kind and length, so no two documents feed the same bytes.
fn feed(hash: &mut Sha256, value: &DeValue<'_>, in_order: bool) {
    match value {
        DeValue::String(text) => part(hash, 's', text),
        DeValue::Integer(_) | DeValue::Float(_) => part(hash, 'n', &number(value)),
        DeValue::Boolean(yes) => part(hash, 'b', &yes.to_string()),
        DeValue::Datetime(time) => part(hash, 's', &time.to_string()),
        DeValue::Array(list) => {
            part(hash, 'l', &list.len().to_string());
            list.iter().for_each(|value| feed(hash, value.get_ref(), false));
        }
        DeValue::Table(table) => feed_table(hash, table, in_order, |_| true),
    }
}

fn part(hash: &mut Sha256, kind: char, text: &str) {
    hash.update(format!("{kind}{}:{text}", text.len()));
}

/// 50, 5_0, 0x32 and 50.0 are one number.
fn number(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Integer(i) => {
            i128::from_str_radix(i.as_str(), i.radix()).map_or_else(|_| i.to_string(), |i| i.to_string())
        }
        DeValue::Float(f) => f.as_str().parse::<f64>().map_or_else(|_| f.to_string(), |f| f.to_string()),
        _ => String::new(),
    }
}

/// The revision of a set of flags: SHA-256 of its texts, in hexadecimal.
#[must_use]
pub fn revision_of(texts: &FlagTexts) -> String {
    revision([texts.definitions.as_bytes()].into_iter().chain(texts.overlay.as_deref().map(str::as_bytes)))
}

/// SHA-256 of the texts, in hexadecimal: for a single text what `sha256sum` says.
pub(crate) fn revision<'a>(texts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for (i, text) in texts.into_iter().enumerate() {
        if i > 0 {
            hash.update([0]);
        }
        hash.update(text);
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
