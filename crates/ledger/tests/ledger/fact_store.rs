//! Facts and signs, as rollouts and guards keep them.

use flagstaff_flags::{
    Definition, Fact, FactKind, Flag, FormerDraw, Standing, Sticky, StickyVariant, Subject, VariantId,
};
use flagstaff_ledger::{FactStore, FirstSign, Ledger, came_at};

use crate::desk::*;
use crate::postgres::each_store;

fn fact(number: u64, kind: FactKind) -> Fact {
    Fact {
        flag: name("form"),
        number,
        at: at(i64::try_from(number).unwrap()),
        definition: Definition(u64::MAX - 7),
        kind,
        step: 1,
        by: "ada".into(),
        why: "it's \"so\"".into(),
        evidence: (kind == FactKind::Tripped).then(|| "{\"p\":0.001}".into()),
    }
}

#[test]
fn facts_come_back_as_they_went() {
    each_store(|place| {
        let facts: Vec<_> = (1..).zip(FactKind::ALL).map(|(number, kind)| fact(number, kind)).collect();
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            assert!(register.newest().await.unwrap().is_empty());
            assert!(register.add(&facts).await.unwrap());
            register.close().await;
            let mut register = FactStore::open(place).await.unwrap();
            assert_eq!(register.facts(&name("form"), 1).await.unwrap(), facts);
            assert_eq!(register.facts(&name("form"), 13).await.unwrap(), facts[12..]);
            assert!(register.facts(&name("other"), 1).await.unwrap().is_empty());
            assert_eq!(register.newest().await.unwrap(), [(name("form"), facts.len() as u64)]);
            assert_eq!(Standing::of(&facts).unwrap().number, facts.len() as u64);
        });
    });
}

/// One row that is nonsense keeps nobody else's from being read.
#[test]
fn a_name_that_is_none_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.db");
    let place = flagstaff_ledger::Location::file(&file).unwrap();
    block_on(async {
        let mut register = FactStore::open(&place).await.unwrap();
        assert!(register.add(&[fact(1, FactKind::Defined)]).await.unwrap());
        let sql = "INSERT INTO facts SELECT 'Bad Name!', 1, 9223372036854775807, 1, 'step', 1, '', '', NULL";
        let script =
            format!("import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(\"{sql}\"); c.commit()");
        let done = std::process::Command::new("python3").args(["-c", &script]).arg(&file).status().unwrap();
        assert!(done.success());
        assert_eq!(register.newest().await.unwrap(), [(name("form"), 1)]);
    });
}

/// Of two programs that saw the same state, the later one changes nothing.
#[test]
fn of_several_who_saw_the_same_one_is_first() {
    each_store(|place| {
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            assert!(register.add(&[fact(1, FactKind::Defined)]).await.unwrap());
        });
        let racers: Vec<_> = (0..8)
            .map(|racer| {
                let place = place.clone();
                std::thread::spawn(move || {
                    block_on(async {
                        let mut register = FactStore::open(&place).await.unwrap();
                        let by = |number| Fact { by: format!("racer {racer}"), ..fact(number, FactKind::Step) };
                        register.add(&[by(2), by(3)]).await.unwrap()
                    })
                })
            })
            .collect();
        let won: Vec<_> = (0..).zip(racers).filter_map(|(i, racer)| racer.join().unwrap().then_some(i)).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            let late = [fact(4, FactKind::Paused), fact(3, FactKind::Step)];
            assert!(!register.add(&late).await.unwrap(), "all or none");
            let facts = register.facts(&name("form"), 2).await.unwrap();
            let authors: Vec<_> = facts.iter().map(|fact| fact.by.as_str()).collect();
            assert_eq!(authors, [format!("racer {}", won[0]), format!("racer {}", won[0])]);
        });
    });
}

#[test]
fn signs_stay_as_they_were_first_seen_and_are_forgotten_with_their_unit() {
    each_store(|place| {
        let sign =
            |unit: &str, at, variant| FirstSign { sign: "errors".into(), unit: unit.into(), variant, step: 2, at };
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            let form = name("form");
            let of = (form.clone(), 3);
            register.keep_signs(&[(of.clone(), vec![sign("b", 20, 1), sign("a", 10, 0)])]).await.unwrap();
            register.keep_signs(&[(of, vec![sign("a", 30, 1), sign("c", 40, 1)])]).await.unwrap();
            let kept = register.signs(&form, 3).await.unwrap();
            assert_eq!(kept, [sign("b", 20, 1), sign("a", 10, 0), sign("c", 40, 1)], "as they were written");
            assert!(register.signs(&form, 4).await.unwrap().is_empty());
            let mut ledger = Ledger::open(place).await.unwrap();
            assert_eq!(ledger.forget(&["b"]).await.unwrap(), 1);
            assert_eq!(register.signs(&form, 3).await.unwrap(), [sign("a", 10, 0), sign("c", 40, 1)]);
        });
    });
}

/// What a visitor can make of a unit must not stop what rollouts rest on.
#[test]
fn units_of_any_length_are_stored() {
    each_store(|place| {
        let noise: String =
            (0..6000_u32).map(|i| char::from(b'a' + (i.wrapping_mul(2_654_435_761) >> 24) as u8 % 26)).collect();
        let sign = |unit: &str| FirstSign { sign: "errors".into(), unit: unit.into(), variant: 1, step: 0, at: 1 };
        block_on(async {
            let mut register = FactStore::open(place).await.unwrap();
            let form = name("form");
            let signs = vec![sign("a"), sign(&noise), sign("b\0c"), sign("d")];
            register.keep_signs(&[((form.clone(), 1), signs)]).await.unwrap();
            assert_eq!(register.signs(&form, 1).await.unwrap().len(), 4);
            let odd = Fact { why: "a\0b".into(), ..fact(1, FactKind::Tripped) };
            assert!(register.add(&[odd, fact(2, FactKind::Tripped)]).await.unwrap());
            let mut ledger = Ledger::open(place).await.unwrap();
            assert_eq!(ledger.forget(&[noise.as_str(), "b\0c"]).await.unwrap(), 2);
            assert_eq!(register.signs(&form, 1).await.unwrap(), [sign("a"), sign("d")]);
        });
    });
}

/// Only who got the flag on an earlier page is remembered, and the others are drawn again: all of them were drawn, and each counts for the
/// arm of its place. For who had another id when it was drawn that is the place of then.
#[test]
fn remembered_visitors_arrive_where_they_were_drawn() {
    each_store(|place| {
        let sticky = Flag { sticky: Some(Sticky::Session), ..form(50.0) };
        let half = snapshot(sticky.clone());
        let flag = half.find("form").unwrap();
        let [was_on, was_off] = [0..50_000, 50_000..100_000].map(|range| visitor_at(range, 9));
        let former = [half.draws(&was_on, None), half.draws(&was_off, None)];
        let desk = Desk::open(place);
        let meet = |id: &str, former: &[FormerDraw], is_held: bool| {
            let held = [StickyVariant { flag, variant: VariantId::ON, brought: false }];
            let held = if is_held { &held[..] } else { &[] };
            let subject = Subject { sticky: held, former_draws: former, ..Subject::at(at(1000)).visitor(id) };
            let visit = desk.recorder.visit(None).with_former_draws(former);
            assert!(visit.exposed(&half, flag, id, half.decide(&subject).get("form"), true, at(1000)));
        };
        for number in 0..3 {
            meet(&visitor_at(0..50_000, number), &[], true);
            meet(&visitor_at(50_000..100_000, number), &[], false);
        }
        meet(&visitor_at(50_000..100_000, 3), &former[0], true);
        meet(&visitor_at(0..50_000, 3), &former[1], false);
        let place = desk.close();
        let trial = half.experiment_id(flag);
        let arrivals = block_on(async {
            let mut register = FactStore::open(&place).await.unwrap();
            register.arrivals(trial, at(500), &sticky.arms_at(0)).await.unwrap()
        });
        assert_eq!(arrivals, [4, 4]);
    });
}

/// Those who are new, and those who came at a step.
#[test]
fn arrivals_are_told_apart() {
    each_store(|place| {
        let (tenth, half) = (snapshot(form(10.0)), snapshot(form(50.0)));
        let [always_on, moved, always_off] =
            [0..10_000, 10_000..50_000, 50_000..100_000].map(|range| visitor_at(range, 0));
        let [new_on, new_off] = [10_000..50_000, 50_000..100_000].map(|range| visitor_at(range, 1));
        let desk = Desk::open(place);
        for id in [&always_on, &moved, &always_off] {
            desk.meet(&tenth, id, 10);
        }
        for id in [&always_on, &moved, &always_off, &new_on, &new_off] {
            desk.meet(&half, id, 1000);
        }
        let place = desk.close();
        let trial = half.experiment_id(half.find("form").unwrap());
        block_on(async {
            let mut register = FactStore::open(&place).await.unwrap();
            let arrivals = register.arrivals(trial, at(500), &form(50.0).arms_at(0)).await.unwrap();
            assert_eq!(arrivals, [1, 1], "those who are new");
            let form = name("form");
            let came =
                |unit: &str, step| FirstSign { sign: came_at(step), unit: unit.into(), variant: 1, step, at: 1 };
            let of = (form.clone(), 1);
            register.keep_signs(&[(of.clone(), vec![came("a", 0), came("b", 0), came("a", 1)])]).await.unwrap();
            register.keep_signs(&[(of, vec![came("a", 0)])]).await.unwrap();
            assert_eq!(register.came(&form, 1, 0).await.unwrap(), 2);
            assert_eq!(register.came(&form, 1, 1).await.unwrap(), 1);
            assert_eq!(register.came(&form, 2, 0).await.unwrap(), 0);
            assert!(register.signs(&form, 1).await.unwrap().is_empty(), "no guard looks for them");
        });
    });
}
