//! What a request tells the ledger.

use std::sync::Arc;

use crate::Experiment;

/// The longest name of a unit or key that is recorded, in bytes.
const LONGEST: usize = 512;

/// Something that happened. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A unit met a variant.
    Exposed {
        /// Of which experiment.
        experiment: Arc<Experiment>,
        /// Who.
        unit: Box<str>,
        /// Which, by its number among the arms.
        variant: u8,
        /// Where the unit falls among the arms.
        place: u32,
        /// Its variant was remembered, not drawn now.
        held: bool,
        /// Its cookie came back.
        confirmed: bool,
        /// When.
        at: i64,
    },
    /// A visitor's cookie came back.
    Returned {
        /// Who.
        unit: Box<str>,
    },
    /// A visitor looked at a page.
    Page {
        /// Who.
        unit: Box<str>,
        /// When it was asked for.
        at: i64,
    },
    /// A unit reached a goal.
    Converted {
        /// Which.
        goal: Arc<str>,
        /// Who.
        unit: Box<str>,
        /// How much it is worth, where it says so.
        value: Option<f64>,
        /// What makes it the same one when it is told again; else its time does.
        key: Option<Box<str>>,
        /// When.
        at: i64,
    },
    /// Everything about a unit is to be deleted.
    Forget {
        /// Who.
        unit: Box<str>,
    },
}

impl Event {
    /// Whether a store takes it: no name that is empty, too long or has a NUL (PostgreSQL keeps none), no value that is no
    /// number.
    pub(crate) fn is_sound(&self) -> bool {
        let fits = |text: &str| !text.is_empty() && text.len() <= LONGEST && !text.contains('\0');
        match self {
            Self::Converted { unit, key, value, .. } => {
                fits(unit) && key.as_deref().is_none_or(fits) && value.is_none_or(f64::is_finite)
            }
            Self::Exposed { unit, .. }
            | Self::Returned { unit }
            | Self::Page { unit, .. }
            | Self::Forget { unit } => fits(unit),
        }
    }
}
