//! Who the visitor is, before and after consent, logged in and out.

use std::time::Duration;

use flagstaff_tag::{NotCounted, TaggerSettings, UserSettings, VisitorSettings};

use crate::vocabulary::*;

#[test]
fn a_new_visitor_gets_an_id_and_keeps_it() {
    let site = Site::new(&with_key(), vec![half("form")]);
    let mut browser = Browser::new();
    let first = browser.get(&site, "/");
    let set = first.set("flagstaff_visitor").unwrap();
    assert_eq!(
        set,
        format!("flagstaff_visitor={}; Path=/; SameSite=Lax; HttpOnly; Max-Age=31536000", first.flags.visitor())
    );
    assert!(first.flags.is_new_visitor() && first.flags.visitor().len() == 22);
    let second = browser.get(&site, "/");
    assert_eq!(second.flags.visitor(), first.flags.visitor());
    assert!(!second.sets_cookies() && !second.flags.is_new_visitor());
    assert_ne!(Browser::new().get(&site, "/").flags.visitor(), first.flags.visitor());
}

#[test]
fn the_cookie_is_as_the_settings_say() {
    let visitor = VisitorSettings {
        cookie: "who".into(),
        domain: Some(".shop.example".into()),
        max_age: Duration::from_secs(60),
        ..VisitorSettings::default()
    };
    let site = Site::new(&TaggerSettings { visitor: visitor.clone(), ..with_key() }, Vec::new());
    let mut browser = Browser::new();
    let tls = flagstaff_tag::Peer { tls: true, ..peer(false) };
    browser.peer = Some(tls);
    let visit = browser.get(&site, "/");
    assert!(visit.set("who").unwrap().ends_with("; HttpOnly; Max-Age=60; Domain=shop.example; Secure"));
    let never = TaggerSettings { visitor: VisitorSettings { secure: Some(false), ..visitor }, ..with_key() };
    let mut browser = Browser { peer: Some(tls), ..Browser::new() };
    assert!(!browser.get(&Site::new(&never, Vec::new()), "/").set("who").unwrap().contains("Secure"));
}

#[test]
fn a_malformed_id_is_a_new_visitor_and_the_first_good_one_counts() {
    let site = Site::new(&with_key(), Vec::new());
    for bad in ["", "short", &"a".repeat(21), &"a".repeat(23), "aaaaaaaaaaa.aaaaaaaaaa", "<script>alert(1)</scri"] {
        let visit = Browser::new().holding("flagstaff_visitor", bad).get(&site, "/");
        assert!(visit.flags.is_new_visitor() && visit.flags.visitor() != bad, "{bad}");
    }
    let (one, two) = ("a".repeat(22), "b".repeat(22));
    let cookie = format!("flagstaff_visitor=x; flagstaff_visitor={one}; flagstaff_visitor={two}");
    let mut request = Browser::new().with("cookie", &cookie).request("/");
    assert_eq!(site.tag(&mut request).visitor(), one);
}

#[test]
fn the_app_names_the_user_once_and_takes_it_back() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, vec![half("form")]);
    let mut browser = Browser::new();
    let before = browser.get(&site, "/");
    let login = browser.visit(&site, "/login", &[("X-Flag-Identify", "42; groups=\"beta, vip\"; roles=\"staff\"")]);
    assert!(login.answered("x-flag-identify").is_none() && login.flags.user().is_none());
    assert!(login.set("flagstaff_user").unwrap().contains("HttpOnly; Max-Age=86400"));
    let after = browser.get(&site, "/");
    let user = after.flags.user().unwrap();
    assert_eq!((user.id.as_str(), user.groups.as_slice()), ("42", &["beta".to_owned(), "vip".to_owned()][..]));
    assert_eq!(after.flags.visitor(), before.flags.visitor());
    assert_eq!(after.flags.variant("form"), before.flags.variant("form"));

    let day_later = now() + Duration::from_secs(24 * 3600);
    assert!(browser.visit_at(&site, "/", &[], day_later).flags.user().is_none(), "the cookie ends where it says");

    browser.visit(&site, "/logout", &[("X-Flag-Identify", "none")]);
    assert!(browser.cookie("flagstaff_user").is_none());
    assert!(browser.get(&site, "/").flags.user().is_none());
}

#[test]
fn the_app_is_not_heard_when_not_asked() {
    let site = Site::new(&with_key(), Vec::new());
    let visit = Browser::new().visit(&site, "/", &[("X-Flag-Identify", "42")]);
    assert!(visit.answered("x-flag-identify").is_none() && visit.directives.identify.is_none());
    assert!(visit.set("flagstaff_user").is_none());
}

#[test]
fn a_user_that_fits_no_cookie_gets_none() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, Vec::new());
    let groups: Vec<_> = (0..60).map(|i| format!("{i:0>100}")).collect();
    let visit =
        Browser::new().visit(&site, "/", &[("x-flag-identify", &format!("42; groups=\"{}\"", groups.join(",")))]);
    assert!(visit.set("flagstaff_user").is_none() && visit.set("flagstaff_visitor").is_some());
}

fn consent() -> TaggerSettings {
    let visitor = VisitorSettings { consent_cookie: Some("consent=yes".into()), ..VisitorSettings::default() };
    TaggerSettings { visitor, ..with_key() }
}

#[test]
fn without_consent_no_cookie_and_nothing_counts_and_nobody_changes_by_giving_it() {
    use flagstaff_flags::{BucketBy, Flag, Sticky};
    let session = Flag { bucket_by: BucketBy::Session, ..half("by_session") };
    let sticky = Flag { sticky: Some(Sticky::Session), ..half("sticky") };
    let site = Site::new(&consent(), vec![half("form"), session, sticky]);
    for i in 0..20 {
        let mut browser = Browser::new();
        browser.headers.remove("user-agent");
        let mut browser = browser.with("user-agent", &format!("{BROWSER} {i}"));
        let before = browser.get(&site, "/");
        assert!(!before.sets_cookies() && before.flags.counted() == Err(NotCounted::Consent));
        assert_eq!(browser.get(&site, "/").flags.visitor(), before.flags.visitor());

        let mut browser = browser.holding("consent", "yes");
        let after = browser.get(&site, "/");
        assert!(after.set("flagstaff_visitor").is_some() && after.flags.counted() == Ok(()));
        assert_ne!(after.flags.visitor(), before.flags.visitor(), "what was shared by others is nobody's for good");
        assert_eq!(after.got("x-flags"), before.got("x-flags"));
        let later = browser.get(&site, "/");
        assert_eq!(later.flags.visitor(), after.flags.visitor());
        assert_eq!(later.got("x-flags"), before.got("x-flags"));
        assert!(!later.sets_cookies());
    }
}

#[test]
fn withdrawn_consent_is_as_none() {
    let site = Site::new(&consent(), vec![half("form")]);
    let mut browser = Browser::new().holding("consent", "yes").holding("flagstaff_visitor", &"a".repeat(22));
    assert_eq!(browser.get(&site, "/").flags.visitor(), "a".repeat(22));
    let mut browser = browser.holding("consent", "no");
    let visit = browser.get(&site, "/");
    assert!(visit.flags.visitor() != "a".repeat(22) && visit.flags.counted() == Err(NotCounted::Consent));
}

#[test]
fn consent_that_is_said_twice_and_differently_is_none() {
    let site = Site::new(&consent(), vec![half("form")]);
    let consents = |cookies: &str| {
        let visit = Browser::new().with("cookie", cookies).get(&site, "/");
        assert_eq!(visit.sets_cookies(), visit.flags.counted() == Ok(()), "{cookies}");
        visit.sets_cookies()
    };
    assert!(consents("consent=yes") && consents("consent=yes; theme=dark; consent=yes"));
    for cookies in ["consent=no; consent=yes", "consent=yes; consent=no", "consent=yes; consent=no; consent=yes"] {
        assert!(!consents(cookies), "{cookies}");
    }
    let any = VisitorSettings { consent_cookie: Some("consent".into()), ..VisitorSettings::default() };
    let any = Site::new(&TaggerSettings { visitor: any, ..with_key() }, Vec::new());
    assert!(Browser::new().with("cookie", "consent=a; consent=b").get(&any, "/").sets_cookies(), "both say yes");
}

#[test]
fn without_consent_the_ids_that_came_can_still_be_forgotten() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let site = Site::new(&TaggerSettings { user, ..consent() }, vec![half("form")]);
    let brought = |browser: &Browser| -> Vec<String> {
        let flags = site.tag(&mut browser.request("/.flagstaff/forget"));
        flags.brought_units().collect()
    };
    let mut browser = Browser::new().holding("consent", "yes");
    browser.visit(&site, "/", &[("x-flag-identify", "42")]);
    browser = browser.holding("flagstaff_session", &"s".repeat(22));
    let visitor = browser.cookie("flagstaff_visitor").unwrap().to_owned();
    let withdrawn = browser.holding("consent", "no");
    assert_eq!(brought(&withdrawn), [visitor, format!("session:{}", "s".repeat(22)), "user:42".into()]);
    let flags = site.tag(&mut withdrawn.request("/"));
    assert!(flags.user().is_none() && flags.session().is_none() && flags.is_new_visitor());
    assert!(brought(&Browser::new()).is_empty() && brought(&Browser::new().holding("consent", "yes")).is_empty());
}

#[test]
fn any_value_consents_when_none_is_named() {
    let visitor = VisitorSettings { consent_cookie: Some("consent".into()), ..VisitorSettings::default() };
    let site = Site::new(&TaggerSettings { visitor, ..with_key() }, Vec::new());
    assert!(Browser::new().holding("consent", "1").get(&site, "/").sets_cookies());
    assert!(!Browser::new().holding("other", "1").get(&site, "/").sets_cookies());
}

#[test]
fn without_an_address_nobody_is_taken_for_another() {
    let site = Site::new(&consent(), Vec::new());
    let ask = || Browser { peer: None, ..Browser::new() }.get(&site, "/").flags.visitor().to_owned();
    assert_ne!(ask(), ask());
}

#[test]
fn two_sites_with_one_key_agree_and_a_rotated_key_still_opens() {
    let user = UserSettings { identify: Some(true), ..UserSettings::default() };
    let with = |keys: &[&str]| {
        let keys = keys.iter().map(|k| (*k).into()).collect();
        Site::new(&TaggerSettings { user: user.clone(), keys, ..TaggerSettings::default() }, Vec::new())
    };
    let (one, both, new) = (
        with(&[KEY]),
        with(&["the key that came after the old one", KEY]),
        with(&["the key that came after the old one"]),
    );
    let mut browser = Browser::new();
    browser.visit(&one, "/", &[("x-flag-identify", "42")]);
    let known = |site: &Site| {
        let mut request = browser.request("/");
        site.tag(&mut request).user().is_some()
    };
    assert!(known(&one) && known(&both) && !known(&new));
}

fn paid() -> flagstaff_flags::Goal {
    let trigger = flagstaff_flags::Trigger::Bounce { after: Duration::from_secs(60) };
    flagstaff_flags::Goal { name: name("paid"), trigger }
}

#[test]
fn two_people_with_one_address_and_browser_part_on_consent() {
    use flagstaff_flags::{
        BucketBy, Conditions, ExclusionLayer, Flag, Holdout, Percent, Rule, Serve, Slice, Snapshot,
    };
    let in_layer = |text| Flag { layer: Some(name("shelf")), ..half(text) };
    let of_goal = Flag { goals: vec![name("paid")], ..half("with_goal") };
    let by_rule = Flag {
        rules: vec![Rule::new(Conditions::default(), Serve::Percent(Percent::new(30.0).unwrap()))],
        ..on("by_rule")
    };
    let by_session = Flag { bucket_by: BucketBy::Session, ..half("by_session") };
    let slice = |flag, from, to| Slice { flag: name(flag), from: percent(from).unwrap(), to: percent(to).unwrap() };
    let layer = ExclusionLayer::new(name("shelf"), vec![slice("one", 0.0, 40.0), slice("two", 40.0, 80.0)]);
    let flags = vec![half("form"), three("price"), in_layer("one"), in_layer("two"), of_goal, by_rule, by_session];
    let snapshot = Snapshot::new("r", flags, vec![paid()], Vec::new(), vec![layer]).unwrap();
    let snapshot = snapshot.with_holdout(Some(Holdout::new(Percent::new(30.0).unwrap(), None)));
    let tagger = std::sync::Arc::new(flagstaff_tag::Tagger::new(&consent()).unwrap());
    let site = Site { compiled: std::sync::Arc::new(tagger.compile(std::sync::Arc::new(snapshot))), tagger };
    for i in 0..60 {
        let person = || {
            let mut browser = Browser::new();
            browser.headers.remove("user-agent");
            browser.with("user-agent", &format!("{BROWSER} {i}"))
        };
        let before = person().get(&site, "/");
        let (mut one, mut two) = (person().holding("consent", "yes"), person().holding("consent", "yes"));
        let visits = [one.get(&site, "/"), two.get(&site, "/"), one.get(&site, "/"), two.get(&site, "/")];
        assert!(visits.iter().all(|visit| visit.got("x-flags") == before.got("x-flags")), "{i}");
        let [a, b, c, d] = visits.each_ref().map(|visit| visit.flags.visitor());
        assert!(a != b && a == c && b == d && a != before.flags.visitor());
        let next = Browser { cookies: one.cookies.clone(), ..person() };
        let mut next =
            Browser { cookies: next.cookies.into_iter().filter(|(n, _)| n != "flagstaff_session").collect(), ..next };
        let later = next.get(&site, "/");
        let by_visitor = |visit: &Visit| visit.got("x-flags").unwrap_or_default().replace("by_session=on", "");
        assert_eq!(
            by_visitor(&later).trim_end_matches(", "),
            by_visitor(&before).trim_end_matches(", "),
            "in another session"
        );
    }
}
