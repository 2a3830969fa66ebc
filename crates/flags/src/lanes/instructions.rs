//! Two messages at once with the instructions that x86 has for SHA-256: the rounds of one leave their unit idle for half of the time.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_cvtsi128_si64, _mm_extract_epi64, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8,
    _mm_shuffle_epi32,
};

use super::constants::{Block, ROUNDS, State};

/// Messages at once.
pub(super) const LANES: usize = 2;

/// Writes four rounds for each message, with the words `$now`, and makes the words that come sixteen later of them and those after them.
macro_rules! four_rounds {
    ($states:ident, $words:ident, $constants:ident, $now:literal) => {
        let constants = four_constants($constants, $now);
        for (state, words) in $states.iter_mut().zip(&$words) {
            let words = _mm_add_epi32(words[$now], constants);
            state[1] = _mm_sha256rnds2_epu32(state[1], state[0], words);
            state[0] = _mm_sha256rnds2_epu32(state[0], state[1], _mm_shuffle_epi32::<0b1110>(words));
        }
    };
    ($states:ident, $words:ident, $constants:ident, $now:literal, then $second:literal $third:literal $fourth:literal) => {
        four_rounds!($states, $words, $constants, $now);
        for words in &mut $words {
            let far = _mm_alignr_epi8::<4>(words[$fourth], words[$third]);
            let near = _mm_sha256msg1_epu32(words[$now], words[$second]);
            words[$now] = _mm_sha256msg2_epu32(_mm_add_epi32(near, far), words[$fourth]);
        }
    };
}

/// Takes one block of each message into its state.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn compress(states: &mut [State; LANES], blocks: &[Block; LANES]) {
    let zero = _mm_setzero_si128();
    let mut words = [[zero; 4]; LANES];
    for (words, block) in words.iter_mut().zip(blocks) {
        for (four, bytes) in words.iter_mut().zip(block.as_chunks::<16>().0) {
            *four = four_words(bytes);
        }
    }
    let mut before = [[zero; 2]; LANES];
    for (halves, state) in before.iter_mut().zip(&*states) {
        *halves = halves_of(state);
    }
    let mut now = before;
    let [first @ .., last] = &ROUNDS;
    for constants in first {
        four_rounds!(now, words, constants, 0, then 1 2 3);
        four_rounds!(now, words, constants, 1, then 2 3 0);
        four_rounds!(now, words, constants, 2, then 3 0 1);
        four_rounds!(now, words, constants, 3, then 0 1 2);
    }
    four_rounds!(now, words, last, 0);
    four_rounds!(now, words, last, 1);
    four_rounds!(now, words, last, 2);
    four_rounds!(now, words, last, 3);
    for ((state, now), before) in states.iter_mut().zip(now).zip(before) {
        *state = state_of([_mm_add_epi32(now[0], before[0]), _mm_add_epi32(now[1], before[1])]);
    }
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn four_constants(constants: &[u32; 16], which: usize) -> __m128i {
    let [a, b, c, d] = constants.as_chunks::<4>().0[which].map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

/// Four words, the first one lowest.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn four_words(bytes: &[u8; 16]) -> __m128i {
    let [low, high] = [i64::from_le_bytes(*half(bytes, 0)), i64::from_le_bytes(*half(bytes, 1))];
    let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(_mm_set_epi64x(high, low), big_endian)
}

#[inline]
fn half(bytes: &[u8; 16], which: usize) -> &[u8; 8] {
    &bytes.as_chunks::<8>().0[which]
}

/// The state as the instructions take it: `abef` and `cdgh`, `a` and `c` highest.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn halves_of(state: &State) -> [__m128i; 2] {
    let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
    [_mm_set_epi32(a, b, e, f), _mm_set_epi32(c, d, g, h)]
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn state_of([abef, cdgh]: [__m128i; 2]) -> State {
    let [ab, ef] = two_pairs(abef);
    let [cd, gh] = two_pairs(cdgh);
    let [[a, b], [c, d], [e, f], [g, h]] = [ab, cd, ef, gh];
    [a, b, c, d, e, f, g, h]
}

/// The upper pair, then the lower one, each with its upper word first.
#[target_feature(enable = "sha,sse4.1,ssse3")]
#[inline]
fn two_pairs(four: __m128i) -> [[u32; 2]; 2] {
    let pair = |both: i64| [(both.cast_unsigned() >> 32) as u32, both.cast_unsigned() as u32];
    [pair(_mm_extract_epi64::<1>(four)), pair(_mm_cvtsi128_si64(four))]
}
