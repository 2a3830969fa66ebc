//! All that is asked of an experiment, counted in one pass over its units.

use flagstaff_experiment::{Cohort, Day, Goal, Observed};
use flagstaff_flags::{Holdout, Trigger};
use sqlx::{AnyConnection, Executor};

use crate::packs::rows::Exposed;
use crate::read::cohorts::Cohorts;
use crate::read::daily::Daily;
use crate::read::group::{Group, micros};
use crate::read::ledger::Ledger;
use crate::read::question::Question;
use crate::read::recorded::{Recorded, find};
use crate::read::slices::{Rows, Slice};
use crate::read::tally::Tally;
use crate::store::error::Error;

/// An experiment as it stands, and as it came to stand so. Where nothing was recorded, it has no variants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counted {
    /// How it stands.
    pub observed: Observed,
    /// How it stood at the end of each day (UTC) that is over, from the first exposure on. A unit that saw a second variant later is left out
    /// from the start.
    pub days: Vec<Day>,
    /// What the units did that came first in each week (UTC, from Monday on), the oldest first: of those who met one variant and no other. All weeks
    /// together are the totals of `observed`.
    pub cohorts: Vec<Cohort>,
}

impl Ledger {
    /// Counts one experiment.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn count(&mut self, question: &Question) -> Result<Counted, Error> {
        // packs and rows must be of one moment
        if self.is_held() {
            return count(self.connection(), question).await.map_err(|error| self.error(error));
        }
        self.hold().await?;
        let counted = count(self.connection(), question).await;
        let end = if counted.is_ok() { "COMMIT" } else { "ROLLBACK" };
        let ended = self.connection().execute(end).await;
        self.released();
        let counted = counted.map_err(|error| self.error(error))?;
        ended.map_err(|error| self.error(error))?;
        Ok(counted)
    }
}

async fn count(store: &mut AnyConnection, question: &Question) -> Result<Counted, sqlx::Error> {
    let recorded = find(store, question).await?.filter(|recorded| !recorded.periods.is_empty());
    let mut counted = match recorded {
        Some(recorded) => counted(store, question, &recorded).await?,
        None => Counted {
            observed: Observed { goals: question.goals.iter().map(Goal::of).collect(), ..Observed::default() },
            ..Counted::default()
        },
    };
    counted.observed.flag.clone_from(&question.flag);
    counted.observed.is_holdout = question.flag == Holdout::NAME;
    Ok(counted)
}

async fn counted(
    store: &mut AnyConnection,
    question: &Question,
    recorded: &Recorded,
) -> Result<Counted, sqlx::Error> {
    let goals: Vec<_> = question.goals.iter().map(|goal| of_events(goal).then(|| goal.name.to_string())).collect();
    let rows = Rows { trial: recorded.trial, goals: &goals };
    let mut counts = Counts::new(question, recorded);
    match rows.each(store, |slice| counts.add(slice)).await {
        Err(sqlx::Error::Decode(why)) => {
            tracing::warn!(flag = question.flag, %why, "packed rows cannot be read; all rows are read instead");
            counts = Counts::new(question, recorded);
            rows.each_of_tables(store, &mut |slice| counts.add(slice)).await?;
        }
        read => read?,
    }
    Ok(counts.counted())
}

/// Whether a goal is told by what units reach, not by their pages.
fn of_events(goal: &flagstaff_flags::Goal) -> bool {
    !matches!(goal.trigger, Trigger::Bounce { .. })
}

/// Counts in the making.
struct Counts<'a> {
    question: &'a Question,
    recorded: &'a Recorded,
    tally: Tally<'a>,
    daily: Daily<'a>,
    cohorts: Cohorts<'a>,
}

impl<'a> Counts<'a> {
    fn new(question: &'a Question, recorded: &'a Recorded) -> Self {
        Self {
            question,
            recorded,
            tally: Tally::new(question, recorded),
            daily: Daily::new(question, recorded),
            cohorts: Cohorts::new(question, recorded),
        }
    }

    fn add(&mut self, slice: &Slice) {
        for unit in &slice.exposed {
            self.tally.meets(unit);
            if let Some(group) = Group::of(unit, self.recorded) {
                self.exposed(group, unit);
            }
        }
        for goal in 0..self.question.goals.len() {
            for (unit, conversions) in slice.reached(goal) {
                let Some(group) = Group::of(unit, self.recorded) else { continue };
                self.tally.reached(group, goal, unit, conversions);
                self.daily.reached(group, goal, unit, conversions);
                self.cohorts.reached(group, goal, unit, conversions);
            }
        }
    }

    fn exposed(&mut self, group: Group, unit: &Exposed) {
        self.tally.exposed(group, unit);
        self.daily.exposed(group, unit);
        self.cohorts.exposed(group, unit);
        for (goal, asked) in self.question.goals.iter().enumerate() {
            if let Trigger::Bounce { after } = asked.trigger {
                let after = micros(after);
                self.tally.looked(group, goal, unit, after);
                self.daily.looked(group, goal, unit, after);
                self.cohorts.looked(group, goal, unit, after);
            }
        }
    }

    fn counted(self) -> Counted {
        Counted { observed: self.tally.observed(), days: self.daily.days(), cohorts: self.cohorts.cohorts() }
    }
}
