//! Any bytes as a body of events from a page, and as the fields by which an app and a browser tell of events, persons, cookies and languages.
#![no_main]

use std::sync::LazyLock;

use flagstaff_tag::{Tagger, TaggerSettings, events, parse};
use http::header::{COOKIE, HeaderMap, HeaderValue};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

static TAGGER: LazyLock<Tagger> = LazyLock::new(|| Tagger::new(&TaggerSettings::default()).expect("good settings"));

fuzz_target!(|bytes: &[u8]| {
    match events(bytes) {
        Ok(all) => assert!(!all.is_empty() || bytes.contains(&b'[')),
        Err(refusal) => assert!(refusal.status().is_client_error() && !refusal.body().is_empty()),
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = parse::query(&TAGGER, text, Timestamp::UNIX_EPOCH);
        let _ = (parse::events(text), parse::exposed(text), parse::identify(text), parse::items(text));
        assert!(parse::preferred(text).is_none_or(|language| text.contains(language)));
    }
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let headers = HeaderMap::from_iter([(COOKIE, value)]);
    assert!(parse::cookies(&headers).all(|(name, _)| !name.contains(['=', ';'])));
});
