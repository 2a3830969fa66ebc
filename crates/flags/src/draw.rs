//! Where a unit falls.

use sha2::{Digest, Sha256};

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
        let digest = Sha256::new()
            .chain_update(salt)
            .chain_update(":")
            .chain_update(unit)
            .finalize();
        let x = remainder(&digest);
        let (r, split) = (x % 100_000, x / 100_000);
        #[allow(clippy::cast_possible_truncation, reason = "both are below 100,000")]
        Self {
            position: ((r % 100) * 1000 + r / 100) as u32,
            split: split as u32,
        }
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

/// The digest, as a big-endian integer, modulo 10¹⁰. Eight products and one division: the sum stays below 2⁶⁹.
fn remainder(digest: &[u8]) -> u64 {
    let words = digest
        .as_chunks::<4>()
        .0
        .iter()
        .map(|w| u128::from(u32::from_be_bytes(*w)));
    let sum: u128 = words
        .zip(WEIGHTS)
        .map(|(word, weight)| word * u128::from(weight))
        .sum();
    #[allow(clippy::cast_possible_truncation, reason = "below 10^10")]
    {
        (sum % MODULUS) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule taken literally, digit by digit.
    fn by_long_division(digest: &[u8]) -> u64 {
        digest
            .iter()
            .fold(0, |acc, byte| (acc * 256 + u64::from(*byte)) % 10_000_000_000)
    }

    #[test]
    fn agrees_with_long_division() {
        for i in 0..1000 {
            let digest = Sha256::digest(format!("{i}"));
            assert_eq!(remainder(&digest), by_long_division(&digest));
        }
        assert_eq!(remainder(&[0xff; 32]), by_long_division(&[0xff; 32]));
    }
}
