//! Planning and comparing by hand, and what the commands about facts say when they cannot.

use std::fs;

use tempfile::TempDir;

use crate::experiment_flow::FLAGS;
use crate::harness::command::{Said, flagstaff};

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("flags.toml"), FLAGS).unwrap();
    folder
}

#[track_caller]
fn said(line: &str) -> Said {
    flagstaff(folder().path(), line.split(' '), &[])
}

#[test]
fn power_says_how_many_it_takes() {
    let needed = |line: &str| said(&format!("power {line} --json")).json();
    let plain = needed("--baseline 5% --lift 10%");
    // (1.959964 + 0.841621)² · (0.05·0.95 + 0.055·0.945) / 0.005²
    assert_eq!((&plain["per_variant"], &plain["total"]), (&31_231.into(), &62_462.into()));
    assert_eq!(plain["days"], serde_json::Value::Null);
    assert_eq!(needed("--baseline 0.05 --lift 0.1 --per-day 1000")["days"], 63);
    // (b(N) + 0.841621)² instead, b(N) = 3.3863 being what the test asks for at N = 142,242
    assert_eq!(needed("--baseline 5% --lift 10% --read-daily")["per_variant"], 71_121);
    let sharper = needed("--baseline 5% --lift 10% --read-daily --planned 120000");
    assert!(sharper["per_variant"].as_u64() < Some(71_121), "{sharper}");
    assert!(needed("--baseline 5% --lift 10% --goals 3")["per_variant"].as_u64() > Some(31_231));
    assert!(needed("--baseline 5% --lift -10%")["per_variant"].as_u64() > Some(20_000));
    let text = said("power --baseline 5% --lift 10%").out;
    assert!(text.starts_with("31,231 visitors per variant, 62,462"), "{text}");
    for wrong in ["--baseline 5 --lift 10%", "--baseline 5% --lift 0", "--baseline 5% --lift x", "--baseline 5%"] {
        let said = said(&format!("power {wrong}"));
        assert!(said.code == 2 && !said.err.is_empty(), "{wrong}: {said:?}");
    }
}

#[test]
fn compare_compares_two_counts() {
    let result = said("compare 500/10000 615/10000 --json").json();
    assert_eq!(result["variant"], "treatment");
    assert!((result["lift"].as_f64().unwrap() - 0.23).abs() < 1e-9, "{result}");
    assert!((result["difference"].as_f64().unwrap() - 0.0115).abs() < 1e-12);
    // z = 0.0115/√(0.05575·0.94425·2/10000) = 3.5442
    assert!((result["p_value"].as_f64().unwrap() - 0.000_394).abs() < 2e-6, "{result}");
    assert!(result["always_valid"]["interval"][0].as_f64().unwrap() > 0.0);
    assert_eq!(result["sample_ratio"]["broken"], false);
    let text = said("compare 500/10000 615/10000").out;
    assert!(text.contains("+23.00 %") && text.contains('●'), "{text}");
    let broken = said("compare 500/9600 615/10400");
    assert!(broken.out.contains("broken split"), "{}", broken.out);
    assert!(!said("compare 500/9600 615/10400 --share 52%").out.contains("broken split"));
    for wrong in ["5/0 1/2", "3/2 1/2", "5 1/2", "-1/2 1/2", "1/2 1/2 --alpha 60%", "1/2 1/2 --share 1"] {
        let said = said(&format!("compare {wrong}"));
        assert!(said.code == 2 && !said.err.is_empty(), "{wrong}: {said:?}");
    }
}

#[test]
fn without_a_ledger_facts_cannot_be_told() {
    for line in ["results form", "export --flag form", "forget somebody"] {
        let said = said(&format!("{line} --flags flags.toml"));
        assert!(said.code == 2 && said.err.contains("flagstaff.db"), "{line}: {said:?}");
    }
    let unknown = said("results from --flags flags.toml");
    assert!(unknown.code == 2 && unknown.err.contains("`form`"), "{unknown:?}");
    let other = said("results form --flags flags.toml --ledger mysql://host/db");
    assert!(other.code == 2 && other.err.contains("PostgreSQL"), "{other:?}");
}

#[test]
fn a_ledger_that_makes_no_sense_is_found_before_anything_runs() {
    let folder = folder();
    for (line, wanted) in
        [("ledger = \"\"", "ledger"), ("ledger_keep = \"5m\"", "an hour"), ("ledger = \"mysql://h/d\"", "PostgreSQL")]
    {
        fs::write(folder.path().join("flagstaff.toml"), format!("{line}\n")).unwrap();
        let said = flagstaff(folder.path(), ["run", "--dry-run", "--config", "flagstaff.toml"], &[]);
        assert!(said.code == 2 && said.err.contains(wanted) && said.err.contains(":1"), "{line}: {said:?}");
    }
    fs::write(folder.path().join("flagstaff.toml"), "ledger_keep = \"400d\"\n").unwrap();
    let said = flagstaff(folder.path(), ["run", "--dry-run", "--config", "flagstaff.toml"], &[]);
    assert_eq!(said.code, 0, "{said:?}");
}
