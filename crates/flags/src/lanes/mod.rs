//! Many hashes at once.
//!
//! One SHA-256 cannot be made faster than its rounds, which wait for each other. Many of them can go side by side: `rounds` writes the
//! rounds for vectors, `avx2`, `avx512`, `avx512_wide` and `neon` say which vectors. `processor` knows what the processor can do, and is the only file with
//! `unsafe`. `choice` takes the fastest.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512_wide;
mod choice;
mod constants;
#[cfg(target_arch = "x86_64")]
mod instructions;
#[cfg(target_arch = "aarch64")]
mod neon;
mod processor;
mod rounds;
#[cfg(target_arch = "x86_64")]
mod vectors_256;

#[cfg(test)]
mod tests;

pub use choice::hash_kernel;
pub(crate) use choice::kernel;
pub(crate) use constants::{Block, INITIAL, State, Weighed, Weights};
pub(crate) use processor::{Kernel, WIDTH, whole_groups};
