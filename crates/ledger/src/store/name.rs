//! How units and keys are written into the store: one rule for all that writes, deletes or looks for them.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

/// The longest name of a unit or key that is written as it is, in bytes.
pub(crate) const LONGEST_NAME: usize = 512;

/// A unit or key as every store keeps it: as it is, or, where it is longer than 512 bytes or has a NUL (which PostgreSQL
/// keeps none of), `hash:` and 128 bits of its SHA-256 in hexadecimal.
#[must_use]
pub fn stored_name(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_NAME && !text.contains('\0') {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("hash:{:032x}", hash(text)))
}

/// 128 bits of SHA-256.
pub(crate) fn hash(text: &str) -> u128 {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte))
}

/// The hash as `forgotten` keeps it.
pub(crate) fn hex(hash: u128) -> String {
    format!("{hash:032x}")
}

/// Reads [`hex`].
pub(crate) fn from_hex(text: &str) -> Option<u128> {
    u128::from_str_radix(text, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_and_those_with_a_nul_are_hashed() {
        assert_eq!(stored_name("user:42"), "user:42");
        assert_eq!(stored_name(&"x".repeat(512)), "x".repeat(512));
        let long = stored_name(&"x".repeat(513)).into_owned();
        assert!(long.len() == 37 && long.starts_with("hash:"), "{long}");
        assert_eq!(stored_name(&long), long, "it is found by what was written, too");
        assert_ne!(stored_name("a\0b"), stored_name("a\0c"));
        assert_eq!(from_hex(&hex(hash("a"))), Some(hash("a")));
    }
}
