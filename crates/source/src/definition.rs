//! Fingerprints of flags and texts.

use flagstaff_flags::Definition;
use sha2::{Digest, Sha256};
use toml::de::DeValue;

/// The first eight bytes of SHA-256 over a flag's table in one form: keys in order of the alphabet, numbers by their value,
/// no comments, no layout. Only under `variants` the written order stays, because there it means something.
pub(crate) fn of(flag: &DeValue<'_>) -> Definition {
    let mut hash = Sha256::new();
    feed(&mut hash, flag, false);
    let digest = hash.finalize();
    let first = digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    Definition(first)
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
        DeValue::Table(table) => {
            part(hash, 't', &table.len().to_string());
            let mut entries: Vec<_> = table.iter().map(|(k, v)| (k.get_ref(), v.get_ref())).collect();
            if !in_order {
                entries.sort_by_key(|(key, _)| *key);
            }
            for (key, value) in entries {
                part(hash, 'k', key);
                feed(hash, value, key == "variants");
            }
        }
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
