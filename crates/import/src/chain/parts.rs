//! What a step gives: one thing, or parts of a number.

use crate::model::{Hash, Share};

/// All of a number, in thousandths of a percent.
pub(super) const WHOLE: u32 = 100_000;

/// What somebody gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// This arm.
    Arm(usize),
    /// What the second draw gives.
    Drawn,
}

/// A formula, and the unit whose id it takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Draw {
    pub(crate) hash: Hash,
    pub(crate) unit: String,
}

/// A part of the number, up to here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// In thousandths of a percent.
    pub(crate) upto: u32,
    /// What it gives; none: the next step decides.
    pub(crate) pick: Option<Pick>,
}

/// What a step gives.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Get {
    /// The same to everybody.
    Pick(Pick),
    /// It depends on a number; the parts reach to the end of it.
    Draw(Draw, Vec<Part>),
}

impl Get {
    /// Everybody gets this arm.
    pub(crate) const fn arm(arm: usize) -> Self {
        Self::Pick(Pick::Arm(arm))
    }

    /// Those below a share get this, others go on.
    pub(crate) fn below(draw: Draw, share: Share, pick: Pick) -> Self {
        let parts = [(share.as_thousandths(), Some(pick)), (WHOLE, None)];
        Self::parts(draw, parts.into_iter())
    }

    /// Arms by weight, in the order in which they lie along the number; who is beyond them goes on.
    pub(crate) fn weighted(draw: Draw, weights: impl IntoIterator<Item = (usize, Share)>) -> Self {
        let mut sum = 0;
        let parts: Vec<_> = weights
            .into_iter()
            .map(|(arm, share)| {
                sum = (sum + share.as_thousandths()).min(WHOLE);
                (sum, Some(Pick::Arm(arm)))
            })
            .collect();
        Self::parts(draw, parts.into_iter().chain([(WHOLE, None)]))
    }

    /// Those who would go on get this.
    pub(crate) fn or_else(self, pick: Pick) -> Self {
        match self {
            Self::Pick(_) => self,
            Self::Draw(draw, parts) => {
                Self::parts(draw, parts.into_iter().map(|part| (part.upto, part.pick.or(Some(pick)))))
            }
        }
    }

    /// The same, where so many arms at the beginning of the list are gone.
    pub(crate) fn move_arms(&mut self, gone: usize) {
        let moved = |pick: &mut Pick| {
            if let Pick::Arm(arm) = pick {
                *arm = arm.saturating_sub(gone);
            }
        };
        match self {
            Self::Pick(pick) => moved(pick),
            Self::Draw(_, parts) => parts.iter_mut().filter_map(|part| part.pick.as_mut()).for_each(moved),
        }
    }

    /// Parts up to rising numbers. Empty ones are left out, equal neighbours are one.
    pub(crate) fn parts(draw: Draw, parts: impl Iterator<Item = (u32, Option<Pick>)>) -> Self {
        let mut all: Vec<Part> = Vec::new();
        for (upto, pick) in parts {
            let from = all.last().map_or(0, |part| part.upto);
            match all.last_mut() {
                _ if upto <= from => {}
                Some(last) if last.pick == pick => last.upto = upto,
                _ => all.push(Part { upto, pick }),
            }
        }
        match all.as_slice() {
            [Part { pick: Some(pick), .. }] => Self::Pick(*pick),
            _ => Self::Draw(draw, all),
        }
    }

    /// The id that it draws by.
    pub(crate) fn unit(&self) -> Option<&str> {
        match self {
            Self::Draw(draw, _) => Some(&draw.unit),
            Self::Pick(_) => None,
        }
    }

    /// Whether all go on to the next step.
    pub(crate) fn is_nothing(&self) -> bool {
        matches!(self, Self::Draw(_, parts) if parts.iter().all(|part| part.pick.is_none()))
    }

    /// Whether some go on to the next step.
    pub(super) fn goes_on(&self) -> bool {
        matches!(self, Self::Draw(_, parts) if parts.iter().any(|part| part.pick.is_none()))
    }

    /// Whether only the first part of the number gets something, which a rule can say that leaves the others to the next one.
    pub(super) fn is_share(&self) -> bool {
        matches!(self, Self::Draw(_, parts) if matches!(parts.as_slice(), [Part { pick: Some(_), .. }, Part { pick: None, .. }]))
    }

    /// This, and where it goes on what comes behind it. None where the two draws take different numbers.
    pub(super) fn over(&self, behind: &Self) -> Option<Self> {
        let Self::Draw(draw, front) = self else { return Some(self.clone()) };
        if !self.goes_on() {
            return Some(self.clone());
        }
        let back = match behind {
            Self::Pick(pick) => vec![Part { upto: WHOLE, pick: Some(*pick) }],
            Self::Draw(other, parts) if other == draw => parts.clone(),
            Self::Draw(..) => return None,
        };
        let mut ends: Vec<u32> = front.iter().chain(&back).map(|part| part.upto).collect();
        ends.sort_unstable();
        let at = |parts: &[Part], upto| parts.iter().find(|part| upto <= part.upto).and_then(|part| part.pick);
        let parts = ends.into_iter().map(|upto| (upto, at(front, upto).or_else(|| at(&back, upto))));
        Some(Self::parts(draw.clone(), parts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(key: &str) -> Draw {
        Draw { hash: Hash::new("posthog").text("key", key), unit: "user".into() }
    }

    fn below(percent: f64, arm: usize) -> Get {
        Get::below(draw("a"), Share::percent(percent), Pick::Arm(arm))
    }

    fn shown(get: &Get) -> Vec<(u32, Option<Pick>)> {
        match get {
            Get::Pick(pick) => vec![(WHOLE, Some(*pick))],
            Get::Draw(_, parts) => parts.iter().map(|part| (part.upto, part.pick)).collect(),
        }
    }

    #[test]
    fn a_later_draw_of_the_same_number_fills_what_is_left() {
        let (one, two) = (Some(Pick::Arm(1)), Some(Pick::Arm(2)));
        let over = |front: &Get, back: &Get| shown(&front.over(back).unwrap());
        assert_eq!(over(&below(20.0, 1), &below(50.0, 1)), [(50_000, one), (WHOLE, None)]);
        assert_eq!(over(&below(20.0, 1), &below(50.0, 2)), [(20_000, one), (50_000, two), (WHOLE, None)]);
        assert_eq!(over(&below(50.0, 1), &below(20.0, 2)), [(50_000, one), (WHOLE, None)]);
        assert_eq!(over(&below(20.0, 1), &Get::arm(1)), [(WHOLE, one)]);
        assert_eq!(below(20.0, 1).over(&Get::below(draw("b"), Share::percent(5.0), Pick::Drawn)), None);
        assert_eq!(below(100.0, 1), Get::arm(1));
    }

    #[test]
    fn weights_lie_one_after_the_other() {
        let shares = [(0, Share::percent(30.0)), (1, Share::NOBODY), (2, Share::percent(70.0))];
        assert_eq!(
            shown(&Get::weighted(draw("a"), shares)),
            [(30_000, Some(Pick::Arm(0))), (WHOLE, Some(Pick::Arm(2)))]
        );
    }
}
