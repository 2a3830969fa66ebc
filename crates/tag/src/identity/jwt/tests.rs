use serde_json::json;

use super::*;

const SECRET: &str = "a secret of thirty-two bytes or more";
const RSA_PEM: &str = include_str!("../../../tests/keys/rsa.pem");
const EC_PEM: &str = include_str!("../../../tests/keys/ec.pem");
const P384_PEM: &str = include_str!("../../../tests/keys/p384.pem");
/// Both say sub 42, groups ["beta"], roles "staff admin", iss https://id.example, aud ["shop", "blog"], exp 1800000000.
const RS256: &str = include_str!("../../../tests/keys/rs256.txt");
const ES256: &str = include_str!("../../../tests/keys/es256.txt");

fn before() -> Timestamp {
    Timestamp::from_second(1_799_999_000).unwrap()
}

fn jwt(keys: &[&str]) -> Jwt {
    jwt_with(&JwtSettings { keys: keys.iter().map(|k| (*k).into()).collect(), ..JwtSettings::default() })
}

fn jwt_with(settings: &JwtSettings) -> Jwt {
    let mut problems = Vec::new();
    let jwt = Jwt::new(settings, &mut problems);
    assert_eq!(problems, []);
    jwt
}

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn token(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encode(header), encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
}

fn hs256(claims: &Value) -> String {
    token(&json!({ "alg": "HS256" }), claims, SECRET.as_bytes())
}

fn read(claims: &Value) -> Option<User> {
    jwt(&[SECRET]).read(&hs256(claims), before())
}

#[test]
fn each_algorithm_is_verified_by_its_own_kind_of_key() {
    let user = User { id: "42".into(), groups: vec!["beta".into()], roles: vec!["staff".into(), "admin".into()] };
    let all = jwt(&[SECRET, RSA_PEM, EC_PEM]);
    assert_eq!(all.read(RS256, before()), Some(user.clone()));
    assert_eq!(all.read(ES256, before()), Some(user));
    for (token, key) in [(RS256, EC_PEM), (ES256, RSA_PEM), (RS256, SECRET), (ES256, SECRET)] {
        assert_eq!(jwt(&[key]).read(token, before()), None);
    }
}

#[test]
fn ends_when_it_says_give_or_take_a_minute() {
    let at = |second| jwt(&[RSA_PEM]).read(RS256, Timestamp::from_second(second).unwrap());
    assert!(at(1_800_000_059).is_some() && at(1_800_000_060).is_none());
    assert!(read(&json!({ "sub": "1" })).is_none(), "without an end");
    for exp in [json!("1800000000"), json!(null), json!(true), json!([1_800_000_000])] {
        assert!(read(&json!({ "sub": "1", "exp": exp })).is_none(), "{exp}");
    }
    assert!(read(&json!({ "sub": "1", "exp": 1_800_000_000.5 })).is_some());
}

#[test]
fn does_not_begin_before_it_says() {
    let from = |nbf: Value| read(&json!({ "sub": "1", "exp": 1_900_000_000, "nbf": nbf }));
    assert!(from(json!(1_799_999_060)).is_some() && from(json!(1_799_999_061)).is_none());
    assert!(from(json!("1")).is_none());
}

#[test]
fn no_algorithm_and_no_signature_is_nobody() {
    let claims = json!({ "sub": "42", "exp": 1_900_000_000 });
    for alg in ["none", "None", "NONE", "", "hs256", "HS384"] {
        let header = encode(&json!({ "alg": alg }));
        let keys = jwt(&[SECRET, RSA_PEM, EC_PEM]);
        assert_eq!(keys.read(&format!("{header}.{}.", encode(&claims)), before()), None, "{alg}");
        assert_eq!(keys.read(&token(&json!({ "alg": alg }), &claims, SECRET.as_bytes()), before()), None, "{alg}");
    }
    let nameless = token(&json!({ "typ": "JWT" }), &claims, SECRET.as_bytes());
    assert_eq!(jwt(&[SECRET]).read(&nameless, before()), None);
}

#[test]
fn a_public_key_is_refused_as_a_secret() {
    let claims = json!({ "sub": "42", "exp": 1_900_000_000 });
    let der = spki::der::pem::decode_vec(RSA_PEM.trim().as_bytes()).unwrap().1;
    for secret in [RSA_PEM.as_bytes(), RSA_PEM.trim().as_bytes(), &der] {
        for alg in ["HS256", "RS256"] {
            let forged = token(&json!({ "alg": alg }), &claims, secret);
            assert_eq!(jwt(&[RSA_PEM]).read(&forged, before()), None, "{alg}");
        }
    }
}

#[test]
fn a_public_key_may_follow_other_text() {
    let pem = RSA_PEM.trim();
    let attributes = format!("Bag Attributes\n    friendlyName: shop\n{pem}\n");
    for text in [format!("\u{feff}{pem}"), format!("# of the shop\n\n{pem}\n"), attributes, format!("\r\n {pem}")] {
        let jwt = jwt(&[&text]);
        assert!(jwt.read(RS256, before()).is_some(), "{text}");
        let forged =
            token(&json!({ "alg": "HS256" }), &json!({ "sub": "42", "exp": 1_900_000_000 }), text.as_bytes());
        assert_eq!(jwt.read(&forged, before()), None, "{text}");
    }
}

#[test]
fn a_public_key_in_another_form_is_refused_as_a_secret() {
    let base64 = |pem: &str| STANDARD.encode(spki::der::pem::decode_vec(pem.trim().as_bytes()).unwrap().1);
    let jwk = json!({ "kty": "RSA", "n": "x".repeat(342), "e": "AQAB" });
    for text in [
        json!({ "keys": [jwk] }).to_string(),
        format!("\u{feff}{jwk:#}"),
        json!([jwk]).to_string(),
        format!("ssh-rsa {} me@shop", "A".repeat(300)),
        format!("ecdsa-sha2-nistp256 {}", "A".repeat(140)),
        format!("---- BEGIN SSH2 PUBLIC KEY ----\n{}\n---- END SSH2 PUBLIC KEY ----", "A".repeat(300)),
        format!("<RSAKeyValue><Modulus>{}</Modulus></RSAKeyValue>", "A".repeat(300)),
        "https://id.example/.well-known/jwks".into(),
        base64(RSA_PEM),
        base64(EC_PEM),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into(),
    ] {
        assert!(Key::new(&text).is_err(), "{text}");
    }
    for secret in [SECRET.to_owned(), format!("{SECRET}\n"), STANDARD.encode([0x30; 32]), "ab".repeat(64)] {
        assert!(Key::new(&secret).is_ok_and(|key| key.algorithm() == "HS256"), "{secret}");
    }
}

#[test]
fn keys_brought_along_are_not_used() {
    let jwk = json!({ "alg": "HS256", "jwk": { "kty": "oct", "k": "YXR0YWNrZXI" }, "jku": "https://evil.example", "kid": "../../dev/null" });
    let forged = token(&jwk, &json!({ "sub": "42", "exp": 1_900_000_000 }), b"attacker");
    assert_eq!(jwt(&[SECRET]).read(&forged, before()), None);
    let critical = token(
        &json!({ "alg": "HS256", "crit": ["exp"] }),
        &json!({ "sub": "42", "exp": 1_900_000_000 }),
        SECRET.as_bytes(),
    );
    assert_eq!(jwt(&[SECRET]).read(&critical, before()), None);
}

#[test]
fn every_changed_byte_is_a_forgery() {
    let keys = jwt(&[EC_PEM]);
    for i in 0..ES256.len() {
        let mut bytes = ES256.as_bytes().to_vec();
        bytes[i] = if bytes[i] == b'A' { b'B' } else { b'A' };
        assert_eq!(keys.read(std::str::from_utf8(&bytes).unwrap(), before()), None, "byte {i}");
        assert_eq!(keys.read(&ES256[..i], before()), None, "cut at {i}");
    }
    assert_eq!(keys.read(&format!("{ES256}="), before()), None);
    assert_eq!(keys.read(&format!("{ES256}.x"), before()), None);
}

#[test]
fn issuer_and_audience_must_fit_when_asked_for() {
    let read = |issuer: Option<&str>, audience: Option<&str>| {
        let settings = JwtSettings {
            keys: vec![RSA_PEM.into()],
            issuer: issuer.map(Into::into),
            audience: audience.map(Into::into),
            ..JwtSettings::default()
        };
        jwt_with(&settings).read(RS256, before()).is_some()
    };
    assert!(read(Some("https://id.example"), Some("blog")) && read(None, None));
    assert!(!read(Some("https://other.example"), None) && !read(None, Some("bank")));
}

#[test]
fn claims_of_odd_types_are_nobody() {
    let id = |sub: Value| read(&json!({ "sub": sub, "exp": 1_900_000_000 })).map(|user| user.id);
    assert_eq!(id(json!(7)), Some("7".into()));
    for odd in [json!(null), json!(""), json!([]), json!({}), json!(true), json!("a\nb"), json!("x".repeat(300))] {
        assert_eq!(id(odd.clone()), None, "{odd}");
    }
    let groups = |groups: Value| read(&json!({ "sub": "1", "exp": 1_900_000_000, "groups": groups })).unwrap().groups;
    assert_eq!(groups(json!("beta, vip")), ["beta", "vip"]);
    assert_eq!(groups(json!(["beta", 7, ""])), ["beta"]);
    assert!(groups(json!({ "a": 1 })).is_empty());
}

#[test]
fn wrong_keys_are_told_when_configured() {
    let wrong = |key: &str| {
        let mut problems = Vec::new();
        let settings = JwtSettings { keys: vec![key.into()], ..JwtSettings::default() };
        Jwt::new(&settings, &mut problems);
        problems.first().map(|p| p.at.join(".")).unwrap_or_default()
    };
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for key in ["short", P384_PEM, private, "-----BEGIN nothing"] {
        assert_eq!(wrong(key), "user.jwt.keys", "{key}");
    }
    let mut problems = Vec::new();
    Jwt::new(&JwtSettings::default(), &mut problems);
    assert_eq!(problems.len(), 1);
}

#[test]
fn junk_is_read_without_harm() {
    let long = "a".repeat(MAX_TOKEN_BYTES + 1);
    for junk in ["", ".", "..", "...", "a.b.c", "\u{0}.é.\u{2028}", &long] {
        assert_eq!(jwt(&[SECRET]).read(junk, before()), None);
    }
}

#[test]
fn a_number_is_the_person_it_means() {
    let id = |sub: &str| {
        let claims = format!("{{\"sub\":{sub},\"exp\":1900000000}}");
        let message = format!("{}.{}", encode(&json!({ "alg": "HS256" })), URL_SAFE_NO_PAD.encode(claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        jwt(&[SECRET]).read(&token, before()).map(|user| user.id)
    };
    for (sub, wanted) in [
        ("42", Some("42")),
        ("42.0", Some("42")),
        ("4.2e1", Some("42")),
        ("-7", Some("-7")),
        ("18446744073709551615", Some("18446744073709551615")),
        ("4.5", Some("4.5")),
        ("18446744073709551616", None),
        ("1e300", None),
        ("null", None),
        ("true", None),
        ("[42]", None),
        ("{\"id\":42}", None),
    ] {
        assert_eq!(id(sub).as_deref(), wanted, "{sub}");
    }
}
