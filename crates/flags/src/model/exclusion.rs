//! Layers of flags that exclude each other: a visitor gets at most one of them.

use crate::hashing::DrawnWith;
use crate::{Hash, Name, Percent, Problem};

/// A set of flags that exclude each other: each has slices of one draw, whose salt is the layer's name.
#[derive(Clone, Debug)]
pub struct ExclusionLayer {
    /// Its name, and the salt of its draw.
    pub name: Name,
    /// The parts, each with its flag.
    pub slices: Vec<Slice>,
    /// The formula of its draw, when it is another than SHA-256.
    pub hash: Option<Hash>,
}

/// A part of a layer: positions from `from` up to, and without, `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The flag that has it.
    pub flag: Name,
    /// Where it begins.
    pub from: Percent,
    /// Where it ends.
    pub to: Percent,
}

impl Slice {
    /// Whether a position (0 to 99,999) is in the slice.
    pub(crate) const fn holds(&self, position: u32) -> bool {
        self.to.holds(position) && !self.from.holds(position)
    }
}

impl ExclusionLayer {
    /// A layer that draws by SHA-256.
    #[must_use]
    pub const fn new(name: Name, slices: Vec<Slice>) -> Self {
        Self { name, slices, hash: None }
    }

    /// What it draws with.
    pub(crate) fn drawn_with(&self) -> DrawnWith<'_> {
        DrawnWith { salt: self.name.as_str(), hash: self.hash.as_ref(), ranges: None }
    }

    /// The slices that are empty or share positions with another.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let at = |slice: &Slice, message: String| {
            Problem::new(["layers", self.name.as_str(), "slices", slice.flag.as_str()], message)
        };
        let mut problems = Vec::new();
        for (i, slice) in self.slices.iter().enumerate() {
            if slice.from >= slice.to {
                let message = format!("the slice of `{}` is empty", slice.flag);
                problems.push(at(slice, message).help("a slice is [from, to] in percent, from below to"));
            }
            let before = self.slices.iter().take(i);
            if let Some(other) = before.into_iter().find(|o| o.from < slice.to && slice.from < o.to) {
                let message = format!("the slice of `{}` overlaps that of `{}`", slice.flag, other.flag);
                let help = if other.to < slice.to {
                    format!("begin at {}", other.to)
                } else {
                    format!("end at {}", other.from)
                };
                problems.push(at(slice, message).help(help));
            }
        }
        problems
    }
}
