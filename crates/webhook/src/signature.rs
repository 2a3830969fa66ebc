//! Signatures and fingerprints.

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::{digest, hmac};

/// `t=UNIX, v1=HEX`: HMAC-SHA256 of the time in seconds since 1970, a dot, and the body.
#[must_use]
pub fn signature(key: &[u8], at: Timestamp, body: &[u8]) -> String {
    let at = at.as_second();
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    context.update(format!("{at}.").as_bytes());
    context.update(body);
    format!("t={at}, v1={}", hex(context.sign().as_ref()))
}

/// The first half of a SHA-256, in hexadecimal: enough to tell things apart.
pub(crate) fn fingerprint(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    hex(digest.as_ref().get(..16).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // writing into a String cannot fail
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_python_makes_of_it() {
        // hmac.new(b"s3cret", b'1795176000.{"a":1}', hashlib.sha256).hexdigest()
        let at = Timestamp::from_second(1_795_176_000).unwrap();
        let expected = "t=1795176000, v1=c46a4dc4d16918d504d47399155c61460303ca9304b7a4d0fe5828b1863b1df1";
        assert_eq!(signature(b"s3cret", at, b"{\"a\":1}"), expected);
    }

    #[test]
    fn fingerprints_tell_apart() {
        assert_eq!(fingerprint(""), "e3b0c44298fc1c149afbf4c8996fb924");
        assert_ne!(fingerprint("a"), fingerprint("b"));
    }
}
