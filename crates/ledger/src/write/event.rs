//! What a request tells the ledger.

use std::sync::Arc;

use flagstaff_flags::{ExperimentId, is_value};

use crate::store::name::stored_name;
use crate::write::experiment::Experiment;

/// Something that happened. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RecordedEvent {
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
        /// It counts only for a unit that met one of these; none: for any.
        met: Option<Arc<[ExperimentId]>>,
    },
    /// Nobody is drawn for an experiment from now on: its flag is off, or the same for everybody, or gone.
    NotDrawn {
        /// Which experiment.
        trial: ExperimentId,
        /// Since when.
        at: i64,
    },
    /// Everything about a unit is to be deleted.
    Forget {
        /// Who.
        unit: Box<str>,
    },
}

impl RecordedEvent {
    /// The event with names as every store keeps them; nothing for one without a unit, or with a value that no sum may have.
    pub(crate) fn sound(mut self) -> Option<Self> {
        let fits = |name: &mut Box<str>| {
            if let std::borrow::Cow::Owned(stored) = stored_name(name) {
                *name = stored.into();
            }
            !name.is_empty()
        };
        let is_sound = match &mut self {
            Self::Converted { unit, key, value, .. } => {
                fits(unit) && key.as_mut().is_none_or(fits) && value.is_none_or(is_value)
            }
            Self::Exposed { unit, .. }
            | Self::Returned { unit }
            | Self::Page { unit, .. }
            | Self::Forget { unit } => fits(unit),
            Self::NotDrawn { .. } => true,
        };
        is_sound.then_some(self)
    }
}
