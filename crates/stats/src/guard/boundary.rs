//! The interval of the risk ratio that stands behind the guard: the ratios that the evidence has not ruled out.

use super::law::Law;
use super::machine::{Segment, SequentialTest};
use crate::error::{Result, chance};
use crate::root::bisect;

/// Ratios beyond these are not told apart from 0 and from no bound.
const RANGE: (f64, f64) = (1e-3, 1e3);

/// The end of the interval of the risk ratio that the guard looks at: of bad events its lower end, of good ones its upper end. It may be
/// read at any time, with chance `alpha` of ever missing the true ratio on this side.
///
/// A ratio r is ruled out while the evidence against it, ln E with r as the tolerated one, is ln(1/α) or more. It falls as r
/// goes away from the alternatives, so the ratios that are left are an interval (Howard et al. 2021, arXiv 1810.08240, §2). By definition this end
/// reaches the tolerated ratio exactly when the guard trips.
///
/// A machine that started later looks only at what came after: where the ratio changed meanwhile, this is about its worst stretch of time.
///
/// `None` while no ratio is ruled out.
///
/// # Errors
/// As [`SequentialTest::from_segments`] and [`super::trips`].
pub fn boundary(law: &Law, segments: &[Segment], alpha: f64) -> Result<Option<f64>> {
    let threshold = -chance(alpha)?.ln();
    SequentialTest::from_segments(law.clone(), segments.to_vec())?;
    let against = |log_ratio: f64| {
        let law = Law::new(log_ratio.exp(), law.grid())?;
        Ok(SequentialTest::from_segments(law, segments.to_vec())?.log_evidence() - threshold)
    };
    let (low, high) = (RANGE.0.ln(), RANGE.1.ln());
    let is_harm = law.grid().iter().all(|factor| *factor > 1.0);
    let (near, far) = if is_harm { (low, high) } else { (high, low) };
    if against(near)? < 0.0 {
        return Ok(None);
    }
    if against(far)? >= 0.0 {
        return Ok(Some(far.exp()));
    }
    // the segments were read once, so they are read again
    Ok(Some(bisect(low, high, |ratio| against(ratio).unwrap_or_default()).exp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALPHA: f64 = 0.01;

    fn of(law: &Law, treatment: u64, control: u64) -> (Option<f64>, f64) {
        let mut test = SequentialTest::new(law.clone(), 0.5).unwrap();
        (0..treatment.max(control)).for_each(|n| test.observe(u64::from(n < treatment), u64::from(n < control)));
        (boundary(law, test.segments(), ALPHA).unwrap(), test.log_evidence())
    }

    #[test]
    fn it_reaches_the_tolerated_ratio_when_the_guard_trips() {
        let threshold = -ALPHA.ln();
        let mut sides = [false, false];
        for treatment in 0..60 {
            let (bound, evidence) = of(&Law::harm(), treatment, 10);
            let is_tripped = bound.is_some_and(|bound| bound >= crate::guard::TOLERATED);
            assert_eq!(is_tripped, evidence >= threshold, "{treatment}: {bound:?} {evidence}");
            sides[usize::from(is_tripped)] = true;
        }
        assert_eq!(sides, [true, true]);
    }

    #[test]
    fn it_stays_below_what_is_seen_and_comes_closer() {
        let four_to_one = |times: usize| {
            let mut test = SequentialTest::new(Law::harm(), 0.5).unwrap();
            (0..times).for_each(|_| test.observe(4, 1));
            boundary(&Law::harm(), test.segments(), ALPHA).unwrap().unwrap()
        };
        let (few, many) = (four_to_one(10), four_to_one(400));
        assert!(few < many && many < 4.0 && many > 2.5, "{few} {many}");
        assert_eq!(of(&Law::harm(), 0, 10).0, None);
    }

    #[test]
    fn of_goals_it_is_the_upper_end() {
        assert_eq!(of(&Law::goals(), 5, 0).0, None);
        let (bound, evidence) = of(&Law::goals(), 5, 80);
        assert!(bound.unwrap() < 1.0 && evidence >= -ALPHA.ln(), "{bound:?} {evidence}");
        let (bound, evidence) = of(&Law::goals(), 80, 80);
        assert!(bound.unwrap() > 1.0 && evidence < -ALPHA.ln(), "{bound:?} {evidence}");
    }
}
