//! Headers that tell decisions, ready to be written: one block for each vector of variants that comes again and again.
//!
//! Visitors are many and vectors few: with a handful of flags nearly every request finds its block. Where each visitor has a vector of
//! their own, nothing is kept: a place is given to a vector that is missed there twice running.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use arc_swap::{ArcSwapOption, Guard};
use flagstaff_flags::{Decisions, VariantId};
use http::header::{HeaderName, HeaderValue};

/// Vectors that are kept at most.
const PLACES: usize = 128;
/// Of more flags no block is kept: it would be large, and hardly any two visitors share one.
const MOST_FLAGS: usize = 512;
/// Variants that are put into one number.
const AT_ONCE: usize = 8;

/// The headers of one vector of variants.
pub(crate) struct HeaderBlock {
    /// A header per flag.
    pub(crate) each: Box<[(HeaderName, HeaderValue)]>,
    /// All flags in one, empty where all are off.
    pub(crate) dictionary: Option<HeaderValue>,
}

/// The blocks of one snapshot.
pub(crate) struct HeaderBlocks(Box<[Place]>);

/// Room for one block.
#[derive(Default)]
struct Place {
    kept: ArcSwapOption<Kept>,
    /// The hash of the vector that was missed here last.
    missed: AtomicU64,
}

/// A block and the vector it belongs to.
struct Kept {
    hash: u64,
    off: bool,
    variants: Box<[VariantId]>,
    block: HeaderBlock,
}

/// A block, as long as it is looked at.
pub(crate) struct ReadyBlock(Guard<Option<Arc<Kept>>>);

impl ReadyBlock {
    pub(crate) fn block(&self) -> Option<&HeaderBlock> {
        self.0.as_ref().map(|kept| &kept.block)
    }
}

impl HeaderBlocks {
    /// None yet, for so many flags.
    pub(crate) fn new(flags: usize) -> Self {
        let places = if (1..=MOST_FLAGS).contains(&flags) { PLACES } else { 0 };
        Self((0..places).map(|_| Place::default()).collect())
    }

    /// The block of these decisions, where it is ready. One that is missed for the second time is made ready.
    pub(crate) fn get(
        &self,
        decisions: &Decisions,
        off: bool,
        make: impl FnOnce() -> HeaderBlock,
    ) -> Option<ReadyBlock> {
        let hash = hash(decisions.variants(), off);
        // a multiplication mixes upward, so the upper bits choose
        let place = self.0.get(usize::try_from(hash >> 32).ok()? % self.0.len().max(1))?;
        let kept = place.kept.load();
        let is = |kept: &Arc<Kept>| {
            kept.hash == hash && kept.off == off && decisions.variants().eq(kept.variants.iter().copied())
        };
        if kept.as_ref().is_some_and(is) {
            return Some(ReadyBlock(kept));
        }
        if place.missed.load(Relaxed) == hash {
            let variants = decisions.variants().collect();
            place.kept.store(Some(Arc::new(Kept { hash, off, variants, block: make() })));
        } else {
            place.missed.store(hash, Relaxed);
        }
        None
    }
}

/// A number that tells vectors apart: those that share one share a place, no more.
fn hash(mut variants: impl Iterator<Item = VariantId>, off: bool) -> u64 {
    let mut hash = u64::from(off);
    loop {
        let (mut eight, mut count) = (0_u64, 0);
        for variant in variants.by_ref().take(AT_ONCE) {
            eight = eight << 8 | variant.index() as u64;
            count += 1;
        }
        hash = (hash ^ eight).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        if count < AT_ONCE {
            return hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
    }
}

impl fmt::Debug for HeaderBlocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeaderBlocks").field("places", &self.0.len()).finish()
    }
}
