//! Tokens: what lets a person or a program in.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_flags::Problem;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

/// Fewer characters can be guessed.
pub(super) const MIN_TOKEN_LENGTH: usize = 16;
/// More do not fit into a link.
const MAX_TOKEN_LENGTH: usize = 512;
/// Random bytes of a token that the program makes: 32 characters of a link.
const NEW_TOKEN_BYTES: usize = 24;

/// A token to let operators in, for a program that was given none; none where the system has no random numbers.
#[must_use]
pub fn new_token() -> Option<String> {
    let mut bytes = [0; NEW_TOKEN_BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether a text can be a token.
///
/// # Errors
/// With what is wrong with it. The message does not show it.
pub(super) fn checked(key: &str, text: &str) -> Result<Token, Problem> {
    let wrong = |message: String| Err(Problem::new([key], message).help("make one with `openssl rand -hex 24`"));
    if text.len() < MIN_TOKEN_LENGTH {
        return wrong(format!("a token has at least {MIN_TOKEN_LENGTH} characters, this one has {}", text.len()));
    }
    if text.len() > MAX_TOKEN_LENGTH {
        return wrong(format!("a token has at most {MAX_TOKEN_LENGTH} characters, this one has {}", text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return wrong("a token consists of ASCII letters, digits and signs, without spaces".into());
    }
    Ok(Token::new(text))
}

/// A token that lets in. It is not kept itself, only keys that are made of it.
#[derive(Debug)]
pub(super) struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
    is_replaced: AtomicBool,
}

impl Token {
    fn new(text: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let tag = hmac::sign(&key, &message("token", text.as_bytes()));
        Self { key, tag, is_replaced: AtomicBool::new(false) }
    }

    /// Whether this was said. How long it takes says nothing about where two tokens differ: their tags are compared.
    pub(super) fn is(&self, said: &[u8]) -> bool {
        hmac::verify(&self.key, &message("token", said), self.tag.as_ref()).is_ok()
    }

    /// Whether both are made of one text.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.tag.as_ref() == other.tag.as_ref()
    }

    /// It lets nobody in any more: what it began ends.
    pub(super) fn replaced(&self) {
        self.is_replaced.store(true, Relaxed);
    }

    /// Whether it lets in.
    pub(super) fn is_valid(&self) -> bool {
        !self.is_replaced.load(Relaxed)
    }

    /// `payload.signature`, which [`Token::open`] takes for the same purpose. Another token does not.
    pub(super) fn seal(&self, purpose: &str, payload: &str) -> String {
        let tag = hmac::sign(&self.key, &message(purpose, payload.as_bytes()));
        format!("{payload}.{}", URL_SAFE_NO_PAD.encode(tag))
    }

    /// The payload, when it was sealed with this token for this purpose.
    pub(super) fn open<'a>(&self, purpose: &str, sealed: &'a str) -> Option<&'a str> {
        let (payload, tag) = sealed.rsplit_once('.')?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        hmac::verify(&self.key, &message(purpose, payload.as_bytes()), &tag).is_ok().then_some(payload)
    }
}

/// A signature for one purpose is none for another.
fn message(purpose: &str, payload: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), b"\n", payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_itself_and_seals_what_it_alone_opens() {
        let (token, other) = (Token::new("0123456789abcdef"), Token::new("0123456789abcdeg"));
        assert!(token.is(b"0123456789abcdef"));
        for wrong in ["", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg"] {
            assert!(!token.is(wrong.as_bytes()), "{wrong}");
        }
        let sealed = token.seal("session", "v1.7");
        assert_eq!((token.open("session", &sealed), other.open("session", &sealed)), (Some("v1.7"), None));
        for forged in ["", ".", "v1.7", "v1.7.", &sealed.replace("v1.7", "v1.8")] {
            assert_eq!(token.open("session", forged), None, "{forged}");
        }
        assert_eq!(token.open("carried", &sealed), None);
        assert!(!token.is(sealed.as_bytes()));
    }

    #[test]
    fn what_can_be_guessed_or_not_be_sent_is_no_token() {
        for (text, want) in [
            ("", "at least 16 characters, this one has 0"),
            ("fifteen-letters", "at least 16 characters, this one has 15"),
            (&*"a".repeat(513), "at most 512 characters"),
            ("with a space in it, long enough", "without spaces"),
            ("mit-ümlaut-und-lang-genug", "ASCII"),
        ] {
            let problem = checked("admin_token_file", text).unwrap_err();
            assert!(problem.message.contains(want), "{problem}");
            assert!(text.is_empty() || !problem.to_string().contains(text), "{problem}");
        }
        let new = new_token().unwrap();
        assert_eq!(new.len(), 32);
        assert!(checked("admin_token_file", &new).is_ok() && Some(new) != new_token());
    }
}
