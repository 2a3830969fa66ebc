//! docs/import.md, followed as it is written.

use std::fs;
use std::path::Path;

use crate::harness::command::flagstaff;
use crate::harness::moving::export;

/// Each command of the page: the system, its file, and the further arguments.
fn commands() -> Vec<Vec<String>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/import.md");
    let page = fs::read_to_string(page).unwrap();
    let lines = page.lines().filter_map(|line| line.strip_prefix("flagstaff ")?.strip_suffix(" > flags.toml"));
    let words = lines.map(|line| line.split(' ').map(Into::into).collect::<Vec<String>>());
    words.filter(|words| words.get(1).is_some_and(|system| system != "SYSTEM")).collect()
}

#[test]
fn every_command_of_the_page_makes_a_flag_file() {
    let mut systems = Vec::new();
    for words in commands() {
        let [_, system, file, ..] = words.as_slice() else { panic!("{words:?}") };
        let Some(kept) = ["json", "yaml"].into_iter().find(|ext| export(&format!("{system}.{ext}")).exists()) else {
            continue;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::copy(export(&format!("{system}.{kept}")), folder.path().join(file)).unwrap();
        let made = flagstaff(folder.path(), &words, &[]);
        assert_eq!(made.code, 0, "{words:?}: {}", made.err);
        assert!(made.err.contains("carried exactly"), "{}", made.err);
        fs::write(folder.path().join("flags.toml"), &made.out).unwrap();
        let checked = flagstaff(folder.path(), ["check", "flags.toml"], &[]);
        assert_eq!(checked.code, 0, "{}{}\n{}", checked.out, checked.err, made.out);
        systems.push(system.clone());
    }
    for system in ["posthog", "configcat", "flagsmith", "statsig", "flipper", "goff", "flipt", "azure", "vercel"] {
        assert!(systems.iter().any(|other| other == system), "{system} is not on the page: {systems:?}");
    }
}
