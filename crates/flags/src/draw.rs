//! The draw: where a unit falls for a salt.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::Percent;

/// Everything read off one hash: `position` needs the remainder by 10⁵, `split` the next five decimal digits.
const MODULUS: u128 = 10_000_000_000;

/// 2^(32·i) mod 10¹⁰ for the eight words of a digest, the most significant first.
const WEIGHTS: [u64; 8] = {
    let mut weights = [1; 8];
    let mut i = 7;
    while i > 0 {
        i -= 1;
        weights[i] = ((weights[i + 1] as u128 * (1 << 32)) % MODULUS) as u64;
    }
    weights
};

/// The first 32 bits of the fractional parts of the square roots of the first eight primes (FIPS 180-4, 5.3.3).
const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// Where a unit falls for a salt, read off `x = SHA-256(salt ":" unit)` taken as one big-endian integer.
///
/// ```
/// // python3: int(hashlib.sha256(b"new_dashboard:831283").hexdigest(), 16) % 100
/// assert_eq!(flagstaff_flags::Draw::of("new_dashboard", "831283").bucket(), 42);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    position: u32,
    split: u32,
}

impl Draw {
    /// Draws for one salt and unit.
    #[must_use]
    pub fn of(salt: &str, unit: &str) -> Self {
        let x = remainder(one_block(salt, unit).unwrap_or_else(|| any_length(salt, unit)));
        let (r, split) = (x % 100_000, x / 100_000);
        #[allow(clippy::cast_possible_truncation, reason = "both are below 100,000")]
        Self { position: ((r % 100) * 1000 + r / 100) as u32, split: split as u32 }
    }

    /// A draw by another formula; positions beyond the last one are the last one.
    pub(crate) fn at(position: u32, split: u32) -> Self {
        let last = Percent::WHOLE - 1;
        Self { position: position.min(last), split: split.min(last) }
    }

    /// A draw that was made before; `None` when a position is beyond 99,999.
    pub(crate) fn of_parts(position: u32, split: u32) -> Option<Self> {
        (position < Percent::WHOLE && split < Percent::WHOLE).then_some(Self { position, split })
    }

    /// `x mod 100`: 0 to 99.
    #[must_use]
    pub const fn bucket(self) -> u32 {
        self.position / 1000
    }

    /// Thousandths of a percent, 0 to 99,999, finer within the bucket: with `r = x mod 100000`,
    /// `(r mod 100)·1000 + r div 100`.
    #[must_use]
    pub const fn position(self) -> u32 {
        self.position
    }

    /// The draw among variants, independent of the position: `(x div 100000) mod 100000`.
    #[must_use]
    pub const fn split(self) -> u32 {
        self.split
    }
}

/// The hash of `salt ":" unit` when that fits one block with its padding (FIPS 180-4, 5.1.1), as nearly always: without the
/// general hasher's buffers it takes little more than half the time, and this is what a decision costs.
fn one_block(salt: &str, unit: &str) -> Option<[u32; 8]> {
    const FREE: usize = 55;
    let length = salt.len() + 1 + unit.len();
    if length > FREE {
        return None;
    }
    let mut block = [0; 64];
    let (text, bits) = block.split_at_mut(56);
    let (head, tail) = text.split_at_mut_checked(salt.len())?;
    head.copy_from_slice(salt.as_bytes());
    let (colon, tail) = tail.split_first_mut()?;
    *colon = b':';
    let (body, tail) = tail.split_at_mut_checked(unit.len())?;
    body.copy_from_slice(unit.as_bytes());
    *tail.first_mut()? = 0x80;
    bits.copy_from_slice(&(length as u64 * 8).to_be_bytes());
    let mut state = INITIAL;
    compress256(&mut state, &[block]);
    Some(state)
}

fn any_length(salt: &str, unit: &str) -> [u32; 8] {
    let digest = Sha256::new().chain_update(salt).chain_update(":").chain_update(unit).finalize();
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(digest.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

/// The hash, as one big-endian integer, modulo 10¹⁰. Eight products and one division: the sum stays below 2⁶⁹.
fn remainder(words: [u32; 8]) -> u64 {
    let sum: u128 = words.iter().zip(WEIGHTS).map(|(word, weight)| u128::from(*word) * u128::from(weight)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "below 10^10")]
    {
        (sum % MODULUS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule taken literally, digit by digit.
    fn by_long_division(text: &str) -> u64 {
        Sha256::digest(text).iter().fold(0, |acc, byte| (acc * 256 + u64::from(*byte)) % 10_000_000_000)
    }

    #[test]
    fn agrees_with_long_division() {
        for i in 0..1000 {
            assert_eq!(remainder(any_length("f", &i.to_string())), by_long_division(&format!("f:{i}")));
        }
        let largest = [0xff; 32].iter().fold(0, |acc, byte| (acc * 256 + byte) % 10_000_000_000);
        assert_eq!(remainder([u32::MAX; 8]), largest);
    }

    #[test]
    fn one_block_is_the_same_hash_at_every_length() {
        for salt in 0..=60 {
            for unit in 0..=60 {
                let (salt, unit) = ("s".repeat(salt), "ü".repeat(unit));
                if let Some(words) = one_block(&salt, &unit) {
                    assert_eq!(words, any_length(&salt, &unit), "{salt}:{unit}");
                }
                assert_eq!(one_block(&salt, &unit).is_some(), salt.len() + unit.len() < 55);
            }
        }
    }
}
