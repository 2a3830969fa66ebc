//! Cookies and caches.

use std::sync::Arc;
use std::time::Duration;

use flagstaff_flags::{
    Audience, BucketBy, Condition, Conditions, Flag, Gate, GateAnswer, Glob, Key, Matcher, Requirement, Route, Rule,
    Segment, Serve, Snapshot, VariantId,
};
use flagstaff_tag::{CacheSettings, JwtSettings, Tagger, TaggerSettings, UserSettings, WhenFlagsDiffer};

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

#[test]
fn a_preview_is_private_whatever_it_is_and_whatever_caches_follow() {
    let form = Flag { testing: true, exposed_on: vec![Route::new("/logo.svg").unwrap()], ..half("form") };
    let site = Site::new(&with_key(), vec![form]);
    let mut browser = Browser::new();
    browser.get(&site, "/?flagstaff.form=on");
    for kind in ["text/html", "image/svg+xml", "text/css", "application/wasm"] {
        for cached in
            [("cache-control", "public, max-age=60"), ("x-accel-expires", "60"), ("surrogate-control", "max-age=9")]
        {
            for path in ["/", "/logo.svg"] {
                let answer = [cached, ("content-type", kind)];
                let preview = browser.visit(&site, path, &answer);
                let control = preview.answered("cache-control").unwrap_or_default();
                assert!(control.starts_with("private"), "{kind} {cached:?} {path}: {control}");
                let for_nginx = (cached.0 == "x-accel-expires").then_some("0");
                assert_eq!(preview.answered("x-accel-expires"), for_nginx);
                assert!(preview.answered("surrogate-control").is_none());
                let other = Browser::new().visit(&site, path, &answer);
                assert_eq!(other.answered(cached.0), Some(cached.1), "{kind} {path}");
            }
        }
    }
}

/// A flag for those for whom a key has a value.
fn targeted(key: &str) -> Flag {
    let condition = match key {
        "language" => Condition::Language(vec!["de".into()]),
        "authenticated" => Condition::Authenticated(true),
        _ => Condition::Value(Key::new(key).unwrap(), Matcher::Pattern(Glob::new("x"))),
    };
    Flag { rules: vec![Rule::new(Conditions(vec![condition]), Serve::Variant(VariantId::ON))], ..on("targeted") }
}

/// What caches are told of a page: `Vary`, or else `Cache-Control`.
fn told(site: &Site, browser: Browser) -> String {
    let mut browser = browser;
    let visit = browser.visit(site, "/", &[("cache-control", "public, max-age=60"), ("vary", "Accept")]);
    let said: Vec<_> = visit.answer.headers().get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    match visit.answered("cache-control") {
        Some("public, max-age=60") => said.get(1).copied().unwrap_or("everybody").into(),
        other => other.unwrap_or_default().into(),
    }
}

#[test]
fn caches_are_told_of_all_that_decides_a_flag() {
    let jwt = |header: Option<&str>| {
        let jwt = JwtSettings { header: header.map(Into::into), keys: vec![KEY.into()], ..JwtSettings::default() };
        UserSettings { jwt: Some(jwt), ..UserSettings::default() }
    };
    let by_peer = || UserSettings { header: Some("X-User-Id".into()), ..UserSettings::default() };
    let none = UserSettings::default;
    let private = "private, max-age=60";
    for (key, user, wanted) in [
        ("language", none(), "Cookie, Accept-Language"),
        ("user_agent", none(), "Cookie, User-Agent"),
        ("plan", none(), "Cookie, X-Plan"),
        ("app_version", none(), "Cookie, X-App-Version"),
        ("header.X-Org", none(), "Cookie, X-Org"),
        ("cookie.plan", none(), "Cookie"),
        ("path", none(), "Cookie"),
        ("host", none(), "Cookie"),
        ("query.q", none(), "Cookie"),
        ("ip", none(), private),
        ("country", none(), private),
        ("role", none(), "Cookie"),
        ("authenticated", none(), "Cookie"),
        ("language", jwt(None), "Cookie, Accept-Language"),
        ("user", jwt(None), "Cookie, Authorization"),
        ("authenticated", jwt(Some("X-Access-Token")), "Cookie, X-Access-Token"),
        ("group", by_peer(), "Cookie, X-User-Id, X-User-Groups, X-User-Roles"),
    ] {
        let mut settings = TaggerSettings { user, ..with_key() };
        settings.trust.country_header = Some("CF-IPCountry".into());
        let segment = Segment { name: name("some"), any: vec![targeted(key).rules.remove(0).when] };
        let in_segment = Audience { segments: vec![name("some")], ..Audience::default() };
        let by_segment = Flag { allow: Some(in_segment), ..on("targeted") };
        let requiring =
            Flag { requires: vec![Requirement { flag: name("targeted"), variant: None }], ..on("requiring") };
        let requiring = Flag { exposed_on: Vec::new(), ..requiring };
        let hidden = Flag { exposed_on: vec![Route::new("/other").unwrap()], ..targeted(key) };
        for (flags, segments) in
            [(vec![targeted(key)], vec![]), (vec![by_segment], vec![segment]), (vec![requiring, hidden], vec![])]
        {
            let tagger = Arc::new(Tagger::new(&settings).unwrap());
            let snapshot = Snapshot::new("test", flags, Vec::new(), segments, Vec::new()).unwrap();
            let compiled = Arc::new(tagger.compile(Arc::new(snapshot)));
            assert_eq!(told(&Site { tagger, compiled }, Browser::new()), wanted, "{key}");
        }
    }
    let no_country = Site::new(&with_key(), vec![targeted("country")]);
    assert_eq!(told(&no_country, Browser::new()), "Cookie", "nobody says a country");
    let org = Flag { bucket_by: BucketBy::Header("x-org".into()), ..half("org") };
    assert_eq!(told(&Site::new(&with_key(), vec![org]), Browser::new()), "Cookie, X-Org");
    assert_eq!(told(&Site::new(&with_key(), vec![on("all")]), Browser::new()), "everybody");
}

#[test]
fn a_person_whom_a_trusted_peer_names_has_private_pages() {
    let user = UserSettings { header: Some("X-User-Id".into()), ..UserSettings::default() };
    let settings = TaggerSettings { user, ..with_key() };
    let site = Site::new(&settings, vec![targeted("user")]);
    let person = |browser: Browser| browser.with("x-user-id", "x");
    assert_eq!(told(&site, person(Browser::trusted())), "private, max-age=60");
    for anybody in [Browser::trusted(), person(Browser::new())] {
        assert_eq!(told(&site, anybody), "Cookie, X-User-Id, X-User-Groups, X-User-Roles");
    }
    let plain = Site::new(&settings, vec![half("form")]);
    assert_eq!(told(&plain, person(Browser::trusted())), "Cookie", "no flag looks at it");
}

#[test]
fn caches_that_store_answers_to_authorized_requests_are_told_too() {
    let user = UserSettings {
        jwt: Some(JwtSettings { keys: vec![KEY.into()], ..JwtSettings::default() }),
        ..UserSettings::default()
    };
    let site = Site::new(&TaggerSettings { user, ..with_key() }, vec![targeted("user")]);
    let authorized = || Browser::new().with("authorization", "Bearer x");
    let visit = authorized().visit(&site, "/", &[("cache-control", "max-age=60")]);
    assert_eq!((visit.answered("vary"), visit.sets_cookies()), (Some("Cookie, Authorization"), true));
    let refused = authorized().visit(&site, "/", &[("cache-control", "no-store")]);
    assert_eq!(refused.answered("vary"), None);
}

#[test]
fn what_is_behind_a_gate_differs_wherever_the_gate_stands() {
    let gate =
        Gate { paths: vec![Glob::new("/staff*")], when_off: GateAnswer::Page { status: 404, body: String::new() } };
    let staff = Flag { gate: Some(gate), exposed_on: vec![Route::new("/elsewhere").unwrap()], ..half("staff") };
    let site = Site::new(&with_key(), vec![staff]);
    for (path, wanted) in [("/staff/1", Some("Cookie")), ("/%73taff", Some("Cookie")), ("/about", None)] {
        let visit = Browser::new().visit(&site, path, &[("cache-control", "max-age=60")]);
        assert_eq!(visit.answered("vary"), wanted, "{path}");
    }
}

#[test]
fn a_page_says_what_its_own_flags_look_at() {
    let on_page = |path: &str, flag: Flag| Flag { exposed_on: vec![Route::new(path).unwrap()], ..flag };
    let org = Flag { bucket_by: BucketBy::Header("x-org".into()), ..half("org") };
    let flags = vec![
        half("form"),
        on_page("/de", targeted("language")),
        on_page("/*", org),
        on_page("/near", Flag { name: name("near"), ..targeted("ip") }),
    ];
    let site = Site::new(&with_key(), flags);
    let vary = |path| {
        let visit = Browser::new().visit(&site, path, &[("cache-control", "max-age=60")]);
        (visit.answered("vary").map(str::to_owned), visit.answered("cache-control").map(str::to_owned))
    };
    let public = Some("max-age=60".to_owned());
    assert_eq!(vary("/about"), (Some("Cookie, X-Org".into()), public.clone()));
    let (said, control) = vary("/de");
    assert!(said.unwrap().split(", ").all(|name| ["Cookie", "X-Org", "Accept-Language"].contains(&name)));
    assert_eq!(control, public);
    assert_eq!(vary("/near"), (None, Some("private, max-age=60".into())));
}
