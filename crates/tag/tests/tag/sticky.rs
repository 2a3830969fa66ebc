//! What is remembered, and of whom.

use flagstaff_flags::{BucketBy, DecisionStep, Flag, RecordedFacts, Sticky, VariantId, Variants};

use crate::vocabulary::*;

fn kept(scope: Sticky, share: f64) -> Flag {
    Flag { sticky: Some(scope), percent: percent(share), ..on("form") }
}

/// Browsers after one visit, with the variant each got.
fn visited(site: &Site, many: usize) -> Vec<(Browser, String)> {
    let one = |_| {
        let mut browser = Browser::new();
        let variant = browser.get(site, "/").flags.variant("form").to_owned();
        (browser, variant)
    };
    (0..many).map(one).collect()
}

#[test]
fn who_was_in_stays_in_and_nobody_is_kept_out() {
    let site = Site::new(&with_key(), vec![kept(Sticky::Visitor, 50.0)]);
    let mut all = visited(&site, 40);
    let (fewer, more) =
        (site.edited(vec![kept(Sticky::Visitor, 1.0)]), site.edited(vec![kept(Sticky::Visitor, 100.0)]));
    let none = site.edited(vec![kept(Sticky::Visitor, 0.0)]);
    for (browser, first) in &mut all {
        assert_eq!(browser.cookie("flagstaff_sticky").is_some(), first == "on", "only those who are in are kept");
        if first == "on" {
            let visit = browser.get(&fewer, "/");
            assert_eq!(
                (visit.flags.variant("form"), visit.flags.decisions().get("form").step()),
                ("on", DecisionStep::Sticky)
            );
        }
        assert_eq!(browser.get(&none, "/").flags.variant("form"), "off");
        assert_eq!(browser.get(&more, "/").flags.variant("form"), "on");
    }
    assert!(all.iter().any(|(_, first)| first == "on") && all.iter().any(|(_, first)| first == "off"));
}

/// At 100 percent nobody is drawn, and all are in.
#[test]
fn a_falling_percentage_keeps_everybody_who_was_in() {
    for share in [100.0, 99.999] {
        let site = Site::new(&with_key(), vec![kept(Sticky::Visitor, share)]);
        let fallen = site.edited(vec![kept(Sticky::Visitor, 50.0)]);
        for (mut browser, _) in visited(&site, 40) {
            let again = browser.get(&site, "/").flags.decisions().get("form");
            assert_eq!(again.is_counted(), share < 100.0, "nobody is drawn at 100 percent: {share}");
            let visit = browser.get(&fallen, "/");
            assert_eq!(visit.flags.variant("form"), "on", "{share}");
        }
    }
    let weighted = |classic: f64| {
        let variants = Variants::weighted([("classic", classic), ("simple", 100.0 - classic)]).unwrap();
        Flag { variants, ..kept(Sticky::Visitor, 100.0) }
    };
    let site = Site::new(&with_key(), vec![weighted(100.0)]);
    let shifted = site.edited(vec![weighted(10.0)]);
    for (mut browser, _) in visited(&site, 40) {
        assert_eq!(browser.get(&shifted, "/").flags.variant("form"), "classic");
    }
}

#[test]
fn nothing_is_remembered_that_no_share_gave() {
    let rule = flagstaff_flags::Rule::new(
        flagstaff_flags::Conditions::default(),
        flagstaff_flags::Serve::Variant(VariantId::ON),
    );
    for flag in [
        Flag { sticky: Some(Sticky::None), ..on("form") },
        on("form"),
        Flag { rules: vec![rule], ..kept(Sticky::Visitor, 0.0) },
        kept(Sticky::Visitor, 0.0),
        Flag { enabled: false, ..kept(Sticky::Visitor, 100.0) },
    ] {
        let site = Site::new(&with_key(), vec![flag]);
        let mut browser = Browser::new();
        browser.get(&site, "/");
        assert!(browser.cookie("flagstaff_sticky").is_none());
        assert!(!browser.get(&site, "/").sets_cookies());
    }
}

#[test]
fn what_was_drawn_before_a_flag_started_again_is_void() {
    let first = Site::new(&with_key(), vec![kept(Sticky::Visitor, 99.0)]);
    let low = first.edited(vec![kept(Sticky::Visitor, 0.001)]);
    let since = |site: &Site, number| {
        site.knowing(&RecordedFacts { remembered: vec![(name("form"), number)], ..RecordedFacts::default() })
    };
    for (mut browser, variant) in visited(&first, 20) {
        let drawn = browser.cookie("flagstaff_sticky").map(str::to_owned);
        assert_eq!(drawn.is_some(), variant == "on");
        if drawn.is_none() {
            continue;
        }
        let step = |browser: &mut Browser, site: &Site| browser.get(site, "/").flags.decisions().get("form").step();
        assert_eq!(step(&mut browser, &since(&low, 4)), DecisionStep::Percent, "drawn before fact 4");
        assert_eq!(step(&mut browser, &since(&first, 4)), DecisionStep::Percent);
        assert_ne!(browser.cookie("flagstaff_sticky").map(str::to_owned), drawn, "drawn again, so written again");
        for (known, wanted) in [(4, DecisionStep::Sticky), (0, DecisionStep::Sticky), (9, DecisionStep::Percent)] {
            // 0: a program that does not know yet that the flag started again
            assert_eq!(step(&mut browser.clone(), &since(&low, known)), wanted, "{known}");
        }
    }
}

#[test]
fn is_written_only_when_it_changes() {
    let site = Site::new(
        &with_key(),
        vec![kept(Sticky::Visitor, 100.0), Flag { sticky: Some(Sticky::Visitor), ..three("price") }],
    );
    let mut browser = Browser::new();
    assert!(browser.get(&site, "/").set("flagstaff_sticky").unwrap().contains("Max-Age=31536000"));
    assert!(!browser.get(&site, "/").sets_cookies());
    // A flag that this server does not know yet, or any more, is no reason to write.
    let price_only = site.edited(vec![Flag { sticky: Some(Sticky::Visitor), ..three("price") }]);
    assert!(!browser.get(&price_only, "/").sets_cookies());
    let one_more = site.edited(vec![
        Flag { sticky: Some(Sticky::Visitor), ..three("price") },
        Flag { sticky: Some(Sticky::Visitor), ..three("other") },
    ]);
    assert!(browser.get(&one_more, "/").set("flagstaff_sticky").is_some());
}

#[test]
fn a_session_ends_with_its_cookie() {
    let site = Site::new(&with_key(), vec![Flag { sticky: Some(Sticky::Session), ..three("price") }]);
    let mut browser = Browser::new();
    let first = browser.get(&site, "/");
    for cookie in ["flagstaff_session", "flagstaff_sticky"] {
        assert!(!first.set(cookie).unwrap().contains("Max-Age"), "{cookie} ends with the session");
    }
    let variant = first.flags.variant("price").to_owned();
    let step = |visit: &Visit| visit.flags.decisions().get("price").step();
    let again = browser.get(&site, "/");
    assert_eq!((again.flags.variant("price"), step(&again)), (&*variant, DecisionStep::Sticky));
    browser.cookies.remove("flagstaff_session");
    assert_eq!(step(&browser.get(&site, "/")), DecisionStep::Percent, "another session remembers nothing of it");
    assert_eq!(step(&browser.get(&site, "/")), DecisionStep::Sticky);
}

#[test]
fn a_cookie_of_another_visitor_or_a_changed_one_is_nothing() {
    let site = Site::new(&with_key(), vec![Flag { sticky: Some(Sticky::Visitor), ..three("price") }]);
    let mut owner = Browser::new();
    owner.get(&site, "/");
    let sealed = owner.cookie("flagstaff_sticky").unwrap();
    let step = |browser: &Browser| {
        let mut request = browser.request("/");
        site.tag(&mut request).decisions().get("price").step()
    };
    assert_eq!(step(&owner), DecisionStep::Sticky);
    let other = Browser::new().holding("flagstaff_visitor", &"b".repeat(22)).holding("flagstaff_sticky", sealed);
    assert_eq!(step(&other), DecisionStep::Percent);
    let visitor = owner.cookie("flagstaff_visitor").unwrap();
    for (from, to) in
        [("simple", "classic"), ("classic", "simple"), ("annual_first", "simple"), ("1/", "2/"), ("price", "pric")]
    {
        let forged = Browser::new()
            .holding("flagstaff_visitor", visitor)
            .holding("flagstaff_sticky", &sealed.replacen(from, to, 1));
        if sealed.contains(from) {
            assert_eq!(step(&forged), DecisionStep::Percent, "{from}");
        }
    }
}

#[test]
fn a_variant_that_is_gone_is_forgotten() {
    let site = Site::new(&with_key(), vec![Flag { sticky: Some(Sticky::Visitor), ..three("form") }]);
    let mut browser = Browser::new();
    browser.get(&site, "/");
    let renamed = site.edited(vec![kept(Sticky::Visitor, 100.0)]);
    let visit = browser.get(&renamed, "/");
    assert_eq!(
        (visit.flags.variant("form"), visit.flags.decisions().get("form").step()),
        ("on", DecisionStep::Percent)
    );
}

#[test]
fn what_belongs_to_a_person_is_not_remembered_for_a_browser() {
    for bucket_by in
        [BucketBy::User, BucketBy::Request, BucketBy::Header("accept".into()), BucketBy::Cookie("x".into())]
    {
        let flag = Flag { bucket_by, sticky: Some(Sticky::Visitor), ..three("price") };
        let settings = flagstaff_tag::TaggerSettings {
            user: flagstaff_tag::UserSettings { header: Some("x-user-id".into()), ..Default::default() },
            ..with_key()
        };
        let site = Site::new(&settings, vec![flag]);
        let mut browser = Browser::trusted().with("x-user-id", "42").with("accept", "*/*").holding("x", "1");
        browser.get(&site, "/");
        assert!(browser.cookie("flagstaff_sticky").is_none());
    }
}

#[test]
fn hundreds_of_flags_fit_a_cookie_and_settle() {
    let flags = (0..300)
        .map(|i| Flag { sticky: Some(Sticky::Visitor), ..three(&format!("a_flag_with_quite_a_long_name_{i}")) });
    let site = Site::new(&with_key(), flags.collect());
    let mut browser = Browser::new();
    let set = browser.get(&site, "/").set("flagstaff_sticky").unwrap().len();
    assert!((3000..4096).contains(&set), "{set}");
    assert!(!browser.get(&site, "/").sets_cookies(), "a full cookie is not written again and again");
}
