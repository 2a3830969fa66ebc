//! What a flag can be.

use std::fmt;
use std::sync::Arc;

use crate::{Allocation, Percent, VariantId};

/// The most variants a flag may have, `off` included.
const MOST_VARIANTS: usize = 64;
/// How far weights may miss 100 altogether, so that three times 33.333 is enough.
const SLACK: f64 = 0.01;

/// The variants of a flag, their weights, and which one is the control.
#[derive(Clone, Debug, PartialEq)]
pub struct Variants {
    names: Vec<Arc<str>>,
    /// Where each variant that is drawn lies among 100,000, in the order their weights were written.
    ranges: Vec<Allocation>,
    control: VariantId,
    own: bool,
}

impl Variants {
    /// `off` and `on`: the control is `off`.
    #[must_use]
    pub fn off_and_on() -> Self {
        Self {
            names: vec!["off".into(), "on".into()],
            ranges: vec![Allocation { variant: VariantId::ON, from: 0, to: Percent::WHOLE }],
            control: VariantId::OFF,
            own: false,
        }
    }

    /// Named variants with weights in percent, in written order; the first is the control.
    ///
    /// # Errors
    /// When there are none or more than 63, a name is empty, repeated or has a character outside `[A-Za-z0-9_.-]`, a weight is
    /// negative, or the weights do not add up to 100.
    pub fn weighted<'a>(weights: impl IntoIterator<Item = (&'a str, f64)>) -> Result<Self, VariantsError> {
        let weights: Vec<_> = weights.into_iter().collect();
        check(&weights)?;
        let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut names: Vec<Arc<str>> = vec!["off".into()];
        let mut ranges = Vec::with_capacity(weights.len());
        let (mut sum, mut from) = (0.0, 0);
        for (name, weight) in weights {
            sum += weight;
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100,000")]
            let to = (sum / total * f64::from(Percent::WHOLE)).round() as u32;
            ranges.push(Allocation { variant: id_of(&mut names, name), from, to });
            from = to;
        }
        let control = ranges.first().map_or(VariantId::OFF, |range| range.variant);
        Ok(Self { names, ranges, control, own: true })
    }

    /// The same, lying in another order along the draw. The order of the list, and so the control, stays.
    #[must_use]
    pub fn lying_in(mut self, order: &[VariantId]) -> Self {
        self.ranges = Allocation::in_order(&self.ranges, order);
        self
    }

    /// Where each variant that is drawn lies along the draw, in the order their weights were written.
    #[must_use]
    pub fn ranges(&self) -> &[Allocation] {
        &self.ranges
    }

    /// All names; the first is `off`.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The name of a variant; `off` for one that is not this flag's.
    #[must_use]
    pub fn name(&self, id: VariantId) -> &str {
        self.names.get(id.index()).map_or("off", |name| name)
    }

    /// The variant of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<VariantId> {
        let index = self.names.iter().position(|n| &**n == name)?;
        u8::try_from(index).ok().map(VariantId)
    }

    /// What those outside the test get: `off`, or the first of the named variants.
    #[must_use]
    pub const fn control(&self) -> VariantId {
        self.control
    }

    /// Whether the flag names variants of its own, rather than being off or on.
    #[must_use]
    pub const fn are_named(&self) -> bool {
        self.own
    }

    /// The variants that are drawn, with their share, in written order.
    pub fn weights(&self) -> impl Iterator<Item = (VariantId, Percent)> {
        self.ranges.iter().map(|range| (range.variant, Percent::from_thousandths(range.to - range.from)))
    }

    /// The variant at a split (0 to 99,999).
    #[must_use]
    pub fn at(&self, split: u32) -> VariantId {
        Allocation::at(&self.ranges, split)
    }
}

fn check(weights: &[(&str, f64)]) -> Result<(), VariantsError> {
    if weights.is_empty() || weights.len() >= MOST_VARIANTS {
        return Err(VariantsError::Count);
    }
    for (i, (name, weight)) in weights.iter().enumerate() {
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return Err(VariantsError::Name((*name).into()));
        }
        if weights.iter().take(i).any(|(other, _)| other == name) {
            return Err(VariantsError::Repeated((*name).into()));
        }
        if !(0.0..=100.0).contains(weight) {
            return Err(VariantsError::Weight((*name).into()));
        }
    }
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    if (total - 100.0).abs() > SLACK { Err(VariantsError::Total(total)) } else { Ok(()) }
}

/// The index of a name, which becomes the last when it is new.
fn id_of(names: &mut Vec<Arc<str>>, name: &str) -> VariantId {
    let index = names.iter().position(|n| &**n == name).unwrap_or_else(|| {
        names.push(name.into());
        names.len() - 1
    });
    VariantId(u8::try_from(index).unwrap_or(0))
}

/// Why a list of variants is not valid.
#[derive(Clone, Debug, PartialEq)]
pub enum VariantsError {
    /// None at all, or more than 63.
    Count,
    /// A name that is empty, too long, or has a character that does not belong there.
    Name(String),
    /// A name given twice.
    Repeated(String),
    /// A weight outside 0 to 100.
    Weight(String),
    /// Weights that add up to this instead of 100.
    Total(f64),
}

impl fmt::Display for VariantsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => write!(f, "a flag has 1 to {} variants", MOST_VARIANTS - 1),
            Self::Name(name) => {
                write!(
                    f,
                    "`{name}` is not a valid name of a variant: use letters, digits, `_`, `-` and `.`, at most 64 bytes"
                )
            }
            Self::Repeated(name) => write!(f, "the variant `{name}` is listed twice"),
            Self::Weight(name) => write!(f, "the weight of `{name}` must be between 0 and 100"),
            Self::Total(total) => write!(f, "the weights add up to {}, not 100", (total * 1000.0).round() / 1000.0),
        }
    }
}

impl std::error::Error for VariantsError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_cut_the_split_in_written_order() {
        let v = Variants::weighted([("classic", 50.0), ("simple", 25.0), ("annual_first", 25.0)]).unwrap();
        let at = |split| v.name(v.at(split));
        assert_eq!(
            [at(0), at(49_999), at(50_000), at(74_999), at(75_000), at(99_999)],
            ["classic", "classic", "simple", "simple", "annual_first", "annual_first"]
        );
        assert_eq!(v.name(v.control()), "classic");
    }

    #[test]
    fn a_weight_of_nothing_is_never_drawn() {
        let v = Variants::weighted([("a", 0.0), ("b", 100.0), ("c", 0.0)]).unwrap();
        assert!([0, 50_000, 99_999].iter().all(|split| v.name(v.at(*split)) == "b"));
    }

    #[test]
    fn thirds_reach_the_end() {
        let v = Variants::weighted([("a", 33.333), ("b", 33.333), ("c", 33.333)]).unwrap();
        assert_eq!(v.name(v.at(99_999)), "c");
        assert_eq!(v.weights().map(|(_, p)| p.thousandths()).sum::<u32>(), Percent::WHOLE);
    }

    #[test]
    fn off_may_be_one_of_the_named() {
        let v = Variants::weighted([("off", 50.0), ("on", 50.0)]).unwrap();
        assert_eq!((v.names().len(), v.control(), v.at(0)), (2, VariantId::OFF, VariantId::OFF));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let of = |list: &[(&str, f64)]| Variants::weighted(list.iter().copied()).unwrap_err();
        assert_eq!(of(&[]), VariantsError::Count);
        assert_eq!(of(&[("a", 50.0), ("b", 60.0)]), VariantsError::Total(110.0));
        assert_eq!(of(&[("a", -1.0), ("b", 101.0)]), VariantsError::Weight("a".into()));
        assert_eq!(of(&[("a", 50.0), ("a", 50.0)]), VariantsError::Repeated("a".into()));
        assert_eq!(of(&[("a b", 100.0)]), VariantsError::Name("a b".into()));
        assert_eq!(of(&[("a", f64::NAN)]), VariantsError::Weight("a".into()));
    }
}
