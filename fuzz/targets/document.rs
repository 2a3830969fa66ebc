//! Any bytes as a flag file, and as an overlay: refused with a report, or decided with.
#![no_main]

use std::sync::Arc;

use flagstaff_flags::Subject;
use flagstaff_source::{ParseOptions, Text, parse};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (below, above) = bytes.split_at(at);
    let text = |name, bytes| Text { name, bytes };
    let overlay = (!above.is_empty()).then(|| text("overlay.toml", &above[1..]));
    let options = ParseOptions { today: Some(jiff::civil::date(2026, 11, 20)), ..ParseOptions::default() };
    match parse(text("flags.toml", below), overlay, &options) {
        Ok(loaded) => {
            let snapshot = Arc::new(loaded.snapshot);
            let subject = Subject::at(Timestamp::UNIX_EPOCH).visitor("visitor");
            for (_, flag, decision) in snapshot.decide(&subject).iter() {
                assert_eq!(snapshot.explain(flag.name.as_str(), &subject).decision, decision);
            }
        }
        Err(report) => {
            assert!(!report.is_usable());
            assert!(!report.render(false).is_empty());
        }
    }
});
