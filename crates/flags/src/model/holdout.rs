//! Visitors who are in no experiment at all, so that all experiments together can be compared with none.

use std::ops::ControlFlow::{self, Break, Continue};

use crate::evaluate::{Case, Watch};
use crate::{Arm, BucketBy, Decision, Draw, Flag, Percent, Reason, Snapshot, Step, Subject, Trial, VariantId};

/// A share of visitors who get the control of every experiment, uncounted. Its draw is by visitor and has a salt of its own, so
/// it tells nothing of where somebody falls for any flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdout {
    percent: Percent,
    salt: Box<str>,
}

impl Holdout {
    /// What is hashed with the visitor's id when nothing else is said.
    pub const SALT: &str = "holdout";
    /// The name of what is recorded of it: no flag can have it, since a name begins with a letter.
    pub const NAME: &str = "_holdout";
    /// Who is held out, the control; and everybody else.
    pub const ARMS: [&str; 2] = ["held", "in"];

    /// Holds out a share of visitors; another salt holds out others.
    #[must_use]
    pub fn new(percent: Percent, salt: Option<&str>) -> Self {
        Self { percent, salt: salt.unwrap_or(Self::SALT).into() }
    }

    /// The share of visitors who are held out.
    #[must_use]
    pub const fn percent(&self) -> Percent {
        self.percent
    }

    /// What is hashed with the visitor's id.
    #[must_use]
    pub fn salt(&self) -> &str {
        &self.salt
    }

    /// Where a visitor falls, 0 to 99,999.
    #[must_use]
    pub fn place(&self, visitor: &str) -> u32 {
        Draw::of(&self.salt, visitor).position()
    }

    /// Whether a place is one of those held out.
    #[must_use]
    pub const fn holds(&self, place: u32) -> bool {
        self.percent.holds(place)
    }

    /// The places of those held out, then of everybody else. The variants are [`Holdout::ARMS`].
    #[must_use]
    pub const fn arms(&self) -> [Arm; 2] {
        let edge = self.percent.thousandths();
        let held = Arm { variant: VariantId::OFF, from: 0, to: edge };
        [held, Arm { variant: VariantId::ON, from: edge, to: Percent::WHOLE }]
    }

    /// Which comparison it is: another salt begins another one, another share does not.
    #[must_use]
    pub fn trial(&self) -> Trial {
        let [held, others] = Self::ARMS;
        Trial::of_parts([Self::NAME, &self.salt, &BucketBy::Visitor.to_string(), held, others])
    }
}

impl Flag {
    /// Whether it is an experiment at this share: it has goals, and somebody is drawn who may get something else than others.
    /// What is the same for everybody, named people and flags drawn anew for each request are none.
    #[must_use]
    pub fn is_experiment(&self, share: Percent) -> bool {
        self.no_experiment(share).is_none()
    }

    /// Why it is no experiment.
    fn no_experiment(&self, share: Percent) -> Option<&'static str> {
        let drawn = || self.variants.weights().filter(|(_, weight)| *weight > Percent::ZERO).count() > 1;
        match share {
            _ if self.goals.is_empty() => Some("it has no goals"),
            _ if self.bucket_by == BucketBy::Request => Some("it is drawn anew for each request"),
            Percent::ZERO => Some("at 0 percent nobody is drawn"),
            Percent::ALL if !drawn() => Some("at 100 percent everybody has the same"),
            _ => None,
        }
    }
}

impl Snapshot {
    /// The same flags with a share of visitors held out.
    #[must_use]
    pub fn with_holdout(mut self, holdout: Option<Holdout>) -> Self {
        self.holdout = holdout.filter(|holdout| holdout.percent > Percent::ZERO).map(Into::into);
        self
    }

    /// Who is held out; none when nobody is.
    #[must_use]
    pub fn holdout(&self) -> Option<&Holdout> {
        self.holdout.as_deref()
    }

    pub(crate) fn holds_out(&self, subject: &Subject<'_>) -> bool {
        let held = |holdout: &Holdout| subject.visitor.is_some_and(|visitor| holdout.holds(holdout.place(visitor)));
        self.holdout().is_some_and(held)
    }
}

impl Case<'_> {
    pub(crate) fn holdout(&self, watch: &mut impl Watch) -> ControlFlow<Decision> {
        let Some(holdout) = self.snapshot.holdout() else {
            watch.saw(Step::Holdout, false, || "nobody is held out".into());
            return Continue(());
        };
        let excuse = self.flag.no_experiment(self.percent());
        let stops = self.held_out && excuse.is_none();
        watch.saw(Step::Holdout, stops, || match (excuse, self.subject.visitor) {
            (Some(why), _) => format!("not an experiment: {why}"),
            (None, None) => "no visitor is known".into(),
            (None, Some(visitor)) => {
                let whether = if stops { "below" } else { "not below" };
                let (share, percent) = (holdout.percent.thousandths(), holdout.percent);
                format!(
                    "position {} of {} is {whether} {share} ({percent} percent)",
                    holdout.place(visitor),
                    holdout.salt
                )
            }
        });
        if stops {
            return Break(Decision::new(self.flag.variants.control(), Reason::Split, Step::Holdout));
        }
        Continue(())
    }

    /// The decision as the holdout lets it count: nobody held out is counted for a flag with goals, also where a memory or a
    /// weight of 100 made it the same for them as for others.
    pub(crate) fn beside_holdout(&self, decision: Decision) -> Decision {
        if self.snapshot.holdout().is_none() {
            return decision;
        }
        let decision = if self.held_out && !self.flag.goals.is_empty() { decision.uncounted() } else { decision };
        // `requires` may fail because the other flag is held out, so it must not tell the held from the others.
        let asked = decision.step() == Step::Requires || decision.step() >= Step::Holdout;
        if asked && self.unit().is_some() && self.flag.is_experiment(self.percent()) {
            decision.tried()
        } else {
            decision
        }
    }
}
