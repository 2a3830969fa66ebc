//! Variants asked for, with and without the right to.

use std::time::Duration;

use flagstaff_flags::{DecisionStep, Flag};
use jiff::Timestamp;

use crate::vocabulary::*;

fn site() -> Site {
    Site::new(
        &with_key(),
        vec![
            Flag { testing: true, ..off_for_all("tested") },
            off_for_all("live"),
            Flag { testing: true, ..three("price") },
        ],
    )
}

/// Enabled, for nobody: what an override can change.
fn off_for_all(text: &str) -> Flag {
    Flag { percent: percent(0.0), ..on(text) }
}

fn later() -> Timestamp {
    now() + Duration::from_secs(3600)
}

#[test]
fn the_query_forces_what_is_tested_for_the_session_until_it_ends_it() {
    let site = site();
    let mut browser = Browser::new();
    let first = browser.get(&site, "/?a=b&flagstaff.tested=on");
    assert_eq!(
        (first.flags.variant("tested"), first.flags.decisions().get("tested").step()),
        ("on", DecisionStep::Override)
    );
    assert!(!first.set("flagstaff_override").unwrap().contains("Max-Age"));
    let second = browser.get(&site, "/other");
    assert_eq!(second.flags.variant("tested"), "on");
    assert!(!second.sets_cookies());
    let price = browser.get(&site, "/?flagstaff.price=simple");
    assert_eq!((price.flags.variant("price"), price.flags.variant("tested")), ("simple", "on"));
    let ended = browser.get(&site, "/?flagstaff.tested=");
    assert_eq!((ended.flags.variant("tested"), ended.flags.variant("price")), ("off", "simple"));
    let all = browser.get(&site, "/?flagstaff.price=");
    assert!(all.set("flagstaff_override").unwrap().contains("Max-Age=0"));
    assert!(browser.cookie("flagstaff_override").is_none());
}

#[test]
fn without_the_right_nothing_is_forced_nor_remembered() {
    let site = site();
    for query in [
        "flagstaff.live=on",
        "flagstaff.tested=purple",
        "flagstaff.unknown=on",
        "flagstaff.=on",
        "tested=on",
        "flagstaff.live=on&flagstaff.sig=AAAA&flagstaff.until=9999999999",
    ] {
        let mut browser = Browser::new();
        let visit = browser.get(&site, &format!("/?{query}"));
        assert_eq!((visit.flags.variant("live"), visit.flags.variant("tested")), ("off", "off"), "{query}");
        assert!(visit.set("flagstaff_override").is_none(), "{query}");
    }
}

#[test]
fn a_signed_link_forces_anything_until_it_ends() {
    let site = site();
    let link = site.tagger.sign_link("/page?a=b#top", &[("live", "on"), ("price", "annual_first")], later());
    assert!(
        link.starts_with("/page?a=b&flagstaff.live=on&flagstaff.price=annual_first&flagstaff.until=")
            && link.ends_with("#top")
    );
    let target = link.trim_end_matches("#top");
    let mut browser = Browser::new();
    let visit = browser.get(&site, target);
    assert_eq!((visit.flags.variant("live"), visit.flags.variant("price")), ("on", "annual_first"));
    assert_eq!(browser.get(&site, "/").flags.variant("live"), "on", "its cookie carries the right");
    let at_end = browser.visit_at(&site, "/", &[], later());
    assert_eq!(at_end.flags.variant("live"), "off", "and ends when the link does");
    assert!(browser.cookie("flagstaff_override").is_none());
    assert_eq!(Browser::new().visit_at(&site, target, &[], later()).flags.variant("live"), "off");
}

#[test]
fn a_changed_link_forces_nothing() {
    let site = site();
    let link = site.tagger.sign_link("/", &[("live", "on")], later());
    let until = later().as_second().to_string();
    let (head, sig) = link.split_once("&flagstaff.sig=").unwrap();
    let forged = [
        link.replace(&until, "9999999999"),
        link.replace("flagstaff.live=on", "flagstaff.live=on&flagstaff.price=simple"),
        head.into(),
        format!("{head}&flagstaff.sig={}", &sig[1..]),
        format!("{head}&flagstaff.sig={sig}A"),
        link.replace("flagstaff.until", "flagstaff.when"),
    ];
    for link in &forged {
        assert_eq!(Browser::new().get(&site, link).flags.variant("live"), "off", "{link}");
    }
    let other = Site::new(
        &flagstaff_tag::TaggerSettings {
            keys: vec!["another key than ours, also a long one".into()],
            ..Default::default()
        },
        vec![off_for_all("live")],
    );
    assert_eq!(Browser::new().get(&other, &link).flags.variant("live"), "off");
    // The order of parameters is no part of what is said.
    let (path, query) = link.split_once('?').unwrap();
    let turned: Vec<_> = query.split('&').rev().collect();
    assert_eq!(Browser::new().get(&site, &format!("{path}?{}", turned.join("&"))).flags.variant("live"), "on");
}

#[test]
fn the_cookie_belongs_to_its_visitor() {
    let site = site();
    let mut tester = Browser::new();
    tester.get(&site, &site.tagger.sign_link("/", &[("live", "on")], later()));
    let cookie = tester.cookie("flagstaff_override").unwrap();
    let mut other =
        Browser::new().holding("flagstaff_visitor", &"b".repeat(22)).holding("flagstaff_override", cookie);
    assert_eq!(other.get(&site, "/").flags.variant("live"), "off");
}

#[test]
fn the_header_of_a_trusted_peer_comes_last() {
    let site = site();
    let asks = |browser: Browser| browser.with("X-Flag-Override", "tested=on, live=on,price = simple, junk, x=y");
    let trusted = asks(Browser::trusted()).get(&site, "/");
    assert_eq!((trusted.flags.variant("tested"), trusted.flags.variant("price")), ("on", "simple"));
    assert_eq!(trusted.flags.variant("live"), "off", "without testing = true it is no right");
    assert!(trusted.got("x-flag-override").is_none() && trusted.set("flagstaff_override").is_none());
    assert_eq!(asks(Browser::trusted()).get(&site, "/?flagstaff.price=classic").flags.variant("price"), "classic");
    assert_eq!(asks(Browser::new()).get(&site, "/").flags.variant("tested"), "off");
}

#[test]
fn who_forces_is_not_counted_in_the_test() {
    let visit = Browser::new().get(&site(), "/?flagstaff.price=simple");
    assert!(!visit.flags.decisions().get("price").is_counted());
}

#[test]
fn thousands_of_parameters_are_bounded() {
    let flags = (0..100).map(|i| Flag { testing: true, ..off_for_all(&format!("f{i}")) }).collect();
    let site = Site::new(&with_key(), flags);
    let query: Vec<_> = (0..2000).map(|i| format!("flagstaff.f{}=on", i % 100)).collect();
    let visit = Browser::new().get(&site, &format!("/?{}", query.join("&")));
    assert_eq!((0..100).filter(|i| visit.flags.is_on(&format!("f{i}"))).count(), 32);
}
