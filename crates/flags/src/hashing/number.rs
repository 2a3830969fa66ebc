//! A number on a grid, and the position that it is.

use crate::{Allocation, Percent};

/// Number `k` of a grid of `grid` cells: `k / grid` of the way from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) k: u64,
    pub(super) grid: u64,
}

impl Number {
    /// A position that was read off before.
    pub(super) const fn of_position(position: u32) -> Self {
        Self { k: position as u64, grid: Percent::WHOLE as u64 }
    }

    /// Its position, 0 to 99,999: `position < share` is exactly `k / grid < share`.
    pub(super) fn position(self) -> u32 {
        self.scaled(0, u128::from(Percent::WHOLE))
    }

    /// Its position inside the range of a variant, 0 to 99,999: a share takes the first part of each range.
    pub(super) fn position_within(self, range: &Allocation) -> u32 {
        self.scaled(u128::from(range.from), u128::from(range.to.saturating_sub(range.from)))
    }

    /// `((k/grid - from) / width)` in 100,000ths, in whole numbers: `k` and `grid` have 60 bits at most, so nothing overflows.
    fn scaled(self, from: u128, width: u128) -> u32 {
        let whole = u128::from(Percent::WHOLE);
        let grid = u128::from(self.grid);
        let above = (u128::from(self.k) * whole).saturating_sub(from * grid);
        let position = (above * whole).checked_div(grid * width).unwrap_or_default();
        u32::try_from(position).unwrap_or(u32::MAX).min(Percent::WHOLE - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VariantId;

    #[test]
    fn a_position_is_below_a_share_where_the_number_is() {
        for grid in [100_u64, 1000, 9998, 10_000, 100_000, 1 << 32, (1 << 60) - 1] {
            for k in [0, 1, grid / 3, grid / 2, grid - 1, grid] {
                let position = Number { k, grid }.position();
                for share in [1, 3333, 33_333, 50_000, 99_999] {
                    let is_in = u128::from(k) * 100_000 < u128::from(share) * u128::from(grid);
                    assert_eq!(position < share, is_in, "{k} of {grid}, {share}");
                }
                assert!(position < Percent::WHOLE);
            }
        }
    }

    #[test]
    fn a_share_takes_the_first_part_of_a_range() {
        let range = Allocation { variant: VariantId::ON, from: 40_000, to: 100_000 };
        let within = |k| Number { k, grid: 1000 }.position_within(&range);
        assert_eq!([within(400), within(401), within(700), within(999)], [0, 166, 50_000, 99_833]);
        let empty = Allocation { to: 40_000, ..range };
        assert_eq!(Number { k: 400, grid: 1000 }.position_within(&empty), 0);
    }
}
