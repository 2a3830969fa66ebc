//! Signed tokens (RFC 7515, 7519) in compact form: HS256, RS256, ES256.
//!
//! The key decides the algorithm, never the token: a public key verifies no HMAC, and a token that names another algorithm,
//! or `none`, is nobody's.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flagstaff_flags::{Problem, User};
use jiff::Timestamp;
use ring::{hmac, signature};
use serde_json::{Map, Number, Value};
use spki::der::Tagged as _;
use spki::der::oid::ObjectIdentifier;
use spki::der::pem::PemLabel as _;

use crate::header_list::words;
use crate::identity::person;
use crate::settings::{JwtKey, JwtSettings};

/// Bytes of a token. Longer ones are not read.
const MAX_TOKEN_BYTES: usize = 8192;
/// How far clocks may differ, in seconds.
const LEEWAY: f64 = 60.0;
/// From here on not every whole number is one of 64-bit floating point.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// RFC 7518, 3.2: a key of HS256 is as long as its hash.
const SHORTEST_SECRET: usize = 32;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// Some editors begin a file with it.
const BOM: char = '\u{feff}';
/// What keys begin with in forms that are not accepted: JWK, lists of them, XML, addresses of them, OpenSSH.
const OTHER_FORMS: [&str; 9] = ["{", "[", "<", "http://", "https://", "ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-"];
/// The public key of Ed25519, the shortest there is, in DER.
const SHORTEST_DER: usize = 44;

/// A key, which knows its algorithm.
enum Key {
    Hs256(hmac::Key),
    Rs256(signature::UnparsedPublicKey<Vec<u8>>),
    Es256(signature::UnparsedPublicKey<Vec<u8>>),
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
        }
    }

    fn verifies(&self, message: &[u8], tag: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => hmac::verify(key, message, tag).is_ok(),
            Self::Rs256(key) | Self::Es256(key) => key.verify(message, tag).is_ok(),
        }
    }

    fn new(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_start_matches(BOM);
        // Tools write attributes or comments before a key.
        if let Some(pem) = text.find("-----BEGIN").and_then(|start| text.get(start..)) {
            return Self::public(pem.trim());
        }
        if could_be_public(text) {
            return Err(
                "this is a public key or a list of keys, not a secret: anybody could sign with it; save the key in PEM \
                        (-----BEGIN PUBLIC KEY-----), or the secret alone on one line",
            );
        }
        if text.len() < SHORTEST_SECRET {
            return Err("a secret for HS256 has at least 32 bytes (RFC 7518, 3.2)");
        }
        Ok(Self::Hs256(hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())))
    }

    fn public(pem: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "this is not a public key in PEM: that begins with -----BEGIN PUBLIC KEY-----";
        let (label, der) = spki::der::pem::decode_vec(pem.as_bytes()).map_err(|_| WANTED)?;
        if label != spki::SubjectPublicKeyInfoRef::PEM_LABEL {
            return Err(WANTED);
        }
        let info = spki::SubjectPublicKeyInfoRef::try_from(der.as_slice()).map_err(|_| WANTED)?;
        let bytes = info.subject_public_key.as_bytes().ok_or(WANTED)?.to_vec();
        let curve = || info.algorithm.parameters_oid().ok();
        match info.algorithm.oid {
            RSA => Ok(Self::Rs256(signature::UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA256, bytes))),
            EC if curve() == Some(P256) => {
                Ok(Self::Es256(signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, bytes)))
            }
            _ => Err("public keys are RSA (RS256) or of the curve P-256 (ES256)"),
        }
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.algorithm())
    }
}

/// Whether a text looks like a public key in a form that is not read. As a secret it would be one that everybody knows.
fn could_be_public(text: &str) -> bool {
    let text = text.trim();
    let other = OTHER_FORMS.iter().any(|form| text.starts_with(form));
    other || text.contains(['\n', '\r']) || is_der(text)
}

/// Whether a text is DER in base64: what stands between the lines of PEM.
fn is_der(text: &str) -> bool {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    let is_sequence = |any: spki::der::AnyRef<'_>| any.tag() == spki::der::Tag::Sequence;
    bytes.len() >= SHORTEST_DER && spki::der::AnyRef::try_from(bytes.as_slice()).is_ok_and(is_sequence)
}

/// Whose tokens are taken, and what is read from them.
#[derive(Debug)]
pub(crate) struct Jwt {
    keys: Vec<Key>,
    claim: String,
    groups: String,
    roles: String,
    issuer: Option<String>,
    audience: Option<String>,
}

impl Jwt {
    pub(crate) fn new(settings: &JwtSettings, problems: &mut Vec<Problem>) -> Self {
        let listed = settings.key_files.len() + settings.secrets.len() + settings.mixed_keys.len();
        if settings.keys.len() < listed {
            let problem = Problem::new(["user", "jwt"], "of these keys some were named, and not read into `keys`");
            problems.push(problem.help("give what files and secrets hold as `JwtKey` in `keys`"));
        } else if settings.keys.is_empty() {
            let problem = Problem::new(["user", "jwt"], "without a key no token can be verified");
            problems.push(problem.help("name files in `key_files`, or give HS256 secrets in `secrets`"));
        }
        if settings.claim.is_empty() {
            let message = "name the claim with the person's id";
            problems.push(Problem::new(["user", "jwt", "claim"], message).help("usually `sub`"));
        }
        let mut key = |key: &JwtKey| {
            let read = Key::new(key.text());
            read.map_err(|why| problems.push(Problem::new(key.place().iter().map(String::as_str), why))).ok()
        };
        Self {
            keys: settings.keys.iter().filter_map(&mut key).collect(),
            claim: settings.claim.clone(),
            groups: settings.groups.clone(),
            roles: settings.roles.clone(),
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
        }
    }

    /// The person a token names; `None` unless a key signed it, it has not ended, and it is for us.
    pub(crate) fn read(&self, token: &str, now: Timestamp) -> Option<User> {
        let claims = self.claims(token)?;
        if !holds_now(&claims, now) || !self.is_for_us(&claims) {
            return None;
        }
        let id = match claims.get(&self.claim)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => whole(number)?,
            _ => return None,
        };
        person::bounded(User { id, groups: list(claims.get(&self.groups)), roles: list(claims.get(&self.roles)) })
    }

    /// The claims, once the signature is verified.
    fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let (message, tag) = token.rsplit_once('.')?;
        let (header, payload) = message.split_once('.')?;
        let header = object(header)?;
        // Extensions that must be understood (RFC 7515, 4.1.11): none is.
        if header.contains_key("crit") {
            return None;
        }
        let algorithm = header.get("alg")?.as_str()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let signed = |key: &Key| key.algorithm() == algorithm && key.verifies(message.as_bytes(), &tag);
        self.keys.iter().any(signed).then(|| object(payload))?
    }

    fn is_for_us(&self, claims: &Map<String, Value>) -> bool {
        let is = |claim: &Value, wanted: &str| match claim {
            Value::String(text) => text == wanted,
            Value::Array(all) => all.iter().any(|one| one.as_str() == Some(wanted)),
            _ => false,
        };
        let fits = |name: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| claims.get(name).is_some_and(|claim| is(claim, wanted)))
        };
        fits("iss", &self.issuer) && fits("aud", &self.audience)
    }
}

/// A part of a token: a JSON object in base64url.
fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// `exp` must be there and ahead, `nbf` must be past when there; anything but a number is a refusal.
fn holds_now(claims: &Map<String, Value>, now: Timestamp) -> bool {
    #[allow(clippy::cast_precision_loss, reason = "seconds of this era are far below 2^53")]
    let now = now.as_second() as f64;
    let ends = claims.get("exp").and_then(Value::as_f64).is_some_and(|end| now < end + LEEWAY);
    let begun = claims.get("nbf").is_none_or(|nbf| nbf.as_f64().is_some_and(|start| now + LEEWAY >= start));
    ends && begun
}

/// A number as an id: 42 and 42.0 are one number, and so one person. Beyond what the reader holds exactly two persons could become one, so
/// there it is nobody.
fn whole(number: &Number) -> Option<String> {
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    let float = number.as_f64().filter(|n| n.abs() < EXACT)?;
    Some(if float.fract() == 0.0 { format!("{float:.0}") } else { number.to_string() })
}

fn list(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(Into::into).collect(),
        Some(Value::String(text)) if text.contains(',') => words(text),
        Some(Value::String(text)) => text.split_ascii_whitespace().map(Into::into).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
