//! Four messages at once with NEON, which every 64-bit ARM processor has.

use std::arch::aarch64::{
    uint32x4_t, vaddq_u32, vandq_u32, vcombine_u32, vcreate_u32, vdupq_n_u32, veorq_u32, vgetq_lane_u32, vorrq_u32,
    vshlq_n_u32, vshrq_n_u32,
};

use super::constants::{Block, INITIAL, ROUNDS, State, Weighed, Weights};
use super::rounds::{rounds, sixteen};

type Vector = uint32x4_t;

/// Words of a vector, so messages at once.
pub(super) const LANES: usize = 4;

rounds!(#[target_feature(enable = "neon")]);

#[target_feature(enable = "neon")]
#[inline]
fn add(a: Vector, b: Vector) -> Vector {
    vaddq_u32(a, b)
}

#[target_feature(enable = "neon")]
#[inline]
fn xor3(a: Vector, b: Vector, c: Vector) -> Vector {
    veorq_u32(veorq_u32(a, b), c)
}

#[target_feature(enable = "neon")]
#[inline]
fn turn<const RIGHT: i32, const LEFT: i32>(a: Vector) -> Vector {
    vorrq_u32(vshrq_n_u32::<RIGHT>(a), vshlq_n_u32::<LEFT>(a))
}

#[target_feature(enable = "neon")]
#[inline]
fn shift<const RIGHT: i32>(a: Vector) -> Vector {
    vshrq_n_u32::<RIGHT>(a)
}

/// The bits of `b` where `a` has ones, those of `c` elsewhere.
#[target_feature(enable = "neon")]
#[inline]
fn choose(a: Vector, b: Vector, c: Vector) -> Vector {
    veorq_u32(c, vandq_u32(a, veorq_u32(b, c)))
}

/// The bits that most of the three have. Two of its steps are those of the round before, which the compiler sees.
#[target_feature(enable = "neon")]
#[inline]
fn most(a: Vector, b: Vector, c: Vector) -> Vector {
    veorq_u32(vandq_u32(veorq_u32(a, b), veorq_u32(b, c)), b)
}

#[target_feature(enable = "neon")]
#[inline]
fn splat(word: u32) -> Vector {
    vdupq_n_u32(word)
}

/// Four words, the first one lowest.
#[target_feature(enable = "neon")]
#[inline]
fn vector([a, b, c, d]: [u32; LANES]) -> Vector {
    let pair = |low: u32, high: u32| vcreate_u32(u64::from(high) << 32 | u64::from(low));
    vcombine_u32(pair(a, b), pair(c, d))
}

#[target_feature(enable = "neon")]
#[inline]
fn words_of(blocks: &[Block; LANES]) -> [Vector; 16] {
    let word = |block: &Block, t: usize| u32::from_be_bytes(std::array::from_fn(|byte| block[4 * t + byte]));
    let mut words = [splat(0); 16];
    for (t, one) in words.iter_mut().enumerate() {
        let [a, b, c, d] = blocks;
        *one = vector([word(a, t), word(b, t), word(c, t), word(d, t)]);
    }
    words
}

#[target_feature(enable = "neon")]
#[inline]
fn vectors_of(states: &[State; LANES]) -> [Vector; 8] {
    let mut vectors = [splat(0); 8];
    let [a, b, c, d] = states;
    for (at, one) in vectors.iter_mut().enumerate() {
        *one = vector([a[at], b[at], c[at], d[at]]);
    }
    vectors
}

#[target_feature(enable = "neon")]
#[inline]
fn states_of(vectors: [Vector; 8]) -> [State; LANES] {
    let mut states = [[0; 8]; LANES];
    for (at, vector) in vectors.into_iter().enumerate() {
        states[0][at] = vgetq_lane_u32::<0>(vector);
        states[1][at] = vgetq_lane_u32::<1>(vector);
        states[2][at] = vgetq_lane_u32::<2>(vector);
        states[3][at] = vgetq_lane_u32::<3>(vector);
    }
    states
}

#[target_feature(enable = "neon")]
#[inline]
fn weighed(hashes: [Vector; 8], weights: &Weights) -> [Weighed; LANES] {
    let mut all = [Weighed::default(); LANES];
    all.iter_mut().zip(states_of(hashes)).for_each(|(one, hash)| *one = Weighed::of(&hash, weights));
    all
}
