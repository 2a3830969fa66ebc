//! Which way of hashing a process takes.

use std::hint::black_box;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::constants::INITIAL;
use super::processor::{Kernel, WIDTH};

/// The environment variable that chooses a way of hashing, for tests and measurements.
const VARIABLE: &str = "FLAGS_HASHING";

/// How often each way is timed. All of it takes a fraction of a millisecond.
const TIMED: usize = 100;

/// The way of hashing of this process: the one that the environment variable names, if the processor can do it, else the fastest. The first
/// call finds it out.
pub(crate) fn kernel() -> Kernel {
    static CHOSEN: OnceLock<Kernel> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let (all, wanted) = (Kernel::all(), std::env::var(VARIABLE).unwrap_or_default());
        let named = all.iter().copied().find(|kernel| kernel.name() == wanted);
        named.unwrap_or_else(|| fastest(&all))
    })
}

/// The fastest of all on this processor. That is measured: of two that can do the same things, one hashes faster with its instructions for SHA-256 and
/// one with wide vectors.
fn fastest(all: &[Kernel]) -> Kernel {
    let mut best = vec![Duration::MAX; all.len()];
    for _ in 0..TIMED {
        // in turn, so that what disturbs disturbs each
        best.iter_mut().zip(all).for_each(|(best, kernel)| *best = time(*kernel).min(*best));
    }
    let fastest = all.iter().zip(best).min_by_key(|(_, best)| *best);
    fastest.map_or(Kernel::PLAIN, |(kernel, _)| *kernel)
}

/// How long it takes for as many messages as one call takes.
fn time(kernel: Kernel) -> Duration {
    let mut states = [INITIAL; WIDTH];
    let begin = Instant::now();
    kernel.compress(&mut states, black_box(&[[0; 64]; WIDTH]), WIDTH);
    black_box(states);
    begin.elapsed()
}

/// The name of the way in which this process hashes: `instructions` for SHA-256, `avx512`, `mixed` of both, `avx2`, `neon` or `plain`. The
/// environment variable `FLAGS_HASHING` chooses another one that the processor can do, for tests and measurements.
#[must_use]
pub fn hash_kernel() -> &'static str {
    kernel().name()
}
