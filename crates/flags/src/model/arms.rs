//! The arms of a flag: the positions of the draw that each variant has.

use jiff::Timestamp;

use crate::hashing::DrawnWith;
use crate::{Allocation, Draw, Flag, FormerDraw, Percent, VariantId};

impl Flag {
    /// Where a unit falls among its arms, 0 to 99,999: the draw's position for a flag of off and on, the draw's split for one with
    /// variants of its own.
    #[must_use]
    pub fn position(&self, unit: &str) -> u32 {
        self.place(unit, &[])
    }

    /// The same for a unit that had another id before, of which these draws are kept.
    #[must_use]
    pub fn place(&self, unit: &str, former: &[FormerDraw]) -> u32 {
        let with = self.drawn_with();
        let draw = self.former_draw(with, former).unwrap_or_else(|| with.draw(unit));
        if self.variants.are_named() { draw.split() } else { draw.position() }
    }

    /// Where a unit fell under an earlier id, when that is kept.
    pub(crate) fn former_draw(&self, with: DrawnWith<'_>, former: &[FormerDraw]) -> Option<Draw> {
        let draw = FormerDraw::find(former, self.bucket_by.drawn_by()?, with.kept_as())?;
        Some(with.drawn_earlier(draw))
    }

    /// The number of a variant among what is drawn, the control being 0; `None` for one that is not drawn.
    #[must_use]
    pub fn arm(&self, variant: VariantId) -> Option<u8> {
        if self.variants.are_named() {
            let number = self.variants.weights().position(|(id, _)| id == variant)?;
            return u8::try_from(number).ok();
        }
        match variant {
            VariantId::OFF => Some(0),
            VariantId::ON => Some(1),
            _ => None,
        }
    }

    /// Shares of what is drawn at a step of its rollout (from 0), the control first, in thousandths of a percent; where there is
    /// no rollout every step has those that are written. They need not make a whole: a layer or a share of named variants
    /// may leave some out.
    #[must_use]
    pub fn shares(&self, step: usize) -> Vec<u32> {
        self.arms_at(step).into_iter().map(|arm| arm.to - arm.from).collect()
    }

    /// The arms whose shares these are.
    #[must_use]
    pub fn arms_at(&self, step: usize) -> Vec<Allocation> {
        self.arms(match &self.rollout {
            Some(rollout) => rollout.percent(Timestamp::MAX, step),
            None => self.share_of_the_rest(),
        })
    }

    /// The variants by position of the draw, for units that nothing else decides for.
    pub(crate) fn arms(&self, percent: Percent) -> Vec<Allocation> {
        if self.variants.are_named() {
            return self.variants.ranges().to_vec();
        }
        let edge = percent.thousandths();
        let on = Allocation { variant: VariantId::ON, from: 0, to: edge };
        vec![Allocation { variant: VariantId::OFF, from: edge, to: Percent::WHOLE }, on]
    }

    /// The variant of the arm that has a position; none for one that no arm has.
    pub(crate) fn variant_at(&self, percent: Percent, position: u32) -> Option<VariantId> {
        if self.variants.are_named() {
            let mut ranges = self.variants.ranges().iter();
            return ranges.find(|range| (range.from..range.to).contains(&position)).map(|range| range.variant);
        }
        Some(if position < percent.thousandths() { VariantId::ON } else { VariantId::OFF })
    }
}
