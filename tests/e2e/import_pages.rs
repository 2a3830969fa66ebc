//! The pages on moving from other systems, followed word by word.

use std::fs;
use std::path::Path;

use crate::harness::command::flagstaff;
use crate::harness::moving::export;

/// The lines of a page that a person types.
fn commands(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).map(ToOwned::to_owned).collect()
}

/// Types each command of `flagstaff` in a folder; what goes into a file is put there.
#[track_caller]
fn follow(page: &str, folder: &Path) {
    let commands = commands(page);
    let typed: Vec<_> = commands.iter().filter_map(|line| line.strip_prefix("flagstaff ")).collect();
    assert!(typed.len() >= 3, "{page}: {commands:?}");
    for line in typed {
        let (arguments, file) =
            line.split_once(" > ").map_or((line, None), |(arguments, file)| (arguments, Some(file)));
        let said = flagstaff(folder, arguments.split(' '), &[]);
        assert_eq!(said.code, 0, "{line}: {said:?}");
        match file {
            Some(file) => fs::write(folder.join(file), &said.out).unwrap(),
            None => assert!(!said.out.is_empty(), "{line}: {said:?}"),
        }
    }
}

#[test]
fn the_page_on_unleash_edge_works_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(export("unleash.json"), folder.path().join("features.json")).unwrap();
    follow("from-unleash-edge.md", folder.path());
}

#[test]
fn the_page_on_flagd_works_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(export("flagd.yaml"), folder.path().join("flags.flagd.json")).unwrap();
    follow("from-flagd.md", folder.path());
}

#[test]
fn the_page_on_growthbook_works_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(export("growthbook.json"), folder.path().join("features.json")).unwrap();
    follow("from-growthbook.md", folder.path());
}

#[test]
fn the_page_on_launchdarkly_works_word_by_word() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(export("launchdarkly.json"), folder.path().join("flags.json")).unwrap();
    follow("from-launchdarkly.md", folder.path());
}
