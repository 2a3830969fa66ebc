//! Any bytes as an export of any system: no panic, and what is written is a flag file.
#![no_main]

use flagstaff_import::{Options, System, import};
use flagstaff_source::{ParseOptions, Text, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, export)) = bytes.split_first() else { return };
    let Some(system) = System::all().nth(usize::from(*which) % System::all().count()) else { return };
    let Ok(made) = import(system, export, &Options::default()) else { return };
    let text = Text { name: "flags.toml", bytes: made.toml.as_bytes() };
    if let Err(report) = parse(text, None, &ParseOptions::default()) {
        panic!("{}\n{}", report.render(false), made.toml);
    }
});
