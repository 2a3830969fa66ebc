//! Many hashes at once.
//!
//! One SHA-256 cannot be made faster than its rounds, which wait for each other. Many of them can go side by side: `rounds` writes the
//! rounds for vectors, `avx2`, `avx512` and `neon` say which vectors. `processor` knows what the processor can do, and is the only file with
//! `unsafe`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
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

pub(crate) use constants::{Block, INITIAL, State};
pub use processor::hash_kernel;
pub(crate) use processor::{Kernel, WIDTH, kernel};
