//! Eight messages at once with AVX-512: no wider than AVX2, but with its rotations and its functions of three. It is for processors without
//! instructions for SHA-256: theirs gained a tenth by vectors of sixteen, which leave more lanes empty.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_add_epi32, _mm256_add_epi64, _mm256_castsi256_si128,
    _mm256_extracti128_si256, _mm256_mul_epu32, _mm256_permute2x128_si256, _mm256_ror_epi32, _mm256_set_epi32,
    _mm256_set_epi64x, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi32,
    _mm256_srli_epi64, _mm256_ternarylogic_epi32, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
};

use super::constants::{Block, INITIAL, ROUNDS, State, Weighed, Weights};
use super::rounds::{rounds, sixteen};
use super::vectors_256::vectors_256;

type Vector = __m256i;

/// Words of a vector, so messages at once.
pub(super) const LANES: usize = 8;

vectors_256!(#[target_feature(enable = "avx2,avx512f,avx512vl")]);
rounds!(#[target_feature(enable = "avx2,avx512f,avx512vl")]);

#[target_feature(enable = "avx2,avx512f,avx512vl")]
#[inline]
fn turn<const RIGHT: i32, const LEFT: i32>(a: Vector) -> Vector {
    _mm256_ror_epi32::<RIGHT>(a)
}

// The numbers are tables of truth: bit 4a + 2b + c says what comes of the bits a, b and c.

#[target_feature(enable = "avx2,avx512f,avx512vl")]
#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_ternarylogic_epi32::<0b1001_0110>(a, b, c)
}

/// The bits of `b` where `a` has ones, those of `c` elsewhere.
#[target_feature(enable = "avx2,avx512f,avx512vl")]
#[inline]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_ternarylogic_epi32::<0b1100_1010>(a, b, c)
}

/// The bits that most of the three have.
#[target_feature(enable = "avx2,avx512f,avx512vl")]
#[inline]
fn most(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_ternarylogic_epi32::<0b1110_1000>(a, b, c)
}
