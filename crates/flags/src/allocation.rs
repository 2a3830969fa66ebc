//! The positions of the draw that a variant has.

use crate::VariantId;

/// The positions (0 to 99,999) of a variant at some time: from `from` up to, and without, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Allocation {
    /// The variant.
    pub variant: VariantId,
    /// Where it begins.
    pub from: u32,
    /// Where it ends.
    pub to: u32,
}

impl Allocation {
    /// Whether a position is one of its.
    pub(crate) const fn holds(&self, position: u32) -> bool {
        self.from <= position && position < self.to
    }

    /// The variant at a position: the last one that has any where weights leave some out.
    pub(crate) fn at(all: &[Self], position: u32) -> VariantId {
        let found = all.iter().find(|one| one.holds(position)).or(all.last());
        found.map_or(VariantId::OFF, |one| one.variant)
    }

    /// Ranges of the same size, lying one after the other in another order; the list stays in its own.
    #[must_use]
    pub fn in_order(all: &[Self], order: &[VariantId]) -> Vec<Self> {
        let mut laid = all.to_vec();
        let mut from = 0;
        for variant in order {
            for one in laid.iter_mut().filter(|one| one.variant == *variant) {
                let size = one.to - one.from;
                (one.from, one.to) = (from, from + size);
                from += size;
            }
        }
        laid
    }
}
