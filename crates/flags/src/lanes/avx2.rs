//! Eight messages at once with AVX2.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm_extract_epi64, _mm256_add_epi32, _mm256_add_epi64, _mm256_and_si256,
    _mm256_castsi256_si128, _mm256_extracti128_si256, _mm256_mul_epu32, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set_epi32, _mm256_set_epi64x, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8,
    _mm256_slli_epi32, _mm256_srli_epi32, _mm256_srli_epi64, _mm256_unpackhi_epi32, _mm256_unpackhi_epi64,
    _mm256_unpacklo_epi32, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use super::constants::{Block, INITIAL, ROUNDS, State, Weighed, Weights};
use super::rounds::{rounds, sixteen};
use super::vectors_256::vectors_256;

type Vector = __m256i;

/// Words of a vector, so messages at once.
pub(super) const LANES: usize = 8;

vectors_256!(#[target_feature(enable = "avx2")]);
rounds!(#[target_feature(enable = "avx2")]);

#[target_feature(enable = "avx2")]
#[inline]
fn turn<const RIGHT: i32, const LEFT: i32>(a: Vector) -> Vector {
    _mm256_or_si256(_mm256_srli_epi32::<RIGHT>(a), _mm256_slli_epi32::<LEFT>(a))
}

#[target_feature(enable = "avx2")]
#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_xor_si256(_mm256_xor_si256(a, b), c)
}

/// The bits of `b` where `a` has ones, those of `c` elsewhere.
#[target_feature(enable = "avx2")]
#[inline]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_xor_si256(c, _mm256_and_si256(a, _mm256_xor_si256(b, c)))
}

/// The bits that most of the three have. Two of its steps are those of the round before, which the compiler sees.
#[target_feature(enable = "avx2")]
#[inline]
fn most(a: Vector, b: Vector, c: Vector) -> Vector {
    _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(b, c)), b)
}
