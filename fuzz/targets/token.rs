//! Any header and claims in a token that is signed with a good key: nobody or somebody, and nobody once the token is another one.
#![no_main]

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_tag::{JwtSettings, parse};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use ring::hmac::{HMAC_SHA256, Key, sign};

const SECRET: &str = "a secret of at least thirty-two bytes";

static SETTINGS: LazyLock<JwtSettings> =
    LazyLock::new(|| JwtSettings { keys: vec![SECRET.into()], ..JwtSettings::default() });

fn signed(message: &str) -> String {
    let tag = sign(&Key::new(HMAC_SHA256, SECRET.as_bytes()), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fuzz_target!(|bytes: &[u8]| {
    let now = Timestamp::UNIX_EPOCH;
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert_eq!(parse::jwt(&SETTINGS, text, now), None, "nobody signed it");
    }
    let at = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, claims) = (&bytes[..at], bytes.get(at + 1..).unwrap_or_default());
    let token = signed(&format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims)));
    if let Some(user) = parse::jwt(&SETTINGS, &token, now) {
        assert!(!user.id.is_empty());
        assert_eq!(parse::jwt(&SETTINGS, &format!("e30{token}"), now), None, "another header");
    }
});
