//! Any bytes where a visitor is told from others: an address of `X-Forwarded-For`, a user agent, the text inside our signed cookies.
#![no_main]

use flagstaff_sidecar::fuzzing::forwarded;
use flagstaff_tag::{is_bot, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(address) = forwarded(bytes) {
        assert_eq!(forwarded(address.to_string().as_bytes()), Some(address));
        assert_eq!(forwarded(format!("\"[{address}]:80\"").as_bytes()), Some(address));
    }
    let _ = (is_bot(bytes), parse::user_cookie(bytes));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let [read, again] = parse::draws(text);
        assert_eq!(read, again);
    }
});
