//! Stretches of time in which an experiment was drawn the same way.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{AnyConnection, Row};

use crate::store::query::{places, query};
use crate::write::batch::Batch;
use crate::write::clock::{DAY, micros};
use crate::write::experiment::Experiment;

/// A request may read its time just before the flags change, and its flags just after, or the other way round: for so long (µs) after a change
/// in this program, what was drawn the old way is of before.
const RACE: i64 = 1_000_000;

/// Another program may get new flags so much (µs) later, doubled with each period that began lately: two that have different flags for long open few.
const OTHERS_LATER: i64 = 30_000_000;
const MOST_DOUBLED: usize = 6;

/// In place of who is drawn, where nobody is. The arms beside it are those of before, for programs of earlier versions.
const NOBODY: i64 = i64::MIN;

/// Trials that are looked for at once.
const TRIALS: usize = 500;

/// The periods of trials that this process writes to.
#[derive(Default)]
pub(crate) struct Periods(HashMap<i64, KnownPeriods>);

/// The periods of a trial, in their order.
#[derive(Default)]
struct KnownPeriods {
    periods: Vec<Period>,
    /// What this program draws by.
    own: Option<Own>,
    /// The experiment that came last, and how it is drawn: most exposures come with the same.
    last: Option<(Arc<Experiment>, Drawn)>,
}

#[derive(Clone, Debug)]
struct Period {
    arms: String,
    /// Who is drawn; none where an earlier version began it, which did not say.
    draw_key: Option<i64>,
    number: i64,
    began: i64,
}

/// How an experiment is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drawn {
    arms: Arc<str>,
    key: i64,
}

/// The latest period that was this program's, and when that became so.
#[derive(Clone, Copy, Debug)]
struct Own {
    number: i64,
    since: i64,
}

/// A trial as the store numbers it.
pub(crate) fn id(experiment: &Experiment) -> i64 {
    experiment.trial().as_u64().cast_signed()
}

/// Where an exposure belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// In a period that goes on at its time.
    In(i64),
    /// In one that has ended: it was drawn as before a change. It is compared with nobody.
    Late(i64),
    /// In a new one.
    New,
}

impl Period {
    fn is_of(&self, drawn: &Drawn) -> bool {
        self.arms == *drawn.arms && self.draw_key.is_none_or(|key| key == drawn.key)
    }
}

impl KnownPeriods {
    /// An exposure is never in a period that ended before it, unless others draw otherwise just now.
    fn place(&self, drawn: &Drawn, at: i64) -> Place {
        let ends = self.periods.iter().skip(1).map(|next| next.began).chain([i64::MAX]);
        let mut going_on = self.periods.iter().zip(ends).filter(|(_, ends)| at < *ends);
        if let Some((period, _)) = going_on.find(|(period, _)| period.is_of(drawn)) {
            return Place::In(period.number);
        }
        let (Some(latest), Some(like)) =
            (self.periods.last(), self.periods.iter().rfind(|period| period.is_of(drawn)))
        else {
            return Place::New;
        };
        let until = match self.own {
            Some(own) if self.changed_here(own, drawn) => own.since.saturating_add(RACE),
            _ => latest.began.saturating_add(self.patience()),
        };
        if at < until { Place::Late(like.number) } else { Place::New }
    }

    /// Whether this program drew otherwise before.
    fn changed_here(&self, own: Own, drawn: &Drawn) -> bool {
        !self.periods.iter().any(|period| period.number == own.number && period.is_of(drawn))
    }

    /// How long others may go on as before the latest period.
    fn patience(&self) -> i64 {
        let latest = self.periods.last().map_or(0, |latest| latest.began);
        let lately = self.periods.iter().filter(|period| period.began > latest.saturating_sub(micros(DAY))).count();
        OTHERS_LATER << lately.saturating_sub(2).min(MOST_DOUBLED)
    }

    /// This program draws by a period.
    fn draws_by(&mut self, number: i64, since: i64) {
        if self.own.is_none_or(|own| own.number != number) {
            self.own = Some(Own { number, since });
        }
    }

    fn drawn(&mut self, experiment: &Arc<Experiment>) -> Drawn {
        match &self.last {
            Some((last, drawn)) if Arc::ptr_eq(last, experiment) => drawn.clone(),
            _ => {
                let drawn = Drawn { arms: experiment.arms_text().into(), key: experiment.draw_key() };
                self.last = Some((Arc::clone(experiment), drawn.clone()));
                drawn
            }
        }
    }

    /// The latest period, where an earlier version began it and did not say who is drawn: it goes on.
    fn unsaid(&self, number: i64) -> bool {
        self.periods.last().is_some_and(|latest| latest.number == number && latest.draw_key.is_none())
    }
}

impl Periods {
    /// Gives every exposure of a batch its period, in the order of time, and ends those in which nobody is drawn any more. What other programs opened is looked up first; what is new is opened.
    /// Each is a fact of its own, whatever becomes of the batch.
    pub(crate) async fn assign(&mut self, batch: &mut Batch, store: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let mut exposures: Vec<_> =
            batch.exposures.values_mut().filter(|exposure| exposure.period.is_none()).collect();
        exposures.sort_by_key(|exposure| exposure.at);
        let mut trials: Vec<_> = exposures.iter().map(|exposure| id(&exposure.experiment)).collect();
        trials.sort_unstable();
        trials.dedup();
        self.look_again(&trials, store).await?;
        let mut not_drawn = batch.not_drawn.iter().peekable();
        for exposure in exposures {
            while let Some((trial, since)) = not_drawn.next_if(|(_, since)| *since <= exposure.at) {
                self.stop(trial.as_u64().cast_signed(), *since, store).await?;
            }
            exposure.period = Some(self.period(&exposure.experiment, exposure.at, store).await?);
        }
        for (trial, since) in not_drawn {
            self.stop(trial.as_u64().cast_signed(), *since, store).await?;
        }
        // they are facts by now, whatever becomes of the batch
        batch.not_drawn.clear();
        Ok(())
    }

    /// Ends the latest period of a trial, unless that is done or what came later began another.
    async fn stop(&mut self, trial: i64, at: i64, store: &mut AnyConnection) -> Result<(), sqlx::Error> {
        let insert = query(format!(
            "INSERT INTO periods (trial, period, arms, draw_key, began) SELECT trial, period + 1, arms, {NOBODY}, $2 FROM periods
             WHERE trial = $1 AND period = (SELECT MAX(period) FROM periods WHERE trial = $1)
               AND began < $2 AND (draw_key IS NULL OR draw_key <> {NOBODY})
             ON CONFLICT DO NOTHING"
        ));
        insert.bind(trial).bind(at).execute(&mut *store).await?;
        self.look_again(&[trial], store).await?;
        let known = self.0.entry(trial).or_default();
        if let Some(latest) = known.periods.last().filter(|latest| latest.draw_key == Some(NOBODY)) {
            let number = latest.number;
            known.draws_by(number, at);
        }
        Ok(())
    }

    /// Reads the periods of trials.
    async fn look_again(&mut self, trials: &[i64], store: &mut AnyConnection) -> Result<(), sqlx::Error> {
        for trials in trials.chunks(TRIALS) {
            let select = query(format!(
                "SELECT trial, arms, draw_key, period, began FROM periods WHERE trial IN {} ORDER BY trial, period",
                places(store, 1, trials.len())
            ));
            let rows = trials.iter().fold(select, |select, trial| select.bind(*trial)).fetch_all(&mut *store).await?;
            for trial in trials {
                self.0.entry(*trial).or_default().periods.clear();
            }
            for row in rows {
                let (arms, draw_key) = (row.try_get(1)?, row.try_get(2)?);
                let period = Period { arms, draw_key, number: row.try_get(3)?, began: row.try_get(4)? };
                self.0.entry(row.try_get(0)?).or_default().periods.push(period);
            }
        }
        Ok(())
    }

    /// The period of an exposure. Of several programs that see the same change, one opens the period and the others join it.
    async fn period(
        &mut self,
        experiment: &Arc<Experiment>,
        at: i64,
        store: &mut AnyConnection,
    ) -> Result<i64, sqlx::Error> {
        loop {
            let known = self.0.entry(id(experiment)).or_default();
            let drawn = known.drawn(experiment);
            match known.place(&drawn, at) {
                Place::In(number) if known.unsaid(number) => {
                    say(experiment, number, drawn.key, store).await?;
                    self.look_again(&[id(experiment)], store).await?;
                }
                Place::In(number) => {
                    // one that has ended says nothing of how this program draws now
                    if known.periods.last().is_some_and(|latest| latest.number == number) {
                        known.draws_by(number, at);
                    }
                    return Ok(number);
                }
                Place::Late(number) => return Ok(number),
                Place::New => {
                    open(experiment, &drawn, known.periods.last(), at, store).await?;
                    self.look_again(&[id(experiment)], store).await?;
                }
            }
        }
    }
}

/// Opens the period after the latest one, unless another program was first.
async fn open(
    experiment: &Experiment,
    drawn: &Drawn,
    latest: Option<&Period>,
    at: i64,
    store: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    if latest.is_none() {
        begin(experiment, at, store).await?;
    }
    // periods follow each other, whatever clocks say
    let (number, began) = latest.map_or((0, at), |latest| (latest.number + 1, at.max(latest.began + 1)));
    let insert = "INSERT INTO periods (trial, period, arms, draw_key, began) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(id(experiment)).bind(number).bind(drawn.arms.to_string());
    let insert = insert.bind(drawn.key).bind(began);
    insert.execute(store).await.map(drop)
}

/// Says who is drawn in a period that an earlier version began.
async fn say(
    experiment: &Experiment,
    number: i64,
    draw_key: i64,
    store: &mut AnyConnection,
) -> Result<(), sqlx::Error> {
    let update = "UPDATE periods SET draw_key = $1 WHERE trial = $2 AND period = $3 AND draw_key IS NULL";
    let update = sqlx::query(update).bind(draw_key).bind(id(experiment)).bind(number);
    update.execute(store).await.map(drop)
}

async fn begin(experiment: &Experiment, at: i64, store: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO trials (trial, flag, bucket_by, variants, began) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(insert).bind(id(experiment)).bind(experiment.flag().to_owned());
    let insert = insert.bind(experiment.bucket_by()).bind(experiment.variants()).bind(at);
    insert.execute(store).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    /// Periods that began at these seconds, with these arms; and which of them is this program's since when.
    fn known(periods: &[(i64, &str)], own: Option<(i64, i64)>) -> KnownPeriods {
        let period = |(number, (began, arms)): (i64, &(i64, &str))| Period {
            arms: (*arms).into(),
            draw_key: Some(1),
            number,
            began: began * SECOND,
        };
        KnownPeriods {
            periods: (0..).zip(periods).map(period).collect(),
            own: own.map(|(number, since)| Own { number, since: since * SECOND }),
            last: None,
        }
    }

    fn drawn(arms: &str) -> Drawn {
        Drawn { arms: arms.into(), key: 1 }
    }

    #[test]
    fn an_exposure_is_in_a_period_of_its_arms_that_goes_on_at_its_time() {
        let all = known(&[(0, "half"), (100, "more"), (200, "half")], Some((2, 200)));
        let placed = [(50, "half"), (99, "half"), (150, "more"), (150, "half"), (300, "half")]
            .map(|(at, arms)| all.place(&drawn(arms), at * SECOND));
        assert_eq!(placed, [0, 0, 1, 2, 2].map(Place::In));
        assert_eq!(known(&[], None).place(&drawn("half"), 1), Place::New);
        assert_eq!(all.place(&drawn("other"), 300 * SECOND), Place::New);
        let others = Drawn { key: 2, ..drawn("half") };
        assert_eq!(all.place(&others, 300 * SECOND), Place::New, "others are drawn");
        let mut unsaid = known(&[(0, "half")], None);
        unsaid.periods[0].draw_key = None;
        assert_eq!(unsaid.place(&others, 300 * SECOND), Place::In(0), "an earlier version did not say");
    }

    #[test]
    fn arms_that_come_back_here_begin_a_period_at_once() {
        let all = known(&[(0, "half"), (100, "more")], Some((1, 100)));
        assert_eq!(all.place(&drawn("half"), 100 * SECOND + RACE - 1), Place::Late(0), "threads that change over");
        assert_eq!(all.place(&drawn("half"), 100 * SECOND + RACE), Place::New);
        // another program opened the period, and this one changed later
        let joined = known(&[(0, "half"), (100, "more")], Some((1, 500)));
        assert_eq!(joined.place(&drawn("half"), 500 * SECOND), Place::Late(0));
        let otherwise = known(&[(0, "half"), (100, "more"), (101, "other")], Some((1, 100)));
        assert_eq!(otherwise.place(&drawn("half"), 110 * SECOND), Place::New);
    }

    #[test]
    fn what_others_changed_may_come_here_later() {
        let waits = |own| known(&[(0, "half"), (100, "more")], own).place(&drawn("half"), 129 * SECOND);
        assert_eq!([waits(Some((0, 0))), waits(None)], [Place::Late(0); 2]);
        let all = known(&[(0, "half"), (100, "more")], Some((0, 0)));
        assert_eq!(all.place(&drawn("half"), 130 * SECOND), Place::New);
    }

    #[test]
    fn programs_that_differ_for_a_month_open_few_periods() {
        let (mut all, month) = (known(&[(0, "half")], None), 30 * 86_400);
        for second in (1..month).step_by(15) {
            for (arms, own) in [("half", "half"), ("more", "more")] {
                let latest = all.periods.iter().rfind(|period| period.arms == own).map(|period| period.number);
                all.own = latest.map(|number| Own { number, since: 0 });
                if all.place(&drawn(arms), second * SECOND) == Place::New {
                    let number = all.periods.len() as i64;
                    all.periods.push(Period { arms: arms.into(), draw_key: Some(1), number, began: second * SECOND });
                }
            }
        }
        assert!((10..2_000).contains(&all.periods.len()), "{}", all.periods.len());
    }
}
