//! Who is who: visitors, people whom the app names, visitors who have not consented.

use std::collections::BTreeMap;

use crate::apps_headers::ours;
use crate::flags_spoofing::KEYS;
use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;

const FLAGS: &str = r#"
[flags.contact_form]
percent = 50

[flags.price]
variants = { classic = 50, simple = 25, annual_first = 25 }
sticky = "session"

[flags.by_user]
percent = 50
bucket_by = "user"

[flags.for_beta]
allow = { groups = ["beta"] }

[flags.for_staff]
allow = { roles = ["staff"] }

[flags.for_42]
allow = { users = ["42"] }

[flags.for_somebody]
allow = { authenticated = true }
"#;

fn in_front_of(app: &PythonApp) -> Setup {
    Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS)
}

type FlagHeaders = BTreeMap<String, Vec<String>>;

#[track_caller]
fn told(browser: &mut Browser) -> FlagHeaders {
    ours(&browser.get("/headers"))
}

fn on(told: &FlagHeaders, flags: &[&str]) -> Vec<bool> {
    flags.iter().map(|flag| told.contains_key(&format!("x-flag-{}", flag.replace('_', "-")))).collect()
}

#[test]
fn a_visitor_is_known_again() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(&app).start();
    let mut browser = Browser::new(program.address);
    let first = browser.get("/headers");
    let cookies = first.all("set-cookie");
    let visitor = cookies.iter().find(|c| c.starts_with("flagstaff_visitor=")).unwrap();
    for attribute in ["Path=/", "SameSite=Lax", "HttpOnly", "Max-Age=31536000"] {
        assert!(visitor.contains(attribute), "{visitor}");
    }
    assert!(!visitor.contains("Secure"), "not on a connection in the clear: {visitor}");
    let before = ours(&first);
    assert_eq!(before["x-visitor-id"], [browser.cookie("flagstaff_visitor").unwrap()]);
    for _ in 0..5 {
        let again = browser.get("/headers");
        assert!(!again.head.contains("flagstaff_visitor"), "{}", again.head);
        assert_eq!(ours(&again), before);
    }
    // Something that is no id is a new visitor, never an error.
    for broken in ["", "short", "much too long to be one of our ids", "%00%01", "<script>"] {
        let mut browser = Browser::of(program.address, broken);
        assert_eq!(browser.get("/headers").status, 200);
        assert_ne!(browser.cookie("flagstaff_visitor"), Some(broken));
    }
}

#[test]
fn the_app_names_the_person_once_and_takes_the_name_back() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(&app).start();
    let all = ["for_beta", "for_staff", "for_42", "for_somebody"];
    let mut browser = Browser::new(program.address);
    let before = told(&mut browser);
    assert_eq!(on(&before, &all), [false; 4]);

    let login = browser.post("/login", "identify=42%3B+groups%3D%22beta%2C+vip%22%3B+roles%3D%22staff%22");
    assert_eq!(login.status, 303);
    assert!(!login.head.to_lowercase().contains("x-flag"), "{}", login.head);
    assert!(browser.cookie("flagstaff_user").is_some());
    let known = told(&mut browser);
    assert_eq!(on(&known, &all), [true; 4]);
    assert_eq!(told(&mut browser), known, "it is remembered");
    // On login nobody changes variant of what was drawn before.
    for name in ["x-visitor-id", "x-flag-contact-form", "x-flag-price"] {
        assert_eq!(known.get(name), before.get(name), "{name}");
    }
    // The same person has the same answer in another browser.
    let mut other = Browser::new(program.address);
    other.post("/login", "identify=42");
    assert_eq!(on(&told(&mut other), &["by_user"]), on(&known, &["by_user"]));
    assert_eq!(on(&told(&mut other), &all), [false, false, true, true]);

    browser.post("/logout", "");
    assert_eq!(browser.cookie("flagstaff_user"), None);
    assert_eq!(told(&mut browser), before);
}

#[test]
fn ids_that_are_none_name_nobody() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(&app).start();
    for identify in ["", "%3B+groups%3Dbeta", "none", "%22%22"] {
        let mut browser = Browser::new(program.address);
        assert_eq!(browser.post("/login", &format!("identify={identify}")).status, 303);
        assert_eq!(browser.cookie("flagstaff_user"), None, "{identify}");
        assert_eq!(on(&told(&mut browser), &["for_somebody"]), [false]);
    }
}

#[test]
fn without_a_key_that_lasts_the_apps_word_is_only_removed() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = Setup::to(&[app.address]).flags(FLAGS).start();
    let mut browser = Browser::new(program.address);
    let login = browser.post("/login", "identify=42");
    assert!(!login.head.to_lowercase().contains("x-flag"), "{}", login.head);
    assert_eq!(browser.cookie("flagstaff_user"), None);
}

#[test]
fn a_trusted_proxy_names_the_person() {
    let app = PythonApp::start("flask_app.py", &[]);
    let lines = "X-User-Id: 42\r\nX-User-Groups: beta, vip\r\nX-User-Roles: staff\r\n";
    let all = ["for_beta", "for_staff", "for_42"];
    let setup = || in_front_of(&app).key("user", "header = \"X-User-Id\"");
    let ask = |program: &Program| ours(&Browser::new(program.address).get_with("/headers", lines));
    let trusting = setup().key("trust", "addresses = [\"127.0.0.1\"]").start();
    assert_eq!(on(&ask(&trusting), &all), [true; 3]);
    let other_spelling = "X_User_Id: 42\r\nX_User-Groups: beta\r\n";
    let told = ours(&Browser::new(trusting.address).get_with("/headers", other_spelling));
    assert_eq!(on(&told, &all), [false; 3]);
    assert_eq!(on(&ask(&setup().start()), &all), [false; 3], "nobody is trusted unless told");
}

#[test]
fn before_consent_no_cookie_and_after_it_the_same_variant() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(&app).key("visitor", "consent_cookie = \"consent=yes\"").start();
    for n in 0..8 {
        let agent = format!("User-Agent: Browser/{n}\r\n");
        let mut browser = Quiet::new(&program, &agent);
        let before = browser.ask();
        for _ in 0..3 {
            assert_eq!(browser.ask(), before, "the same visitor without any cookie");
        }
        assert!(browser.cookies().is_empty(), "{:?}", browser.cookies());
        browser.set("consent", "no");
        assert_eq!(browser.ask(), before);
        assert_eq!(browser.cookies(), ["consent"]);

        browser.set("consent", "yes");
        let after = browser.ask();
        let flags = |told: &FlagHeaders| {
            told.iter()
                .filter(|(name, _)| *name != "x-visitor-id")
                .map(|(n, v)| (n.clone(), v.clone()))
                .collect::<FlagHeaders>()
        };
        assert_eq!(flags(&after), flags(&before), "nobody changes variant on accepting the banner");
        assert_ne!(after["x-visitor-id"], before["x-visitor-id"], "others could have that one too");
        assert!(browser.cookies().contains(&"flagstaff_visitor"));
        assert_eq!(browser.ask(), after);
    }
    let ids: std::collections::BTreeSet<_> = (0..8)
        .map(|n| Quiet::new(&program, &format!("User-Agent: Browser/{n}\r\n")).ask()["x-visitor-id"].clone())
        .collect();
    assert_eq!(ids.len(), 8, "browsers are told apart");
}

/// A browser with a user agent of its own.
struct Quiet {
    agent: String,
    jar: Browser,
    program: std::net::SocketAddr,
}

impl Quiet {
    fn new(program: &Program, agent: &str) -> Self {
        Self { agent: agent.into(), jar: Browser::new(program.address), program: program.address }
    }

    #[track_caller]
    fn ask(&mut self) -> FlagHeaders {
        let mut raw = crate::harness::raw::Raw::connect(self.program);
        let cookies = self.jar.cookie_line();
        raw.send(format!("GET /headers HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}{cookies}\r\n", self.agent));
        let answer = raw.answer();
        self.jar.keep(&answer);
        ours(&answer)
    }

    fn set(&mut self, name: &str, value: &str) {
        self.jar.cookies.insert(name.into(), value.into());
    }

    fn cookies(&self) -> Vec<&str> {
        self.jar.cookies.keys().map(String::as_str).collect()
    }
}
