//! Which requests get an id, and what becomes of those that do not.

use flagstaff_flags::{BucketBy, Flag, Sticky};
use flagstaff_tag::{IssueTo, NotCounted, Peer, SameSite, TaggerSettings, VisitorSettings};
use http::Method;

use crate::vocabulary::*;

fn site(visitor: VisitorSettings) -> Site {
    let by_session = Flag { bucket_by: BucketBy::Session, sticky: Some(Sticky::Session), ..half("by_session") };
    let sticky = Flag { sticky: Some(Sticky::Visitor), ..half("sticky") };
    Site::new(&TaggerSettings { visitor, ..with_key() }, vec![half("form"), three("price"), by_session, sticky])
}

fn fetch() -> Browser {
    Browser::new()
        .with("sec-fetch-mode", "cors")
        .with("sec-fetch-dest", "empty")
        .with("sec-fetch-site", "same-origin")
}

fn post(browser: &mut Browser, site: &Site) -> Visit {
    let mut request = browser.request("/return");
    *request.method_mut() = Method::POST;
    browser.send(site, request)
}

#[test]
fn what_a_page_asks_for_at_once_is_one_visitor_and_gets_no_cookie() {
    let site = site(VisitorSettings::default());
    let all: Vec<_> = (0..6).map(|_| fetch().get(&site, "/api")).collect();
    for visit in &all {
        assert!(!visit.sets_cookies());
        assert_eq!(visit.flags.counted(), Err(NotCounted::NoId));
        assert_eq!(visit.flags.counted_visitor(), Err(NotCounted::NoId));
        assert_eq!((visit.flags.lasting_visitor(), visit.flags.session()), (None, None));
        assert_eq!(visit.got("x-flags"), all[0].got("x-flags"));
        assert_eq!(visit.got("x-visitor-id"), all[0].got("x-visitor-id"));
    }
    let page = Browser::new().with("sec-fetch-mode", "navigate").with("sec-fetch-dest", "document").get(&site, "/");
    assert!(page.set("flagstaff_visitor").is_some() && page.flags.counted() == Ok(()));
    assert_ne!(page.got("x-visitor-id"), all[0].got("x-visitor-id"), "the id of a browser is nobody's");
    assert_eq!(page.flags.lasting_visitor(), Some(page.flags.visitor()));
}

#[test]
fn a_request_with_its_id_is_counted_whatever_it_is_for() {
    let site = site(VisitorSettings::default());
    let page = {
        let mut browser = Browser::new();
        browser.get(&site, "/");
        browser.cookies
    };
    let visit = Browser { cookies: page, ..fetch() }.get(&site, "/api");
    assert_eq!(visit.flags.counted(), Ok(()));
    assert!(visit.flags.session().is_some() && !visit.sets_cookies());
}

#[test]
fn a_session_is_begun_by_a_document_alone() {
    let site = site(VisitorSettings::default());
    let mut browser = Browser::new();
    browser.get(&site, "/");
    browser.cookies.remove("flagstaff_session");
    let all: Vec<_> =
        (0..4).map(|_| Browser { cookies: browser.cookies.clone(), ..fetch() }.get(&site, "/api")).collect();
    for visit in &all {
        assert_eq!((visit.flags.session(), visit.flags.counted()), (None, Ok(())));
        assert!(visit.set("flagstaff_session").is_none());
        assert_eq!(visit.got("x-flags"), all[0].got("x-flags"));
    }
    assert!(browser.get(&site, "/").set("flagstaff_session").is_some());
}

#[test]
fn visitors_of_one_proxy_are_not_joined() {
    let site = site(VisitorSettings::default());
    let ask = |client: &str| {
        let peer = Peer { address: "10.0.0.1:4711".parse().unwrap(), client: client.parse().unwrap(), ..peer(true) };
        let visit = Browser { peer: Some(peer), ..fetch() }.get(&site, "/api");
        visit.flags.visitor().to_owned()
    };
    assert_eq!(ask("192.0.2.1"), ask("192.0.2.1"));
    assert_ne!(ask("192.0.2.1"), ask("192.0.2.2"));
    assert_ne!(ask("10.0.0.1"), ask("10.0.0.1"), "where the proxy does not say for whom it asks");
    let without = || Browser { peer: None, ..fetch() }.get(&site, "/api").flags.visitor().to_owned();
    assert_ne!(without(), without(), "in a service that does not know the address");
}

#[test]
fn a_form_of_another_site_gets_its_flags_and_nothing_else() {
    let site = site(VisitorSettings::default());
    let cross = || {
        Browser::new()
            .with("sec-fetch-site", "cross-site")
            .with("sec-fetch-mode", "navigate")
            .with("sec-fetch-dest", "document")
            .with("origin", "https://bank.example")
    };
    let visit = post(&mut cross(), &site);
    assert!(!visit.sets_cookies() && visit.got("x-visitor-id").is_some());
    assert_eq!(visit.flags.counted(), Err(NotCounted::CrossSite));
    assert!(cross().get(&site, "/").set("flagstaff_visitor").is_some(), "a link of another site is a visit");
    let mut known = Browser::new();
    let before = known.get(&site, "/");
    let mut back = Browser { cookies: known.cookies, ..cross() };
    let visit = post(&mut back, &site);
    assert_eq!((visit.flags.visitor(), visit.flags.counted()), (before.flags.visitor(), Ok(())));
    let old = post(&mut Browser::new().with("host", "shop.example").with("origin", "https://bank.example"), &site);
    assert_eq!(old.flags.counted(), Err(NotCounted::CrossSite), "a browser that knows no Sec-Fetch-Site");
    let own = post(&mut Browser::new().with("host", "shop.example").with("origin", "https://shop.example"), &site);
    assert!(own.set("flagstaff_visitor").is_some());
}

#[test]
fn the_app_cannot_name_somebody_whose_id_is_not_known() {
    let user = flagstaff_tag::UserSettings { identify: Some(true), ..flagstaff_tag::UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let visit = fetch().visit(&site, "/login", &[("x-flag-identify", "42")]);
    assert!(!visit.sets_cookies() && visit.answered("x-flag-identify").is_none());
}

#[test]
fn the_settings_may_give_every_request_an_id() {
    let site = site(VisitorSettings { issue_to: IssueTo::All, ..VisitorSettings::default() });
    let visit = fetch().get(&site, "/api");
    assert!(visit.set("flagstaff_visitor").is_some() && visit.flags.counted() == Ok(()));
}

#[test]
fn all_cookies_say_same_site_as_the_settings_do() {
    for (same_site, text) in [(SameSite::Lax, "Lax"), (SameSite::Strict, "Strict"), (SameSite::None, "None")] {
        let site = site(VisitorSettings { same_site, secure: Some(true), ..VisitorSettings::default() });
        let visit = Browser::new().get(&site, "/");
        for name in ["flagstaff_visitor", "flagstaff_session"] {
            assert!(visit.set(name).unwrap().contains(&format!("; SameSite={text}; ")), "{name}");
        }
    }
}
