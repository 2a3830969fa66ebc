//! Units that are counted together, as SQL and as what it answers.

use std::time::Duration;

use sqlx::Row;
use sqlx::any::AnyRow;

use crate::read::recorded::Recorded;

pub(crate) const DAY: i64 = 86_400_000_000;

/// Units that are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) period: usize,
    pub(crate) variant: usize,
    /// Their variant was remembered, not drawn.
    pub(crate) held: bool,
    /// Remembered, but their place had this variant all along.
    pub(crate) unmoved: bool,
    /// They met no other variant.
    pub(crate) clean: bool,
    /// They met no other variant within the period.
    pub(crate) clean_in_step: bool,
}

/// More variants than a flag can have.
const VARIANTS: i64 = 256;
const BITS: i64 = 16;

/// What a conversion is worth. A value that no event may have, which older versions kept, is worth nothing.
pub(crate) const VALUE: &str = "CASE WHEN c.value BETWEEN -1e12 AND 1e12 THEN c.value ELSE 0 END";

impl Group {
    /// Reads a [`group_code`]; one that is none stands for a group of nobody.
    fn of(code: i64) -> Self {
        let has = |bit: i64| code & bit != 0;
        Self {
            period: usize::try_from(code / (VARIANTS * BITS)).unwrap_or(usize::MAX),
            variant: usize::try_from(code / BITS % VARIANTS).unwrap_or(usize::MAX),
            held: has(8),
            unmoved: has(4),
            clean: has(2),
            clean_in_step: has(1),
        }
    }

    pub(crate) fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self::of(row.try_get(0)?))
    }
}

/// A group as one number, made in SQL: a million rows are grouped by one number in a third of the time that six columns take.
/// Times and places of the periods are numbers of our own, so they are written into the text.
pub(crate) fn group_code(recorded: &Recorded) -> String {
    format!(
        "e.period * {} + e.variant * {BITS} + CASE WHEN e.held = 0 THEN 0 WHEN {} THEN 12 ELSE 8 END
         + CASE WHEN e.crossed IS NULL THEN 3 WHEN e.crossed >= {} THEN 1 ELSE 0 END",
        VARIANTS * BITS,
        unmoved(recorded),
        ends(recorded)
    )
}

/// When the period of an exposure ends.
pub(crate) fn ends(recorded: &Recorded) -> String {
    let periods = recorded.periods.iter().enumerate();
    let cases = periods.map(|(number, period)| format!(" WHEN {number} THEN {}", period.ends));
    format!("CASE e.period{} END", cases.collect::<String>())
}

/// Whether the place of an exposure had its variant all along.
fn unmoved(recorded: &Recorded) -> String {
    let bound = |of: fn(&(i64, i64)) -> i64| {
        let cases = (0..).zip(&recorded.periods).flat_map(|(number, period)| {
            let variants = (0..).zip(&period.unmoved);
            variants.map(move |(variant, arm)| format!(" WHEN {} THEN {}", number * VARIANTS + variant, of(arm)))
        });
        format!("CASE e.period * {VARIANTS} + e.variant{} END", cases.collect::<String>())
    };
    format!("e.place >= {} AND e.place < {}", bound(|arm| arm.0), bound(|arm| arm.1))
}

/// Whole numbers of a row, from a column on.
pub(crate) fn counts<const N: usize>(row: &AnyRow, from: usize) -> Result<[u64; N], sqlx::Error> {
    let mut all = [0; N];
    for (slot, at) in all.iter_mut().zip(from..) {
        *slot = row.try_get::<i64, usize>(at)?.max(0).unsigned_abs();
    }
    Ok(all)
}

/// Numbers of a row, from a column on.
pub(crate) fn numbers<const N: usize>(row: &AnyRow, from: usize) -> Result<[f64; N], sqlx::Error> {
    let mut all = [0.0; N];
    for (slot, at) in all.iter_mut().zip(from..) {
        *slot = row.try_get(at)?;
    }
    Ok(all)
}

/// Whether a unit left after one page, given the time it had for a second.
pub(crate) fn bounce(time: &str) -> String {
    format!("e.page1 <= e.at + {time} AND (e.page2 IS NULL OR e.page2 > e.at + {time})")
}

/// A time in µs: longer than anything was recorded at most, and far from where sums overflow.
pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX).min(1000 * 365 * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_as_it_is_written() {
        let all = Group { period: 7, variant: 62, held: true, unmoved: true, clean: true, clean_in_step: true };
        assert_eq!(Group::of(7 * VARIANTS * BITS + 62 * BITS + 12 + 3), all);
        let crossed_later =
            Group { period: 0, variant: 1, held: false, unmoved: false, clean: false, clean_in_step: true };
        assert_eq!(Group::of(BITS + 1), crossed_later);
    }
}
