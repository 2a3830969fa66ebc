//! From a text to a number: the hash functions of all formulas, and how each one's number is read off.

use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh32::xxh32;

use super::fnv::fnv1a32;
use super::murmur3::murmur3_x86_32;

/// How often Flagsmith hashes anew at most: each time is one in 9,999, so nobody comes near it.
const MOST_ROUNDS: usize = 16;

/// A hash function, and how a number below the grid's size is made of what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// MurmurHash3 with a seed, by the remainder.
    Murmur3(u32),
    /// MurmurHash3 without a seed, as a fraction of all it can say.
    Murmur3Scaled,
    /// MurmurHash3 without a seed as a number with a sign: without its sign, as a fraction of all it can be, up to and with the end of a cell.
    Murmur3Signed,
    /// FNV-1a, by the remainder.
    Fnv1a,
    /// FNV-1a of the decimal text of FNV-1a, by the remainder.
    Fnv1aTwice,
    /// CRC-32, by the remainder.
    Crc32,
    /// xxHash with a seed, whole.
    XxHash32(u32),
    /// The first 15 hexadecimal digits of SHA-1, whole.
    Sha1Digits15,
    /// The first 7 hexadecimal digits of SHA-1, by the remainder.
    Sha1Digits7,
    /// MD5 as one number, by the remainder of one more than the grid; what is the largest is hashed anew with the text twice, three times ….
    Md5,
    /// The first eight bytes of SHA-256, big-endian, by the remainder.
    Sha256BigEndian,
    /// The first four bytes of SHA-256, little-endian, whole.
    Sha256LittleEndian,
}

impl Function {
    /// The number of a text. It is below the grid's size, or for those that divide by the largest number the same.
    pub(super) fn number(self, text: &[u8], grid: u64) -> u64 {
        let wide = |hash: u32| u64::from(hash);
        match self {
            Self::Murmur3(seed) => wide(murmur3_x86_32(text, seed)) % grid,
            Self::Murmur3Scaled => wide(murmur3_x86_32(text, 0)).saturating_mul(grid) >> 32,
            Self::Murmur3Signed => {
                let size = wide(murmur3_x86_32(text, 0).cast_signed().unsigned_abs());
                size.saturating_mul(grid).div_ceil(1 << 31).saturating_sub(1)
            }
            Self::Fnv1a => wide(fnv1a32(text)) % grid,
            Self::Fnv1aTwice => wide(fnv1a32(fnv1a32(text).to_string().as_bytes())) % grid,
            Self::Crc32 => wide(crc32fast::hash(text)) % grid,
            Self::XxHash32(seed) => wide(xxh32(text, seed)),
            Self::Sha1Digits15 => first_eight(&Sha1::digest(text)) >> 4,
            Self::Sha1Digits7 => (first_eight(&Sha1::digest(text)) >> 36) % grid,
            Self::Md5 => md5_repeated(text, grid),
            Self::Sha256BigEndian => first_eight(&Sha256::digest(text)) % grid,
            Self::Sha256LittleEndian => u64::from(first_four(&Sha256::digest(text)).swap_bytes()),
        }
    }

    /// A short name that stays: experiments and kept draws are known by it.
    pub(super) fn id(self) -> String {
        match self {
            Self::Murmur3(seed) => format!("murmur3/{seed}"),
            Self::Murmur3Scaled => "murmur3_scaled".into(),
            Self::Murmur3Signed => "murmur3_signed".into(),
            Self::Fnv1a => "fnv1a".into(),
            Self::Fnv1aTwice => "fnv1a_twice".into(),
            Self::Crc32 => "crc32".into(),
            Self::XxHash32(seed) => format!("xxhash32/{seed}"),
            Self::Sha1Digits15 => "sha1_15".into(),
            Self::Sha1Digits7 => "sha1_7".into(),
            Self::Md5 => "md5".into(),
            Self::Sha256BigEndian => "sha256_big_endian".into(),
            Self::Sha256LittleEndian => "sha256_little_endian".into(),
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Murmur3(seed) => write!(f, "murmur3_x86_32 with seed {seed}, by the remainder"),
            Self::Murmur3Scaled => f.write_str("murmur3_x86_32 with seed 0, times the grid, divided by 2^32"),
            Self::Murmur3Signed => f.write_str(
                "murmur3_x86_32 with seed 0 as a signed number without its sign, times the grid, divided by 2^31, rounded up, less 1",
            ),
            Self::Fnv1a => f.write_str("fnv1a_32, by the remainder"),
            Self::Fnv1aTwice => f.write_str("fnv1a_32 of the decimal text of fnv1a_32, by the remainder"),
            Self::Crc32 => f.write_str("crc32, by the remainder"),
            Self::XxHash32(seed) => write!(f, "xxhash32 with seed {seed}"),
            Self::Sha1Digits15 => f.write_str("the first 15 hexadecimal digits of sha1"),
            Self::Sha1Digits7 => f.write_str("the first 7 hexadecimal digits of sha1, by the remainder"),
            Self::Md5 => f.write_str("md5 as one number, by the remainder of 9999"),
            Self::Sha256BigEndian => f.write_str("the first 8 bytes of sha256, big-endian, by the remainder"),
            Self::Sha256LittleEndian => f.write_str("the first 4 bytes of sha256, little-endian"),
        }
    }
}

fn first_eight(digest: &[u8]) -> u64 {
    digest.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

fn first_four(digest: &[u8]) -> u32 {
    digest.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Flagsmith's number, 0 to `grid - 1`: where the remainder would be `grid`, the ids are hashed once more, joined by commas.
fn md5_repeated(text: &[u8], grid: u64) -> u64 {
    for rounds in 1..=MOST_ROUNDS {
        let number = if rounds == 1 { md5_number(text, grid) } else { md5_number(&repeated(text, rounds), grid) };
        if number < grid {
            return number;
        }
    }
    grid.saturating_sub(1)
}

fn md5_number(text: &[u8], grid: u64) -> u64 {
    let number = Md5::digest(text).iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
    u64::try_from(number % (u128::from(grid) + 1)).unwrap_or(grid)
}

fn repeated(text: &[u8], times: usize) -> Vec<u8> {
    vec![text; times].join(&b","[..])
}
