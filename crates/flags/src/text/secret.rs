//! What must not be printed: names of settings that hold secrets, and the user and password in an address.

use std::borrow::Cow;
use std::ops::Range;

use super::nearest::nearest;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Settings that hold secrets, by their last word. Slips of the finger in them count too.
const SECRETS: [&str; 8] = ["secret", "secrets", "keys", "password", "passwd", "token", "tokens", "credentials"];
/// Settings like those that hold none.
const PLAIN: [&str; 3] = ["key", "keys_file", "key_files"];

/// Whether a setting of this name holds a secret: `webhooks.secret`, `FLAGSTAFF_KEYS`, `api_token`. Addresses of webhooks are
/// secrets as well.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let last = name.rsplit('.').next().unwrap_or_default();
    if PLAIN.iter().any(|plain| last == *plain || last.ends_with(&format!("_{plain}"))) {
        return false;
    }
    let word = last.rsplit('_').next().unwrap_or_default();
    let is_hook = name.ends_with("webhooks.url") || name.ends_with("webhooks_url");
    is_hook || last.contains("secret") || nearest(word, SECRETS).is_some()
}

/// The places of user and password in the addresses of a text: what stands between `://` and the last `@` of the same word, and
/// values of secrets in its query.
#[must_use]
pub fn userinfo(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("://")) {
        let start = from + at + 3;
        let rest = text.get(start..).unwrap_or_default();
        let end = start + rest.find(|c: char| c.is_whitespace() || "\"'`<>".contains(c)).unwrap_or(rest.len());
        let word = text.get(start..end).unwrap_or_default();
        let at = word.rfind('@').map(|at| start + at);
        found.extend(at.map(|at| start..at).filter(|range| !range.is_empty()));
        found.extend(in_query(text, at.unwrap_or(start)..end));
        from = end;
    }
    found
}

/// Values of secrets in the query of an address.
fn in_query(text: &str, word: Range<usize>) -> Vec<Range<usize>> {
    let Some(at) = text.get(word.clone()).and_then(|word| word.find('?')) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut start = word.start + at + 1;
    for pair in text.get(start..word.end).unwrap_or_default().split('&') {
        if let Some((name, value)) = pair.split_once('=')
            && is_secret(name)
            && !value.is_empty()
        {
            found.push(start + name.len() + 1..start + pair.len());
        }
        start += pair.len() + 1;
    }
    found
}

/// The text with the user and password of each address in it masked: `postgres://***@host/flags`.
#[must_use]
pub fn without_userinfo(text: &str) -> Cow<'_, str> {
    let places = userinfo(text);
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut masked, mut from) = (String::with_capacity(text.len()), 0);
    for place in places {
        masked.extend([text.get(from..place.start).unwrap_or_default(), MASK]);
        from = place.end;
    }
    masked.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_user_and_password() {
        for (text, masked) in [
            ("postgres://u:p@host/db", "postgres://***@host/db"),
            ("`postgress://u:p@ss/w@host` and `http://a:b@c`", "`postgress://***@host` and `http://***@c`"),
            ("redis://:pw@:bad/0", "redis://***@:bad/0"),
            ("postgres://host/db?sslmode=x&password=p4&user=u", "postgres://host/db?sslmode=x&password=***&user=u"),
            ("https://hooks.example.com/a?token=t", "https://hooks.example.com/a?token=***"),
            ("http://127.0.0.1:80/ mail@example.com", "http://127.0.0.1:80/ mail@example.com"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_userinfo(text), masked);
            assert_eq!(userinfo(text).is_empty(), text == masked);
        }
    }

    #[test]
    fn settings_with_secrets_are_known_by_their_names() {
        let secret = "keys user.jwt.keys user.jwt.secrets webhooks.secret FLAGSTAFF_KEYS secrt passwort FLAGSTAFF_WEBHOOKS_SECRET \
                      webhooks.url FLAGSTAFF_WEBHOOKS_URL api_token client-secret FLAGSTAFF_ADMIN_TOKEN";
        assert!(secret.split(' ').all(|name| is_secret(name) || name.is_empty()));
        let plain = "key tls.key keys_file key_files user.jwt.key_files listen url timeouts.head FLAGSTAFF_TLS_KEY \
                     ledger_keep webhooks.events connections headers.send";
        assert_eq!(plain.split(' ').find(|name| is_secret(name)), None);
        assert!(!is_secret(""));
    }
}
