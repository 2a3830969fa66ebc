//! Visitors who are in no experiment at all, so that all experiments together can be compared with none.

use crate::{Allocation, BucketBy, Draw, ExperimentId, Percent, VariantId};

/// A share of visitors who get the control of every experiment, uncounted. Its draw is by visitor and has a salt of its own, so
/// it is independent of every flag's draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdout {
    percent: Percent,
    salt: Box<str>,
    experiment: ExperimentId,
}

impl Holdout {
    /// The salt when none is given.
    pub const SALT: &str = "holdout";
    /// The name of what is recorded of it: no flag can have it, since a name begins with a letter.
    pub const NAME: &str = "_holdout";
    /// The visitors who are held out, which is the control; and everybody else.
    pub const ARMS: [&str; 2] = ["held", "in"];

    /// Holds out a share of visitors; another salt holds out others.
    #[must_use]
    pub fn new(percent: Percent, salt: Option<&str>) -> Self {
        let (salt, [held, others]) = (salt.unwrap_or(Self::SALT), Self::ARMS);
        let parts = [Self::NAME, salt, &BucketBy::Visitor.to_string(), held, others];
        Self { percent, salt: salt.into(), experiment: ExperimentId::of_parts(parts) }
    }

    /// The share of visitors who are held out.
    #[must_use]
    pub const fn percent(&self) -> Percent {
        self.percent
    }

    /// The salt that is hashed with the visitor's id.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// Where a visitor falls, 0 to 99,999.
    #[must_use]
    pub fn position(&self, visitor: &str) -> u32 {
        Draw::of(&self.salt, visitor).position()
    }

    /// Whether a position is one of those held out.
    #[must_use]
    pub const fn holds(&self, position: u32) -> bool {
        self.percent.holds(position)
    }

    /// The positions of those held out, then of everybody else. The variants are [`Holdout::ARMS`].
    #[must_use]
    pub const fn arms(&self) -> [Allocation; 2] {
        let edge = self.percent.thousandths();
        let held = Allocation { variant: VariantId::OFF, from: 0, to: edge };
        [held, Allocation { variant: VariantId::ON, from: edge, to: Percent::WHOLE }]
    }

    /// The id of the comparison: another salt starts another one, another share does not.
    #[must_use]
    pub const fn experiment_id(&self) -> ExperimentId {
        self.experiment
    }
}
