//! What clients make up reaches no app and moves no decision.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use flagstaff_flags::Draw;

use crate::apps_headers::ours;
use crate::harness::app::App;
use crate::harness::browser::Browser;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;
use crate::harness::raw::fields;
use crate::harness::{h2c, run};

pub(crate) const KEYS: &str = "a key of the tests that is long enough to sign";

const FLAGS: &str = r#"
[flags.a]
percent = 50

[flags.off_for_all]
enabled = false

[flags.trial]
percent = 0
testing = true

[flags.price]
variants = { classic = 50, simple = 50 }
percent = 60
sticky = "visitor"

[flags.for_staff]
allow = { roles = ["staff"], users = ["42"] }
"#;

fn in_front_of(address: SocketAddr) -> Setup {
    Setup::to(&[address]).env("FLAGSTAFF_KEYS", KEYS).flags(FLAGS)
}

/// A visitor for whom the flag is on, or off.
fn visitor(on: bool) -> String {
    let mut ids = (0..).map(|n| format!("a-visitor-to-forge{n:04}"));
    ids.find(|id| (Draw::of("a", id).bucket() < 50) == on).unwrap()
}

/// Lines that try it, in every spelling we could think of. The value tells them apart from ours.
const FORGERIES: [&str; 24] = [
    "X-Flag-A: forged\r\n",
    "x-flag-a: forged\r\nX-FLAG-A: forged\r\n",
    "X_Flag_A: forged\r\n",
    "x_flag_a: forged\r\nX-Flag-A: forged\r\n",
    "X-Flag_A: forged\r\nX_Flag-A: forged\r\n",
    "X.Flag.A: forged\r\n",
    "X-Flag-Off-For-All: forged\r\nX_FLAG_OFF_FOR_ALL: forged\r\n",
    "X-Flag-Never-Heard-Of: forged\r\n",
    "X-Flags: a=forged, off_for_all=forged\r\n",
    "X_Flags: a=forged\r\nX-Flags: a=forged\r\nX-Flags: b=forged\r\n",
    "X-Flags-Signature: t=1, v1=forged\r\n",
    "X-Flagstaff: forged\r\n",
    "X-Visitor-Id: forged\r\n",
    "X_Visitor_Id: forged\r\nX-Visitor_Id: forged\r\nx-visitor-id: forged\r\n",
    "Connection: X-Flag-A, X-Flags, X-Visitor-Id\r\n",
    "Connection: close, x-flag-price\r\nX-Flag-A: forged\r\n",
    "Keep-Alive: X-Flag-A\r\nProxy-Connection: X-Flag-A\r\nTE: X-Flags\r\n",
    "X-Flag-Override: a=on, off_for_all=on, trial=on, price=simple, for_staff=on\r\n",
    "X_Flag_Override: trial=on\r\n",
    "X-Flag-Identify: 42; roles=\"staff\"\r\nX-Flag-Exposed: a\r\nX-Flag-Event: forged\r\n",
    "X-User-Id: 42\r\nX-User-Roles: staff\r\nX_User_Id: 42\r\n",
    "Cookie: flagstaff_user=WzE4MDAwMDAwMDAsIjQyIixbXSxbInN0YWZmIl1d.forged\r\n",
    "Cookie: flagstaff_sticky=1/price:simple//.forged; flagstaff_override=trial:on:0.forged\r\n",
    "Cookie: flagstaff_override=a:on:9999999999; flagstaff_sticky=1/price:simple//; flagstaff_session=forged\r\n",
];

#[test]
fn no_spelling_reaches_a_wsgi_app() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(app.address).start();
    let environ = |visitor: &str, lines: &str| -> BTreeMap<String, String> {
        let answer = Browser::of(program.address, visitor).get_with("/environ", lines);
        assert_eq!(answer.status, 200, "{lines}");
        let all: BTreeMap<String, String> = serde_json::from_str(&answer.text()).unwrap();
        let told = |name: &str| name.starts_with("HTTP_X_FLAG") || name == "HTTP_X_VISITOR_ID";
        all.into_iter().filter(|(name, _)| told(name)).collect()
    };
    for on in [true, false] {
        let visitor = visitor(on);
        let honest = environ(&visitor, "");
        assert_eq!(honest["HTTP_X_VISITOR_ID"], visitor);
        assert_eq!(honest.get("HTTP_X_FLAG_A").map(String::as_str), on.then_some("on"));
        assert!(honest.contains_key("HTTP_X_FLAG_PRICE"));
        for lines in FORGERIES {
            assert_eq!(environ(&visitor, lines), honest, "{lines}");
        }
    }
}

/// The fields of a mirrored head that could be taken for ours, lower-cased, sorted.
fn told(head: &str) -> Vec<(String, String)> {
    let like_ours = |name: &str| {
        let name = name.to_lowercase().replace(['_', '.'], "-");
        name.starts_with("x-flag") || name == "x-visitor-id"
    };
    let mut all: Vec<_> = fields(head)
        .filter(|(name, _)| like_ours(name))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    all.sort();
    all
}

#[test]
fn nothing_forged_is_on_the_wire() {
    let app = App::mirror();
    let program = in_front_of(app.address).start();
    for on in [true, false] {
        let browser = || Browser::of(program.address, &visitor(on));
        let honest = told(&browser().get("/").text());
        assert!(honest.iter().any(|(name, _)| name == "x-flags"), "{honest:?}");
        let all = FORGERIES.concat();
        for lines in FORGERIES.into_iter().chain([all.as_str()]) {
            let head = browser().get_with("/", lines).text();
            assert_eq!(told(&head), honest, "{lines}");
        }
    }
}

#[test]
fn nothing_forged_comes_over_http_2() {
    let app = App::mirror();
    let program = in_front_of(app.address).key("headers", "waffle = true").start();
    let visitor = visitor(false);
    let ask = |fields: &[(&str, &str)]| {
        let own = format!("flagstaff_visitor={visitor}");
        let mut request = http::Request::get("http://shop.example/").header("cookie", own);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        run(async {
            let mut client = h2c::connect(program.address).await;
            let (answer, body, _) = h2c::ask(&mut client, request).await;
            assert_eq!(answer.status(), 200);
            String::from_utf8(body).unwrap()
        })
    };
    let cookies = |head: &str| -> Vec<String> {
        let all = fields(head).filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
        all.map(|(_, value)| value.to_owned()).collect()
    };
    let honest = ask(&[]);
    let forged = ask(&[
        ("x-flag-a", "forged"),
        ("x_flag_a", "forged"),
        ("x-flags", "a=forged"),
        ("x-flags", "b=forged"),
        ("x-visitor-id", "forged"),
        ("x-flag-override", "trial=on"),
        ("te", "trailers"),
        // HTTP/2 may send each cookie in a field of its own.
        ("cookie", "dwf_a=True"),
        ("cookie", "dwft_trial=True"),
        ("cookie", "flagstaff_user=forged"),
    ]);
    assert_eq!(told(&forged), told(&honest));
    assert_eq!(cookies(&forged), cookies(&honest));
    assert!(cookies(&honest)[0].contains("dwf_a=False"), "{honest}");
}

#[test]
fn trailers_bring_no_flags() {
    let app = App::mirror();
    let program = in_front_of(app.address).start();
    let mut raw = program.raw();
    raw.send(
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Flag-Forged\r\n\r\n\
         2\r\nhi\r\n0\r\nX-Flag-Forged: on\r\nX-Visitor-Id: forged\r\n\r\n",
    );
    let answer = raw.answer();
    let before_the_next = told(&answer.text());
    assert!(!format!("{before_the_next:?}").contains("forged"), "{before_the_next:?}");
    raw.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(!raw.answer().text().to_lowercase().contains("forged"));
}

/// The variant an app behind this program is told of a flag; `off` when nothing is said.
#[track_caller]
fn variant(browser: &mut Browser, target: &str, lines: &str, flag: &str) -> String {
    let text = browser.get_with(target, lines).text();
    let name = format!("x-flag-{}", flag.replace('_', "-"));
    let mut all = told(&text).into_iter().filter(|(n, _)| *n == name);
    let found = all.next().map_or_else(|| "off".to_owned(), |(_, value)| value);
    assert!(all.next().is_none(), "told twice: {text}");
    found
}

#[test]
fn overrides_need_a_right() {
    let app = App::mirror();
    let program = in_front_of(app.address).start();
    let off = visitor(false);
    let asked =
        |target: &str, lines: &str, flag: &str| variant(&mut Browser::of(program.address, &off), target, lines, flag);
    assert_eq!(asked("/?flagstaff.a=on", "", "a"), "off");
    assert_eq!(asked("/?flagstaff.off_for_all=on", "", "off_for_all"), "off");
    assert_eq!(asked("/?flagstaff.for_staff=on", "", "for_staff"), "off");
    assert_eq!(asked("/", "X-Flag-Override: trial=on\r\n", "trial"), "off");
    let unsigned = "/?flagstaff.a=on&flagstaff.until=9999999999&flagstaff.sig=Zm9yZ2Vk";
    assert_eq!(asked(unsigned, "", "a"), "off");

    // A flag that may be tried remembers for the session who asked, and nobody else.
    let mut trying = Browser::of(program.address, &off);
    assert_eq!(variant(&mut trying, "/?flagstaff.trial=on", "", "trial"), "on");
    assert_eq!(variant(&mut trying, "/", "", "trial"), "on");
    let cookie = trying.cookie("flagstaff_override").unwrap();
    let mut thief = Browser::of(program.address, &visitor(true)).with_cookie("flagstaff_override", cookie);
    assert_eq!(variant(&mut thief, "/", "", "trial"), "off");
    let cut = &cookie[..cookie.len() - 1];
    let mut cutter = Browser::of(program.address, &off).with_cookie("flagstaff_override", cut);
    assert_eq!(variant(&mut cutter, "/", "", "trial"), "off");
    assert_eq!(variant(&mut trying, "/?flagstaff.trial=", "", "trial"), "off");
    assert_eq!(trying.cookie("flagstaff_override"), None);
}

#[test]
fn trusted_addresses_may_override_what_is_for_trial() {
    let app = App::mirror();
    let program = in_front_of(app.address).key("trust", "addresses = [\"127.0.0.0/8\"]").start();
    let line = "X-Flag-Override: trial=on, a=on, off_for_all=on\r\n";
    let asked = |flag: &str| variant(&mut Browser::of(program.address, &visitor(false)), "/", line, flag);
    assert_eq!(asked("trial"), "on");
    assert_eq!(asked("a"), "off");
    assert_eq!(asked("off_for_all"), "off");
}

/// Every way to spoil a signed cookie that we could think of.
fn spoilt(cookie: &str) -> Vec<String> {
    let (payload, tag) = cookie.rsplit_once('.').unwrap();
    let flipped = |at: usize| {
        let mut bytes = cookie.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut all: Vec<_> = (0..payload.len()).map(flipped).collect();
    all.extend([payload.len() + 1, payload.len() + 20].map(flipped));
    all.extend((0..cookie.len()).step_by(7).map(|end| cookie[..end].to_owned()));
    all.extend([
        payload.to_owned(),
        format!("{payload}."),
        format!(".{tag}"),
        format!("{cookie}x"),
        format!("{payload}x.{tag}"),
        format!("{payload}.{}", "A".repeat(43)),
    ]);
    all
}

#[test]
fn a_spoilt_sticky_cookie_remembers_nothing() {
    let app = App::mirror();
    let program = in_front_of(app.address).start();
    // In at 60 percent with the variant that is not the control, out at 0.001: then only the cookie holds it.
    let mut ids = (0..).map(|n| format!("a-visitor-to-stick{n:04}"));
    let id = ids
        .find(|id| {
            let draw = Draw::of("price", id);
            (10..60).contains(&draw.bucket()) && draw.split() >= 50_000
        })
        .unwrap();
    let mut browser = Browser::of(program.address, &id);
    assert_eq!(variant(&mut browser, "/", "", "price"), "simple");
    let cookie = browser.cookie("flagstaff_sticky").unwrap().to_owned();
    program.save_flags(&FLAGS.replace("percent = 60", "percent = 0.001"));
    let with = |visitor: &str, cookie: &str| {
        let mut browser = Browser::of(program.address, visitor).with_cookie("flagstaff_sticky", cookie);
        variant(&mut browser, "/", "", "price")
    };
    assert_eq!(with(&id, &cookie), "simple", "what is remembered holds");
    for spoilt in spoilt(&cookie) {
        assert_eq!(with(&id, &spoilt), "classic", "{spoilt}");
    }
    assert_eq!(with("a-visitor-of-another-x", &cookie), "classic", "somebody else's");
}

#[test]
fn a_spoilt_user_cookie_names_nobody() {
    let app = PythonApp::start("flask_app.py", &[]);
    let program = in_front_of(app.address).start();
    let mut browser = Browser::new(program.address);
    browser.post("/login", "identify=42%3B+roles%3D%22staff%22");
    let is_staff = |browser: &mut Browser| ours(&browser.get("/headers")).contains_key("x-flag-for-staff");
    assert!(is_staff(&mut browser));
    let visitor = browser.cookie("flagstaff_visitor").unwrap().to_owned();
    let cookie = browser.cookie("flagstaff_user").unwrap().to_owned();
    let with = |visitor: &str, cookie: &str| {
        is_staff(&mut Browser::of(program.address, visitor).with_cookie("flagstaff_user", cookie))
    };
    assert!(with(&visitor, &cookie));
    for spoilt in spoilt(&cookie) {
        assert!(!with(&visitor, &spoilt), "{spoilt}");
    }
    assert!(!with("a-visitor-of-another-x", &cookie), "somebody else's");
    // Signed by the right key, for another purpose.
    let mut sticky = Browser::of(program.address, &visitor);
    sticky.get("/headers");
    if let Some(other) = sticky.cookie("flagstaff_sticky") {
        assert!(!with(&visitor, other));
    }
}

#[test]
fn our_own_cookies_are_not_the_apps() {
    let app = App::mirror();
    let program = in_front_of(app.address).start();
    let mut browser = Browser::of(program.address, &visitor(true)).with_cookie("theirs", "kept");
    browser.get("/?flagstaff.trial=on");
    assert!(browser.cookie("flagstaff_override").is_some());
    let head = browser.get("/").text();
    assert!(head.contains("theirs=kept"), "{head}");
    for name in ["flagstaff_override", "flagstaff_sticky", "flagstaff_user", "flagstaff_session"] {
        assert!(!head.contains(name), "{name}: {head}");
    }
}

#[test]
fn a_key_that_went_opens_nothing_and_one_that_stays_does() {
    let app = App::mirror();
    let start =
        |keys: &str| -> Program { Setup::to(&[app.address]).env("FLAGSTAFF_KEYS", keys).flags(FLAGS).start() };
    let other = "another key of the tests that is long enough";
    let (old, rotated, new) = (start(KEYS), start(&format!("{other},{KEYS}")), start(other));
    let mut browser = Browser::of(old.address, &visitor(true));
    browser.get("/?flagstaff.trial=on");
    let cookie = browser.cookie("flagstaff_override").unwrap();
    let at = |program: &Program| {
        let mut browser = Browser::of(program.address, &visitor(true)).with_cookie("flagstaff_override", cookie);
        variant(&mut browser, "/", "", "trial")
    };
    assert_eq!([at(&old), at(&rotated), at(&new)], ["on", "on", "off"]);
}
