//! The ways that docs/architecture.md describes. Every line names a file and what calls it; the caller's file must really name
//! something of the called one, and no way is longer than it may be.

use crate::circles::file_of;
use crate::source::{Crate, File, crates, root};

/// The headings of the ways, and how many files each may have.
const WAYS: [(&str, usize); 3] =
    [("### A request's way", 25), ("### An edit's way", 15), ("### A rollback's way", 10)];

/// One line of a way: `N. FILE, called by …: what it does`.
struct Hop {
    path: String,
    /// From the file to the colon.
    how: String,
}

/// The numbered list below a heading, in order.
fn hops(page: &str, heading: &str) -> Vec<Hop> {
    let (_, after) = page.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let section = after.split("\n#").next().unwrap_or_default();
    section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())).map(hop).collect()
}

fn hop(line: &str) -> Hop {
    let mut parts = line.splitn(3, '`');
    let (Some(_), Some(path), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        panic!("no file in `{line}`")
    };
    let (how, _) = rest.split_once(": ").unwrap_or_else(|| panic!("nothing is said of the file in `{line}`"));
    Hop { path: path.to_owned(), how: how.to_owned() }
}

fn find<'a>(all: &'a [Crate], path: &str) -> (&'a Crate, &'a File) {
    let files = all.iter().flat_map(|krate| krate.files.iter().map(move |file| (krate, file)));
    let mut found = files.filter(|(_, file)| file.path.as_os_str() == path);
    found.next().unwrap_or_else(|| panic!("{path} is on a way, and is no source file"))
}

/// Names of methods that a file shows to others.
fn public_methods(file: &File) -> impl Iterator<Item = &str> {
    let functions = file.text.match_indices("fn ").map(|(at, _)| file.text.split_at(at));
    functions.filter_map(|(before, function)| {
        let is_public = before.lines().next_back()?.trim_start().starts_with("pub");
        let (signature, arguments) = function.strip_prefix("fn ")?.split_once('(')?;
        let takes_self = arguments.split([',', ')']).next()?.contains("self");
        (is_public && takes_self).then(|| signature.split('<').next().unwrap_or(signature))
    })
}

/// Methods that a file defines and no other does.
fn own_methods<'a>(all: &'a [Crate], file: &'a File) -> impl Iterator<Item = &'a str> {
    let defines = |file: &File, name: &str| public_methods(file).any(|other| other == name);
    let once = move |name: &&str| {
        all.iter().flat_map(|krate| &krate.files).filter(|other| defines(other, name)).count() == 1
    };
    public_methods(file).filter(once)
}

/// The files of which a file names something, in its own crate or another.
fn named<'a>(all: &'a [Crate], (krate, from): (&'a Crate, &'a File)) -> impl Iterator<Item = (&'a str, &'a File)> {
    let last = |path: &'a [String]| path.last().map_or("", String::as_str);
    let inside = from.imports.iter().filter_map(move |path| Some((last(path), file_of(krate, path, 0)?)));
    let outside = from.outside.iter().filter_map(move |(name, path)| {
        let other = all.iter().find(|other| other.name == *name)?;
        Some((last(path), file_of(other, path, 0)?))
    });
    inside.chain(outside)
}

/// Whether a file names something that another defines, or calls a method that only the other defines.
fn leads(all: &[Crate], from: &str, to: &str) -> bool {
    let ((_, caller), (_, called)) = (find(all, from), find(all, to));
    named(all, find(all, from)).any(|(_, file)| file.path == called.path)
        || own_methods(all, called).any(|method| caller.text.contains(&format!(".{method}(")))
}

/// Whether both files name the same type of a third.
fn share(all: &[Crate], one: &str, other: &str, name: &str) -> bool {
    let definers = |path| named(all, find(all, path)).filter(|(named, _)| *named == name).map(|(_, file)| &file.path);
    definers(one).any(|file| definers(other).any(|same| same == file))
}

/// What is wrong with what a line says of its caller.
fn wrong(all: &[Crate], before: &[Hop], hop: &Hop) -> Option<String> {
    let caller = |said: &str| match said.parse::<usize>() {
        Ok(number) => before.get(number.checked_sub(1)?).map(|earlier| earlier.path.clone()),
        Err(_) => Some(said.trim_matches('`').to_owned()),
    };
    let to = &hop.path;
    let found = if let Some(said) = hop.how.strip_prefix(", gets `") {
        let (message, from) = said.split_once("` from ")?;
        share(all, &caller(from)?, to, message)
    } else if let Some((from, way)) = hop.how.strip_prefix(", called by ")?.split_once(" as `") {
        let (name, by) = way.split_once("`, put there by ")?;
        let (_, called) = find(all, to);
        find(all, &caller(from)?).1.text.contains(name)
            && called
                .text
                .lines()
                .any(|line| line.contains(name) && line.contains(" for ") && line.starts_with("impl"))
            && leads(all, &caller(by)?, to)
    } else {
        leads(all, &caller(hop.how.strip_prefix(", called by ")?)?, to)
    };
    (!found).then(|| format!("{to}{}: that is not so", hop.how))
}

#[test]
fn the_three_ways_can_be_read_from_the_caller_to_the_called() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let all = crates();
    let mut bad = Vec::new();
    for (heading, most) in WAYS {
        let hops = hops(&page, heading);
        assert!((2..=most).contains(&hops.len()), "{heading} has {} files, at most {most} are allowed", hops.len());
        for (n, hop) in hops.iter().enumerate() {
            let said = hop.how.starts_with(", called by ") || hop.how.starts_with(", gets `");
            match wrong(&all, &hops[..n], hop) {
                None if said => {}
                None => bad.push(format!("{heading}: {} names no caller", hop.path)),
                Some(why) => bad.push(format!("{heading}: {why}")),
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}
