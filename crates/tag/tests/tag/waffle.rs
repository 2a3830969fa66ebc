//! Beside django-waffle: its cookies in requests and answers, and who keeps the side that it drew.

use flagstaff_flags::{DecisionStep, Flag, Gate, GateAnswer, Glob, Guard, Sticky};
use flagstaff_tag::{HeaderSettings, TaggerSettings};
use http::header::SET_COOKIE;
use jiff::civil::Date;

use crate::vocabulary::*;

fn beside_waffle(headers: HeaderSettings) -> TaggerSettings {
    TaggerSettings { headers: HeaderSettings { waffle: true, ..headers }, ..with_key() }
}

fn until(day: &str) -> Option<Date> {
    Some(day.parse().unwrap())
}

/// A flag that takes waffle's cookies today.
fn moving(text: &str, share: f64) -> Flag {
    let waffle_cookie_until = until("2026-11-20");
    Flag { sticky: Some(Sticky::Visitor), percent: percent(share), waffle_cookie_until, ..on(text) }
}

fn followed(visit: &Visit) -> Vec<&str> {
    let snapshot = visit.flags.compiled().snapshot();
    visit.directives.followed.iter().map(|id| snapshot.flag(*id).unwrap().name.as_str()).collect()
}

fn sets(visit: &Visit) -> Vec<&str> {
    let all = visit.answer.headers().get_all(SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    all.filter(|set| !set.starts_with("flagstaff_")).collect()
}

#[test]
fn what_waffle_would_remember_of_our_flags_leaves_every_answer() {
    let odd = Flag { waffle_name: Some("my.Flag".into()), ..on("my_flag") };
    let site = Site::new(&beside_waffle(HeaderSettings::default()), vec![on("form"), off("gone"), odd]);
    let answers = [
        ("set-cookie", "sessionid=1; Path=/"),
        ("set-cookie", "dwf_form=True; Max-Age=2592000; Path=/; Secure"),
        ("set-cookie", "dwft_form=False; Path=/"),
        ("set-cookie", "DWF_Form=True; Path=/"),
        ("set-cookie", "dwf_gone=True; Path=/"),
        ("set-cookie", "dwf_my.Flag = True; Path=/"),
        ("set-cookie", "dwf_my_flag=True; Path=/"),
        ("set-cookie", "dwf_another=True; Path=/"),
    ];
    for status in ["200", "304", "404", "500", "302"] {
        let visit = Browser::new().visit(&site, "/", &[&[(":status", status)], &answers[..]].concat());
        let kept = ["sessionid=1; Path=/", "dwf_my_flag=True; Path=/", "dwf_another=True; Path=/"];
        assert_eq!(sets(&visit), kept, "{status}");
        // waffle said something else of `gone`, so it decided that itself
        assert_eq!(followed(&visit), ["form", "my_flag"], "{status}");
    }
    let apart = Site::new(&with_key(), vec![on("form")]);
    let visit = Browser::new().visit(&apart, "/", &answers);
    assert_eq!((sets(&visit).len(), followed(&visit).len()), (answers.len(), 0));
}

#[test]
fn waffles_settings_name_its_cookies() {
    let settings = HeaderSettings {
        waffle_cookie: "shop-%s".into(),
        waffle_test_cookie: "shop-test-%s".into(),
        ..HeaderSettings::default()
    };
    let site = Site::new(&beside_waffle(settings), vec![on("form")]);
    let mut browser =
        Browser::new().holding("shop-form", "False").holding("shop-test-form", "1").holding("dwf_form", "x");
    let answers = [("set-cookie", "shop-form=True; Path=/"), ("set-cookie", "shop-test-form=True; Path=/")];
    let visit = browser.visit(&site, "/", &answers);
    assert_eq!(visit.got("cookie"), Some("dwf_form=x; shop-form=True"));
    assert!(sets(&visit).is_empty());
}

#[test]
fn a_visitor_keeps_the_side_that_waffle_drew_and_never_counts() {
    for settings in [with_key(), beside_waffle(HeaderSettings::default())] {
        let site = Site::new(&settings, vec![moving("form", 50.0)]);
        for (word, side) in [("True", "on"), ("False", "off")] {
            // half of them would be drawn for the other side
            for _ in 0..8 {
                let mut browser = Browser::new().holding("dwf_form", word);
                let first = browser.get(&site, "/");
                let decision = first.flags.decisions().get("form");
                assert_eq!((first.flags.variant("form"), decision.is_counted()), (side, false));
                assert!(first.set("flagstaff_sticky").unwrap().contains("Max-Age=31536000"));
                browser.cookies.remove("dwf_form");
                // once: another cookie of waffle's changes nothing, and neither does a later day
                let mut browser = browser.holding("dwf_form", if side == "on" { "False" } else { "True" });
                let again = browser.visit_at(&site, "/", &[], "2027-02-01T00:00:00Z".parse().unwrap());
                let decision = again.flags.decisions().get("form");
                assert_eq!((again.flags.variant("form"), decision.step()), (side, DecisionStep::Sticky));
                assert!(!decision.is_counted() && !again.sets_cookies());
            }
        }
        let mut drawn = Browser::new();
        assert!(drawn.get(&site, "/").flags.decisions().get("form").is_counted(), "who comes without one is drawn");
    }
}

#[test]
fn what_waffle_drew_gives_way_to_what_is_written() {
    let site = Site::new(&with_key(), vec![moving("form", 50.0)]);
    let visitor = |word: &str| {
        let mut browser = Browser::new().holding("dwf_form", word);
        browser.get(&site, "/");
        browser
    };
    let of = |share| site.edited(vec![moving("form", share)]);
    assert_eq!(visitor("True").get(&of(0.0), "/").flags.variant("form"), "off");
    assert_eq!(visitor("False").get(&of(100.0), "/").flags.variant("form"), "on");
    assert_eq!(visitor("False").get(&of(99.9), "/").flags.variant("form"), "off");
    assert_eq!(visitor("True").get(&of(0.1), "/").flags.variant("form"), "on");
    let mut browser = visitor("False");
    browser.get(&of(100.0), "/");
    let after = browser.get(&site, "/");
    assert_eq!(after.flags.variant("form"), "off", "the side is there again");
    assert!(!after.flags.decisions().get("form").is_counted());
}

#[test]
fn a_strangers_cookie_decides_nothing_that_is_measured() {
    let drawn = |flag: Flag, word: &str| {
        let site = Site::new(&with_key(), vec![flag]);
        let mut browser = Browser::new().holding("dwf_form", word);
        browser.get(&site, "/").flags.decisions().get("form").step()
    };
    let plain = moving("form", 50.0);
    assert_eq!(drawn(plain.clone(), "True"), DecisionStep::Sticky);
    let when_off = GateAnswer::Redirect("/".into());
    let gate = Some(Gate { paths: vec![Glob::new("/form")], when_off });
    let guard = Some(Guard::new(0.001).unwrap());
    for flag in [
        Flag { waffle_cookie_until: until("2026-11-19"), ..plain.clone() },
        Flag { waffle_cookie_until: None, ..plain.clone() },
        Flag { sticky: Some(Sticky::Session), ..plain.clone() },
        Flag { variants: three("form").variants, ..plain.clone() },
        Flag { gate, ..plain.clone() },
        Flag { guard: guard.clone(), ..plain.clone() },
    ] {
        assert_ne!(drawn(flag.clone(), "True"), DecisionStep::Sticky, "{flag:?}");
    }
    for word in ["true", "1", "on", "", "TrueFalse"] {
        assert_ne!(drawn(plain.clone(), word), DecisionStep::Sticky, "{word}");
    }
    // Once the flag is measured, what strangers brought is void.
    let site = Site::new(&with_key(), vec![plain.clone()]);
    let mut browser = Browser::new().holding("dwf_form", "True");
    browser.get(&site, "/");
    let guarded = Flag { guard, waffle_cookie_until: None, ..plain };
    let visit = browser.get(&site.edited(vec![guarded]), "/");
    assert_ne!(visit.flags.decisions().get("form").step(), DecisionStep::Sticky);
}

#[test]
fn two_answers_are_none() {
    let site = Site::new(&with_key(), vec![moving("form", 50.0)]);
    let mut browser = Browser::new().with("cookie", "dwf_form=True; dwf_form=False");
    assert_ne!(browser.get(&site, "/").flags.decisions().get("form").step(), DecisionStep::Sticky);
    let mut browser = Browser::new().with("cookie", "dwf_form=True; dwf_form=True");
    assert_eq!(browser.get(&site, "/").flags.decisions().get("form").step(), DecisionStep::Sticky);
}
