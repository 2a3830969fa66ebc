//! The walls of the house: which crate may depend on which, held by reading the manifests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

#[path = "house/circles.rs"]
mod circles;
#[path = "house/pages.rs"]
mod pages;
#[path = "house/sizes.rs"]
mod sizes;
#[path = "house/source.rs"]
mod source;
#[path = "house/ways.rs"]
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Heavy dependencies, and the only crates they may be in.
const WALLS: [(&str, &[&str]); 14] = [
    ("pingora", &["sidecar"]),
    ("hyper", &["sidecar", "admin"]),
    ("hyper-util", &["sidecar", "admin"]),
    ("axum", &["admin"]),
    ("tower", &["layer", "telemetry", "sidecar", "admin"]),
    ("opentelemetry", &["telemetry"]),
    ("toml", &["source", "import"]),
    ("toml_edit", &["source"]),
    ("notify", &["source"]),
    ("redis", &["source"]),
    ("sqlx", &["ledger"]),
    ("ureq", &["outbound", "source", "webhook", "client", "telemetry"]),
    ("clap", &["flagstaff"]),
    ("anyhow", &["flagstaff"]),
];

/// Floors from the bottom up; a crate may use those below its own floor, never its own.
const FLOORS: [&[&str]; 7] = [
    &["flags", "stats", "supervise", "outbound"],
    &["experiment"],
    &["source", "tag", "ledger", "webhook"],
    &["layer"],
    &["operations", "import", "rollout", "telemetry"],
    &["sidecar", "admin", "embed", "client"],
    &["flagstaff"],
];

/// Crate (folder) → the names of its ordinary dependencies.
fn manifests() -> BTreeMap<String, BTreeSet<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let crates = folders.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path));
    let all = crates.chain([("flagstaff".to_owned(), root.to_owned())]);
    all.map(|(name, path)| (name, dependencies(&path.join("Cargo.toml")))).collect()
}

fn dependencies(manifest: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(manifest).unwrap();
    let manifest: toml::Table = text.parse().unwrap_or_else(|e| panic!("{}: {e}", manifest.display()));
    let of = |table: &toml::Table| -> Vec<String> {
        let names = table.get("dependencies").and_then(|d| d.as_table());
        names.into_iter().flat_map(|names| names.keys().cloned()).collect()
    };
    let targets = manifest.get("target").and_then(|t| t.as_table()).into_iter().flat_map(|t| t.values());
    let by_target = targets.filter_map(|t| t.as_table()).flat_map(of);
    of(&manifest).into_iter().chain(by_target).collect()
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    for (name, dependencies) in manifests() {
        for (heavy, rooms) in WALLS {
            // `pingora-core` is as much pingora as `pingora` is; `axum-core` is only the traits.
            let family = |d: &str| d == heavy || (heavy == "pingora" && d.starts_with("pingora-"));
            if let Some(found) = dependencies.iter().find(|d| family(d)) {
                assert!(rooms.contains(&name.as_str()), "{name} depends on {found}, which only {rooms:?} may");
            }
        }
    }
}

#[test]
fn arrows_point_downward() {
    let floor = |name: &str| FLOORS.iter().position(|floor| floor.contains(&name));
    for (name, dependencies) in manifests() {
        let own = floor(&name).unwrap_or_else(|| panic!("crates/{name} has no floor"));
        for other in dependencies.iter().filter_map(|d| d.strip_prefix("flagstaff-")) {
            let below = floor(other).unwrap_or_else(|| panic!("{name} depends on {other}, which has no floor"));
            assert!(below < own, "{name} depends on {other}, which is not below it");
        }
    }
}

#[test]
fn folders_are_named_like_their_crates_and_say_what_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates");
    for name in manifests().keys().filter(|name| *name != "flagstaff") {
        assert!(!["core", "common", "types", "utils"].contains(&name.as_str()), "{name} says nothing");
        let text = std::fs::read_to_string(root.join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(format!("flagstaff-{name}").as_str()));
    }
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in manifests().keys() {
        let path = if name == "flagstaff" {
            root.join("Cargo.toml")
        } else {
            root.join("crates").join(name).join("Cargo.toml")
        };
        let text = std::fs::read_to_string(&path).unwrap();
        let mut table = "";
        let mut said = false;
        for line in text.lines() {
            if line.starts_with('[') {
                table = line;
            }
            let wanted = table.contains("dependencies]") && table != "[workspace.dependencies]";
            let names_one = !line.starts_with("flagstaff") && !line.starts_with(['#', '[']);
            let foreign = line.contains(" = ") && names_one && wanted;
            // Ours are explained by the house; a reason stands on the line or just above it.
            let reason =
                line.contains('#') || said || line.starts_with(' ') || line.starts_with('"') || line.starts_with(']');
            assert!(!foreign || reason, "{}: no reason beside `{line}`", path.display());
            said = line.starts_with('#') || (said && foreign);
        }
    }
}

/// What crates.io shows, and refuses when it is wrong.
#[test]
fn published_crates_say_what_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let workspace: toml::Table = text.parse().unwrap();
    let version = &workspace["workspace"]["package"]["version"];
    for (name, dependency) in workspace["workspace"]["dependencies"].as_table().unwrap() {
        assert_eq!(&dependency["version"], version, "{name}");
    }
    for name in manifests().keys() {
        let folder = if name == "flagstaff" { root.to_owned() } else { root.join("crates").join(name) };
        let manifest: toml::Table = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let package = manifest["package"].as_table().unwrap();
        for (list, most) in [("keywords", 5), ("categories", 5)] {
            let words =
                package.get(list).and_then(|words| words.as_array()).unwrap_or_else(|| panic!("{name}: no {list}"));
            let is_fine =
                |word: &toml::Value| (1..=20).contains(&word.as_str().unwrap().len()) || list == "categories";
            assert!((1..=most).contains(&words.len()) && words.iter().all(is_fine), "{name}: {words:?}");
        }
        let own = package["name"].as_str().unwrap();
        assert_eq!(package["documentation"].as_str(), Some(format!("https://docs.rs/{own}").as_str()));
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(readme.starts_with("# "), "{name}: README.md has no title");
        for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(std::fs::metadata(folder.join(licence)).is_ok(), "{name}: the package would have no {licence}");
        }
        let has_features = manifest.contains_key("features");
        let shows_all = package.get("metadata").and_then(|metadata| metadata.get("docs")).is_some();
        assert!(!has_features || shows_all, "{name}: docs.rs would not show its features");
    }
}

/// A package that `release` builds in its own way is built so by `dist` too, unless `dist` names it.
#[test]
fn what_is_shipped_is_optimised_whole() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let workspace: toml::Table = text.parse().unwrap();
    let packages = |profile: &str| workspace["profile"][profile]["package"].as_table().unwrap().clone();
    let (release, dist) = (packages("release"), packages("dist"));
    let full = toml::toml! { opt-level = 3 codegen-units = 1 };
    for (name, own) in &release {
        for (key, value) in own.as_table().unwrap().iter().filter(|(key, value)| *value != &full[key.as_str()]) {
            let shipped = dist.get(name).and_then(|own| own.get(key));
            assert_eq!(shipped, Some(&full[key.as_str()]), "{name} is shipped with {key} = {value}");
        }
    }
}

/// A crate that takes requests, is told of each, or is asked then, is not among those that the first build spares.
#[test]
fn what_a_request_passes_through_is_optimised_in_every_build() {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let workspace: toml::Table = text.parse().unwrap();
    let release = workspace["profile"]["release"]["package"].as_table().unwrap();
    let is_spared = |name: &str| release.get(name).is_some_and(|own| own.get("opt-level").is_some());
    let takes_requests = |text: &str| text.contains(" Observe for ") || text.contains(" Service<Request<");
    let crates = source::crates();
    let take = |one: &&source::Crate| one.files.iter().any(|file| takes_requests(&file.text));
    let takers: Vec<_> = crates.iter().filter(take).map(|one| one.name.as_str()).collect();
    assert!(takers.contains(&"rollout") && takers.contains(&"sidecar"), "{takers:?}");
    let names = takers.into_iter().chain(["flags", "tag", "ledger", "experiment"]);
    let spared: Vec<_> = names.map(|name| format!("flagstaff-{name}")).filter(|name| is_spared(name)).collect();
    assert!(spared.is_empty(), "the first build spares {spared:?}");
}
