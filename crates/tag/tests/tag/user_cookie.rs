//! Whom the app names, and which of its words hold.

use std::time::Duration;

use flagstaff_flags::{Sticky, User};
use flagstaff_tag::{TaggerSettings, UserSettings};
use jiff::Timestamp;

use crate::vocabulary::*;

fn site() -> Site {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let staff = flagstaff_flags::Flag { sticky: Some(Sticky::Visitor), ..half("form") };
    Site::new(&TaggerSettings { user, ..with_key() }, vec![staff])
}

fn after(seconds: u64) -> Timestamp {
    now() + Duration::from_secs(seconds)
}

fn said(browser: &mut Browser, site: &Site, seconds: u64, word: &str) -> Visit {
    browser.visit_at(site, "/", &[("X-Flag-Identify", word)], after(seconds))
}

fn user(browser: &mut Browser, site: &Site, seconds: u64) -> Option<User> {
    browser.visit_at(site, "/", &[], after(seconds)).flags.user().cloned()
}

#[test]
fn a_later_word_voids_cookies_of_before() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42; roles=staff");
    let kept = browser.cookies.clone();
    assert!(user(&mut browser, &site, 2).is_some_and(|user| user.roles == ["staff"]));
    said(&mut browser, &site, 3, "42");
    let demoted = browser.cookies.clone();
    browser.cookies = kept.clone();
    assert_eq!(user(&mut browser, &site, 4), None, "of before the demotion");
    browser.cookies = demoted.clone();
    assert!(user(&mut browser, &site, 4).is_some_and(|user| user.roles.is_empty()));
    said(&mut browser, &site, 5, "none");
    for cookies in [kept, demoted] {
        browser.cookies = cookies;
        assert_eq!(user(&mut browser, &site, 6), None, "of before the logout");
    }
    said(&mut browser, &site, 7, "42");
    assert!(user(&mut browser, &site, 8).is_some());
}

#[test]
fn a_logout_that_sets_no_cookie_voids_all_the_same() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let public = [("X-Flag-Identify", "none"), ("cache-control", "public, max-age=60")];
    assert!(!browser.visit_at(&site, "/", &public, after(2)).sets_cookies());
    assert_eq!(user(&mut browser, &site, 3), None);
}

#[test]
fn a_logout_without_the_cookie_voids_the_cookie_that_was_put_away() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let put_away = browser.cookies.remove("flagstaff_user").unwrap();
    said(&mut browser, &site, 2, "none");
    browser.cookies.insert("flagstaff_user".into(), put_away);
    assert_eq!(user(&mut browser, &site, 3), None);
}

#[test]
fn the_word_is_renewed_when_said_again_and_ends_when_not() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 0, "42");
    assert!(said(&mut browser, &site, 60, "42").set("flagstaff_user").is_none(), "not on every page");
    assert!(said(&mut browser, &site, 50_000, "42").set("flagstaff_user").is_some());
    assert!(user(&mut browser, &site, 50_000 + 86_399).is_some());
    assert_eq!(user(&mut browser, &site, 50_000 + 86_400), None);
}

#[test]
fn an_answer_from_before_the_logout_brings_nobody_back() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let mut slow = browser.request("/");
    let flags = site.tagger.tag(&site.compiled, &mut slow, after(50_000));
    said(&mut browser, &site, 50_001, "none");
    let mut answer = http::Response::new(());
    answer.headers_mut().insert("x-flag-identify", "42".parse().unwrap());
    site.tagger.answer(&flags, &mut answer, after(50_002));
    assert!(!answer.headers().contains_key("set-cookie"));
}

#[test]
fn answers_at_once_that_name_the_same_person_all_hold() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    let before = browser.cookies.clone();
    let mut cookies = Vec::new();
    for _ in 0..3 {
        browser.cookies = before.clone();
        said(&mut browser, &site, 1, "42");
        cookies.push(browser.cookies.clone());
    }
    for set in cookies {
        browser.cookies = set;
        assert!(user(&mut browser, &site, 2).is_some());
    }
}

#[test]
fn forgetting_voids_the_word_too() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let kept = browser.cookies.clone();
    let mut request = browser.request("/.flagstaff/forget");
    let flags = site.tagger.tag(&site.compiled, &mut request, after(2));
    site.tagger.answer(&flags, &mut flagstaff_tag::forgotten(), after(2));
    browser.cookies = kept;
    assert_eq!(user(&mut browser, &site, 3), None);
}

/// A request with these cookies before those of a browser.
fn tossed(browser: &Browser, junk: &str) -> http::Request<()> {
    let own: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Browser::new().with("cookie", &format!("{junk}; {}", own.join("; "))).request("/")
}

#[test]
fn junk_of_the_same_name_hides_no_cookie_of_ours() {
    let site = site();
    let mut browser = Browser::new();
    let first = browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let stranger = {
        let mut other = Browser::new();
        other.get(&site, "/");
        said(&mut other, &site, 1, "666");
        other.cookies
    };
    let sealed = format!("junk.{}", "A".repeat(43));
    for name in ["flagstaff_visitor", "flagstaff_user", "flagstaff_sticky", "flagstaff_session", "flagstaff_override"]
    {
        let mut values = vec!["junk".to_owned(), sealed.clone(), "A".repeat(22), String::new()];
        values.extend(stranger.get(name).cloned());
        for value in values {
            let junk = vec![format!("{name}={value}"); 8].join("; ");
            let mut request = tossed(&browser, &junk);
            let flags = site.tagger.tag(&site.compiled, &mut request, after(2));
            assert_eq!(flags.visitor(), first.flags.visitor(), "{name}={value}");
            assert_eq!(flags.user().map(|user| user.id.as_str()), Some("42"), "{name}={value}");
            assert_eq!(flags.variant("form"), first.flags.variant("form"), "{name}={value}");
        }
    }
}

/// A visitor whom the app named, and its cookies.
fn person(site: &Site, id: &str) -> Browser {
    let mut browser = Browser::new();
    browser.get(site, "/");
    said(&mut browser, site, 1, id);
    browser
}

#[test]
fn cookies_signed_for_two_visitors_identify_no_user() {
    let site = site();
    let (victim, attacker) = (person(&site, "42"), person(&site, "666"));
    let pair = format!(
        "flagstaff_visitor={}; flagstaff_user={}",
        attacker.cookies["flagstaff_visitor"], attacker.cookies["flagstaff_user"]
    );
    let own = victim.request("/").headers()["cookie"].to_str().unwrap().to_owned();
    for cookies in [format!("{pair}; {own}"), format!("{own}; {pair}")] {
        let mut request = Browser::new().with("cookie", &cookies).request("/");
        assert_eq!(site.tagger.tag(&site.compiled, &mut request, after(2)).user(), None, "{cookies}");
    }
}

#[test]
fn many_ids_do_not_hide_a_signed_one() {
    let site = site();
    let browser = person(&site, "42");
    let ids: Vec<_> = (0..150).map(|n| format!("flagstaff_visitor=made-up-visitor-{n:06}")).collect();
    let mut request = tossed(&browser, &ids.join("; "));
    let flags = site.tagger.tag(&site.compiled, &mut request, after(2));
    assert_eq!(flags.visitor(), browser.cookies["flagstaff_visitor"]);
    assert!(flags.user().is_some());
    let sealed: Vec<_> = (0..100).map(|n| format!("flagstaff_user={n}.{}", "A".repeat(43))).collect();
    let mut request = tossed(&browser, &format!("{}; {}", ids.join("; "), sealed.join("; ")));
    let flags = site.tagger.tag(&site.compiled, &mut request, after(2));
    assert_eq!(flags.user(), None, "what is too much to tell gives no right");
}

#[test]
fn a_logout_stays_a_logout_where_an_older_cookie_cannot_be_reached() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let older = browser.cookies["flagstaff_user"].clone();
    said(&mut browser, &site, 50_000, "42");
    let mut request = tossed(&browser, &format!("flagstaff_user={older}"));
    let flags = site.tagger.tag(&site.compiled, &mut request, after(50_001));
    let mut answer = http::Response::new(());
    answer.headers_mut().insert("x-flag-identify", "none".parse().unwrap());
    site.tagger.answer(&flags, &mut answer, after(50_001));
    let set = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .find_map(|set| set.to_str().ok()?.strip_prefix("flagstaff_user="));
    let set = set.unwrap().split(';').next().unwrap();
    // Another process, which has not heard the logout.
    let elsewhere = restarted(&site);
    browser.cookies.insert("flagstaff_user".into(), set.into());
    let mut request = tossed(&browser, &format!("flagstaff_user={older}"));
    assert!(elsewhere.tagger.tag(&elsewhere.compiled, &mut request, after(50_002)).user().is_none());
}

/// The same site after a restart: it has heard of no login and no logout.
fn restarted(site: &Site) -> Site {
    Site::of(std::sync::Arc::new(flagstaff_tag::Tagger::new(&settings_of(site)).unwrap()), vec![half("form")])
}

/// Answers that end the login of 42: all but the last one can set no cookie, and the last one names a person who fits none.
fn ends_without_a_cookie() -> Vec<Vec<(&'static str, String)>> {
    let (cached, short) = (("cache-control", "max-age=5"), |(name, value): (_, &str)| (name, value.to_owned()));
    let groups: Vec<_> = (0..60).map(|i| format!("{i:0>100}")).collect();
    let answers: [&[(&'static str, &str)]; 5] = [
        &[("x-flag-identify", "none"), cached],
        &[("x-flag-identify", "none"), (":status", "304")],
        &[("x-flag-identify", "7"), cached],
        &[("x-flag-identify", "7;;"), cached],
        &[("x-flag-identify", &format!("7; groups=\"{}\"", groups.join(",")))],
    ];
    answers.iter().map(|answer| answer.iter().copied().map(short).collect()).collect()
}

#[test]
fn what_one_answer_cannot_end_the_next_one_does() {
    for answer in ends_without_a_cookie() {
        let site = site();
        let mut browser = Browser::new();
        browser.get(&site, "/");
        said(&mut browser, &site, 1, "42");
        let pairs: Vec<_> = answer.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = browser.visit_at(&site, "/", &pairs, after(2));
        assert!(pairs.len() == 1 || !ended.sets_cookies(), "{pairs:?}");
        let cached = [("cache-control", "max-age=5")];
        assert!(!browser.visit_at(&site, "/", &cached, after(3)).sets_cookies(), "not where a cache keeps it");
        assert_eq!(user(&mut browser, &site, 4), None, "{pairs:?}");
        let later = restarted(&site);
        assert_eq!(user(&mut browser, &later, 5), None, "{pairs:?}");
        assert!(!browser.visit_at(&site, "/", &[], after(6)).sets_cookies(), "it is said once");
        said(&mut browser, &site, 7, "42");
        assert!(user(&mut browser, &site, 8).is_some() && user(&mut browser, &later, 8).is_some());
    }
}

#[test]
fn a_person_who_is_named_where_no_cookie_is_set_voids_none_of_the_same_login() {
    let site = site();
    for first in [true, false] {
        let mut browser = Browser::new();
        browser.get(&site, "/");
        said(&mut browser, &site, 1, "42");
        let (mut page, mut cached) = (browser.request("/"), browser.request("/"));
        let flags = [&mut page, &mut cached].map(|request| site.tagger.tag(&site.compiled, request, after(2)));
        let mut answer = |flags: &flagstaff_tag::Flags, is_cached: bool| {
            let mut answer = http::Response::new(());
            answer.headers_mut().insert("x-flag-identify", "7".parse().unwrap());
            if is_cached {
                answer.headers_mut().insert("cache-control", "max-age=5".parse().unwrap());
            }
            site.tagger.answer(flags, &mut answer, after(3));
            let set = answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned());
            if let Some(value) = set.as_deref().and_then(|set| set.strip_prefix("flagstaff_user=")) {
                browser.cookies.insert("flagstaff_user".into(), value.split(';').next().unwrap().into());
            }
        };
        for is_cached in [first, !first] {
            answer(&flags[usize::from(is_cached)], is_cached);
        }
        assert_eq!(user(&mut browser, &site, 4).map(|user| user.id), Some("7".into()), "{first}");
    }
}

#[test]
fn an_answer_from_before_a_login_does_not_take_its_cookie_away() {
    let site = site();
    let mut browser = Browser::new();
    browser.get(&site, "/");
    said(&mut browser, &site, 1, "42");
    let before = browser.cookies.clone();
    said(&mut browser, &site, 2, "7");
    // Sent before the browser had the answer to the login, and answered after it.
    let login = std::mem::replace(&mut browser.cookies, before);
    assert!(!browser.visit_at(&site, "/", &[], after(3)).sets_cookies());
    browser.cookies = login;
    assert_eq!(user(&mut browser, &site, 4).map(|user| user.id), Some("7".into()));
}

#[test]
fn a_word_that_is_not_understood_names_nobody() {
    for words in [&["7", "8"][..], &["42", "8"], &["7;;"], &["7; group=a"], &[""], &["42, 7"]] {
        let site = site();
        let mut browser = Browser::new();
        browser.get(&site, "/");
        said(&mut browser, &site, 1, "42");
        let all: Vec<_> = words.iter().map(|word| ("x-flag-identify", *word)).collect();
        browser.visit_at(&site, "/", &all, after(2));
        assert_eq!(user(&mut browser, &site, 3), None, "{words:?}");
        assert_eq!(user(&mut browser, &restarted(&site), 3), None, "{words:?}");
    }
}

#[test]
fn a_logout_counts_while_consent_is_away() {
    let visitor = flagstaff_tag::VisitorSettings { consent_cookie: Some("consent=yes".into()), ..Default::default() };
    for word in ["none", "7", "7;;"] {
        let site =
            Site::new(&TaggerSettings { visitor: visitor.clone(), ..settings_of(&site()) }, vec![half("form")]);
        let mut browser = Browser::new().holding("consent", "yes");
        browser.get(&site, "/");
        said(&mut browser, &site, 1, "42");
        browser = browser.holding("consent", "no");
        assert_eq!(user(&mut browser, &site, 2), None, "without consent nobody is known");
        assert!(browser.cookie("flagstaff_user").is_some());
        let kept = browser.cookies["flagstaff_user"].clone();
        let ended = said(&mut browser, &site, 3, word);
        assert!(ended.set("flagstaff_user").unwrap().contains("Max-Age=0"), "{word}");
        assert!(ended.set("flagstaff_visitor").is_none() && ended.set("flagstaff_sticky").is_none());
        browser = browser.holding("consent", "yes");
        assert_eq!(user(&mut browser, &site, 4), None, "{word}");
        browser = browser.holding("flagstaff_user", &kept);
        assert_eq!(user(&mut browser, &site, 5), None, "{word}");
    }
}

fn settings_of(_: &Site) -> TaggerSettings {
    TaggerSettings { user: UserSettings { identify: Some(true), ..UserSettings::default() }, ..with_key() }
}
