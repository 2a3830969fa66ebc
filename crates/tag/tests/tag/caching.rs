//! Cookies and caches.

use std::time::Duration;

use flagstaff_flags::{BucketBy, Flag, Route};
use flagstaff_tag::{CacheSettings, TaggerSettings, WhenFlagsDiffer};

use crate::vocabulary::*;

fn site(when_flags_differ: WhenFlagsDiffer) -> Site {
    let flags = vec![Flag { exposed_on: vec![Route::new("/shop*").unwrap()], ..half("form") }, on("same_for_all")];
    Site::new(&TaggerSettings { cache: CacheSettings { when_flags_differ }, ..with_key() }, flags)
}

#[test]
fn no_cookie_on_what_a_shared_cache_may_store() {
    let site = site(WhenFlagsDiffer::Vary);
    for control in ["public", "max-age=60", "s-maxage=60", "public, max-age=60"] {
        let visit = Browser::new().visit(&site, "/", &[("cache-control", control)]);
        assert!(!visit.sets_cookies(), "{control}");
        assert_eq!(visit.answered("cache-control"), Some(control));
    }
    for control in ["private", "no-store", "private, max-age=60"] {
        let visit = Browser::new().visit(&site, "/", &[("cache-control", control)]);
        assert!(visit.sets_cookies(), "{control}");
        assert_eq!(visit.answered("cache-control"), Some(control));
    }
    assert!(!Browser::new().visit(&site, "/", &[(":status", "304")]).sets_cookies());
    assert!(Browser::new().visit(&site, "/", &[(":status", "302")]).sets_cookies());
}

#[test]
fn an_answer_with_a_cookie_becomes_private_and_others_stay() {
    let site = site(WhenFlagsDiffer::Vary);
    let mut browser = Browser::new();
    assert_eq!(browser.get(&site, "/").answered("cache-control"), Some("private"));
    assert_eq!(browser.get(&site, "/").answered("cache-control"), None);
    let visit = Browser::new().visit(&site, "/", &[("cache-control", "no-cache")]);
    assert!(visit.sets_cookies());
    assert_eq!(visit.answered("cache-control"), Some("private, no-cache"));
}

#[test]
fn caches_are_told_where_flags_differ() {
    let public: &[(&'static str, &str)] = &[("cache-control", "public, max-age=60"), ("content-type", "text/html")];
    let vary = Browser::new().visit(&site(WhenFlagsDiffer::Vary), "/shop/1", public);
    assert_eq!((vary.answered("vary"), vary.sets_cookies()), (Some("Cookie"), false));
    let private = Browser::new().visit(&site(WhenFlagsDiffer::Private), "/shop/1", public);
    assert_eq!((private.answered("cache-control"), private.sets_cookies()), (Some("private, max-age=60"), true));
    let ignore = Browser::new().visit(&site(WhenFlagsDiffer::Ignore), "/shop/1", public);
    assert_eq!(
        (ignore.answered("vary"), ignore.answered("cache-control"), ignore.sets_cookies()),
        (None, Some("public, max-age=60"), false)
    );
}

#[test]
fn pages_and_files_that_are_the_same_for_all_are_left_alone() {
    for how in [WhenFlagsDiffer::Vary, WhenFlagsDiffer::Private] {
        let about = Browser::new().visit(&site(how), "/about", &[("cache-control", "public, max-age=60")]);
        assert_eq!((about.answered("vary"), about.answered("cache-control")), (None, Some("public, max-age=60")));
        let style = [("cache-control", "public, max-age=60"), ("content-type", "text/css")];
        let css = Browser::new().visit(&site(how), "/shop.css", &style);
        assert_eq!((css.answered("vary"), css.answered("cache-control")), (None, Some("public, max-age=60")));
    }
}

#[test]
fn a_flag_for_all_users_differs_from_those_who_are_none() {
    let by_user = Flag { bucket_by: BucketBy::User, ..on("members") };
    let site = Site::new(&with_key(), vec![by_user]);
    let visit = Browser::new().visit(&site, "/", &[("cache-control", "public, max-age=60")]);
    assert_eq!(visit.flags.variant("members"), "off");
    assert_eq!(visit.answered("vary"), Some("Cookie"));
}

#[test]
fn a_preview_is_for_the_one_who_asked_for_it() {
    let public = [("cache-control", "public, max-age=60")];
    for how in [WhenFlagsDiffer::Vary, WhenFlagsDiffer::Private, WhenFlagsDiffer::Ignore] {
        let site = site(how);
        let link = site.tagger.sign_link("/about", &[("same_for_all", "off")], now() + Duration::from_secs(60));
        let mut browser = Browser::new();
        let first = browser.visit(&site, &link, &public);
        assert_eq!(first.flags.variant("same_for_all"), "off");
        let second = browser.visit(&site, "/about", &public);
        assert_eq!(second.flags.variant("same_for_all"), "off");
        for visit in [first, second] {
            assert_eq!(visit.answered("cache-control"), Some("private, max-age=60"), "{how:?}");
        }
        let others = Browser::new().visit(&site, "/about", &public);
        assert_eq!(others.answered("cache-control"), Some("public, max-age=60"));
    }
}

#[test]
fn a_renewal_says_what_the_answer_said() {
    let visit = Browser::new().visit(
        &site(WhenFlagsDiffer::Vary),
        "/shop",
        &[(":status", "304"), ("cache-control", "max-age=60")],
    );
    assert_eq!((visit.answered("vary"), visit.sets_cookies()), (Some("Cookie"), false));
}

#[test]
fn the_apps_own_cookies_stay() {
    let visit = Browser::new().visit(&site(WhenFlagsDiffer::Vary), "/", &[("set-cookie", "own=1; Path=/")]);
    assert!(visit.set("own").is_some() && visit.set("flagstaff_visitor").is_some());
}
