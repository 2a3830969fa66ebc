//! MurmurHash3, x86, 32 bits.

const C1: u32 = 0xcc9e_2d51;
const C2: u32 = 0x1b87_3593;

/// The hash of some bytes with a seed.
pub(super) fn murmur3_x86_32(bytes: &[u8], seed: u32) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = seed;
    for word in words {
        hash = (hash ^ scrambled(u32::from_le_bytes(*word))).rotate_left(13);
        hash = hash.wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= scrambled(tail.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)));
    // The reference has the length in 32 bits.
    #[allow(clippy::cast_possible_truncation, reason = "as the reference does")]
    let length = bytes.len() as u32;
    finished(hash ^ length)
}

const fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(C1).rotate_left(15).wrapping_mul(C2)
}

const fn finished(mut hash: u32) -> u32 {
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::murmur3_x86_32;

    /// Numbers that implementations of it are commonly held against, of every length of tail.
    #[test]
    fn agrees_with_others() {
        assert_eq!(murmur3_x86_32(b"", 0), 0);
        assert_eq!(murmur3_x86_32(b"", 1), 0x514e_28b7);
        assert_eq!(murmur3_x86_32(b"\xff\xff\xff\xff", 0), 0x7629_3b50);
        assert_eq!(murmur3_x86_32(b"\x21\x43\x65\x87", 0), 0xf55b_516b);
        assert_eq!(murmur3_x86_32(b"\x21\x43\x65", 0), 0x7e4a_8634);
        assert_eq!(murmur3_x86_32(b"\x21\x43", 0), 0xa0f7_b07a);
        assert_eq!(murmur3_x86_32(b"\x21", 0), 0x7266_1cf4);
        assert_eq!(murmur3_x86_32(b"Hello, world!", 0x9747_b28c), 0x2488_4cba);
    }
}
