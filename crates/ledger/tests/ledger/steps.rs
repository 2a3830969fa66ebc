//! Shares that change while an experiment runs.

use std::sync::Arc;

use flagstaff_experiment::Observed;
use flagstaff_flags::{
    Decision, ExclusionLayer, Flag, Holdout, Percent, Requirement, Slice, Snapshot, StickyVariant, Subject,
    VariantId, Variants,
};

use crate::desk::*;
use crate::many::{address_of, say};
use crate::postgres::each_store;

/// Who was moved by a change of shares counts for nobody's totals, and up to the change for the comparison.
#[test]
fn a_visitor_who_met_two_variants_is_left_out_and_reported() {
    each_store(|place| {
        let (tenth, half) = (snapshot(form(10.0)), snapshot(form(50.0)));
        let [always_on, moved, always_off] =
            [0..10_000, 10_000..50_000, 50_000..100_000].map(|range| visitor_at(range, 0));
        let desk = Desk::open(place);
        for id in [&always_on, &moved, &always_off] {
            desk.meet(&tenth, id, 10);
            desk.convert("sent", id, 20);
        }
        for id in [&always_on, &moved, &always_off] {
            desk.meet(&half, id, 1000);
            desk.convert("sent", id, 1010);
        }
        let new = visitor_at(0..50_000, 70);
        desk.meet(&half, &new, 1020);
        desk.convert("sent", &new, 1030);
        let tally = tally_at(&desk.close(), 2000);
        let [off, on] = tally.variants.as_slice() else { panic!("{tally:?}") };
        assert_eq!([(off.visitors, off.crossed), (on.visitors, on.crossed)], [(1, 1), (2, 0)]);
        // a step with each share, and one for those whose variant was remembered across the change
        let shares: Vec<_> = tally.steps.iter().map(|step| step.shares.clone()).collect();
        assert_eq!(shares, [[90_000.0, 10_000.0], [50_000.0, 50_000.0], [50_000.0, 10_000.0]]);
        assert_eq!(tally.steps[0].exposed, [2, 1], "the split is judged by all who were exposed");
        assert_eq!(tally.steps[1].exposed, [0, 1]);
        let first = &tally.steps[0].arms[0];
        assert_eq!([first[0].visitors, first[0].conversions], [2, 2]);
        // one conversion each, for the second came after the step
        assert_eq!((first[0].times.sum, first[1].times.sum), (2.0, 1.0));
    });
}

fn rate(tally: &Observed, step: usize, variant: usize) -> f64 {
    let arm = tally.steps[step].arms[0][variant];
    arm.conversions as f64 / arm.visitors as f64
}

fn is_regular(i: i64) -> bool {
    i % 4 == 0
}

/// Regulars come back every day and buy; others come once. Nobody's variant changes anything, and the share is raised in between.
/// Leaving out the visitors who saw both variants would take regulars from the control alone.
#[test]
fn a_ramp_with_regulars_favours_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let place = flagstaff_ledger::Location::file(&folder.path().join("ledger.db")).unwrap();
    let (tenth, half) = (snapshot(form(10.0)), snapshot(form(50.0)));
    let desk = Desk::open(&place);
    let mut random = fastrand::Rng::with_seed(11);
    let day = |number: i64| number * 86_400;
    let mut visit = |i: i64, snapshot: &Arc<Snapshot>, seconds| {
        desk.meet(snapshot, &format!("r{i}"), seconds);
        if random.f64() < if is_regular(i) { 0.5 } else { 0.02 } {
            desk.convert("sent", &format!("r{i}"), seconds + 2);
        }
    };
    (0..12_000).for_each(|i| visit(i, &tenth, day(0) + i));
    (0..12_000).filter(|i| is_regular(*i)).for_each(|i| visit(i, &half, day(1) + i));
    let tally = tally_at(&desk.close(), day(3));
    let (off, on) = (rate(&tally, 0, 0), rate(&tally, 0, 1));
    assert_eq!(tally.steps[0].exposed.iter().sum::<u64>(), 12_000);
    // true rate 14 %; 1,200 visitors on: 1 point is one standard error
    assert!((off - on).abs() < 0.03 && (off - 0.14).abs() < 0.012, "{off} against {on}");
    let (totals, crossed) = (&tally.goals[0].totals, tally.variants[0].crossed);
    assert!(crossed > 1000, "{crossed}");
    // what the totals alone would say
    let naive = totals[1].conversions as f64 / tally.variants[1].visitors as f64
        - totals[0].conversions as f64 / tally.variants[0].visitors as f64;
    assert!(naive > 0.03, "without steps it would look like a winner: {naive}");
}

#[test]
fn shares_that_come_back_begin_a_step_and_other_edits_do_not() {
    each_store(|place| {
        let desk = Desk::open(place);
        let mut described = form(50.0);
        described.description = Some("other words".into());
        described.definition = flagstaff_flags::Definition(99);
        for (step, flag) in [form(50.0), described, form(10.0), form(50.0)].into_iter().enumerate() {
            let id = visitor_at(0..10_000, step);
            desk.meet(&snapshot(flag), &id, 100 * i64::try_from(step).unwrap());
        }
        let place = desk.close();
        let tally = tally_at(&place, 1000);
        let exposed: Vec<u64> = tally.steps.iter().map(|step| step.exposed[1]).collect();
        // each share after a change has a step for those remembered, too
        assert_eq!(exposed, [2, 1, 0, 1, 0]);
        let desk = Desk::open(&place);
        desk.meet(&snapshot(form(50.0)), &visitor_at(0..10_000, 9), 2000);
        assert_eq!(tally_at(&desk.close(), 3000).steps.len(), 5, "a restart goes on with the step");
    });
}

#[test]
fn another_salt_begins_another_experiment() {
    each_store(|place| {
        let desk = Desk::open(place);
        desk.meet(&snapshot(form(50.0)), "a", 10);
        let mut again = form(50.0);
        again.salt = Some("again".into());
        desk.meet(&snapshot(again), "b", 20);
        let tally = tally_at(&desk.close(), 60);
        assert_eq!(tally.variants.iter().map(|v| v.visitors + v.crossed).sum::<u64>(), 1);
    });
}

/// The variant was drawn on another page, before the share was raised, and is remembered: with the shares of now it has nothing
/// to do.
#[test]
fn a_remembered_variant_is_judged_by_the_shares_that_drew_it() {
    each_store(|place| {
        let (tenth, half) = (snapshot(form(10.0)), snapshot(form(50.0)));
        let desk = Desk::open(place);
        desk.meet(&tenth, &visitor_at(50_000..100_000, 5), 10);
        desk.meet(&half, &visitor_at(50_000..100_000, 6), 1000);
        let held = |id: &str, variant| -> Decision {
            let id_of_flag = half.find("form").unwrap();
            let held = [StickyVariant { flag: id_of_flag, variant, brought: false }];
            let mut sticky = form(50.0);
            sticky.sticky = Some(flagstaff_flags::Sticky::Session);
            snapshot(sticky).decide(&Subject { sticky: &held, ..Subject::at(at(1010)).visitor(id) }).get("form")
        };
        let flag = half.find("form").unwrap();
        // off in both; moved by the change, but still off for this session; on in both
        for (range, variant) in
            [(50_000..100_000, VariantId::OFF), (10_000..50_000, VariantId::OFF), (0..10_000, VariantId::ON)]
        {
            let id = visitor_at(range, 1);
            assert!(desk.recorder.visit(None).exposed(&half, flag, &id, held(&id, variant), true, at(1010)));
        }
        let tally = tally_at(&desk.close(), 2000);
        let exposed: Vec<_> = tally.steps.iter().map(|step| step.exposed.clone()).collect();
        assert_eq!(exposed, [[1, 0], [1, 0], [1, 1]]);
        assert_eq!([tally.variants[0].visitors, tally.variants[1].visitors], [4, 1]);
    });
}

/// Visitors who are compared with others, of all steps, and conversions that count for it.
fn compared(tally: &Observed) -> (u64, u64) {
    let arms: Vec<_> = tally.steps.iter().flat_map(|step| &step.arms[0]).collect();
    (arms.iter().map(|arm| arm.visitors).sum(), arms.iter().map(|arm| arm.conversions).sum())
}

/// Visitors of a program meet the flag and buy, one each second.
fn come(desk: &Desk, snapshot: &Arc<Snapshot>, name: &str, seconds: std::ops::Range<i64>) {
    for second in seconds {
        desk.meet(snapshot, &format!("{name}-{second}"), second);
        desk.convert("sent", &format!("{name}-{second}"), second);
    }
    wait_until("all are written", || desk.recorder.status().pending == 0);
}

#[test]
fn shares_that_come_back_within_seconds_begin_a_step_and_count() {
    each_store(|place| {
        let [half, more] = [50.0, 60.0].map(|percent| snapshot(form(percent)));
        let desk = Desk::open(place);
        come(&desk, &half, "before", 0..100);
        come(&desk, &more, "raised", 100..110);
        come(&desk, &half, "after", 110..200);
        let tally = tally_at(&desk.close(), 1000);
        let shares: Vec<_> = tally.steps.iter().map(|step| step.shares[1]).collect();
        assert_eq!(shares, [50_000.0, 60_000.0, 50_000.0, 50_000.0, 50_000.0]);
        assert_eq!(compared(&tally), (200, 200));
    });
}

#[test]
fn a_program_joins_the_step_that_another_began() {
    each_store(|place| {
        let [half, more] = [50.0, 60.0].map(|percent| snapshot(form(percent)));
        let (edited, quiet) = (Desk::open(place), Desk::open(place));
        come(&edited, &half, "one", 0..50);
        come(&quiet, &half, "two", 50..100);
        come(&edited, &more, "raised", 100..300);
        come(&edited, &half, "back", 300..350);
        // it heard of neither change before this
        come(&quiet, &half, "later", 350..400);
        let place = quiet.close();
        edited.close();
        assert_eq!(compared(&tally_at(&place, 1000)), (400, 400));
    });
}

#[test]
fn programs_with_different_shares_write_to_no_step_that_is_long_over() {
    each_store(|place| {
        let [half, more] = [50.0, 60.0].map(|percent| snapshot(form(percent)));
        let (new, old) = (Desk::open(place), Desk::open(place));
        come(&old, &half, "old", 0..100);
        come(&new, &more, "new", 100..200);
        old.close();
        // a program with the file of before is started
        let old = Desk::open(place);
        come(&old, &half, "restarted", 200..220);
        come(&new, &more, "other", 220..230);
        come(&new, &more, "on", 300..400);
        let place = new.close();
        old.close();
        let tally = tally_at(&place, 1000);
        // of those who came while the two differed, the ten of a step that had ended are compared with nobody
        assert_eq!(compared(&tally), (320, 320));
        assert_eq!(tally.variants.iter().map(|variant| variant.visitors).sum::<u64>(), 330);
    });
}

/// How many steps an experiment has in which somebody is compared.
fn steps(place: &flagstaff_ledger::Location) -> usize {
    let tally = tally_at(place, 100_000);
    tally.steps.iter().filter(|step| step.exposed.iter().sum::<u64>() > 0).count()
}

/// One visitor after the other meets the flag as it is then; held out or outside its slice, somebody is nobody's.
fn meet(desk: &Desk, snapshots: &[Snapshot]) {
    for (snapshot, number) in snapshots.iter().zip(0_i64..) {
        let snapshot = Arc::new(snapshot.clone());
        (0..40).for_each(|i| drop(desk.meet(&snapshot, &format!("{number}-{i}"), 1000 * number + i)));
    }
}

fn percent(percent: f64) -> Percent {
    Percent::new(percent).unwrap()
}

fn held_out(share: f64) -> Snapshot {
    let all = Snapshot::new("test", vec![form(50.0)], goals(), vec![], vec![]).unwrap();
    all.with_holdout(Some(Holdout::new(percent(share), None)))
}

#[test]
fn whatever_changes_who_is_drawn_begins_a_step() {
    let sliced = |to: f64| {
        let slice = Slice { flag: name("form"), from: percent(0.0), to: percent(to) };
        let layer = ExclusionLayer::new(name("page"), vec![slice]);
        Snapshot::new("test", vec![form(50.0)], goals(), vec![], vec![layer]).unwrap()
    };
    let named = |share: f64| {
        let variants = Variants::weighted([("a", 50.0), ("b", 50.0)]).unwrap();
        Snapshot::new("test", vec![Flag { variants, ..form(share) }], goals(), vec![], vec![]).unwrap()
    };
    let requires = |share: f64| {
        let other = Flag { percent: Some(percent(share)), ..Flag::new(name("other")) };
        let requires = vec![Requirement { flag: name("other"), variant: None }];
        let form = Flag { requires, ..form(50.0) };
        Snapshot::new("test", vec![form, other], goals(), vec![], vec![]).unwrap()
    };
    let changes = [
        [held_out(10.0), held_out(30.0)],
        [sliced(80.0), sliced(60.0)],
        [named(100.0), named(40.0)],
        [requires(90.0), requires(50.0)],
    ];
    for [before, after] in changes {
        each_store(|place| {
            let desk = Desk::open(place);
            meet(&desk, &[before.clone(), before.clone(), after.clone()]);
            assert_eq!(steps(&desk.close()), 2);
        });
    }
}

/// An earlier version did not say who is drawn: what it began goes on, and from then on a change is seen.
#[test]
fn a_step_of_an_earlier_version_goes_on() {
    each_store(|place| {
        let [before, after] = [10.0, 30.0].map(held_out);
        let desk = Desk::open(place);
        meet(&desk, std::slice::from_ref(&before));
        let place = desk.close();
        block_on(say(&address_of(&place), &["UPDATE periods SET draw_key = NULL"]));
        let desk = Desk::open(&place);
        meet(&desk, &[before.clone(), before.clone()]);
        assert_eq!(steps(&desk.close()), 1);
        let desk = Desk::open(&place);
        meet(&desk, &[before.clone(), before.clone(), before.clone(), after.clone()]);
        assert_eq!(steps(&desk.close()), 2);
    });
}

#[test]
fn a_flag_that_was_the_same_for_everybody_meanwhile_begins_a_step() {
    let on = snapshot(form(50.0));
    for meanwhile in
        [Flag { enabled: false, ..form(50.0) }, form(100.0), Flag { salt: Some("a".into()), ..form(50.0) }]
    {
        let meanwhile = snapshot(meanwhile);
        each_store(|place| {
            let desk = Desk::open(place);
            let now = jiff::Timestamp::now().as_second() - at(0).as_second();
            desk.recorder.follow(&on);
            come(&desk, &on, "before", now - 50..now - 10);
            desk.recorder.follow(&meanwhile);
            desk.recorder.follow(&on);
            come(&desk, &on, "after", now + 10..now + 50);
            let place = desk.close();
            assert_eq!((steps(&place), compared(&tally_at(&place, now + 1000))), (2, (80, 80)));
            let desk = Desk::open(&place);
            desk.recorder.follow(&on);
            come(&desk, &on, "restarted", now + 100..now + 140);
            assert_eq!(steps(&desk.close()), 2, "a restart goes on with the step");
        });
    }
}
