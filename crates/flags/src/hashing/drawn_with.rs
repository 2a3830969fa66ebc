//! What a flag, a rule or a layer draws with.

use super::formula::Formula;
use super::hash::{Hash, HashedNumber, numbers_of_sha256};
use super::recipes::Source;
use crate::{Allocation, Draw};

/// What a draw is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DrawnWith<'a> {
    /// The salt, where no other formula is written.
    pub(crate) salt: &'a str,
    /// The formula that is written.
    pub(crate) hash: Option<&'a Hash>,
    /// Where the variants lie; none for off and on.
    pub(crate) ranges: Option<&'a [Allocation]>,
}

impl<'a> DrawnWith<'a> {
    /// Where a unit falls.
    pub(crate) fn draw(self, unit: &str) -> Draw {
        match self.hash {
            None => Draw::of(self.salt, unit),
            Some(hash) => hash.draw(unit, self.ranges),
        }
    }

    /// The name under which a draw is kept for a visitor whose id changes.
    pub(crate) const fn kept_as(self) -> &'a str {
        match self.hash {
            None => self.salt,
            Some(hash) => hash.id(),
        }
    }

    /// A draw that was made earlier, for the variants as they lie now.
    pub(crate) fn drawn_earlier(self, draw: Draw) -> Draw {
        self.hash.map_or(draw, |hash| hash.drawn_earlier(draw, self.ranges))
    }

    /// The formula.
    pub(crate) fn formula(self) -> Formula {
        self.hash.map_or(Formula::Sha256, Hash::formula)
    }

    /// Whether the share that this gives is read off the number by which the other tells apart what it compares: variants, or off and
    /// on. Then those whom the share leaves out are not spread as all others are.
    pub(crate) fn foretells(self, other: DrawnWith<'_>) -> bool {
        self.source(false) == other.source(other.ranges.is_some())
    }

    /// What a number is made of: the one that says the variant, or the position's.
    fn source(self, of_variant: bool) -> Source<'a> {
        match self.hash {
            None => Source::Sha256 { salt: self.salt, prefix: "", of_variant },
            Some(hash) => hash.source(self.ranges.is_some(), of_variant),
        }
    }

    /// The numbers of a unit, for people to check.
    pub(crate) fn numbers(self, unit: &str) -> Vec<HashedNumber> {
        match self.hash {
            None => numbers_of_sha256(self.salt, unit),
            Some(hash) => hash.numbers(unit, self.ranges.is_some()),
        }
    }
}
