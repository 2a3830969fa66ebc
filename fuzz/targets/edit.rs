//! Any edit of any file: refused, or what was asked for, with every other flag as it was.
#![no_main]

use flagstaff_source::edit::set;
use flagstaff_source::{ParseOptions, Text, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (text, key, value) = input;
    let _ = set(text, "f", &[(key, value)]);
    let read = |text: &str| parse(Text { name: "flags.toml", bytes: text.as_bytes() }, None, &ParseOptions::default());
    let Ok(before) = read(text) else { return };
    for flag in before.snapshot.flags() {
        let edited = set(text, flag.name.as_str(), &[("enabled", "false")]).expect("a flag that is there can be switched off");
        let after = read(&edited).expect("switching off keeps a document valid").snapshot;
        assert!(!after.flag_named(flag.name.as_str()).expect("it is still there").enabled);
        for other in before.snapshot.flags().iter().filter(|other| other.name != flag.name) {
            let now = after.flag_named(other.name.as_str()).expect("the others are still there");
            assert_eq!(now.definition, other.definition);
        }
    }
});
