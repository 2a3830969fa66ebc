//! Any answer of an app: its directives are read and removed without a panic.
#![no_main]

use std::sync::{Arc, LazyLock};

use flagstaff_source::{ParseOptions, Text, parse};
use flagstaff_tag::{CompiledSnapshot, TaggerSettings, Tagger, UserSettings};
use http::{HeaderName, HeaderValue, Request, Response};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const FLAGS: &str = include_str!("../../config/flags.toml");

static WORLD: LazyLock<(Tagger, Arc<CompiledSnapshot>)> = LazyLock::new(|| {
    let settings = TaggerSettings {
        user: UserSettings { identify: Some(true), ..UserSettings::default() },
        keys: vec!["a secret of thirty-two bytes or many more".into()],
        ..TaggerSettings::default()
    };
    let tagger = Tagger::new(&settings).expect("good settings");
    let loaded = parse(Text { name: "flags.toml", bytes: FLAGS.as_bytes() }, None, &ParseOptions::default());
    let compiled = tagger.compile(Arc::new(loaded.expect("good flags").snapshot));
    (tagger, Arc::new(compiled))
});

fuzz_target!(|bytes: &[u8]| {
    let (tagger, compiled) = &*WORLD;
    let Some((status, rest)) = bytes.split_first() else { return };
    let mut response = Response::new(());
    *response.status_mut() = http::StatusCode::from_u16(200 + u16::from(*status)).unwrap_or_default();
    for line in rest.split(|byte| *byte == b'\n') {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|name| HeaderName::from_bytes(name).ok());
        let value = parts.next().and_then(|value| HeaderValue::from_bytes(value).ok());
        if let (Some(name), Some(value)) = (name, value) {
            response.headers_mut().append(name, value);
        }
    }
    let mut request = Request::new(());
    let flags = tagger.tag(compiled, &mut request, Timestamp::UNIX_EPOCH);
    tagger.answer(&flags, &mut response, Timestamp::UNIX_EPOCH);
    for directive in ["x-flag-exposed", "x-flag-event", "x-flag-identify"] {
        assert!(!response.headers().contains_key(directive));
    }
});
