//! What clients try.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flagstaff_tag::{JwtSettings, TaggerSettings, UserSettings};
use http::header::{HeaderName, HeaderValue};

use crate::vocabulary::*;

/// One of each letter's cases and each separator, as far as they differ for some app.
const SPELLINGS: [&str; 8] = [
    "X-Flag-Old-Form",
    "x_flag_old_form",
    "X-FLAG_OLD-FORM",
    "x-flag-new-form",
    "X_Flags",
    "x-flags-signature",
    "X-Visitor_Id",
    "X.Flag.Old.Form",
];

#[test]
fn no_spelling_of_our_headers_reaches_the_app() {
    let site = Site::new(&with_key(), vec![on("new_form"), off("old_form")]);
    for browser in [Browser::new(), Browser::trusted()] {
        let forge = |browser: Browser, name: &&str| browser.with(name, "forged").with(name, "forged twice");
        let mut browser = SPELLINGS.iter().fold(browser, forge);
        let visit = browser.get(&site, "/");
        assert!(visit.got.values().all(|value| !value.to_str().unwrap().contains("forged")), "{:?}", visit.got);
        assert_eq!(visit.got.get_all("x-flag-new-form").iter().count(), 1);
    }
}

#[test]
fn is_stripped_without_any_flag_and_without_a_peer() {
    let site = Site::new(&TaggerSettings::default(), Vec::new());
    let mut browser = Browser { peer: None, ..Browser::new() }.with("x-flag-a", "on").with("x-flags", "a");
    let visit = browser.get(&site, "/");
    assert!(visit.got("x-flag-a").is_none() && visit.got("x-flags").is_none());
}

fn by_header() -> TaggerSettings {
    let user = UserSettings { header: Some("X-User-Id".into()), ..UserSettings::default() };
    TaggerSettings { user, ..with_key() }
}

#[test]
fn only_trusted_peers_name_the_user() {
    let site = Site::new(&by_header(), Vec::new());
    let says = |browser: Browser| {
        browser.with("x-user-id", "42").with("x-user-groups", "beta, vip").with("x-user-roles", "staff")
    };
    let trusted = says(Browser::trusted()).get(&site, "/");
    let user = trusted.flags.user().unwrap();
    assert_eq!((user.id.as_str(), user.groups.len(), user.roles.len()), ("42", 2, 1));
    assert_eq!(trusted.got("x-user-id"), Some("42"));
    for stranger in [Browser::new(), Browser { peer: None, ..Browser::new() }] {
        let visit = says(stranger).get(&site, "/");
        assert!(visit.flags.user().is_none());
        for name in ["x-user-id", "x-user-groups", "x-user-roles"] {
            assert_eq!(visit.got(name), None);
        }
    }
}

#[test]
fn a_user_whose_id_cannot_be_read_is_nobody() {
    let user = UserSettings { header: Some("X-User-Id".into()), identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let mut browser = Browser::trusted();
    browser.get(&site, "/");
    browser.visit(&site, "/", &[("x-flag-identify", "42")]);
    let named = |id: Option<&[u8]>| {
        let mut request = browser.request("/");
        if let Some(id) = id {
            request.headers_mut().insert("x-user-id", HeaderValue::from_bytes(id).unwrap());
        }
        site.tag(&mut request).user().map(|user| user.id.clone())
    };
    for absent in [None, Some(&b""[..]), Some(b" ")] {
        assert_eq!(named(absent).as_deref(), Some("42"), "{absent:?}: the next way is asked");
    }
    assert_eq!(named(Some(b"7")).as_deref(), Some("7"));
    for unreadable in [&b"M\xfcller"[..], &[b'x'; 300], b"a\tb"] {
        assert_eq!(named(Some(unreadable)), None, "{unreadable:?}");
    }
}

#[test]
fn other_spellings_of_the_users_header_never_pass() {
    let site = Site::new(&by_header(), Vec::new());
    for browser in [Browser::new(), Browser::trusted()] {
        let visit =
            browser.with("x_user_id", "1").with("X-User_Id", "2").with("x_user_roles", "staff").get(&site, "/");
        assert!(visit.flags.user().is_none());
        assert!(
            visit.got.keys().all(|name| !name.as_str().contains("user") || name == "user-agent"),
            "{:?}",
            visit.got
        );
    }
}

#[test]
fn a_signed_user_cookie_belongs_to_its_visitor() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let mut victim = Browser::new();
    victim.visit(&site, "/login", &[("x-flag-identify", "42; groups=\"beta\"")]);
    assert_eq!(victim.get(&site, "/").flags.user().map(|u| u.id.clone()), Some("42".into()));
    let stolen = victim.cookie("flagstaff_user").unwrap();

    let mut thief = Browser::new();
    thief.get(&site, "/");
    thief = thief.holding("flagstaff_user", stolen);
    assert!(thief.get(&site, "/").flags.user().is_none(), "another visitor");
    assert!(Browser::new().holding("flagstaff_user", stolen).get(&site, "/").flags.user().is_none(), "no visitor");

    let visitor = victim.cookie("flagstaff_visitor").unwrap().to_owned();
    for end in 0..stolen.len() {
        let mut cut = Browser::new().holding("flagstaff_visitor", &visitor).holding("flagstaff_user", &stolen[..end]);
        assert!(cut.get(&site, "/").flags.user().is_none(), "cut at {end}");
    }
    let sticky = format!("{stolen}x");
    let mut longer = Browser::new().holding("flagstaff_visitor", &visitor).holding("flagstaff_user", &sticky);
    assert!(longer.get(&site, "/").flags.user().is_none());
}

#[test]
fn a_cookie_of_one_purpose_is_none_of_another() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let flags = || vec![flagstaff_flags::Flag { testing: true, ..half("form") }];
    let site = Site::new(&TaggerSettings { user, ..with_key() }, flags());
    let mut browser = Browser::new();
    browser.visit(&site, "/?flagstaff.form=on", &[("x-flag-identify", "42")]);
    let named = browser.cookie("flagstaff_user").unwrap().to_owned();
    let forced = browser.cookie("flagstaff_override").unwrap().to_owned();
    browser = browser
        .holding("flagstaff_user", &forced)
        .holding("flagstaff_override", &named)
        .holding("flagstaff_sticky", &forced);
    let visit = browser.get(&site, "/");
    assert!(visit.flags.user().is_none());
    assert_ne!(visit.flags.decisions().get("form").step(), flagstaff_flags::DecisionStep::Override);
}

#[test]
fn a_planted_cookie_does_not_hide_the_signed_one() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let mut browser = Browser::new();
    browser.visit(&site, "/login", &[("x-flag-identify", "42")]);
    let own = browser.request("/").headers().get("cookie").unwrap().to_str().unwrap().to_owned();
    let mut request =
        Browser::new().with("cookie", &format!("flagstaff_visitor=junk; flagstaff_user=planted; {own}")).request("/");
    assert_eq!(site.tag(&mut request).user().map(|u| u.id.as_str()), Some("42"));
}

#[test]
fn a_token_that_nobody_signed_names_nobody() {
    let jwt = JwtSettings {
        keys: vec![include_str!("../keys/ec.pem").into()],
        cookie: Some("id".into()),
        header: Some("authorization".into()),
        ..JwtSettings::default()
    };
    let user = UserSettings { jwt: Some(jwt), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let token = include_str!("../keys/es256.txt");
    let id = |browser: Browser| {
        let mut request = browser.request("/");
        site.tag(&mut request).user().map(|user| user.id.clone())
    };
    assert_eq!(id(Browser::new().holding("id", token)), Some("42".into()));
    assert_eq!(id(Browser::new().with("authorization", &format!("Bearer {token}"))), Some("42".into()));
    assert_eq!(id(Browser::new().with("authorization", &format!("bearer  {token} "))), Some("42".into()));
    assert_eq!(id(Browser::new().with("authorization", &format!("Basic {token}"))), None);
    let none = "eyJhbGciOiJub25lIn0.eyJzdWIiOiI0MiIsImV4cCI6MTkwMDAwMDAwMH0.";
    assert_eq!(id(Browser::new().holding("id", none)), None);
    assert_eq!(id(Browser::new().holding("id", include_str!("../keys/rs256.txt"))), None);
}

const SECRET: &str = "a secret of thirty-two bytes or more";

/// A token of another person than that of the files.
fn token_of(id: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = format!("{{\"sub\":\"{id}\",\"exp\":1900000000}}");
    let message = format!("{}.{}", encode("{\"alg\":\"HS256\"}"), encode(&claims));
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(ring::hmac::sign(&key, message.as_bytes()));
    format!("{message}.{tag}")
}

#[test]
fn two_user_names_identify_nobody_even_with_a_token() {
    let jwt = JwtSettings {
        keys: vec![SECRET.into()],
        cookie: Some("id".into()),
        header: Some("authorization".into()),
        ..JwtSettings::default()
    };
    let user = UserSettings {
        header: Some("X-User-Id".into()),
        jwt: Some(jwt),
        identify: Some(true),
        ..UserSettings::default()
    };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let (one, other) = (token_of("7"), token_of("8"));
    let named = || {
        let mut browser = Browser::trusted();
        browser.visit(&site, "/login", &[("x-flag-identify", "42")]);
        browser
    };
    let id = |browser: Browser| {
        let mut request = browser.request("/");
        site.tag(&mut request).user().map(|user| user.id.clone())
    };
    assert_eq!(id(named()).as_deref(), Some("42"));
    assert_eq!(id(named().holding("id", &one)).as_deref(), Some("7"));
    let twice = |browser: Browser| browser.with("x-user-id", "1").with("x-user-id", "2");
    assert_eq!(id(twice(named())), None, "the cookie is not asked");
    assert_eq!(id(twice(named().holding("id", &one))), None, "nor a token");
    assert_eq!(id(twice(Browser { peer: Some(peer(false)), ..named() })).as_deref(), Some("42"), "of a stranger");
    let both = |one: &str, other: &str| {
        let mut request = named().request("/");
        let own = request.headers()["cookie"].to_str().unwrap();
        let cookies = format!("id={one}; id={other}; {own}");
        request.headers_mut().insert("cookie", HeaderValue::from_str(&cookies).unwrap());
        site.tag(&mut request).user().map(|user| user.id.clone())
    };
    assert_eq!((both(&one, &other), both(&other, &one)), (None, None));
    assert_eq!((both(&one, &one).as_deref(), both("a.b.c", &one).as_deref()), (Some("7"), Some("7")));
    assert_eq!(id(named().with("authorization", &one).with("authorization", &other)), None);
}

#[test]
fn an_id_that_is_no_text_is_nobody() {
    let site = Site::new(&by_header(), Vec::new());
    let mut request = Browser::trusted().request("/");
    request.headers_mut().insert(HeaderName::from_static("x-user-id"), HeaderValue::from_bytes(b"\xff\xfe").unwrap());
    assert!(site.tag(&mut request).user().is_none());
}
