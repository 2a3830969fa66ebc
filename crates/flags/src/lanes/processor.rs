//! Which ways of hashing the processor can do, and the calls of them.
#![allow(
    unsafe_code,
    reason = "a function for a feature of the processor is called only where that feature was found"
)]

use sha2::block_api::compress256;

use super::constants::{Block, INITIAL, State, Weighed, Weights};
#[cfg(target_arch = "aarch64")]
use super::neon;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512, avx512_wide, instructions};

/// The most messages that one call takes.
pub(crate) const WIDTH: usize = 16;

/// So few messages are hashed sooner by the processor's instructions than in a vector of sixteen.
const MOSTLY_EMPTY: usize = 10;

/// A way of hashing that this processor can do: nothing but [`Kernel::all`] makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kernel(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The processor's instructions for SHA-256: on x86 two messages side by side, on ARM as the crate `sha2` does it.
    Instructions,
    /// Vectors of sixteen words for as many messages, and the processor's instructions for those that are left.
    #[cfg(target_arch = "x86_64")]
    Mixed,
    /// Vectors of eight words, with rotations.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// Vectors of eight words.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Vectors of four words.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// One message after the other without such instructions, as the crate `sha2` does it.
    Plain,
}

impl Kernel {
    /// One message after the other, which every processor can do.
    pub(crate) const PLAIN: Self = Self(Kind::Plain);

    /// Those that this processor can do.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let has_avx2 = is_x86_feature_detected!("avx2");
            let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl");
            let has_sse = is_x86_feature_detected!("ssse3") && is_x86_feature_detected!("sse4.1");
            let has_instructions = is_x86_feature_detected!("sha") && has_sse;
            // older processors with wide vectors, which have no such instructions, run slower for a while after each use of them
            let has_both = has_instructions && has_avx512 && is_x86_feature_detected!("avx512bw");
            all.extend(has_instructions.then_some(Kind::Instructions));
            all.extend(has_both.then_some(Kind::Mixed));
            all.extend((has_avx2 && has_avx512).then_some(Kind::Avx512));
            all.extend(has_avx2.then_some(Kind::Avx2));
        }
        #[cfg(target_arch = "aarch64")]
        {
            all.extend(std::arch::is_aarch64_feature_detected!("sha2").then_some(Kind::Instructions));
            all.extend(std::arch::is_aarch64_feature_detected!("neon").then_some(Kind::Neon));
        }
        all.push(Kind::Plain);
        all.into_iter().map(Self).collect()
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self.0 {
            Kind::Instructions => "instructions",
            #[cfg(target_arch = "x86_64")]
            Kind::Mixed => "mixed",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
            Kind::Plain => "plain",
        }
    }

    /// Messages that are best hashed together: one, four, eight, or [`WIDTH`].
    #[inline]
    pub(crate) const fn width(self) -> usize {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Instructions => 2 * instructions::LANES,
            #[cfg(not(target_arch = "x86_64"))]
            Kind::Instructions => 1,
            Kind::Plain => 1,
            #[cfg(target_arch = "x86_64")]
            Kind::Mixed => avx512_wide::LANES,
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 | Kind::Avx2 => 8,
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => 2 * neon::LANES,
        }
    }

    /// Takes one block of each message into the message's state. Only the first `count` messages are meant.
    #[inline]
    pub(crate) fn compress<const N: usize>(self, states: &mut [State; N], blocks: &[Block; N], count: usize) {
        let count = count.min(N);
        match self.0 {
            // SAFETY, here and below: such a kernel is only made where the processor has its features.
            #[cfg(target_arch = "x86_64")]
            Kind::Instructions => groups(states, blocks, count, |s, b| unsafe { instructions::compress(s, b) }),
            #[cfg(target_arch = "x86_64")]
            Kind::Mixed if count > MOSTLY_EMPTY => {
                groups(states, blocks, count, |s, b| unsafe { avx512_wide::compress(s, b) });
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Mixed => groups(states, blocks, count, |s, b| unsafe { instructions::compress(s, b) }),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => groups(states, blocks, count, |s, b| unsafe { avx512::compress(s, b) }),
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => groups(states, blocks, count, |s, b| unsafe { avx2::compress(s, b) }),
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => groups(states, blocks, count, |s, b| unsafe { neon::compress(s, b) }),
            #[cfg(not(target_arch = "x86_64"))]
            Kind::Instructions => one_by_one(states, blocks, count),
            Kind::Plain => one_by_one(states, blocks, count),
        }
    }

    /// Takes the last block of each message into the message's state, and weighs the hashes. `before` are their states; `None` where the block is
    /// the only one. Only the first `count` messages are meant.
    #[inline]
    pub(crate) fn weigh<const N: usize>(
        self,
        before: Option<&[State; N]>,
        blocks: &[Block; N],
        weights: &Weights,
        count: usize,
    ) -> [Weighed; N] {
        let count = count.min(N);
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Mixed if count > MOSTLY_EMPTY => {
                weighed_groups(before, blocks, weights, count, |s, b| unsafe { avx512_wide::weigh(s, b, weights) })
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => {
                weighed_groups(before, blocks, weights, count, |s, b| unsafe { avx512::weigh(s, b, weights) })
            }
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => {
                weighed_groups(before, blocks, weights, count, |s, b| unsafe { avx2::weigh(s, b, weights) })
            }
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => {
                weighed_groups(before, blocks, weights, count, |s, b| unsafe { neon::weigh(s, b, weights) })
            }
            _ => {
                let mut states = before.copied().unwrap_or([INITIAL; N]);
                self.compress(&mut states, blocks, count);
                let mut all = [Weighed::default(); N];
                all.iter_mut().zip(&states).take(count).for_each(|(one, hash)| *one = Weighed::of(hash, weights));
                all
            }
        }
    }
}

/// How many of so many messages go in groups of [`WIDTH`], the last of which may lack some. The others are too few for one.
pub(crate) fn whole_groups(messages: usize) -> usize {
    ((messages + WIDTH - 1 - MOSTLY_EMPTY) / WIDTH * WIDTH).min(messages)
}

/// Whole groups as long as more than one message of them is meant, and the last message alone.
#[inline]
fn groups<const N: usize>(
    states: &mut [State],
    blocks: &[Block],
    count: usize,
    compress: impl Fn(&mut [State; N], &[Block; N]),
) {
    let mut left = count;
    for (states, blocks) in states.as_chunks_mut::<N>().0.iter_mut().zip(blocks.as_chunks::<N>().0) {
        match left {
            0 => return,
            1 => return one_by_one(states, blocks, 1),
            _ => compress(states, blocks),
        }
        left = left.saturating_sub(N);
    }
}

/// As [`groups`], with hashes weighed.
#[inline]
fn weighed_groups<const N: usize, const OF: usize>(
    before: Option<&[State; N]>,
    blocks: &[Block; N],
    weights: &Weights,
    count: usize,
    weigh: impl Fn(Option<&[State; OF]>, &[Block; OF]) -> [Weighed; OF],
) -> [Weighed; N] {
    let mut all = [Weighed::default(); N];
    let mut left = count;
    let groups = all.as_chunks_mut::<OF>().0.iter_mut().zip(blocks.as_chunks::<OF>().0);
    for (place, (all, blocks)) in groups.enumerate() {
        let before = before.and_then(|states| states.as_chunks::<OF>().0.get(place));
        match left {
            0 => break,
            1 => all[0] = weighed_alone(before.map_or(INITIAL, |states| states[0]), &blocks[0], weights),
            _ => *all = weigh(before, blocks),
        }
        left = left.saturating_sub(OF);
    }
    all
}

fn weighed_alone(mut state: State, block: &Block, weights: &Weights) -> Weighed {
    compress256(&mut state, std::slice::from_ref(block));
    Weighed::of(&state, weights)
}

fn one_by_one(states: &mut [State], blocks: &[Block], count: usize) {
    for (state, block) in states.iter_mut().zip(blocks).take(count) {
        compress256(state, std::slice::from_ref(block));
    }
}
