//! What a request and its answer tell those who watch guarded flags.

use std::fmt;
use std::sync::Arc;

use flagstaff_flags::{Flag, FlagId, Goal, Guard, Step, VariantId};
use flagstaff_tag::{Blame, Flags};
use http::Response;
use jiff::Timestamp;

use crate::asked::{Asked, is_endless};
use crate::outcome::{Conversion, Outcome, Outcomes};

/// Who watches.
#[derive(Clone)]
pub(crate) struct Watching(Arc<dyn Outcomes>);

/// What an answer says of a guarded flag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Heard {
    /// None where there was no answer.
    status: Option<u16>,
    endless: bool,
    blamed: Option<Blame>,
    abandoned: bool,
}

/// A flag that is watched, and whose unit this is.
struct Case<'a> {
    id: FlagId,
    flag: &'a Flag,
    guard: Option<&'a Guard>,
    variant: VariantId,
    drawn: VariantId,
    unit: &'a str,
}

impl Heard {
    pub(crate) fn of<R>(answer: &Response<R>, blamed: Option<Blame>) -> Self {
        let status = Some(answer.status().as_u16());
        Self { status, endless: is_endless(answer), blamed, abandoned: false }
    }

    /// There was no answer.
    pub(crate) const FAILED: Self = Self { status: None, endless: false, blamed: None, abandoned: false };
    /// Nobody waited for it.
    pub(crate) const ABANDONED: Self = Self { abandoned: true, ..Self::FAILED };

    /// What one flag makes of it: whether it is an error. What the upstream of another flag's variant is to blame for says nothing.
    fn is_error(self, id: FlagId, guard: Option<&Guard>) -> Option<bool> {
        match (self.blamed, self.status) {
            (Some(Blame::Canary(blamed)), _) => (blamed == id).then_some(true),
            // where a gate is closed for those without the flag, the control would seem to fail
            (Some(Blame::Gate), _) => None,
            (None, None) => Some(!self.abandoned),
            (None, Some(status)) => {
                let errors = guard.and_then(|guard| guard.errors.as_ref());
                Some(errors.is_some_and(|errors| errors.contains(status)))
            }
        }
    }
}

impl Watching {
    pub(crate) fn new(outcomes: Arc<dyn Outcomes>) -> Self {
        Self(outcomes)
    }

    /// Tells of an answer, for every flag that `met` says the unit has met.
    pub(crate) fn answered(&self, flags: &Flags, asked: &Asked, heard: Heard, met: impl Fn(FlagId, &Flag) -> bool) {
        let latency = asked.elapsed();
        for case in self.cases(flags, asked.at).filter(|case| met(case.id, case.flag)) {
            let Some(error) = heard.is_error(case.id, case.guard) else {
                continue;
            };
            self.0.answered(&Outcome {
                snapshot: flags.plan().snapshot(),
                flag: case.id,
                variant: case.variant,
                drawn: case.drawn,
                unit: &case.flag.bucket_by.key(case.unit),
                error,
                abandoned: heard.abandoned,
                latency: Some(latency).filter(|_| !error && !heard.endless),
                at: asked.at,
            });
        }
    }

    /// Tells of a goal that was reached.
    pub(crate) fn converted(&self, flags: &Flags, goal: &Goal, met: impl Fn(FlagId, &Flag) -> bool, at: Timestamp) {
        let named =
            self.cases(flags, at).filter(|case| case.guard.is_some_and(|guard| guard.goals.contains(&goal.name)));
        for case in named.filter(|case| met(case.id, case.flag)) {
            self.0.converted(&Conversion {
                snapshot: flags.plan().snapshot(),
                flag: case.id,
                variant: case.variant,
                drawn: case.drawn,
                unit: &case.flag.bucket_by.key(case.unit),
                goal: &goal.name,
                at,
            });
        }
    }

    /// The watched flags for which the visitor was drawn.
    fn cases<'a>(&'a self, flags: &'a Flags, at: Timestamp) -> impl Iterator<Item = Case<'a>> {
        let snapshot = flags.plan().snapshot();
        flags.plan().watched().iter().filter_map(move |&id| {
            let decision = flags.decisions().of(id);
            let flag = snapshot.flag(id).filter(|_| decision.is_counted() && self.0.wants(snapshot, id))?;
            let (guard, unit, variant) = (flag.guard.as_ref(), flags.unit(id)?, decision.variant());
            let drawn = match decision.step() {
                Step::Sticky => snapshot.drawn(id, unit, at)?,
                _ => variant,
            };
            Some(Case { id, flag, guard, variant, drawn, unit })
        })
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watching").finish_non_exhaustive()
    }
}
