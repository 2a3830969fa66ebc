//! What the app gets.

use flagstaff_flags::Variants;
use flagstaff_tag::{HeaderSettings, SendFlags, TaggerSettings};
use ring::hmac;

use crate::vocabulary::*;

fn site(headers: HeaderSettings) -> Site {
    let digits = Variants::weighted([("1st", 100.0)]).unwrap();
    let odd = flagstaff_flags::Flag { variants: digits, ..on("odd_one") };
    Site::new(&TaggerSettings { headers, ..with_key() }, vec![on("new_form"), off("old_form"), odd])
}

#[test]
fn each_flag_that_is_on_and_all_in_one() {
    let visit = Browser::new().get(&site(HeaderSettings::default()), "/");
    assert_eq!(visit.got("X-Flag-New-Form"), Some("on"));
    assert_eq!(visit.got("X-Flag-Odd-One"), Some("1st"));
    assert_eq!(visit.got("X-Flag-Old-Form"), None);
    assert_eq!(visit.got("X-Flags"), Some("new_form=on, odd_one=\"1st\""));
    assert_eq!(visit.got("X-Visitor-Id"), Some(visit.flags.visitor()));
    assert_eq!(visit.got("X-Flags-Signature"), None);
}

#[test]
fn the_dictionary_is_one() {
    let visit = Browser::new().get(&site(HeaderSettings { off: true, ..HeaderSettings::default() }), "/");
    let parsed: sfv::Dictionary = sfv::Parser::new(visit.got("x-flags").unwrap()).parse().unwrap();
    let of = |key: &str| match parsed.get(key) {
        Some(sfv::ListEntry::Item(item)) => match &item.bare_item {
            sfv::BareItem::Token(token) => token.as_str().to_owned(),
            sfv::BareItem::String(text) => text.as_str().to_owned(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    assert_eq!((of("new_form"), of("old_form"), of("odd_one")), ("on".into(), "off".into(), "1st".into()));
}

#[test]
fn what_is_sent_can_be_chosen() {
    let got = |headers| {
        let visit = Browser::new().get(&site(headers), "/");
        (
            visit.got("x-flag-new-form").is_some(),
            visit.got("x-flags").is_some(),
            visit.got("x-flag-old-form").is_some(),
        )
    };
    let of = |send, off| HeaderSettings { send, off, ..HeaderSettings::default() };
    assert_eq!(got(of(SendFlags::Both, false)), (true, true, false));
    assert_eq!(got(of(SendFlags::Each, true)), (true, false, true));
    assert_eq!(got(of(SendFlags::Compact, true)), (false, true, false));
}

#[test]
fn the_signature_is_of_what_the_app_sees() {
    let visit = Browser::new().get(&site(HeaderSettings { sign: true, ..HeaderSettings::default() }), "/a?b=c");
    let (t, v1) = visit.got("x-flags-signature").unwrap().split_once(", ").unwrap();
    let text = format!(
        "{}\n{}\n{}\nGET\n/a",
        t.strip_prefix("t=").unwrap(),
        visit.got("x-visitor-id").unwrap(),
        visit.got("x-flags").unwrap()
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes()), text.as_bytes());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(v1, format!("v1={hex}"));
    assert_eq!(t, format!("t={}", now().as_second()));
}

#[test]
fn waffle_gets_a_cookie_by_its_own_name_for_a_flag() {
    use flagstaff_flags::Flag;
    let settings =
        TaggerSettings { headers: HeaderSettings { waffle: true, ..HeaderSettings::default() }, ..with_key() };
    let named = |text, own: &str| Flag { waffle_name: Some(own.into()), ..on(text) };
    let site = Site::new(&settings, vec![named("search", "courseware.search-v2"), on("form")]);
    let mut browser = Browser::new().with("cookie", "dwf_courseware.search-v2=False; dwf_search=False");
    // `search` is another flag there, of which nothing is known here
    let wanted = "dwf_search=False; dwf_courseware.search-v2=True; dwf_form=True";
    assert_eq!(browser.get(&site, "/").got("cookie"), Some(wanted));
    for flags in [
        vec![named("a", "form"), on("form")],
        vec![on("form"), named("b", "form")],
        vec![named("a", "x"), named("b", "x")],
    ] {
        let wrong = flagstaff_flags::Snapshot::new("r", flags, vec![], vec![], vec![]).unwrap_err();
        assert_eq!(wrong[0].at[2], "waffle_name");
    }
}

#[test]
fn waffle_gets_its_cookies_and_the_client_cannot_send_them() {
    let site = site(HeaderSettings { waffle: true, ..HeaderSettings::default() });
    let mut browser = Browser::new()
        .holding("sessionid", "abc")
        .holding("dwf_old_form", "True")
        .holding("dwft_old_form", "True")
        .holding("dwf_unknown", "True");
    let visit = browser.get(&site, "/");
    let kept = "dwf_unknown=True; sessionid=abc";
    let wanted = format!("{kept}; dwf_new_form=True; dwf_old_form=False; dwf_odd_one=True");
    assert_eq!(visit.got("cookie"), Some(&*wanted));
}

#[test]
fn our_own_cookies_stay_with_us_but_the_visitors() {
    let site = Site::new(&with_key(), vec![on("new_form")]);
    let id = "A".repeat(22);
    let mut browser = Browser::new().holding("a", "1").holding("z", "2").holding("flagstaff_visitor", &id);
    for own in ["flagstaff_user", "flagstaff_sticky", "flagstaff_session", "flagstaff_override"] {
        browser = browser.holding(own, "x");
    }
    let visit = browser.get(&site, "/");
    assert_eq!(visit.got("cookie"), Some(&*format!("a=1; flagstaff_visitor={id}; z=2")));
}

#[test]
fn conditions_see_the_request() {
    use flagstaff_flags::{Condition, Conditions, Flag, Glob, Key, Matcher, Rule, Serve, VariantId};
    let rule = |key: &str, word: &str| Flag {
        rules: vec![Rule::new(
            Conditions(vec![Condition::Value(Key::new(key).unwrap(), Matcher::Pattern(Glob::new(word)))]),
            Serve::Variant(VariantId::ON),
        )],
        ..on(&key.replace(['.', '-'], "_"))
    };
    let settings = TaggerSettings {
        trust: flagstaff_tag::TrustSettings {
            country_header: Some("CF-IPCountry".into()),
            ..flagstaff_tag::TrustSettings::default()
        },
        ..with_key()
    };
    let flags = vec![
        rule("country", "DE"),
        rule("language", "de-AT"),
        rule("host", "shop.example"),
        rule("path", "/a*"),
        rule("ip", "192.0.2.*"),
        rule("query.ref", "mail"),
        rule("cookie.plan", "pro"),
        rule("app_version", "2.4"),
        rule("header.x-flag-forged", "*"),
    ];
    let site = Site::new(&settings, flags);
    let ask = |browser: Browser| {
        let mut browser = browser
            .with("cf-ipcountry", "DE")
            .with("accept-language", "en;q=0.5, de-AT")
            .with("host", "shop.example:8080")
            .with("x-app-version", "2.4")
            .with("x-flag-forged", "1")
            .holding("plan", "pro");
        browser.get(&site, "/abc?ref=mail").got("x-flags").unwrap().to_owned()
    };
    let own = "language=on, host=on, path=on, ip=on, query_ref=on, cookie_plan=on, app_version=on";
    assert_eq!(ask(Browser::new()), own);
    assert_eq!(ask(Browser::trusted()), format!("country=on, {own}"));
}
