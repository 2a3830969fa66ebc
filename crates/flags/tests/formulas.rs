//! Formulas of other systems, held against numbers that those systems gave.
#![allow(clippy::unwrap_used, clippy::float_cmp, missing_docs, reason = "a test may fail loudly")]

use std::sync::Arc;

use flagstaff_flags::{
    Explanation, Flag, Formula, Hash, HashSeed, HashSettings, Name, Percent, Snapshot, Subject, Variants,
};
use jiff::Timestamp;
use serde_json::Value;

fn settings(formula: Formula, key: &str) -> HashSettings {
    let key = Some(key.to_owned());
    match formula {
        Formula::Unleash => HashSettings { group: key, ..HashSettings::new(formula) },
        Formula::GrowthBook => HashSettings { seed: key.map(HashSeed::Text), ..HashSettings::new(formula) },
        _ => HashSettings { key, ..HashSettings::new(formula) },
    }
}

/// A flag of two named variants, or of off and on, that draws like this.
fn snapshot(settings: &HashSettings, named: bool) -> Arc<Snapshot> {
    let flag = Flag::new(Name::new("f").unwrap());
    let variants =
        if named { Variants::weighted([("a", 30.0), ("b", 70.0)]).unwrap() } else { Variants::off_and_on() };
    let half = Percent::new(50.0).ok();
    let flag = Flag { hash: Some(Hash::new(settings, "f").unwrap()), variants, percent: half, ..flag };
    Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap())
}

fn explain(settings: &HashSettings, unit: &str, named: bool) -> Explanation {
    snapshot(settings, named).explain("f", &Subject::at(Timestamp::UNIX_EPOCH).visitor(unit))
}

/// The number of a unit and how many there are: that of the position, or that of the variant.
fn number(settings: &HashSettings, unit: &str, of_variant: bool, named: bool) -> (u64, u64) {
    let explained = explain(settings, unit, named);
    let wanted = explained.numbers.iter().find(|n| if of_variant { n.of_variant } else { n.of_position });
    let number = wanted.unwrap();
    (number.number, number.of)
}

/// What each column of the vectors means: settings for a flag's key, whether it is the variant's number, whether variants are
/// named, and the number from k of G.
type Column = (&'static str, fn(&str) -> HashSettings, bool, bool, fn(u64, u64) -> f64);

#[allow(clippy::cast_precision_loss, reason = "as the systems do")]
fn share(k: u64, of: u64) -> f64 {
    k as f64 / of as f64
}

#[allow(clippy::cast_precision_loss, reason = "small")]
fn whole(k: u64, _: u64) -> f64 {
    k as f64
}

const COLUMNS: [Column; 21] = [
    ("unleash_rollout_1_100", |key| settings(Formula::Unleash, key), false, false, |k, of| whole(k + 1, of)),
    ("unleash_variant_1_1000", |key| settings(Formula::Unleash, key), true, true, |k, of| whole(k + 1, of)),
    (
        "flagd_hash",
        |key| HashSettings { total: Some(u32::MAX), ..settings(Formula::Flagd, key) },
        false,
        false,
        whole,
    ),
    ("flagd_of_100", |key| settings(Formula::Flagd, key), true, true, whole),
    ("growthbook_v1", |key| settings(Formula::GrowthBook, key), false, false, whole),
    (
        "growthbook_v2",
        |key| HashSettings { version: Some(2), ..settings(Formula::GrowthBook, key) },
        true,
        true,
        whole,
    ),
    ("growthbook_namespace", |key| settings(Formula::GrowthBook, &format!("__{key}")), false, false, whole),
    (
        "launchdarkly_salt_s",
        |key| HashSettings { salt: Some("s".into()), ..settings(Formula::LaunchDarkly, key) },
        false,
        false,
        share,
    ),
    (
        "launchdarkly_seed_61",
        |key| HashSettings { seed: Some(HashSeed::Number(61)), ..settings(Formula::LaunchDarkly, key) },
        true,
        true,
        share,
    ),
    ("posthog", |key| settings(Formula::PostHog, key), false, false, share),
    ("posthog_variant", |key| settings(Formula::PostHog, key), true, true, share),
    ("flipper_of_100000", |key| settings(Formula::Flipper, key), false, false, whole),
    ("configcat_of_100", |key| settings(Formula::ConfigCat, key), true, true, whole),
    ("flagsmith_percent", |key| settings(Formula::Flagsmith, key), true, true, |k, of| share(k, of) * 100.0),
    ("goff_of_100000", |key| settings(Formula::Goff, key), true, true, whole),
    (
        "statsig_salts_f_r",
        |key| HashSettings { salt: Some(format!("{key}.r")), ..HashSettings::new(Formula::Statsig) },
        false,
        false,
        whole,
    ),
    (
        "statsig_user_bucket",
        |key| HashSettings { salt: Some(key.into()), buckets: Some(1000), ..HashSettings::new(Formula::Statsig) },
        true,
        true,
        whole,
    ),
    ("azure_percent", |key| settings(Formula::Azure, key), false, false, |k, of| share(k, of) * 100.0),
    ("flipt_variant_of_1000", |key| settings(Formula::Flipt, key), true, true, whole),
    ("flipt_boolean_of_100", |key| settings(Formula::Flipt, key), false, false, whole),
    (
        "vercel_xxh32_seed_7",
        |_| HashSettings { seed: Some(HashSeed::Number(7)), ..HashSettings::new(Formula::Vercel) },
        false,
        false,
        whole,
    ),
];

#[test]
fn every_formula_gives_the_numbers_of_its_system() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("formulas.json")).unwrap();
    assert_eq!(rows.len(), 14);
    for row in &rows {
        let (key, unit) = (row["flag"].as_str().unwrap(), row["unit"].as_str().unwrap());
        assert_eq!(row.as_object().unwrap().len(), COLUMNS.len() + 2, "a column is not looked at");
        for (column, settings, of_variant, named, told) in COLUMNS {
            let (k, of) = number(&settings(key), unit, of_variant, named);
            let (got, expected) = (told(k, of), row[column].as_f64().unwrap());
            // flagd's whole hash is seen through a grid that is one cell short of it.
            let near = if column == "flagd_hash" { 1.0 } else { 1e-12 * expected.max(1.0) };
            assert!((got - expected).abs() <= near, "{column} of {key}, {unit}: {got}, not {expected}");
        }
    }
}
