//! What the pages say of the house: links lead somewhere, and files and tests that are named exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::source::root;

/// A page: its file, and its text outside of code blocks.
struct Page {
    path: PathBuf,
    text: String,
}

/// Files below a folder whose names end so.
fn below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { below(&path, ending) } else { vec![path] });
    found.filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

fn outside_of_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// The front pages, those of the crates, and the documentation. The changelog tells of names that are gone.
fn pages() -> Vec<Page> {
    let front = ["README.md", "CONTRIBUTING.md"].map(|name| root().join(name));
    let others = ["docs", "examples", "crates"].iter().flat_map(|folder| below(&root().join(folder), ".md"));
    let page = |path: PathBuf| Page { text: outside_of_code(&std::fs::read_to_string(&path).unwrap()), path };
    front.into_iter().chain(others).map(page).collect()
}

/// Where a heading is reached, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().to_lowercase().chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn has_anchor(page: &Path, wanted: &str) -> bool {
    let text = outside_of_code(&std::fs::read_to_string(page).unwrap_or_default());
    text.lines().filter_map(|line| line.strip_prefix('#')).any(|line| anchor(line.trim_start_matches('#')) == wanted)
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        let links = page.text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link);
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, wanted) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.path.clone() } else { page.path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link} is not there", page.path.display());
            assert!(wanted.is_empty() || has_anchor(&target, wanted), "{}: no heading {link}", page.path.display());
        }
    }
}

#[test]
fn files_that_are_named_exist() {
    let folders = ["benches/", "config/", "crates/", "docs/", "fuzz/", "src/", "tests/"];
    for page in pages().iter().filter(|page| !page.path.starts_with(root().join("crates"))) {
        for name in quoted(&page.text).filter(|name| folders.iter().any(|folder| name.starts_with(folder))) {
            assert!(root().join(name).exists(), "{}: `{name}` is not there", page.path.display());
        }
    }
}

#[test]
fn each_promise_names_a_test_that_exists() {
    let folders = ["crates", "src", "tests"].map(|folder| root().join(folder));
    let sources = folders.iter().flat_map(|folder| below(folder, ".rs"));
    let all: String = sources.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let functions: BTreeSet<&str> = all
        .split("fn ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| c != '_' && !c.is_alphanumeric()).next())
        .collect();
    let text = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let is_test = |name: &&str| {
        name.matches('_').count() > 1
            && name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let named: Vec<_> = quoted(&text).filter(is_test).collect();
    assert!(named.len() > 80, "{} tests are named", named.len());
    let missing: Vec<_> = named.into_iter().filter(|name| !functions.contains(name)).collect();
    assert!(missing.is_empty(), "docs/security.md names tests that are not there: {missing:?}");
}

#[test]
fn the_picture_of_the_house_shows_every_floor() {
    let text = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let picture = text.split("```").nth(1).unwrap();
    // A floor's name and a gap take ten columns; then comes the crate.
    let krate = |line: &str| line.get(10..).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
    let drawn: Vec<BTreeSet<_>> = picture.split('│').map(|floor| floor.lines().filter_map(krate).collect()).collect();
    let built: Vec<BTreeSet<_>> =
        crate::FLOORS.iter().rev().map(|floor| floor.iter().map(|name| (*name).to_owned()).collect()).collect();
    assert_eq!(drawn, built, "docs/architecture.md draws other floors than FLOORS says");
}
