//! A Django project with django-waffle, neither of which knows of us: template and view follow our decision.

use flagstaff_flags::Draw;

use crate::harness::browser::Browser;
use crate::harness::command::flagstaff;
use crate::harness::eventually;
use crate::harness::program::{Program, Setup};
use crate::harness::python::PythonApp;

const FLAGS: &str = "[flags.contact_form]\npercent = 50\n\n[flags.preview]\npercent = 0\n";

struct Shop {
    app: PythonApp,
    program: Program,
    _database: tempfile::TempDir,
}

impl Shop {
    fn open() -> Self {
        let database = tempfile::tempdir().unwrap();
        let file = database.path().join("shop.sqlite3");
        let app = PythonApp::start("serve_shop.py", &[("SHOP_DATABASE", &file)]);
        let program = Setup::to(&[app.address]).key("headers", "waffle = true").flags(FLAGS).start();
        Self { app, program, _database: database }
    }

    /// One browser whose visitor falls below half for the form, and one above.
    fn browsers(&self) -> (Browser, Browser) {
        let find = |fits: fn(u32) -> bool| {
            let mut ids = (0..).map(|n| format!("visitor-of-the-shop{n:03}"));
            let id = ids.find(|id| fits(Draw::of("contact_form", id).bucket())).unwrap();
            Browser::of(self.program.address, &id)
        };
        (find(|bucket| bucket < 50), find(|bucket| bucket >= 50))
    }

    #[track_caller]
    fn command(&self, word: &str) {
        let said = flagstaff(self.program.folder.path(), [word, "contact_form", "--flags", "flags.toml"], &[]);
        assert_eq!(said.code, 0, "{said:?}");
        self.program.flags_in_force();
    }
}

/// Sees which form the template shows and which one the view takes, over and over, as a browser that keeps every cookie.
#[track_caller]
fn uses(browser: &mut Browser, form: &str) {
    for _ in 0..4 {
        let page = browser.get("/contact");
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains(&format!("the {form} form")), "{}", page.text());
        assert!(page.text().contains("no preview"), "{}", page.text());
        let token = browser.cookie("csrftoken").unwrap().to_owned();
        let hidden = page.text();
        let hidden = hidden.split("name=\"csrfmiddlewaretoken\" value=\"").nth(1).unwrap();
        let hidden = hidden.split('"').next().unwrap();
        assert!(!token.is_empty());
        let sent = browser.post("/contact", &format!("csrfmiddlewaretoken={hidden}&text=hello"));
        assert_eq!((sent.status, sent.text()), (200, format!("the {form} form was sent")));
    }
}

#[test]
fn template_and_view_follow_our_decision() {
    let shop = Shop::open();
    let (mut below, mut above) = shop.browsers();
    uses(&mut below, "short");
    uses(&mut above, "long");
    shop.program.save_flags("[flags.contact_form]\npercent = 100\n\n[flags.preview]\npercent = 0\n");
    uses(&mut below, "short");
    uses(&mut above, "short");
    shop.program.save_flags("[flags.contact_form]\npercent = 0\n\n[flags.preview]\npercent = 0\n");
    uses(&mut below, "long");
    uses(&mut above, "long");
    shop.program.save_flags(FLAGS);
    uses(&mut below, "short");
    uses(&mut above, "long");
    shop.command("off");
    uses(&mut below, "long");
    uses(&mut above, "long");
    // What was there before `off`, not everybody.
    shop.command("on");
    uses(&mut below, "short");
    uses(&mut above, "long");
}

#[test]
fn the_clients_own_waffle_cookies_change_nothing() {
    let shop = Shop::open();
    // Without us in front, waffle takes the client's word: what is shown here is worth showing.
    let mut direct = Browser::new(shop.app.address).with_cookie("dwf_contact_form", "True");
    assert!(direct.get("/contact").text().contains("the short form"));
    let mut direct = Browser::new(shop.app.address).with_cookie("dwft_preview", "True");
    assert!(direct.get("/contact").text().contains("a preview"));

    let (below, above) = shop.browsers();
    for (browser, form, other) in [(below, "short", "False"), (above, "long", "True")] {
        let forged = [
            ("dwf_contact_form", other),
            ("dwft_contact_form", other),
            ("dwf_preview", "True"),
            ("dwft_preview", "True"),
        ];
        for (name, value) in forged {
            uses(&mut browser.clone().with_cookie(name, value), form);
        }
        let cookie = browser.cookie_line();
        for line in [
            format!("Cookie: dwf_contact_form={other}\r\n{cookie}Cookie: dwft_preview=True\r\n"),
            format!("Cookie: a=b;dwf_contact_form={other};dwft_preview=True\r\n{cookie}"),
            format!("Cookie: dwf_contact_form=\"{other}\"; dwft_preview=\"True\"\r\n{cookie}"),
            format!("{cookie}Cookie:   dwf_contact_form = {other} ;; dwft_preview = True\r\n"),
            format!("{cookie}Cookie: x=\"; dwf_contact_form={other}; dwft_preview=True; y=\"\r\n"),
        ] {
            let page = Browser::new(shop.program.address).get_with("/contact", &line).text();
            assert!(page.contains(&format!("the {form} form")) && page.contains("no preview"), "{line}{page}");
        }
    }
}

fn waffles(browser: &Browser) -> Vec<&String> {
    browser.cookies.keys().filter(|name| name.starts_with("dwf")).collect()
}

#[test]
fn waffle_has_the_browser_remember_nothing_of_our_flags() {
    let shop = Shop::open();
    let mut direct = Browser::new(shop.app.address);
    direct.get("/contact?dwft_preview=1");
    assert_eq!(waffles(&direct), ["dwf_contact_form", "dwft_preview"], "without us in front it would");
    let (mut below, _) = shop.browsers();
    uses(&mut below, "short");
    assert!(below.get("/contact?dwft_preview=1").text().contains("a preview"), "waffle decides this itself");
    assert!(waffles(&below).is_empty() && below.cookie("csrftoken").is_some(), "{:?}", below.cookies);
    // of a flag that waffle alone has, the browser remembers what waffle says
    shop.program.save_flags("[flags.preview]\npercent = 0\n");
    below.get("/contact");
    assert_eq!(waffles(&below), ["dwf_contact_form"]);
    let side = below.cookie("dwf_contact_form").unwrap().to_owned();
    let form = if side == "True" { "short" } else { "long" };
    uses(&mut below, form);
    assert_eq!(below.cookie("dwf_contact_form"), Some(&*side));
}

#[test]
fn a_visitor_keeps_the_side_that_waffle_drew() {
    let shop = Shop::open();
    shop.program.save_flags(
        "[flags.contact_form]\npercent = 50\nsticky = \"visitor\"\nwaffle_cookie_until = 2999-12-31\n\n[flags.preview]\npercent = 0\n",
    );
    let mut sides = [0, 0];
    for _ in 0..12 {
        let mut before = Browser::new(shop.app.address);
        let page = before.get("/contact").text();
        let side = usize::from(page.contains("the short form"));
        sides[side] += 1;
        let mut after = Browser::new(shop.program.address);
        after.cookies = before.cookies;
        uses(&mut after, ["long", "short"][side]);
        // from now on it is ours to remember
        after.cookies.remove("dwf_contact_form");
        uses(&mut after, ["long", "short"][side]);
    }
    assert_eq!(sides[0] + sides[1], 12);
    let (mut below, mut above) = shop.browsers();
    uses(&mut below, "short");
    uses(&mut above, "long");
}

/// Ids of visitors that the ledger counts for the form.
fn counted(program: &Program) -> Vec<String> {
    let said = flagstaff(
        program.folder.path(),
        ["export", "--flag", "contact_form", "--format", "jsonl", "--config", "flagstaff.toml"],
        &[],
    );
    let rows = said.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let mut ids: Vec<_> =
        rows.map(|row| row["visitor"].as_str().unwrap_or_else(|| panic!("{row}")).to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_visitor_whom_waffle_decided_is_not_counted() {
    let database = tempfile::tempdir().unwrap();
    let file = database.path().join("shop.sqlite3");
    let app = PythonApp::start("serve_shop.py", &[("SHOP_DATABASE", &file)]);
    let flags = "[flags.contact_form]\npercent = 50\ngoals = [\"sent\"]\n\n[goals.sent]\non = \"POST /contact\"\n";
    let program = Setup::to(&[app.address])
        .top("ledger = \"flagstaff.db\"")
        .key("headers", "waffle = true")
        .env("FLAGSTAFF_KEYS", "a key of the tests that is long enough to sign")
        .flags(flags)
        .start();
    let visitor = |name: &str| Browser::of(program.address, &format!("visitor-of-the-shop-{name}"));
    let (mut erin, mut ada, mut passer) = (visitor("e1"), visitor("a2"), visitor("p3"));
    for (browser, path) in [(&mut erin, "/enter/erin"), (&mut ada, "/enter/ada"), (&mut passer, "/enter/bob")] {
        assert_eq!(browser.get(path).status, 200);
    }
    for _ in 0..3 {
        // waffle gives the form to each superuser, whatever was drawn
        assert!(ada.get("/contact").text().contains("the short form"));
        assert_eq!(erin.get("/contact").status, 200);
        // no flag is asked for here
        assert_eq!(passer.get("/enter/bob").status, 200);
    }
    eventually("who saw what we drew is counted", || counted(&program) == ["visitor-of-the-shop-e1"]);
    // whatever came before this one is recorded by then
    let mut last = visitor("z9");
    (0..2).for_each(|_| drop(last.get("/contact")));
    eventually("the next one is too", || counted(&program) == ["visitor-of-the-shop-e1", "visitor-of-the-shop-z9"]);
}
