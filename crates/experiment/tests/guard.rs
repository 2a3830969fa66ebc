//! The watch on one flag, and what its decisions rest on.

#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use flagstaff_experiment::guard::{
    Evidence, EvidenceSegment, GuardEvent, GuardTestSettings, GuardTestSettingsError, GuardTests, MOST_VISITORS,
    Seen, Sign,
};
use proptest::prelude::*;

fn terms() -> GuardTestSettings {
    GuardTestSettings {
        arms: vec!["off".into(), "on".into()],
        errors: true,
        slow: false,
        goals: Vec::new(),
        false_alarm: 0.001,
    }
}

fn watch(terms: GuardTestSettings, shares: &[f64]) -> GuardTests {
    let mut watch = GuardTests::new(terms).unwrap();
    watch.begin_step(0, shares);
    watch
}

fn event(sign: Sign, arm: u8, unit: u128) -> GuardEvent {
    GuardEvent { sign, arm, step: 0, unit }
}

/// Feeds errors of one arm after the other until the first alarm, and says what it rested on.
fn first_alarm(watch: &mut GuardTests, arms: impl IntoIterator<Item = u8>) -> Option<Evidence> {
    (0..).zip(arms).find_map(|(unit, arm)| match watch.observe(&event(Sign::Error, arm, unit)) {
        Seen::Alarm(evidence) => Some(*evidence),
        _ => None,
    })
}

#[test]
fn an_alarm_carries_what_it_rests_on() {
    let mut watch = watch(terms(), &[0.95, 0.05]);
    let alarm = first_alarm(&mut watch, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]).unwrap();
    assert!(alarm.treatment_visitors >= 3 && alarm.control_visitors == 1, "{alarm:?}");
    assert!(alarm.log_evidence >= alarm.threshold && alarm.p_value <= alarm.alpha);
    assert_eq!((alarm.alpha, alarm.false_alarm, alarm.tolerated), (0.001, 0.001, 1.25));
    let words = format!(
        "{} visitors with the flag had an error, 1 without it; with the flag at 5 %, chance alone causes this in fewer than \
         1 of 1,000 rollouts",
        alarm.treatment_visitors
    );
    assert_eq!(alarm.words(), words);
    // stored and read again, anybody comes to the same
    let read: Evidence = serde_json::from_str(&serde_json::to_string(&alarm).unwrap()).unwrap();
    assert_eq!(alarm.recompute(), Some(alarm.log_evidence));
    assert!((read.recompute().unwrap() - alarm.log_evidence).abs() < 1e-9);
    assert!(read.is_alarm());
    // it goes on counting, and the alarm is told once
    assert_eq!(watch.observe(&event(Sign::Error, 1, 1000)), Seen::Counted);
    assert_eq!(watch.alarms().collect::<Vec<_>>(), [&alarm]);
}

#[test]
fn evidence_that_was_tampered_with_makes_no_alarm() {
    let alarm = first_alarm(&mut watch(terms(), &[0.5, 0.5]), [1; 40]).unwrap();
    let mut less = alarm.clone();
    less.segments.iter_mut().for_each(|segment| segment.treatment /= 2);
    assert!(alarm.is_alarm() && !less.is_alarm());
    let mut broken = alarm;
    broken.segments.iter_mut().for_each(|segment| segment.share = 1.5);
    assert_eq!((broken.recompute(), broken.is_alarm()), (None, false));
}

/// By the formula alone: ln of the sum over the machines of 6/(π²j²) times the mean over ψ of exp Σ ….
fn by_hand(evidence: &serde_json::Value) -> f64 {
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let r0 = number(&evidence["tolerated"]);
    let segments = evidence["segments"].as_array().unwrap();
    let grid = [1.25, 1.5, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 100.0];
    let theta = |w: f64, r: f64| w * r / (w * r + 1.0 - w);
    let from = |first: usize, psi: f64| -> f64 {
        let add = |segment: &serde_json::Value| {
            let w = number(&segment["share"]);
            let (before, after) = (theta(w, r0), theta(w, r0 * psi));
            number(&segment["treatment"]) * (after / before).ln()
                + number(&segment["control"]) * ((1.0 - after) / (1.0 - before)).ln()
        };
        segments[first..].iter().map(add).sum::<f64>().exp()
    };
    let machine = |(place, segment): (usize, &serde_json::Value)| {
        let j = segment["machine"].as_f64()?;
        let mean = grid.iter().map(|psi| from(place, *psi)).sum::<f64>() / grid.len() as f64;
        Some(6.0 / (std::f64::consts::PI * j).powi(2) * mean)
    };
    segments.iter().enumerate().filter_map(machine).sum::<f64>().ln()
}

#[test]
fn anybody_can_make_the_numbers_again() {
    let mut watch = watch(terms(), &[0.99, 0.01]);
    // a long healthy time, and then every fourth who fails has the flag
    let healthy = (0..170).map(|unit| (0, u8::from(unit % 100 == 0), unit));
    let bad = (170..400).map(|unit| (1, u8::from(unit % 4 == 0), unit));
    let mut alarm = None;
    for (step, arm, unit) in healthy.chain(bad) {
        if step == 1 {
            watch.begin_step(1, &[0.9, 0.1]);
        }
        if let Seen::Alarm(evidence) = watch.observe(&GuardEvent { step, ..event(Sign::Error, arm, unit) }) {
            alarm.get_or_insert(evidence);
        }
    }
    let all = [*alarm.unwrap(), watch.evidence().remove(0)];
    for evidence in all {
        assert!(evidence.segments.len() > 4, "{evidence:?}");
        let found = by_hand(&serde_json::to_value(&evidence).unwrap());
        assert!((found - evidence.log_evidence).abs() < 1e-9, "{found} is not {}", evidence.log_evidence);
    }
}

#[test]
fn evidence_that_makes_no_sense_is_shown_all_the_same() {
    let mut evidence = watch(terms(), &[0.5, 0.5]).evidence().remove(0);
    let first = evidence.segments[0];
    for segment in [
        EvidenceSegment { treatment: u64::MAX, control: u64::MAX, ..first },
        EvidenceSegment { share: f64::NAN, ..first },
        EvidenceSegment { machine: None, ..first },
    ] {
        evidence.segments = vec![segment; 3];
        (evidence.alpha, evidence.false_alarm) = (f64::NAN, 0.0);
        assert!(!evidence.is_alarm() && evidence.words().starts_with("0 visitors"), "{evidence:?}");
    }
}

#[test]
fn only_the_first_event_of_a_visitor_counts() {
    let mut watch = watch(GuardTestSettings { slow: true, ..terms() }, &[0.9, 0.1]);
    assert_eq!(watch.observe(&event(Sign::Error, 1, 7)), Seen::Counted);
    let before = watch.clone();
    for _ in 0..1000 {
        assert_eq!(watch.observe(&event(Sign::Error, 1, 7)), Seen::Again);
    }
    // nor for the other arm, when the visitor moved
    assert_eq!(watch.observe(&event(Sign::Error, 0, 7)), Seen::Again);
    assert_eq!(watch, before);
    assert_eq!(watch.observe(&event(Sign::Slow, 1, 7)), Seen::Counted, "another sign is another first");
}

#[test]
fn the_chance_is_divided_over_all_tests() {
    let all = GuardTestSettings {
        arms: ["a", "b", "c"].map(Into::into).into(),
        slow: true,
        goals: vec!["paid".into(), "sent".into(), "paid".into()],
        ..terms()
    };
    let evidence = watch(all, &[0.5, 0.25, 0.25]).evidence();
    assert_eq!(evidence.len(), 8, "errors, slow and two goals, for two variants");
    assert!((evidence.iter().map(|test| test.alpha).sum::<f64>() - 0.001).abs() < 1e-12);
    let names: Vec<_> =
        evidence.iter().map(|test| format!("{} {}/{}", test.sign, test.variant, test.control)).collect();
    assert_eq!(names.first().map(String::as_str), Some("errors b/a"));
    assert_eq!(names.last().map(String::as_str), Some("goal:sent c/a"));
}

#[test]
fn each_variant_is_compared_with_the_control_by_the_share_of_both() {
    let three = GuardTestSettings { arms: ["a", "b", "c"].map(Into::into).into(), ..terms() };
    let mut watch = watch(three, &[0.6, 0.3, 0.1]);
    for (arm, unit) in [(0, 1), (0, 2), (1, 3), (2, 4)] {
        watch.observe(&event(Sign::Error, arm, unit));
    }
    let seen = |test: &Evidence| (test.treatment_visitors, test.control_visitors, test.segments[0].share);
    let seen: Vec<_> = watch.evidence().iter().map(seen).collect();
    assert_eq!(seen, [(1, 2, 0.3 / (0.3 + 0.6)), (1, 2, 0.1 / (0.1 + 0.6))]);
}

#[test]
fn a_step_without_a_control_moves_no_evidence() {
    let mut watch = watch(terms(), &[0.5, 0.5]);
    watch.observe(&event(Sign::Error, 0, 1));
    let useless = [[0.0, 1.0], [1.0, 0.0], [f64::NAN, 1.0], [1.0, f64::INFINITY]];
    for (unit, shares) in (10..).step_by(10).zip(useless) {
        watch.begin_step(1, &shares);
        assert!(!watch.is_awake());
        let before = watch.evidence().remove(0).segments;
        let step_1 = |arm, unit| GuardEvent { step: 1, ..event(Sign::Error, arm, unit) };
        assert_eq!(watch.observe(&step_1(1, unit)), Seen::Aside);
        assert_eq!(watch.observe(&step_1(0, unit + 1)), Seen::Aside);
        assert_eq!(watch.evidence().remove(0).segments, before);
        // events of the step before still arrive
        assert_eq!(watch.observe(&event(Sign::Error, 1, unit + 2)), Seen::Counted);
    }
    watch.begin_step(2, &[0.5, 0.5]);
    assert!(watch.is_awake());
    assert_eq!(watch.observe(&GuardEvent { step: 2, ..event(Sign::Error, 1, 99) }), Seen::Counted);
}

#[test]
fn a_watch_that_never_compared_says_so() {
    let watch = GuardTests::new(terms()).unwrap();
    assert!(!watch.is_awake());
    let [evidence] = watch.evidence().try_into().unwrap();
    assert_eq!((evidence.log_evidence, evidence.p_value, evidence.recompute()), (0.0, 1.0, Some(0.0)));
    let told = "0 visitors with the flag had an error, 0 without it; there is nothing to compare with yet";
    assert_eq!(evidence.words(), told);
}

#[test]
fn what_is_not_watched_stands_aside() {
    let mut watch = watch(terms(), &[0.5, 0.5]);
    let before = watch.clone();
    let aside = [
        event(Sign::Slow, 1, 1),
        event(Sign::Goal("paid".into()), 1, 1),
        event(Sign::Error, 2, 1),
        GuardEvent { step: 9, ..event(Sign::Error, 1, 1) },
    ];
    for event in aside {
        assert_eq!(watch.observe(&event), Seen::Aside, "{event:?}");
    }
    assert_eq!(watch, before);
}

#[test]
fn late_events_count_with_the_shares_of_their_step() {
    let mut watch = watch(terms(), &[0.99, 0.01]);
    watch.begin_step(1, &[0.5, 0.5]);
    watch.observe(&event(Sign::Error, 1, 1));
    let [evidence] = watch.evidence().try_into().unwrap();
    let counted: Vec<_> = evidence.segments.iter().filter(|segment| segment.treatment > 0).collect();
    assert_eq!((counted.len(), counted[0].share), (1, 0.01));
    // and can make the alarm
    let late = (2..40).any(|unit| matches!(watch.observe(&event(Sign::Error, 1, unit)), Seen::Alarm(_)));
    assert!(late);
    assert!(watch.alarms().all(|alarm| alarm.step == 1 && alarm.is_alarm()));
}

#[test]
fn goals_that_fall_make_an_alarm_in_words() {
    let goal = || Sign::Goal("order_paid".into());
    let mut watch =
        watch(GuardTestSettings { errors: false, goals: vec!["order_paid".into()], ..terms() }, &[0.5, 0.5]);
    let alarm = (0..200).find_map(|unit| match watch.observe(&event(goal(), u8::from(unit % 10 == 0), unit)) {
        Seen::Alarm(alarm) => Some(*alarm),
        _ => None,
    });
    let words = alarm.unwrap().words();
    assert!(
        words.contains(" visitors with the flag reached order_paid, ")
            && words.contains("; with the flag at 50 %, chance alone causes this"),
        "{words}"
    );
}

#[test]
fn shares_that_changed_are_told_as_a_range() {
    let mut watch = watch(terms(), &[0.99, 0.01]);
    watch.observe(&event(Sign::Error, 0, 1));
    watch.begin_step(1, &[0.95, 0.05]);
    watch.observe(&GuardEvent { step: 1, ..event(Sign::Error, 1, 2) });
    let words = watch.evidence().remove(0).words();
    let told = "1 visitor with the flag had an error, 1 without it; at 1 % to 5 % this may be chance";
    assert_eq!(words, told);
}

#[test]
fn memory_is_bounded_and_no_sign_takes_another_s_part() {
    let mut watch = watch(GuardTestSettings { goals: vec!["seen".into()], ..terms() }, &[0.5, 0.5]);
    let seen = |unit| event(Sign::Goal("seen".into()), u8::from(unit % 2 == 0), unit);
    let counted = (0..).take_while(|unit| watch.observe(&seen(*unit)) != Seen::Full).count();
    assert_eq!(counted, MOST_VISITORS / 2);
    assert_eq!(watch.full().collect::<Vec<_>>(), [&Sign::Goal("seen".into())]);
    assert_eq!(watch.observe(&seen(0)), Seen::Again);
    assert_eq!(watch.observe(&event(Sign::Error, 1, 1)), Seen::Counted);
}

#[test]
fn terms_that_make_no_sense_are_refused() {
    let arms = |n: usize| vec![String::new(); n];
    let refused = [
        (GuardTestSettings { arms: arms(1), ..terms() }, GuardTestSettingsError::Arms),
        (GuardTestSettings { arms: arms(0), ..terms() }, GuardTestSettingsError::Arms),
        (GuardTestSettings { arms: arms(257), ..terms() }, GuardTestSettingsError::Arms),
        (GuardTestSettings { errors: false, ..terms() }, GuardTestSettingsError::Nothing),
        (GuardTestSettings { false_alarm: 0.0, ..terms() }, GuardTestSettingsError::FalseAlarm),
        (GuardTestSettings { false_alarm: 1.0, ..terms() }, GuardTestSettingsError::FalseAlarm),
        (GuardTestSettings { false_alarm: f64::NAN, ..terms() }, GuardTestSettingsError::FalseAlarm),
    ];
    for (terms, why) in refused {
        assert_eq!(GuardTests::new(terms).unwrap_err(), why);
    }
    assert!(GuardTests::new(GuardTestSettings { arms: arms(256), ..terms() }).is_ok());
}

#[derive(Clone, Debug)]
enum Input {
    Step(usize, [f64; 3]),
    Event(GuardEvent),
}

fn told() -> impl Strategy<Value = Input> {
    let share = || prop_oneof![Just(0.0), 0.001..1.0];
    let step = (0..4_usize, share(), share(), share()).prop_map(|(step, a, b, c)| Input::Step(step, [a, b, c]));
    let sign = prop_oneof![Just(Sign::Error), Just(Sign::Slow), Just(Sign::Goal("paid".into()))];
    let event = (sign, 0..4_u8, 0..5_usize, 0..300_u128);
    let event = event.prop_map(|(sign, arm, step, unit)| Input::Event(GuardEvent { sign, arm, step, unit }));
    prop_oneof![1 => step, 40 => event]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// A record of steps and events is the whole state.
    #[test]
    fn what_is_told_again_makes_the_same_watch(all in prop::collection::vec(told(), 0..600), cut in 0..600_usize) {
        let terms = GuardTestSettings {
            arms: ["a", "b", "c"].map(Into::into).into(),
            slow: true,
            goals: vec!["paid".into()],
            false_alarm: 0.1,
            ..terms()
        };
        let tell = |watch: &mut GuardTests, told: &Input| match told {
            Input::Step(step, shares) => {
                watch.begin_step(*step, shares);
                None
            }
            Input::Event(event) => Some(watch.observe(event)),
        };
        let (mut once, mut again) = (GuardTests::new(terms.clone()).unwrap(), GuardTests::new(terms).unwrap());
        let seen: Vec<_> = all.iter().map(|told| tell(&mut once, told)).collect();
        // a restart in the middle, and only what counted was recorded
        let counted = |seen: &Option<Seen>| !matches!(seen, Some(Seen::Again | Seen::Full));
        for (told, _) in all.iter().zip(&seen).filter(|(_, seen)| counted(seen)) {
            tell(&mut again, told);
        }
        prop_assert_eq!(&once, &again);
        // telling some of it twice changes no evidence
        let before = once.evidence();
        let heard = |seen: &Option<Seen>| matches!(seen, Some(Seen::Counted | Seen::Again | Seen::Alarm(_)));
        for (told, _) in all.iter().zip(&seen).take(cut).filter(|(_, seen)| heard(seen)) {
            tell(&mut once, told);
        }
        prop_assert!(before.iter().zip(once.evidence()).all(|(a, b)| a.log_evidence.to_bits() == b.log_evidence.to_bits()));
        // and every alarm can be checked by itself
        for alarm in once.alarms() {
            prop_assert_eq!(alarm.recompute().map(f64::to_bits), Some(alarm.log_evidence.to_bits()));
            prop_assert!(alarm.is_alarm());
        }
    }
}
