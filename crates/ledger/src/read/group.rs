//! Units that are counted together.

use std::time::Duration;

use crate::packs::rows::{Converted, Exposed};
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
    /// They came within the period, and met no other variant in it: such units are compared.
    pub(crate) clean_in_step: bool,
}

/// The ways in which units of one period and variant differ.
const WAYS: usize = 16;

/// What a conversion is worth, in SQL. A value that no event may have, which older versions kept, is worth nothing.
pub(crate) const VALUE: &str = "CASE WHEN c.value BETWEEN -1e12 AND 1e12 THEN c.value ELSE 0 END";

/// The same of a row that was read.
pub(crate) fn value(conversion: &Converted) -> f64 {
    conversion.value.filter(|value| (-1e12..=1e12).contains(value)).unwrap_or(0.0)
}

impl Group {
    /// The group of a unit; none where its experiment has no such period or variant.
    pub(crate) fn of(unit: &Exposed, recorded: &Recorded) -> Option<Self> {
        let period = usize::try_from(unit.period).ok()?;
        let variant = usize::try_from(unit.variant).ok().filter(|variant| *variant < recorded.variants.len())?;
        let of = recorded.periods.get(period)?;
        let stayed = of.unmoved.get(variant).is_some_and(|(from, to)| (*from..*to).contains(&unit.place));
        Some(Self {
            period,
            variant,
            held: unit.held,
            unmoved: unit.held && stayed,
            clean: unit.crossed.is_none(),
            // one who came when it was over could do nothing within it
            clean_in_step: unit.at < of.ends && unit.crossed.is_none_or(|crossed| crossed >= of.ends),
        })
    }

    /// Its number among [`Group::count`].
    pub(crate) fn number(self, recorded: &Recorded) -> usize {
        let bit = |is: bool, bit: usize| if is { bit } else { 0 };
        let way = bit(self.held, 8) | bit(self.unmoved, 4) | bit(self.clean, 2) | bit(self.clean_in_step, 1);
        (self.period * recorded.variants.len() + self.variant) * WAYS + way
    }

    /// How many groups an experiment can have.
    pub(crate) fn count(recorded: &Recorded) -> usize {
        recorded.periods.len() * recorded.variants.len() * WAYS
    }

    /// The group of a number.
    pub(crate) fn numbered(number: usize, recorded: &Recorded) -> Self {
        let has = |bit: usize| number & bit != 0;
        let (place, variants) = (number / WAYS, recorded.variants.len().max(1));
        let (period, variant) = (place / variants, place % variants);
        Self { period, variant, held: has(8), unmoved: has(4), clean: has(2), clean_in_step: has(1) }
    }
}

/// When the period of a unit ends.
pub(crate) fn ends(unit: &Exposed, recorded: &Recorded) -> i64 {
    let period = usize::try_from(unit.period).ok().and_then(|period| recorded.periods.get(period));
    period.map_or(i64::MIN, |period| period.ends)
}

/// Whether a unit left after one page, given the time (µs) it had for a second.
pub(crate) fn left(unit: &Exposed, time: i64) -> bool {
    let until = unit.at.saturating_add(time);
    unit.page1.is_some_and(|page| page <= until) && unit.page2.is_none_or(|page| page > until)
}

/// The same in SQL.
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
    use crate::read::recorded::Period;

    #[test]
    fn a_group_is_found_by_its_number() {
        let period = || Period { arms: vec![], began: 0, ends: i64::MAX, unmoved: vec![] };
        let names = ["off", "a", "b"].map(String::from);
        let recorded = Recorded { trial: 1, variants: names.into(), began: 0, periods: vec![period(), period()] };
        assert_eq!(Group::count(&recorded), 96);
        for number in 0..96 {
            assert_eq!(Group::numbered(number, &recorded).number(&recorded), number);
        }
    }
}
