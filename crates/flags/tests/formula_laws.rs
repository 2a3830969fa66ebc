//! What holds for every formula and every unit.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::{
    Explanation, Flag, FormerDraw, Formula, Hash, HashSeed, HashSettings, Name, Percent, Snapshot, Subject, Variants,
};
use jiff::Timestamp;
use proptest::prelude::*;

/// Settings that a formula takes, with what it needs.
fn settings(formula: Formula) -> HashSettings {
    let mut settings = HashSettings::new(formula);
    match formula {
        Formula::LaunchDarkly | Formula::Statsig => settings.salt = Some("salt".into()),
        Formula::Vercel => settings.seed = Some(HashSeed::Number(7)),
        _ => {}
    }
    settings
}

fn all_settings() -> Vec<HashSettings> {
    let more = [
        HashSettings { version: Some(2), ..settings(Formula::GrowthBook) },
        HashSettings { seed: Some(HashSeed::Number(-61)), ..HashSettings::new(Formula::LaunchDarkly) },
        HashSettings { buckets: Some(1000), ..settings(Formula::Statsig) },
        HashSettings { total: Some(1), ..settings(Formula::Flagd) },
        HashSettings { total: Some(u32::MAX), ..settings(Formula::Goff) },
        HashSettings { ignore_case: Some(true), group: Some("G\n".into()), ..settings(Formula::Azure) },
        HashSettings { prefix: Some("User;".into()), ..settings(Formula::Flipper) },
    ];
    Formula::ALL.into_iter().map(settings).chain(more).collect()
}

fn snapshot(settings: &HashSettings, share: u32, weights: Option<&[(&str, f64)]>) -> Arc<Snapshot> {
    let variants = weights.map_or_else(Variants::off_and_on, |weights| Variants::weighted(weights.to_vec()).unwrap());
    let hash = Some(Hash::new(settings, "f").unwrap());
    let percent = Some(Percent::from_thousandths(share));
    let flag = Flag { hash, variants, percent, ..Flag::new(Name::new("f").unwrap()) };
    Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap())
}

fn explain(snapshot: &Arc<Snapshot>, unit: &str) -> Explanation {
    snapshot.explain("f", &Subject::at(Timestamp::UNIX_EPOCH).visitor(unit))
}

fn variant(snapshot: &Arc<Snapshot>, unit: &str, former: &[FormerDraw]) -> String {
    let subject = Subject { former_draws: former, ..Subject::at(Timestamp::UNIX_EPOCH).visitor(unit) };
    snapshot.decide(&subject).variant("f").into()
}

const WEIGHTS: [(&str, f64); 4] = [("control", 20.0), ("a", 0.0), ("b", 50.0), ("c", 30.0)];

proptest! {
    #[test]
    fn any_text_falls_somewhere(unit in any::<String>()) {
        for settings in all_settings() {
            for weights in [None, Some(&WEIGHTS[..])] {
                let explained = explain(&snapshot(&settings, 50_000, weights), &unit);
                let draw = explained.draw.unwrap();
                prop_assert!(draw.position() < 100_000 && draw.split() < 100_000);
                prop_assert!(explained.numbers.iter().all(|number| number.number <= number.of));
                prop_assert!(explained.numbers.iter().all(|number| number.text.chars().count() < 8000));
            }
        }
    }

    #[test]
    fn who_is_in_stays_in_when_the_share_grows(unit in "[ -~]{1,40}", less in 0..100_000_u32, more in 0..100_000_u32) {
        let (less, more) = (less.min(more), less.max(more));
        for settings in all_settings() {
            let is_in = |share, weights| explain(&snapshot(&settings, share, weights), &unit).draw.unwrap().position() < share;
            for weights in [None, Some(&WEIGHTS[..])] {
                prop_assert!(!is_in(less, weights) || is_in(more, weights), "{:?}", settings.formula);
            }
            let of = |share| variant(&snapshot(&settings, share, Some(&WEIGHTS)), &unit, &[]);
            // Those who are in have the variant that they would have at 100 percent.
            prop_assert!(of(less) == of(100_000) || of(less) == "control");
            prop_assert!(of(0) == "control" && of(100_000) != "a");
        }
    }

    #[test]
    fn a_new_id_keeps_the_draw_of_the_old_one(old in "[a-z0-9]{4,30}", new in "[a-z0-9]{4,30}", share in 0..=10_u32) {
        for settings in all_settings() {
            for weights in [None, Some(&WEIGHTS[..])] {
                let snapshot = snapshot(&settings, share * 10_000, weights);
                let former = snapshot.draws(&old, None);
                if share % 10 != 0 {
                    prop_assert_eq!(variant(&snapshot, &new, &former), variant(&snapshot, &old, &[]));
                }
            }
        }
    }
}

#[test]
fn shares_and_weights_are_kept() {
    const UNITS: u32 = 20_000;
    for settings in Formula::ALL.map(settings) {
        let in_half = snapshot(&settings, 50_000, None);
        let in_parts = snapshot(&settings, 50_000, Some(&WEIGHTS));
        let mut counts = [0_u32; 5];
        for unit in (0..UNITS).map(|i| format!("user-{i}")) {
            counts[0] += u32::from(variant(&in_half, &unit, &[]) == "on");
            let explained = explain(&in_parts, &unit);
            if explained.draw.unwrap().position() < 50_000 {
                let drawn = WEIGHTS.iter().position(|(name, _)| *name == explained.variant).unwrap();
                counts[1 + drawn] += 1;
            }
        }
        let expected = [0.5, 0.1, 0.0, 0.25, 0.15].map(|share| share * f64::from(UNITS));
        for (count, expected) in counts.into_iter().zip(expected) {
            // five standard deviations, and the width of a cell where there are few
            let room = 5.0 * expected.sqrt() + f64::from(UNITS) / 200.0;
            assert!((f64::from(count) - expected).abs() <= room, "{:?}: {counts:?}", settings.formula);
        }
        assert_eq!(counts[2], 0);
    }
}
