//! A Django project with django-waffle, neither of which knows of us: template and view follow our decision.

use flagstaff_flags::Draw;

use crate::harness::browser::Browser;
use crate::harness::command::flagstaff;
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
