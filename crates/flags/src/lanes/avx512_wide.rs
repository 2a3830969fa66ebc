//! Sixteen messages at once with AVX-512, for processors whose vectors are as wide as that inside.

use std::arch::x86_64::{
    __m256i, __m512i, _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_castsi256_si128, _mm256_extracti128_si256,
    _mm512_add_epi32, _mm512_add_epi64, _mm512_castsi512_si256, _mm512_extracti64x4_epi64, _mm512_mul_epu32,
    _mm512_permutex2var_epi64, _mm512_ror_epi32, _mm512_set_epi32, _mm512_set_epi64, _mm512_set1_epi32,
    _mm512_set4_epi32, _mm512_setzero_si512, _mm512_shuffle_epi8, _mm512_srli_epi32, _mm512_srli_epi64,
    _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64,
};

use super::constants::{Block, INITIAL, ROUNDS, State, Weighed, Weights};
use super::rounds::{rounds, sixteen};

type Vector = __m512i;

/// Words of a vector, so messages at once.
pub(super) const LANES: usize = 16;

rounds!(#[target_feature(enable = "avx512f,avx512bw")]);

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn add(a: Vector, b: Vector) -> Vector {
    _mm512_add_epi32(a, b)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn shift<const RIGHT: u32>(a: Vector) -> Vector {
    _mm512_srli_epi32::<RIGHT>(a)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn turn<const RIGHT: i32, const LEFT: i32>(a: Vector) -> Vector {
    _mm512_ror_epi32::<RIGHT>(a)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn splat(word: u32) -> Vector {
    _mm512_set1_epi32(word.cast_signed())
}

// The numbers are tables of truth, as in `avx512`.

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0b1001_0110>(a, b, c)
}

/// The bits of `b` where `a` has ones, those of `c` elsewhere.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0b1100_1010>(a, b, c)
}

/// The bits that most of the three have.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn most(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm512_ternarylogic_epi32::<0b1110_1000>(a, b, c)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn words_of(blocks: &[Block; LANES]) -> [Vector; 16] {
    let [a, b, c, d, e, f, g, h] = transposed(half_of(blocks, 0));
    let [i, j, k, l, m, n, o, p] = transposed(half_of(blocks, 1));
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

/// Half of each block as eight words, two blocks in a vector.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn half_of(blocks: &[Block; LANES], half: usize) -> [Vector; 8] {
    let big_endian = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    let mut all = [big_endian; 8];
    let (low, high) = blocks.split_at(LANES / 2);
    for ((two, low), high) in all.iter_mut().zip(low).zip(high) {
        let [a, b, c, d] = numbers_of_half(low, half);
        let [e, f, g, h] = numbers_of_half(high, half);
        *two = _mm512_shuffle_epi8(_mm512_set_epi64(h, g, f, e, d, c, b, a), big_endian);
    }
    all
}

/// Half of a block as four numbers, as they lie in memory.
#[inline]
fn numbers_of_half(block: &Block, half: usize) -> [i64; 4] {
    let [a, b, c, d, e, f, g, h] = block.as_chunks::<8>().0 else { return [0; 4] };
    if half == 0 { [a, b, c, d] } else { [e, f, g, h] }.map(|bytes| i64::from_le_bytes(*bytes))
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn vectors_of(states: &[State; LANES]) -> [Vector; 8] {
    let mut rows = [_mm512_setzero_si512(); 8];
    let (low, high) = states.split_at(LANES / 2);
    for ((two, low), high) in rows.iter_mut().zip(low).zip(high) {
        let [a, b, c, d, e, f, g, h] = low.map(u32::cast_signed);
        let [i, j, k, l, m, n, o, p] = high.map(u32::cast_signed);
        *two = _mm512_set_epi32(p, o, n, m, l, k, j, i, h, g, f, e, d, c, b, a);
    }
    transposed(rows)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn states_of(vectors: [Vector; 8]) -> [State; LANES] {
    let mut states = [[0; 8]; LANES];
    let (low, high) = states.split_at_mut(LANES / 2);
    for ((two, low), high) in transposed(vectors).into_iter().zip(low).zip(high) {
        *low = state_of(_mm512_castsi512_si256(two));
        *high = state_of(_mm512_extracti64x4_epi64::<1>(two));
    }
    states
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn weighed(hashes: [Vector; 8], weights: &Weights) -> [Weighed; LANES] {
    let mut sums = [_mm512_setzero_si512(); 2];
    for (words, weight) in hashes.into_iter().zip(weights) {
        // every other word is in the lower half of a number of 64 bits
        let halves = [words, _mm512_srli_epi64::<32>(words)];
        for (sum, half) in sums.iter_mut().zip(halves) {
            *sum = _mm512_add_epi64(*sum, _mm512_mul_epu32(half, splat(*weight)));
        }
    }
    let [even, odd] = [numbers_in(sums[0]), numbers_in(sums[1])];
    let lasts = numbers_in(hashes[7]);
    let mut all = [Weighed::default(); LANES];
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of each pair is meant")]
    for (((two, even), odd), last) in all.as_chunks_mut::<2>().0.iter_mut().zip(even).zip(odd).zip(lasts) {
        *two = [Weighed { sum: even, last: last as u32 }, Weighed { sum: odd, last: (last >> 32) as u32 }];
    }
    all
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn numbers_in(row: Vector) -> [u64; 8] {
    let [a, b, c, d] = numbers_of(_mm512_castsi512_si256(row));
    let [e, f, g, h] = numbers_of(_mm512_extracti64x4_epi64::<1>(row));
    [a, b, c, d, e, f, g, h]
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn numbers_of(half: __m256i) -> [u64; 4] {
    let quarters = [_mm256_castsi256_si128(half), _mm256_extracti128_si256::<1>(half)];
    let [low, high] = quarters.map(|two| [_mm_cvtsi128_si64(two), _mm_extract_epi64::<1>(two)]);
    [low[0], low[1], high[0], high[1]].map(i64::cast_unsigned)
}

#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn state_of(row: __m256i) -> State {
    let mut state = [0; 8];
    #[allow(clippy::cast_possible_truncation, reason = "the lower half of each pair is meant")]
    for (two, pair) in state.as_chunks_mut::<2>().0.iter_mut().zip(numbers_of(row)) {
        *two = [pair as u32, (pair >> 32) as u32];
    }
    state
}

/// Rows become columns, in either half by itself.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
fn transposed([a, b, c, d, e, f, g, h]: [Vector; 8]) -> [Vector; 8] {
    let four = |[a, b, c, d]: [Vector; 4]| {
        let (ab, ab_high) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
        let (cd, cd_high) = (_mm512_unpacklo_epi32(c, d), _mm512_unpackhi_epi32(c, d));
        [
            _mm512_unpacklo_epi64(ab, cd),
            _mm512_unpackhi_epi64(ab, cd),
            _mm512_unpacklo_epi64(ab_high, cd_high),
            _mm512_unpackhi_epi64(ab_high, cd_high),
        ]
    };
    let (first, last) = (four([a, b, c, d]), four([e, f, g, h]));
    // 64-bit words of both, those of the second from 8 on
    let lower = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0);
    let upper = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
    let mut all = [a; 8];
    for i in 0..4 {
        all[i] = _mm512_permutex2var_epi64(first[i], lower, last[i]);
        all[i + 4] = _mm512_permutex2var_epi64(first[i], upper, last[i]);
    }
    all
}
