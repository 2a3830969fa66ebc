//! Files with one subject, short functions.

use crate::source::crates;

fn median(mut numbers: Vec<usize>) -> usize {
    numbers.sort_unstable();
    numbers[numbers.len() / 2]
}

/// Lines outside of a module of tests at the end.
fn lines(text: &str) -> usize {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count()
}

#[test]
fn files_have_one_subject() {
    let files: Vec<_> = crates().into_iter().flat_map(|krate| krate.files).collect();
    for file in &files {
        let all = file.text.lines().count();
        assert!(all <= 400, "{} has {all} lines", file.path.display());
    }
    let median = median(files.iter().map(|file| lines(&file.text)).collect());
    assert!(median < 120, "the median file has {median} lines");
}

#[test]
fn functions_are_short() {
    let functions: Vec<_> =
        crates().into_iter().flat_map(|krate| krate.files).flat_map(|file| file.functions).collect();
    let median = median(functions);
    assert!(median <= 7, "the median function has {median} lines");
}

#[test]
fn limits_say_what_they_limit() {
    const BARE: [&str; 7] = ["LEAST", "LIMIT", "LONGEST", "MAX", "MOST", "PATIENCE", "SHORTEST"];
    for file in crates().iter().flat_map(|krate| &krate.files) {
        for line in file.text.lines() {
            let name = line.split_once("const ").and_then(|(_, rest)| rest.split_once(':')).map(|(name, _)| name);
            let is_bare = name.is_some_and(|name| BARE.contains(&name));
            assert!(!is_bare, "{}: `{}` limits what?", file.path.display(), line.trim());
        }
    }
}
