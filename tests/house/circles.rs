//! No circle of files leaves its folder, and no folder of a crate leads back to itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::{Crate, File, crates};

/// From a name to the names it leads to.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The file in which a path ends. A name that a module only passes on counts as a name of the file it comes from.
pub(crate) fn file_of<'a>(krate: &'a Crate, path: &[String], depth: usize) -> Option<&'a File> {
    let module = (0..=path.len()).rev().find_map(|n| krate.files.iter().find(|file| file.module == path[..n]))?;
    let name = path.get(module.module.len());
    if depth > 8 {
        return Some(module);
    }
    let Some(name) = name else { return Some(module) };
    let passed = module.passes_on.iter().find(|(passed, _)| passed == name).map(|(_, from)| from.clone());
    if let Some(from) = passed {
        return file_of(krate, &from, depth + 1);
    }
    let globs = module.passes_on.iter().filter(|(passed, _)| passed == "*");
    let mut through = globs.filter_map(|(_, from)| {
        let found = krate.files.iter().find(|file| file.module == *from)?;
        defines(found, name).then_some(found)
    });
    through.next_back().or(Some(module))
}

fn defines(file: &File, name: &str) -> bool {
    ["struct", "enum", "fn", "trait", "type", "const", "static"]
        .iter()
        .any(|kind| file.text.contains(&format!("{kind} {name}")))
}

/// Which file leads to which.
fn arrows(krate: &Crate) -> Arrows {
    let mut arrows = Arrows::new();
    for file in &krate.files {
        let own = file.path.display().to_string();
        let to = file
            .imports
            .iter()
            .filter_map(|path| file_of(krate, path, 0))
            .map(|file| file.path.display().to_string());
        let to: BTreeSet<String> = to.filter(|other| *other != own).collect();
        arrows.insert(own, to);
    }
    arrows
}

/// What each can be reached from itself, with all that is on the way: the circles.
fn circles(arrows: &Arrows) -> Vec<BTreeSet<String>> {
    let reach: BTreeMap<&String, BTreeSet<&String>> =
        arrows.keys().map(|from| (from, reached(arrows, from))).collect();
    let mut found: Vec<BTreeSet<String>> = Vec::new();
    for (from, to) in &reach {
        if to.contains(*from) && !found.iter().any(|circle| circle.contains(*from)) {
            let circle = to.iter().filter(|other| reach.get(**other).is_some_and(|back| back.contains(*from)));
            found.push(circle.map(|name| (*name).clone()).collect());
        }
    }
    found
}

fn reached<'a>(arrows: &'a Arrows, from: &String) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> = arrows.get(from).into_iter().flatten().collect();
    while let Some(name) = next.pop() {
        if seen.insert(name) {
            next.extend(arrows.get(name).into_iter().flatten());
        }
    }
    seen
}

/// The room a file is in: the first folder below `src`, or the file itself where it stands beside the root.
fn room(path: &str) -> String {
    let (krate, inside) = path.rsplit_once("src/").map_or(("", path), |(krate, _)| (krate, &path[krate.len() + 4..]));
    format!("{krate}src/{}", inside.split('/').next().unwrap_or_default())
}

/// The same arrows between rooms. The crate's root, which only names its rooms, is none.
fn between_rooms(arrows: &Arrows) -> Arrows {
    let mut rooms = Arrows::new();
    let is_root = |path: &str| Path::new(path).file_name().is_some_and(|name| name == "lib.rs" || name == "main.rs");
    for (from, to) in arrows.iter().filter(|(from, _)| !is_root(from)) {
        let to = to.iter().filter(|to| !is_root(to)).map(|to| room(to)).filter(|to| *to != room(from));
        rooms.entry(room(from)).or_default().extend(to);
    }
    rooms
}

fn folder(path: &str) -> Option<&Path> {
    Path::new(path).parent()
}

#[test]
fn no_circle_of_files_leaves_its_folder() {
    let mut wrong = Vec::new();
    for krate in crates() {
        for circle in circles(&arrows(&krate)) {
            let folders: BTreeSet<_> = circle.iter().map(|path| folder(path)).collect();
            if folders.len() > 1 {
                wrong.push(format!(
                    "{} files of {}:\n    {}",
                    circle.len(),
                    krate.name,
                    told(&arrows(&krate), &circle)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} circles leave their folder\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_room_leads_back_to_itself() {
    let mut wrong = Vec::new();
    for krate in crates() {
        let rooms = between_rooms(&arrows(&krate));
        for circle in circles(&rooms).into_iter().filter(|circle| circle.iter().any(|room| !room.ends_with(".rs"))) {
            wrong.push(format!("rooms of {}:\n    {}", krate.name, told(&rooms, &circle)));
        }
    }
    assert!(wrong.is_empty(), "{} circles of rooms\n{}", wrong.len(), wrong.join("\n"));
}

fn told(arrows: &Arrows, circle: &BTreeSet<String>) -> String {
    let inside =
        |to: &BTreeSet<String>| to.iter().filter(|to| circle.contains(*to)).cloned().collect::<Vec<_>>().join(", ");
    let lines = circle.iter().filter_map(|from| Some(format!("{from} → {}", inside(arrows.get(from)?))));
    lines.collect::<Vec<_>>().join("\n    ")
}
