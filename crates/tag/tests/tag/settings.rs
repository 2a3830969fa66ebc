//! Settings that cannot be.

use std::time::Duration;

use flagstaff_tag::{
    ExcludeSettings, HeaderSettings, JwtSettings, SameSite, SendFlags, Tagger, TaggerSettings, TrustSettings,
    UserSettings, VisitorSettings,
};

use crate::vocabulary::*;

fn places(settings: &TaggerSettings) -> Vec<String> {
    let problems = Tagger::new(settings).err().unwrap_or_default();
    problems.iter().map(|problem| problem.at.join(".")).collect()
}

#[test]
fn every_problem_is_told_at_once() {
    let settings = TaggerSettings {
        headers: HeaderSettings { sign: true, send: SendFlags::Each, ..HeaderSettings::default() },
        visitor: VisitorSettings {
            cookie: "flagstaff user".into(),
            domain: Some("https://shop.example".into()),
            max_age: Duration::from_secs(401 * 24 * 3600),
            consent_cookie: Some("=yes".into()),
            same_site: SameSite::None,
            ..VisitorSettings::default()
        },
        user: UserSettings {
            header: Some("X-Flag-User".into()),
            jwt: Some(JwtSettings {
                header: Some("no header".into()),
                keys: vec!["short".into()],
                ..JwtSettings::default()
            }),
            identify: Some(true),
            max_age: Duration::ZERO,
            ..UserSettings::default()
        },
        trust: TrustSettings { country_header: Some("x country".into()), ..TrustSettings::default() },
        exclude: ExcludeSettings {
            paths: vec!["internal".into()],
            addresses: vec!["10.0.0.0/33".into()],
            prefetch_headers: vec!["no header".into()],
            ..ExcludeSettings::default()
        },
        ..TaggerSettings::default()
    };
    let found = places(&settings);
    for place in [
        "visitor.cookie",
        "visitor.domain",
        "visitor.max_age",
        "visitor.consent_cookie",
        "user.header",
        "user.jwt.header",
        "user.jwt.keys",
        "visitor.same_site",
        "user.max_age",
        "exclude.prefetch_headers",
        "trust.country_header",
        "exclude.paths",
        "exclude.addresses",
        "headers.sign",
        "user.identify",
    ] {
        assert!(found.iter().any(|at| at == place), "{place} in {found:?}");
    }
}

#[test]
fn names_that_clash_or_that_browsers_refuse() {
    let cookie = |cookie: &str| VisitorSettings { cookie: cookie.into(), ..VisitorSettings::default() };
    let of = |visitor| places(&TaggerSettings { visitor, ..with_key() });
    assert_eq!(of(cookie("flagstaff_session")), ["visitor.cookie"]);
    assert_eq!(of(cookie("__Host-visitor")), ["visitor.cookie"]);
    assert!(of(VisitorSettings { secure: Some(true), ..cookie("__Host-visitor") }).is_empty());
}

#[test]
fn one_mistake_in_the_users_headers_is_one_problem() {
    let of = |user| places(&TaggerSettings { user, ..with_key() });
    let user = |header: Option<&str>, groups: Option<&str>| UserSettings {
        header: header.map(Into::into),
        groups: groups.map(Into::into),
        ..UserSettings::default()
    };
    assert_eq!(of(user(Some("no header"), None)), ["user.header"]);
    assert_eq!(of(user(Some("no header"), Some("nor this"))), ["user.header", "user.groups"]);
    // As one would write who means a claim of tokens.
    assert_eq!(of(user(None, Some("groups"))), ["user.groups"]);
    assert!(of(user(Some("X-User-Id"), Some("X-Teams"))).is_empty());
}

#[test]
fn defaults_are_fine_and_say_that_keys_are_temporary() {
    assert!(Tagger::new(&TaggerSettings::default()).unwrap().keys_are_temporary());
    assert!(!Tagger::new(&with_key()).unwrap().keys_are_temporary());
    assert_eq!(places(&TaggerSettings { keys: vec!["short".into()], ..TaggerSettings::default() }), ["keys"]);
}
