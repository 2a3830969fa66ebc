//! What becomes of cookies that were set before `visitor.domain` was changed.

use flagstaff_flags::{Flag, Sticky};
use flagstaff_tag::{TaggerSettings, UserSettings, VisitorSettings, forgotten};
use http::header::{HeaderMap, SET_COOKIE};

use crate::vocabulary::*;

/// A browser's cookies as it tells them apart, by name and domain, those first that were set first.
#[derive(Clone, Default)]
struct Jar(Vec<((String, Option<String>), String)>);

impl Jar {
    fn keep(&mut self, headers: &HeaderMap) {
        for set in headers.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            let domain = set.split("; ").find_map(|part| part.strip_prefix("Domain=")).map(str::to_owned);
            let key = (name.to_owned(), domain);
            let place = self.0.iter().position(|(own, _)| *own == key);
            match (place, set.contains("Max-Age=0")) {
                (Some(at), true) => drop(self.0.remove(at)),
                (Some(at), false) => self.0[at].1 = value.into(),
                (None, true) => {}
                (None, false) => self.0.push((key, value.into())),
            }
        }
    }

    fn browser(&self) -> Browser {
        let pairs: Vec<_> = self.0.iter().map(|((name, _), value)| format!("{name}={value}")).collect();
        let browser = Browser::new().with("host", "www.shop.example");
        if pairs.is_empty() { browser } else { browser.with("cookie", &pairs.join("; ")) }
    }

    fn visit(&mut self, site: &Site, target: &str, answers: &[(&'static str, &str)]) -> Visit {
        let visit = self.browser().visit(site, target, answers);
        self.keep(visit.answer.headers());
        visit
    }
}

fn sticky(name: &str) -> Flag {
    Flag { sticky: Some(Sticky::Visitor), ..on(name) }
}

fn flags() -> Vec<Flag> {
    vec![Flag { testing: true, percent: percent(0.0), ..on("tested") }, sticky("form")]
}

fn site(domain: Option<&str>) -> Site {
    let visitor = VisitorSettings { domain: domain.map(Into::into), ..VisitorSettings::default() };
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    Site::new(&TaggerSettings { visitor, user, ..with_key() }, flags())
}

/// Somebody who has every cookie of ours, for each change of the setting, and the site after it.
fn changes() -> impl Iterator<Item = (Jar, Option<&'static str>)> {
    let (wide, narrow) = (Some("shop.example"), Some("www.shop.example"));
    [(None, wide), (wide, None), (narrow, wide), (wide, narrow), (wide, wide), (None, None)].into_iter().map(
        |(before, after)| {
            let mut jar = Jar::default();
            jar.visit(&site(before), "/?flagstaff.tested=on", &[("x-flag-identify", "42")]);
            let visit = jar.visit(&site(after), "/", &[]);
            assert_eq!(visit.flags.user().map(|user| user.id.as_str()), Some("42"));
            assert!(visit.flags.is_on("tested") && !visit.flags.is_new_visitor());
            (jar, after)
        },
    )
}

#[test]
fn an_override_can_be_left_and_replaced() {
    for (jar, domain) in changes() {
        let site = site(domain);
        let mut left = jar.clone();
        left.visit(&site, "/?flagstaff.tested=", &[]);
        assert!(!left.visit(&site, "/", &[]).flags.is_on("tested"), "{domain:?}");
        let mut replaced = jar.clone();
        replaced.visit(&site, "/?flagstaff.tested=off", &[]);
        assert!(!replaced.visit(&site, "/", &[]).flags.is_on("tested"), "{domain:?}");
        replaced.visit(&site, "/?flagstaff.tested=", &[]);
        assert!(!replaced.visit(&site, "/", &[]).flags.is_on("tested"), "{domain:?}");
    }
}

#[test]
fn a_person_can_log_out_and_another_log_in() {
    for (jar, domain) in changes() {
        for (word, user) in [("none", None), ("7", Some("7"))] {
            let (mut jar, now_running) = (jar.clone(), site(domain));
            jar.visit(&now_running, "/", &[("x-flag-identify", word)]);
            for site in [&now_running, &site(domain)] {
                let visit = jar.visit(site, "/", &[]);
                assert_eq!(visit.flags.user().map(|user| user.id.as_str()), user, "{domain:?}");
            }
        }
    }
}

#[test]
fn what_is_remembered_anew_is_read_again() {
    for (mut jar, domain) in changes() {
        let site = site(domain).edited([flags(), vec![sticky("other")]].concat());
        assert!(jar.visit(&site, "/", &[]).set("flagstaff_sticky").is_some());
        assert!(!jar.visit(&site, "/", &[]).sets_cookies(), "{domain:?}: it is written once");
    }
}

#[test]
fn who_asks_to_be_forgotten_keeps_no_cookie() {
    for (mut jar, domain) in changes() {
        let site = site(domain);
        let mut request = jar.browser().request("/.flagstaff/forget");
        *request.method_mut() = http::Method::POST;
        let flags = site.tag(&mut request);
        let mut answer = forgotten();
        site.tagger.answer(&flags, &mut answer, now());
        jar.keep(answer.headers());
        assert!(jar.0.is_empty(), "{domain:?}: {:?}", jar.0);
    }
}

#[test]
fn a_domain_is_made_of_a_sound_host_alone() {
    for host in ["evil.example; Secure", "192.0.2.1", "[::1]", "localhost", "", ".."] {
        let site = site(None);
        let mut jar = Jar::default();
        jar.visit(&site, "/?flagstaff.tested=on", &[]);
        let mut browser = jar.browser();
        browser.headers.remove("host");
        let visit = browser.with("host", host).get(&site, "/?flagstaff.tested=");
        let sets: Vec<_> = visit.answer.headers().get_all(SET_COOKIE).iter().collect();
        assert!(sets.iter().all(|set| !set.to_str().unwrap().contains("Domain")), "{host}: {sets:?}");
        assert_eq!(sets.len(), 1, "{host}");
    }
}
