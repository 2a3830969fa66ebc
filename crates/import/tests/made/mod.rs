//! Imports, with the options of the command line.
#![allow(dead_code, reason = "no test needs everything")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")]

use flagstaff_import::{Import, Options, System, import};
use flagstaff_source::{ParseOptions, Text, parse};

/// The options, as they are typed.
fn options(system: System, words: &[&str]) -> Options {
    let mut options = Options::default();
    for pair in words.chunks(2) {
        match pair {
            ["--unit", mapping] => options.units.push(mapping.parse().unwrap()),
            ["--attribute", mapping] => options.attributes.push(mapping.parse().unwrap()),
            ["--until", day] => options.until = Some(day.parse().unwrap()),
            ["--formula-version", version] => options.formula_version = Some(version.parse().unwrap()),
            ["--environment", name] => options.environment = Some((*name).into()),
            other => panic!("{other:?}"),
        }
    }
    system.check(&options).unwrap();
    options
}

/// What is made of an export; the flag file has no mistake.
pub(crate) fn made(system: &str, export: &str, words: &[&str]) -> Import {
    let system = System::find(system).unwrap();
    let made = import(system, export.as_bytes(), &options(system, words)).unwrap();
    check(&made.toml);
    made
}

/// Why an export is not read.
pub(crate) fn error(system: &str, export: &str) -> String {
    import(System::find(system).unwrap(), export.as_bytes(), &Options::default()).unwrap_err().to_string()
}

/// `flagstaff check` takes the file.
pub(crate) fn check(toml: &str) {
    let wrong = mistakes(toml);
    assert!(wrong.is_empty(), "{wrong:?}\n{toml}");
}

/// What `flagstaff check` finds wrong with a file.
pub(crate) fn mistakes(toml: &str) -> Vec<String> {
    let text = Text { name: "flags.toml", bytes: toml.as_bytes() };
    let Err(problems) = parse(text, None, &ParseOptions::default()) else { return Vec::new() };
    let line = |line: u32| toml.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    problems.errors().map(|e| format!("{}: {}", e.message, line(e.line as u32))).collect()
}
