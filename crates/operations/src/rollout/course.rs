//! How the evidence of a guard moved: the end of its interval after some of the signs that it saw.

use std::collections::BTreeMap;

use flagstaff_experiment::guard::{Evidence, GuardEvent, GuardTests, Sign};
use flagstaff_flags::Flag;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json;

/// Points of one course, and those of the whole: what is drawn needs no more.
const POINTS: usize = 40;

/// How the evidence of one sign and variant moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GuardCourse {
    /// What was looked at.
    #[schemars(with = "String")]
    pub sign: Sign,
    /// The variant.
    pub variant: String,
    /// Where the guard trips: the risk ratio that is tolerated.
    pub tolerated: f64,
    /// Where the end of the interval was, the oldest first; forty points at most.
    pub points: Vec<CoursePoint>,
}

/// The end of the interval at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CoursePoint {
    /// When.
    #[serde(with = "json::time")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The end of the risk ratio's interval: of errors and slow answers the lower one, of goals the upper one. None while it has none.
    pub bound: Option<f64>,
    /// ln E, the evidence there was.
    pub log_evidence: f64,
}

/// What a guard says now, and how it came to that.
pub(super) fn replayed(flag: &Flag, step: usize, events: &[GuardEvent], times: &[Timestamp]) -> Replayed {
    let stride = events.len().div_ceil(POINTS).max(1);
    let mut courses: BTreeMap<(Sign, String), GuardCourse> = BTreeMap::new();
    let watch = GuardTests::replay_with(flag, step, events, |number, watch| {
        if number.is_multiple_of(stride) || number == events.len() {
            let at = number.checked_sub(1).and_then(|place| times.get(place)).copied();
            at.into_iter().for_each(|at| add(&mut courses, at, watch.evidence()));
        }
    });
    Replayed {
        guard: watch.map(|watch| watch.evidence()).unwrap_or_default(),
        courses: courses.into_values().collect(),
    }
}

/// A guard and its courses.
pub(super) struct Replayed {
    pub(super) guard: Vec<Evidence>,
    pub(super) courses: Vec<GuardCourse>,
}

fn add(courses: &mut BTreeMap<(Sign, String), GuardCourse>, at: Timestamp, evidence: Vec<Evidence>) {
    for one in evidence {
        let point = CoursePoint { at, bound: one.bound(), log_evidence: one.log_evidence };
        let begin = || GuardCourse {
            sign: one.sign.clone(),
            variant: one.variant.clone(),
            tolerated: one.tolerated,
            points: Vec::new(),
        };
        courses.entry((one.sign.clone(), one.variant.clone())).or_insert_with(begin).points.push(point);
    }
}

#[cfg(test)]
mod tests {
    use flagstaff_flags::{Guard, Name, Percent, StatusSet};

    use super::*;

    fn flag() -> Flag {
        let mut guard = Guard::new(0.01).unwrap();
        guard.errors = Some(StatusSet::new("5xx").unwrap());
        Flag {
            percent: Some(Percent::new(50.0).unwrap()),
            guard: Some(guard),
            ..Flag::new(Name::new("form").unwrap())
        }
    }

    #[test]
    fn a_course_is_bounded_and_ends_where_the_guard_is_now() {
        let event = |n: u128| GuardEvent { sign: Sign::Error, arm: u8::from(!n.is_multiple_of(5)), step: 0, unit: n };
        for many in [0, 1, 7, 40, 41, 1000] {
            let events: Vec<_> = (0..many).map(event).collect();
            let times: Vec<_> = (0..many).map(|n| Timestamp::from_second(n as i64).unwrap()).collect();
            let seen = replayed(&flag(), 0, &events, &times);
            assert_eq!(seen.guard.len(), 1);
            let points = seen.courses.first().map(|course| course.points.clone()).unwrap_or_default();
            assert_eq!((points.len(), points.is_empty()), (points.len().min(POINTS), many == 0), "{many}");
            if let Some(last) = points.last() {
                assert_eq!(last.log_evidence.to_bits(), seen.guard[0].log_evidence.to_bits(), "{many}");
                assert_eq!(last.at, times[times.len() - 1]);
            }
        }
    }

    #[test]
    fn the_end_of_the_interval_passes_what_is_tolerated_where_the_guard_trips() {
        let events: Vec<_> = (0..40).map(|unit| GuardEvent { sign: Sign::Error, arm: 1, step: 0, unit }).collect();
        let times = vec![Timestamp::UNIX_EPOCH; events.len()];
        let seen = replayed(&flag(), 0, &events, &times);
        let (course, threshold) = (&seen.courses[0], seen.guard[0].threshold);
        for point in &course.points {
            let is_passed = point.bound.is_some_and(|bound| bound >= course.tolerated);
            assert_eq!(is_passed, point.log_evidence >= threshold, "{point:?}");
        }
        assert!(course.points.iter().any(|point| point.bound.is_none_or(|bound| bound < course.tolerated)));
        assert!(course.points.last().unwrap().bound.unwrap() > course.tolerated);
    }
}
