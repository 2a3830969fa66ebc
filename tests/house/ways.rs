//! The ways that docs/architecture.md describes: each file exists, is led to by one before it or leads to it, and the way is
//! short.

use crate::circles::file_of;
use crate::source::{Crate, File, crates, root};

/// The headings of the ways, and how many files each may have.
const WAYS: [(&str, usize); 3] =
    [("### A request's way", 25), ("### An edit's way", 15), ("### A rollback's way", 10)];

/// The files of a numbered list below a heading, in order.
fn files(page: &str, heading: &str) -> Vec<String> {
    let (_, after) = page.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no heading `{heading}`"));
    let section = after.split("\n#").next().unwrap_or_default();
    let numbered = section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit()));
    numbered.map(|line| line.split('`').nth(1).unwrap_or_else(|| panic!("no file in `{line}`")).to_owned()).collect()
}

fn find<'a>(all: &'a [Crate], path: &str) -> (&'a Crate, &'a File) {
    let files = all.iter().flat_map(|krate| krate.files.iter().map(move |file| (krate, file)));
    let mut found = files.filter(|(_, file)| file.path.as_os_str() == path);
    found.next().unwrap_or_else(|| panic!("{path} is on a way, and is no source file"))
}

/// Methods that a file defines and no other does.
fn own_methods<'a>(all: &'a [Crate], file: &'a File) -> impl Iterator<Item = &'a str> {
    let once = move |name: &&str| {
        let files = all.iter().flat_map(|krate| &krate.files);
        files.filter(|other| other.text.contains(&format!("fn {name}("))).count() == 1
    };
    let public = file.text.split("pub fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    public.filter(once)
}

/// Whether a file uses a name or calls a method that another defines, in its own crate or another.
fn leads(all: &[Crate], (krate, from): (&Crate, &File), (_, to): (&Crate, &File)) -> bool {
    let inside = from.imports.iter().filter_map(|path| file_of(krate, path, 0));
    let outside = from.outside.iter().filter_map(|(name, path)| {
        let other = all.iter().find(|other| other.name == *name)?;
        file_of(other, path, 0)
    });
    let names = inside.chain(outside).any(|file| file.path == to.path);
    names || own_methods(all, to).any(|method| from.text.contains(&format!(".{method}(")))
}

#[test]
fn the_three_ways_lead_from_end_to_end() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let all = crates();
    let mut wrong = Vec::new();
    for (heading, most) in WAYS {
        let files = files(&page, heading);
        assert!((2..=most).contains(&files.len()), "{heading} has {} files, at most {most} are allowed", files.len());
        for (n, path) in files.iter().enumerate().skip(1) {
            let here = find(&all, path);
            let before = files.iter().take(n).map(|earlier| find(&all, earlier));
            let mut led = before.filter(|earlier| leads(&all, *earlier, here) || leads(&all, here, *earlier));
            if led.next().is_none() {
                wrong.push(format!("{heading}: no file before {path} leads to it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
