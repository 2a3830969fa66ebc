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

/// flagd's formula in its version 1, which hashes a number with a sign.
fn flagd_1(key: &str) -> HashSettings {
    HashSettings { version: Some(1), ..settings(Formula::Flagd, key) }
}

/// flagd's formula in its version 3, which hashes CBOR.
fn flagd_3(key: &str) -> HashSettings {
    HashSettings { version: Some(3), ..settings(Formula::Flagd, key) }
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

const COLUMNS: [Column; 24] = [
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
    ("flagd_v1_of_100", flagd_1, true, true, whole),
    ("flagd_v3_of_100", flagd_3, true, true, whole),
    ("flagd_v3_text_of_100", |key| HashSettings { prefix: Some(key.into()), ..flagd_3("") }, false, false, whole),
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

/// The variant of a unit in a flag with these variants, all of which is shared out.
fn variant(settings: &HashSettings, weights: &[(&str, f64)], unit: &str) -> String {
    let flag = Flag::new(Name::new("f").unwrap());
    let variants = Variants::weighted(weights.iter().copied()).unwrap();
    let flag = Flag { hash: Some(Hash::new(settings, "f").unwrap()), variants, ..flag };
    let snapshot = Arc::new(Snapshot::new("r", vec![flag], vec![], vec![], vec![]).unwrap());
    snapshot.decide(&Subject::at(Timestamp::UNIX_EPOCH).visitor(unit)).variant("f").into()
}

/// What Unleash's own specification of clients says of its rollouts and variants.
#[test]
fn unleash_gives_what_its_specification_says() {
    let rollout = settings(Formula::Unleash, "AB12A");
    assert_eq!(["122", "155"].map(|unit| explain(&rollout, unit, false).variant), ["on", "off"]);
    let of = |group: &str, total| HashSettings { total: Some(total), ..settings(Formula::Unleash, group) };
    let two = [("variant1", 50.0), ("variant2", 50.0)];
    let b = of("Feature.Variants.B", 2);
    assert_eq!(["0", "2"].map(|unit| variant(&b, &two, unit)), ["variant1", "variant2"]);
    let three = [("variant1", 33.333), ("variant2", 33.333), ("variant3", 33.334)];
    let c = of("Feature.Variants.C", 99);
    assert_eq!(["232", "607", "656"].map(|unit| variant(&c, &three, unit)), ["variant1", "variant2", "variant3"]);
    let uneven = [("variant1", 1.0), ("variant2", 49.0), ("variant3", 50.0)];
    let d = of("Feature.Variants.D", 100);
    assert_eq!(["712", "525", "537"].map(|unit| variant(&d, &uneven, unit)), ["variant1", "variant2", "variant3"]);
}

/// The ends of flagd's range, from its testbed: each key's hash is beside it.
#[test]
fn flagd_reaches_both_ends() {
    let settings = settings(Formula::Flagd, "");
    let halves = [("left", 50.0), ("right", 50.0)];
    for (unit, k, side) in [
        ("ejOoVL", 0, "left"),
        ("bY9fO-", 0, "left"),
        ("SI7p-", 49, "left"),
        ("6LvT0", 50, "right"),
        ("ceQdGm", 99, "right"),
    ] {
        assert_eq!(number(&settings, unit, true, true), (k, 100), "{unit}");
        assert_eq!(variant(&settings, &halves, unit), side, "{unit}");
    }
}

/// CBOR says the length of a text in front of it, in as few bytes as it takes. The numbers are those of openfeature-flagd-core 2.0.0.
#[test]
fn flagd_hashes_long_texts_as_cbor_too() {
    for (length, in_list, alone) in [(1, 31, 31), (23, 48, 44), (24, 90, 47), (255, 77, 88), (256, 32, 42)] {
        let text = "u".repeat(length);
        assert_eq!(number(&flagd_3(&text), &text, true, true), (in_list, 100), "{length}");
        assert_eq!(number(&flagd_3(""), &text, true, true), (alone, 100), "{length}");
    }
    let shown = |key: &str| explain(&flagd_3(key), "a\"b", true).numbers[0].text.clone();
    assert_eq!([shown("f"), shown("")], [r#"["f","a\"b"]"#, r#""a\"b""#]);
}

/// Numbers that LaunchDarkly's SDKs are tested with.
#[test]
fn launchdarkly_gives_the_numbers_of_its_tests() {
    let salted = HashSettings { salt: Some("saltyA".into()), ..settings(Formula::LaunchDarkly, "hashKey") };
    let seeded = HashSettings { seed: Some(HashSeed::Number(61)), ..HashSettings::new(Formula::LaunchDarkly) };
    for (settings, unit, expected) in [
        (&salted, "userKeyA", 0.421_575_87),
        (&salted, "userKeyB", 0.670_848_5),
        (&salted, "userKeyC", 0.103_431_06),
        (&salted, "33333", 0.547_714_23),
        (&seeded, "userKeyA", 0.098_012_07),
        (&seeded, "userKeyB", 0.144_837_77),
    ] {
        let (k, of) = number(settings, unit, false, false);
        assert!((share(k, of) - expected).abs() < 1e-7, "{unit}");
    }
}

/// Numbers of GrowthBook's shared cases: seed, value, version, number.
#[test]
fn growthbook_gives_the_numbers_of_its_cases() {
    for (seed, unit, version, expected) in [
        ("", "a", 1, 220),
        ("", "b", 1, 77),
        ("b", "a", 1, 946),
        ("ef", "d", 1, 652),
        ("asdf", "8952klfjas09ujk", 1, 549),
        ("", "___)((*\":&", 1, 563),
        ("seed", "a", 2, 505),
        ("seed", "b", 2, 2696),
        ("foo", "ab", 2, 2575),
        ("89123klj", "8952klfjas09ujkasdf", 2, 1240),
        ("90850943850283058242805", "123", 2, 7516),
        ("()**(%$##$%#$#", "___)((*\":&", 2, 128),
    ] {
        let settings = HashSettings { version: Some(version), ..settings(Formula::GrowthBook, seed) };
        assert_eq!(number(&settings, unit, false, false).0, expected, "{seed}, {unit}");
    }
}

#[test]
fn flagsmith_hashes_anew_what_would_be_all_of_it() {
    // The MD5 of `key,UNIT` leaves 9998 by 9999, and that of `key,UNIT,key,UNIT` what is expected.
    let settings = settings(Formula::Flagsmith, "key");
    for (unit, expected) in [("6316", 2015), ("26347", 8894)] {
        assert_eq!(number(&settings, unit, false, false), (expected, 9998), "{unit}");
    }
}

#[test]
fn azure_counts_small_letters_alike_where_it_is_told_to() {
    let plain = settings(Formula::Azure, "key");
    let ignoring = HashSettings { ignore_case: Some(true), group: Some("Ring0".into()), ..plain.clone() };
    let small = HashSettings { group: Some("ring0".into()), ..plain.clone() };
    assert_eq!(number(&ignoring, "Ada@Example", false, false), number(&small, "ada@example", false, false));
    assert_ne!(number(&plain, "Ada", false, false), number(&plain, "ada", false, false));
}
