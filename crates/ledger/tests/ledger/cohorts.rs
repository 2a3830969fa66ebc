//! Units by the week in which they came first.

use flagstaff_ledger::{Ledger, Location, Question};

use crate::desk::*;
use crate::postgres::each_store;

const WEEK: i64 = 7 * 86_400;

#[test]
fn weeks_add_up_to_the_totals() {
    each_store(|place| {
        let half = snapshot(form(50.0));
        let desk = Desk::open(place);
        let mut happens = vec![(0, Some("sent"), "v1".to_owned())]; // before they met it
        for n in 0..40 {
            let (visitor, seconds) = (format!("v{n}"), n % 3 * WEEK);
            happens.push((seconds, None, visitor.clone()));
            if n % 4 == 0 {
                happens.extend([9, WEEK].map(|later| (seconds + later, Some("sent"), visitor.clone())));
            }
        }
        // a ledger's time never goes back
        happens.sort_by_key(|(seconds, ..)| *seconds);
        for (seconds, goal, visitor) in &happens {
            match goal {
                None => drop(desk.meet(&half, visitor, *seconds)),
                Some(goal) => desk.convert(goal, visitor, *seconds),
            }
        }
        let place = desk.close();
        let now = 2 * WEEK + 60;
        let (tally, cohorts) = (tally_at(&place, now), cohorts_at(&place, now));
        assert_eq!(cohorts.len(), 3);
        for cohort in &cohorts {
            assert_eq!(cohort.began.strftime("%A %H:%M").to_string(), "Monday 00:00");
        }
        assert!(cohorts.is_sorted_by_key(|cohort| cohort.began));
        for (goal, total) in tally.goals.iter().enumerate() {
            for (variant, total) in total.totals.iter().enumerate() {
                let all = cohorts.iter().map(|cohort| cohort.goals[goal][variant]);
                let sum = |of: fn(flagstaff_experiment::Total) -> u64| all.clone().map(of).sum::<u64>();
                assert_eq!(
                    [sum(|one| one.visitors), sum(|one| one.conversions), sum(|one| one.open)],
                    [total.visitors, total.conversions, total.open],
                    "{goal} {variant}"
                );
            }
        }
        assert_eq!(tally.goals[0].totals.iter().map(|total| total.conversions).sum::<u64>(), 10);
        // of the last week nobody had the time to leave
        let open: u64 = cohorts[2].goals[1].iter().map(|total| total.open).sum();
        assert_eq!(open, 13);
    });
}

fn cohorts_at(place: &Location, seconds: i64) -> Vec<flagstaff_experiment::Cohort> {
    let question = Question { flag: "form".into(), trial: None, goals: goals(), now: at(seconds) };
    block_on(async {
        let mut ledger = Ledger::open(place).await.unwrap();
        let cohorts = ledger.count(&question).await.unwrap().cohorts;
        ledger.close().await;
        cohorts
    })
}
