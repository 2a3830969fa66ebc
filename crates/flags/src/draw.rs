//! The draw: where a unit falls for a salt.

use sha2::block_api::compress256;
use sha2::{Digest, Sha256};

use crate::Percent;
use crate::lanes::{INITIAL, State, Weighed, Weights};

/// Everything is read off the hash modulo 10¹⁰, which is 5¹⁰ · 2¹⁰: `position` needs the remainder by 10⁵, `split` the next five decimal
/// digits.
const FIVES: u64 = 9_765_625;
const TWOS: u64 = 1024;

/// 2^(32·i) mod 5¹⁰ for the eight words of a digest, the most significant first.
#[allow(clippy::cast_possible_truncation, reason = "remainders by 5¹⁰ are below 2²⁴")]
pub(crate) const WEIGHTS: Weights = {
    let mut weights = [1; 8];
    let mut i = 7;
    while i > 0 {
        i -= 1;
        weights[i] = (((weights[i + 1] as u64) << 32) % FIVES) as u32;
    }
    weights
};

/// The inverse of 5¹⁰ modulo 2¹⁰: each step doubles the bits of it that are right.
const INVERSE: u64 = {
    let mut inverse: u64 = 1;
    let mut i = 0;
    while i < 4 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(FIVES.wrapping_mul(inverse)));
        i += 1;
    }
    inverse % TWOS
};

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
    /// The first place of all, where nothing is drawn yet.
    pub(crate) const FIRST: Self = Self { position: 0, split: 0 };

    /// Draws for one salt and unit.
    #[must_use]
    pub fn of(salt: &str, unit: &str) -> Self {
        let hash = one_block(salt, unit).unwrap_or_else(|| any_length(salt, unit));
        Self::of_weighed(Weighed::of(&hash, &WEIGHTS))
    }

    /// Reads a draw off a hash.
    #[inline]
    pub(crate) fn of_weighed(hash: Weighed) -> Self {
        let x = remainder(hash);
        let (r, split) = (x % 100_000, x / 100_000);
        #[allow(clippy::cast_possible_truncation, reason = "both are below 100,000")]
        Self { position: (r * 1000 - r / 100 * 99_999) as u32, split: split as u32 }
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
fn one_block(salt: &str, unit: &str) -> Option<State> {
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
    compress256(&mut state, std::slice::from_ref(&block));
    Some(state)
}

fn any_length(salt: &str, unit: &str) -> State {
    let digest = Sha256::new().chain_update(salt).chain_update(":").chain_update(unit).finalize();
    let mut words = [0; 8];
    for (word, bytes) in words.iter_mut().zip(digest.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

/// The hash, as one big-endian integer, modulo 10¹⁰: its remainder by 5¹⁰ is that of the sum of its weighed words, which stays below 2⁵⁹, the
/// one by 2¹⁰ stands in its last word, and together they say it (the Chinese remainder theorem), with nothing wider than 64 bits.
#[inline]
fn remainder(Weighed { sum, last }: Weighed) -> u64 {
    let by_fives = sum % FIVES;
    by_fives + FIVES * (u64::from(last).wrapping_sub(by_fives).wrapping_mul(INVERSE) % TWOS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule taken literally, digit by digit.
    fn by_long_division(text: &str) -> u64 {
        Sha256::digest(text).iter().fold(0, |acc, byte| (acc * 256 + u64::from(*byte)) % 10_000_000_000)
    }

    fn of_hash(hash: State) -> u64 {
        remainder(Weighed::of(&hash, &WEIGHTS))
    }

    #[test]
    fn agrees_with_long_division() {
        for i in 0..1000 {
            assert_eq!(of_hash(any_length("f", &i.to_string())), by_long_division(&format!("f:{i}")));
        }
        let largest = [0xff; 32].iter().fold(0, |acc, byte| (acc * 256 + byte) % 10_000_000_000);
        assert_eq!(of_hash([u32::MAX; 8]), largest);
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
