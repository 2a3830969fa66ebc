//! Secrets that sign what we hand out and verify what comes back.

use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::Problem;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Fewer bytes can be guessed.
const MIN_KEY_BYTES: usize = 32;
/// Characters of a signature in base64url.
const TAG_LENGTH: usize = 43;

/// Random bytes of a key that is made: 48 characters.
const NEW_KEY_BYTES: usize = 36;

/// A new key, as text for a file of keys; none where the system has no random numbers.
#[must_use]
pub fn new_key() -> Option<String> {
    let mut bytes = [0; NEW_KEY_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// What a signature is for. A signature for one purpose is none for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    User,
    Sticky,
    Override,
    Link,
    Visitor,
    Session,
    Request,
}

impl Purpose {
    const fn label(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Sticky => "sticky",
            Self::Override => "override",
            Self::Link => "link",
            Self::Visitor => "visitor",
            Self::Session => "session",
            Self::Request => "request",
        }
    }
}

/// The keys, the one that signs first.
#[derive(Debug)]
pub(crate) struct Keys {
    first: hmac::Key,
    older: Vec<hmac::Key>,
    temporary: bool,
}

impl Keys {
    pub(crate) fn new(secrets: &[String], problems: &mut Vec<Problem>) -> Option<Self> {
        if secrets.iter().any(|secret| secret.len() < MIN_KEY_BYTES) {
            let message = format!("a key has at least {MIN_KEY_BYTES} bytes");
            problems.push(Problem::new(["keys"], message).help("make one with `openssl rand -base64 32`"));
            return None;
        }
        let key = |secret: &String| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let Some((first, older)) = secrets.split_first() else {
            return Self::temporary(problems);
        };
        Some(Self { first: key(first), older: older.iter().map(key).collect(), temporary: false })
    }

    fn temporary(problems: &mut Vec<Problem>) -> Option<Self> {
        let Ok(first) = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()) else {
            let message = "none is given, and the system has no random numbers for one";
            problems.push(Problem::new(["keys"], message));
            return None;
        };
        Some(Self { first, older: Vec::new(), temporary: true })
    }

    /// Whether they end with this process.
    pub(crate) const fn are_temporary(&self) -> bool {
        self.temporary
    }

    /// `payload.signature`, which [`Keys::open`] takes for the same purpose and holder only.
    pub(crate) fn seal(&self, purpose: Purpose, holder: &str, payload: &str) -> String {
        let tag = hmac::sign(&self.first, message(purpose, holder, payload).as_bytes());
        format!("{payload}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The payload, when one of the keys signed it for this purpose and holder.
    pub(crate) fn open<'a>(&self, purpose: Purpose, holder: &str, sealed: &'a str) -> Option<&'a str> {
        let (payload, tag) = sealed.rsplit_once('.')?;
        self.verify(purpose, holder, payload, tag).then_some(payload)
    }

    /// The signature alone.
    pub(crate) fn sign(&self, purpose: Purpose, holder: &str, payload: &str) -> String {
        let tag = hmac::sign(&self.first, message(purpose, holder, payload).as_bytes());
        URL_SAFE_NO_PAD.encode(tag)
    }

    /// Whether one of the keys made the signature. Compares in constant time.
    pub(crate) fn verify(&self, purpose: Purpose, holder: &str, payload: &str, tag: &str) -> bool {
        let mut bytes = [0; 32];
        if URL_SAFE_NO_PAD.decode_slice(tag, &mut bytes) != Ok(bytes.len()) {
            return false;
        }
        let message = message(purpose, holder, payload);
        let made_by = |key: &hmac::Key| hmac::verify(key, message.as_bytes(), &bytes).is_ok();
        made_by(&self.first) || self.older.iter().any(made_by)
    }

    /// 128 bits that only the holder of the key can compute from these texts.
    pub(crate) fn derive(&self, purpose: Purpose, holder: &str, payload: &str) -> [u8; 16] {
        let tag = hmac::sign(&self.first, message(purpose, holder, payload).as_bytes());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
            *to = *from;
        }
        bytes
    }

    /// The signature of what the app gets, in hexadecimal. Its text begins with a digit, those of cookies do not.
    pub(crate) fn sign_for_app(&self, text: &str) -> String {
        hex(hmac::sign(&self.first, text.as_bytes()).as_ref())
    }

    /// Tells sets of keys apart, and nothing of the keys; their order does not count.
    pub(crate) fn fingerprint(&self) -> String {
        let tag = |key: &hmac::Key| hmac::sign(key, b"fingerprint").as_ref().to_vec();
        let mut tags: Vec<_> = std::iter::once(&self.first).chain(&self.older).map(tag).collect();
        tags.sort();
        hex(ring::digest::digest(&ring::digest::SHA256, &tags.concat()).as_ref())
    }

    /// 128 random bits. The salt is for systems that have none.
    pub(crate) fn random(&self, purpose: Purpose, salt: &dyn Display) -> [u8; 16] {
        let mut bytes = [0; 16];
        match SystemRandom::new().fill(&mut bytes) {
            Ok(()) => bytes,
            // A system without random numbers at this moment: still nothing anybody can foresee.
            Err(_) => self.derive(purpose, "no random numbers", &salt.to_string()),
        }
    }
}

/// Whether a text ends in something that could be one of our signatures. What does not costs no hash.
pub(crate) fn looks_sealed(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    text.rsplit_once('.').is_some_and(|(_, tag)| tag.len() == TAG_LENGTH && tag.bytes().all(fits))
}

/// No purpose or holder has a line break, so no two inputs make one message.
fn message(purpose: Purpose, holder: &str, payload: &str) -> String {
    format!("flagstaff {}\n{holder}\n{payload}", purpose.label())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut out, byte| {
        let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
        out.push(digit(byte >> 4));
        out.push(digit(byte & 15));
        out
    })
}

#[cfg(test)]
pub(crate) fn keys(secrets: &[&str]) -> Keys {
    let secrets: Vec<_> = secrets.iter().map(|s| (*s).to_owned()).collect();
    Keys::new(&secrets, &mut Vec::new()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old-secret-of-the-past-that-is-over";
    const NEW: &str = "new-secret-of-the-present-that-is-here";

    #[test]
    fn opens_what_any_key_sealed_for_this_purpose_and_holder() {
        let sealed = keys(&[OLD]).seal(Purpose::User, "holder", "payload.with.dots");
        let rotated = keys(&[NEW, OLD]);
        assert_eq!(rotated.open(Purpose::User, "holder", &sealed), Some("payload.with.dots"));
        assert_eq!(rotated.open(Purpose::Sticky, "holder", &sealed), None);
        assert_eq!(rotated.open(Purpose::User, "another", &sealed), None);
        assert_eq!(keys(&[NEW]).open(Purpose::User, "holder", &sealed), None);
    }

    #[test]
    fn every_changed_byte_breaks_the_seal() {
        let keys = keys(&[NEW]);
        let sealed = keys.seal(Purpose::User, "holder", "payload");
        for i in 0..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(bytes).unwrap();
            assert_eq!(keys.open(Purpose::User, "holder", &forged), None, "{forged}");
            assert_eq!(keys.open(Purpose::User, "holder", &sealed[..i]), None);
        }
        for bad in ["", ".", "payload.", "payload", "..", "payload.é"] {
            assert_eq!(keys.open(Purpose::User, "holder", bad), None);
        }
    }

    #[test]
    fn short_keys_are_a_problem_and_none_is_a_temporary_one() {
        let mut problems = Vec::new();
        assert!(Keys::new(&["short".into()], &mut problems).is_none());
        assert_eq!(problems[0].at, ["keys"]);
        assert!(keys(&[]).are_temporary() && !keys(&[NEW]).are_temporary());
    }
}
