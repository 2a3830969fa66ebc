//! Who a person is: what the app said last, what a proxy says once, what a sibling host cannot hide.

use std::collections::BTreeMap;

use crate::flags_spoofing::KEYS;
use crate::harness::app::{App, Exchange, Then};
use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::raw::{Answer, fields};

const FLAGS: &str = r#"
[flags.staff]
allow = { roles = ["staff"] }

[flags.seven]
allow = { users = ["7"] }

[flags.form]
percent = 50

[flags.kept]
percent = 50
sticky = "visitor"

[flags.price]
variants = { classic = 50, simple = 25, annual_first = 25 }
"#;

/// An app that says who it is on a path of its own, and shows every head it gets.
fn app() -> App {
    App::start(|exchange: &mut Exchange<'_>| -> Then {
        exchange.body();
        let word = match exchange.target.as_str() {
            "/login" => "X-Flag-Identify: 42; roles=staff\r\n",
            "/demote" => "X-Flag-Identify: 42\r\n",
            "/logout" => "X-Flag-Identify: none\r\n",
            "/logout-cached" => "X-Flag-Identify: none\r\nCache-Control: max-age=5\r\n",
            "/seven-cached" => "X-Flag-Identify: 7\r\nCache-Control: max-age=5\r\n",
            "/seven-and-eight" => "X-Flag-Identify: 7\r\nX-Flag-Identify: 8\r\n",
            "/garbled" => "X-Flag-Identify: 7;;\r\n",
            _ => "",
        };
        let head = exchange.head.clone();
        exchange.answer(200, word, head)
    })
}

fn flags(answer: &Answer) -> BTreeMap<String, String> {
    let text = answer.text();
    let all = fields(&text).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    all.filter(|(name, _)| name.starts_with("x-flag-")).collect()
}

fn is_staff(answer: &Answer) -> bool {
    flags(answer).contains_key("x-flag-staff")
}

fn identifying(app: &App) -> Program {
    Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS).start()
}

#[test]
fn a_replayed_user_cookie_identifies_nobody() {
    let app = app();
    let program = identifying(&app);
    let mut browser = Browser::new(program.address);
    browser.get("/");
    let login = browser.get("/login");
    let cookie = login.all("set-cookie").into_iter().find(|cookie| cookie.starts_with("flagstaff_user=")).unwrap();
    assert!(cookie.contains("; Max-Age=86400"), "{cookie}");
    assert!(is_staff(&browser.get("/")));
    let kept = browser.cookies.clone();
    for word in ["/demote", "/logout"] {
        browser.get(word);
        browser.cookies = kept.clone();
        assert!(!is_staff(&browser.get("/")), "after {word}");
    }
}

/// Also where the answer that ends a login can set no cookie, and where the app's word is not understood.
#[test]
fn a_login_that_ended_stays_ended_after_a_restart() {
    let app = app();
    for ending in ["/logout", "/logout-cached", "/seven-cached", "/seven-and-eight", "/garbled"] {
        let program = identifying(&app);
        let mut browser = Browser::new(program.address);
        browser.get("/");
        browser.get("/login");
        assert!(is_staff(&browser.get("/")));
        let ended = browser.get(ending);
        let is_cached = ending.ends_with("-cached");
        assert_eq!(ended.all("set-cookie").is_empty(), is_cached, "{ending}: no cookie where a cache keeps it");
        browser.get("/");
        let restarted = identifying(&app);
        let mut later = Browser::new(restarted.address);
        later.cookies = browser.cookies;
        assert!(!is_staff(&later.get("/")), "{ending}");
    }
}

#[test]
fn a_logout_counts_while_consent_is_away() {
    let app = app();
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS);
    let program = setup.key("visitor", "consent_cookie = \"consent=yes\"").start();
    let mut browser = Browser::new(program.address).with_cookie("consent", "yes");
    browser.get("/");
    browser.get("/login");
    assert!(is_staff(&browser.get("/")));
    browser = browser.with_cookie("consent", "no");
    browser.get("/logout");
    assert_eq!(browser.cookie("flagstaff_user"), None);
    assert!(!is_staff(&browser.with_cookie("consent", "yes").get("/")));
}

#[test]
fn what_ends_a_cookie_reaches_those_from_before_a_domain_was_set() {
    let app = app();
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS);
    let program = setup.key("visitor", "domain = \"shop.example\"").start();
    let before = identifying(&app);
    let mut browser = Browser::new(before.address);
    browser.get("/");
    browser.get("/login");
    let mut later = Browser::new(program.address);
    later.cookies = browser.cookies;
    assert!(is_staff(&later.get("/")));
    let ends = |answer: &Answer, name: &str| {
        let all = answer.all("set-cookie").into_iter();
        let gone: Vec<_> =
            all.filter(|set| set.starts_with(&format!("{name}=;")) && set.contains("Max-Age=0")).collect();
        let with_domain = gone.iter().filter(|set| set.contains("; Domain=shop.example")).count();
        assert_eq!((gone.len(), with_domain), (2, 1), "{name}: {gone:?}");
    };
    ends(&later.get("/logout"), "flagstaff_user");
    let forgotten = later.post_json("/.flagstaff/forget", "Sec-Fetch-Site: same-origin\r\n", "");
    for name in ["flagstaff_visitor", "flagstaff_session", "flagstaff_sticky", "flagstaff_user", "flagstaff_override"]
    {
        ends(&forgotten, name);
    }
}

/// At 100 percent nobody is drawn, and all are in.
#[test]
fn a_falling_percentage_keeps_everybody_who_was_in() {
    let app = app();
    let started = |flags: &str| Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(flags).start();
    let kept = |share: &str| format!("[flags.kept]\npercent = {share}\nsticky = \"visitor\"\n");
    let named = |weights: &str| format!("[flags.kept]\nvariants = {{ {weights} }}\nsticky = \"visitor\"\n");
    for (before, after) in [
        (kept("100"), kept("50")),
        (kept("99.999"), kept("50")),
        (named("classic = 100, simple = 0"), named("classic = 10, simple = 90")),
    ] {
        let (first, second) = (started(&before), started(&after));
        for _ in 0..40 {
            let mut browser = Browser::new(first.address);
            let was = flags(&browser.get("/"));
            assert!(was.contains_key("x-flag-kept"));
            let mut later = Browser::new(second.address);
            later.cookies = browser.cookies;
            assert_eq!(flags(&later.get("/")), was, "{before}");
        }
    }
}

#[test]
fn junk_cookies_do_not_hide_a_visitor() {
    let app = app();
    let program = identifying(&app);
    let mut browser = Browser::new(program.address);
    browser.get("/");
    browser.get("/login");
    let before = flags(&browser.get("/"));
    assert!(before.contains_key("x-flag-staff"));
    let real: Vec<_> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    for name in ["flagstaff_user", "flagstaff_visitor", "flagstaff_sticky", "flagstaff_session", "flagstaff_override"]
    {
        for junk in ["junk".to_owned(), "A".repeat(22), format!("junk.{}", "A".repeat(43))] {
            for count in [1, 8, 40] {
                let junk = vec![format!("{name}={junk}"); count].join("; ");
                let line = format!("Cookie: {junk}; {}\r\n", real.join("; "));
                let answer = Browser::new(program.address).get_with("/", &line);
                assert_eq!(flags(&answer), before, "{count} of {junk}");
            }
        }
    }
}

#[test]
fn two_user_headers_identify_nobody() {
    let app = app();
    let trust = |setup: Setup| setup.key("trust", "addresses = [\"127.0.0.1\"]");
    let program = trust(Setup::to(&[app.address]).flags(FLAGS).key("user", "header = \"X-User-Id\"")).start();
    let ask = |lines: &str| Browser::new(program.address).get_with("/", lines);
    let one = ask("X-User-Id: 7\r\nX-User-Roles: staff\r\n");
    assert!(is_staff(&one) && flags(&one).contains_key("x-flag-seven"));
    for lines in [
        "X-User-Id: 7\r\nX-User-Id: 8\r\n",
        "X-User-Id: 8\r\nX-User-Id: 7\r\n",
        "X-User-Id: 7\r\nX-User-Id: 7\r\n",
        "X-User-Id: 7\r\nX-User-Roles: staff\r\nX-User-Roles: guest\r\n",
        "X-User-Id: 7\r\nX-User-Groups: a\r\nX-User-Groups: b\r\n",
    ] {
        let answer = ask(lines);
        assert!(!is_staff(&answer) && !flags(&answer).contains_key("x-flag-seven"), "{lines}");
        assert!(!answer.text().to_lowercase().replace('_', "-").contains("x-user-"), "{lines}\n{}", answer.text());
    }
}

#[test]
fn a_user_whose_id_cannot_be_read_is_nobody() {
    let app = app();
    let trust = |setup: Setup| setup.key("trust", "addresses = [\"127.0.0.1\"]");
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS);
    let program = trust(setup.key("user", "header = \"X-User-Id\"\nidentify = true")).start();
    let mut browser = Browser::new(program.address);
    browser.get("/");
    browser.get("/login");
    assert!(is_staff(&browser.get("/")));
    let long = format!("X-User-Id: {}\r\n", "x".repeat(300));
    assert!(!is_staff(&browser.get_with("/", &long)), "nobody, not the one of the cookie");
    assert!(flags(&browser.get_with("/", "X-User-Id: 7\r\n")).contains_key("x-flag-seven"));
}

#[test]
fn consent_gives_an_id_and_keeps_variants() {
    let app = app();
    let setup = Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS);
    let program = setup.key("visitor", "consent_cookie = \"consent=yes\"").start();
    let before = flags(&Browser::new(program.address).get("/"));
    let mut ids = Vec::new();
    for _ in 0..8 {
        let mut person = Browser::new(program.address);
        assert_eq!(flags(&person.get("/")), before, "without a cookie all of one browser are one");
        let mut person = person.with_cookie("consent", "yes");
        for visit in 0..3 {
            assert_eq!(flags(&person.get("/")), before, "visit {visit}");
        }
        ids.push(person.cookie("flagstaff_visitor").unwrap().to_owned());
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}

#[test]
fn a_token_key_is_a_file_or_a_secret() {
    let refused = |jwt: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("flags.toml"), "# none\n").unwrap();
        std::fs::write(folder.path().join("a_key_without_an_ending_that_is_long_enough"), "x".repeat(40)).unwrap();
        std::fs::write(folder.path().join("flagstaff.toml"), format!("[user]\njwt = {{ {jwt} }}\n")).unwrap();
        let said = crate::harness::command::flagstaff(
            folder.path(),
            ["run", "--dry-run", "--config", "flagstaff.toml"],
            &[],
        );
        (said.code != 0).then_some(said.err)
    };
    let is_fine = |jwt: &str| assert_eq!(refused(jwt), None, "{jwt}");
    is_fine("key_files = [\"a_key_without_an_ending_that_is_long_enough\"]");
    is_fine("keys = [\"a_key_without_an_ending_that_is_long_enough\"]");
    is_fine("secrets = [\"a secret of at least thirty-two bytes\"]");
    for (jwt, place) in [
        ("keys = [\"/run/secrets/jwt_signing_key_of_this_shop\"]", "keys = "),
        ("key_files = [\"gone\"]", "key_files = "),
        ("secrets = [\"/run/secrets/jwt_signing_key_of_this_shop\"]", "secrets = "),
        ("secrets = [\"a_key_without_an_ending_that_is_long_enough\"]", "secrets = "),
        ("secrets = [\"short\"]", "secrets = "),
        ("cookie = \"session\"", "jwt"),
    ] {
        let said = refused(jwt).unwrap_or_else(|| panic!("taken: {jwt}"));
        assert!(said.contains("flagstaff.toml:2") && said.contains(place), "{said}");
    }
}
